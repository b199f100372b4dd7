//! Lengths of time around deployments that several decisions share.

use crate::time::Span;

/// The longest that the shell waits for the settle delay of a change before it redeploys.
pub const LONGEST_WAIT: Span = Span::from_secs(20);
/// How far the clock of ECS may be behind ours.
pub(super) const ECS_CLOCK_SKEW: Span = Span::from_secs(5);
