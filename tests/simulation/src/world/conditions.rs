//! How a world behaves.

use responder_core::settings::Settings;
use responder_core::time::Span;

/// How a world behaves.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// What all chance comes from.
    pub seed: u64,
    /// What the operator set.
    pub settings: Settings,
    /// How often the sweep runs, if it does.
    pub sweep_every: Option<Span>,
    /// How many functions of a kind run at once.
    pub workers: usize,
    /// The functions' timeout, not longer than the lease.
    pub timeout: Span,
    /// How long a claim is held.
    pub lease: Span,
    /// How long a received message is hidden: not shorter than timeout and lease together.
    pub visibility: Span,
    /// How many of a thousand calls go wrong, until it is calm.
    pub faulty: u64,
    /// How many of a thousand invocations die somewhere, until it is calm.
    pub dying: u64,
    /// How many of a thousand events get lost, until it is calm.
    pub lost: u64,
    /// How many of a thousand scheduled sweeps get lost, until it is calm.
    pub unswept: u64,
    /// How many of a thousand events come twice.
    pub twice: u64,
    /// The longest time that an event of `CloudTrail` takes.
    pub trail: Span,
    /// How long messages for the function `access` are gathered: they come at whole multiples of it.
    pub window: Span,
    /// Places among the deployments in flight are never given back: a planted bug.
    pub keeps_places: bool,
    /// Whether a trace is kept.
    pub traced: bool,
}

impl Conditions {
    /// A world in which nothing goes wrong.
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            settings: Settings::default(),
            sweep_every: Some(Span::from_secs(60)),
            workers: 2,
            timeout: Span::from_secs(60),
            lease: Span::from_secs(60),
            visibility: Span::from_secs(120),
            faulty: 0,
            dying: 0,
            lost: 0,
            unswept: 0,
            twice: 0,
            trail: Span::from_secs(120),
            window: Span::from_millis(1),
            keeps_places: false,
            traced: false,
        }
    }
}
