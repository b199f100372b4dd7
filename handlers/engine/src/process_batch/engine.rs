//! The engine: what a process keeps between invocations.

use std::sync::Arc;

use responder_core::facts::Settings;
use responder_core::rules::{Handler, RuleSet};
use responder_core::time::Span;

use crate::discovery::ProcessCache;

/// A function's engine. Its memory only saves calls: a process that starts without it decides the same.
#[derive(Debug)]
pub struct Engine<A> {
    /// The world.
    pub aws: A,
    /// The handler whose rules are applied.
    pub handler: Handler,
    /// The rules, which several engines may share.
    pub rules: Arc<RuleSet>,
    /// The operator's settings.
    pub settings: Settings,
    /// How long a claim is held. No invocation works for longer.
    pub lease: Span,
    pub(super) cache: ProcessCache,
}

impl<A> Engine<A> {
    /// An engine that has not learned anything yet.
    pub fn new(
        aws: A,
        handler: Handler,
        rules: impl Into<Arc<RuleSet>>,
        settings: Settings,
        lease: Span,
    ) -> Self {
        Self { aws, handler, rules: rules.into(), settings, lease, cache: ProcessCache::default() }
    }
}
