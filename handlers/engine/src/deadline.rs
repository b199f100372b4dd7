//! The time that an invocation has left.

use responder_core::time::{Span, Timestamp};

use crate::port::AwsPort;

/// The instant by which everything must have been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(Timestamp);

/// What is kept back to write the counters and to answer Lambda.
const RESERVE: Span = Span::from_secs(1);

impl Deadline {
    /// From Lambda's deadline. Never later than a claim is held: no other invocation may take over what this one still
    /// works on.
    pub(crate) fn of(lambda: Timestamp, lease: Span, now: Timestamp) -> Self {
        let left = between(now, lambda).min(lease);
        let kept = RESERVE.min(Span::from_millis(left.millis() / 4));
        Self(now.plus(left).minus(kept))
    }

    /// The instant.
    pub(crate) fn at(self) -> Timestamp {
        self.0
    }

    /// What is left.
    pub(crate) fn left(self, aws: &impl AwsPort) -> Span {
        between(aws.now(), self.0)
    }

    /// An earlier one, at half of what is left: the other half is for acting on what was learned.
    pub(crate) fn half(self, now: Timestamp) -> Self {
        Self(now.plus(Span::from_millis(between(now, self.0).millis() / 2)))
    }

    /// An earlier one, by so much.
    pub(crate) fn sooner(self, by: Span) -> Self {
        Self(self.0.minus(by))
    }
}

/// How long it is from one instant to another; nothing if that has passed.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Span {
    Span::from_millis(to.millis().saturating_sub(from.millis()).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn left(lambda: i64) -> i64 {
        let now = Timestamp::from_millis(NOW);
        let deadline = Deadline::of(Timestamp::from_millis(lambda), Span::from_secs(60), now);
        between(now, deadline.at()).millis()
    }

    #[test]
    fn an_invocation_never_works_for_longer_than_its_claims_are_held() {
        assert_eq!(left(NOW + 3_600_000), 59_000);
        assert_eq!(left(NOW + 30_000), 29_000);
        assert_eq!(left(NOW + 400), 300);
        assert_eq!((left(NOW - 5), left(0), left(i64::MIN)), (0, 0, 0));
    }

    #[test]
    fn half_of_the_time_is_half_of_what_is_left() {
        let now = Timestamp::from_millis(NOW);
        let deadline = Deadline::of(now.plus(Span::from_secs(11)), Span::from_secs(60), now);
        assert_eq!(between(now, deadline.half(now).at()), Span::from_secs(5));
        let late = now.plus(Span::from_secs(20));
        assert_eq!(deadline.half(late).at(), late);
    }
}
