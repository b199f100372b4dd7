//! How a world behaves.

use responder_core::settings::Settings;
use responder_core::time::Span;

use crate::cloud::CloudBug;

/// How a world behaves.
#[derive(Clone, Debug)]
pub struct WorldConditions {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// The operator's settings.
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
    /// How many of a thousand calls go wrong, until calm begins.
    pub faulty_calls: u64,
    /// How many of a thousand invocations die somewhere, until calm begins.
    pub dying_invocations: u64,
    /// How many of a thousand events get lost, until calm begins.
    pub lost_events: u64,
    /// How many of a thousand scheduled sweeps get lost, until calm begins.
    pub lost_sweeps: u64,
    /// How many of a thousand events come twice, until calm begins.
    pub repeated_events: u64,
    /// The longest time that an event of `CloudTrail` takes.
    pub trail_delay: Span,
    /// How long messages for the function `access` are gathered: they come at whole multiples of it.
    pub batching_window: Span,
    /// A bug that is planted.
    pub bug: Option<CloudBug>,
    /// Whether a trace is kept.
    pub is_traced: bool,
}

impl WorldConditions {
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
            faulty_calls: 0,
            dying_invocations: 0,
            lost_events: 0,
            lost_sweeps: 0,
            repeated_events: 0,
            trail_delay: Span::from_secs(120),
            batching_window: Span::from_millis(1),
            bug: None,
            is_traced: false,
        }
    }
}
