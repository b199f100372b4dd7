//! The time that an invocation has left.

use responder_core::time::{Span, Timestamp};

use crate::port::AwsPort;

/// The instant by which everything must have been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(Timestamp);

/// The part of the invocation that is kept back, to print the counters and to answer Lambda.
const ANSWER_RESERVE: Span = Span::from_secs(1);

impl Deadline {
    /// The deadline of an invocation that Lambda ends at `lambda_deadline`. It is never later than the end of a claim that
    /// is made at `now`: no other invocation may take over what this one still works on.
    pub(crate) fn from_invocation(lambda_deadline: Timestamp, lease: Span, now: Timestamp) -> Self {
        let available = span_between(now, lambda_deadline).min(lease);
        let reserve = ANSWER_RESERVE.min(Span::from_millis(available.millis() / 4));
        Self(now.plus(available).minus(reserve))
    }

    /// The instant itself.
    pub(crate) fn instant(self) -> Timestamp {
        self.0
    }

    /// The time that is left; zero if the deadline has passed.
    pub(crate) fn remaining(self, aws: &impl AwsPort) -> Span {
        span_between(aws.now(), self.0)
    }

    /// An earlier deadline, after half of the time that is left at `now`.
    pub(crate) fn halved(self, now: Timestamp) -> Self {
        Self(now.plus(Span::from_millis(span_between(now, self.0).millis() / 2)))
    }

    /// The deadline that is earlier by `span`.
    pub(crate) fn earlier_by(self, span: Span) -> Self {
        Self(self.0.minus(span))
    }
}

/// The time from one instant to a later one; zero if `to` is not later than `from`.
pub(crate) fn span_between(from: Timestamp, to: Timestamp) -> Span {
    Span::from_millis(to.millis().saturating_sub(from.millis()).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn left(lambda: i64) -> i64 {
        let now = Timestamp::from_millis(NOW);
        let deadline = Deadline::from_invocation(Timestamp::from_millis(lambda), Span::from_secs(60), now);
        span_between(now, deadline.instant()).millis()
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
        let deadline = Deadline::from_invocation(now.plus(Span::from_secs(11)), Span::from_secs(60), now);
        assert_eq!(span_between(now, deadline.halved(now).instant()), Span::from_secs(5));
        let late = now.plus(Span::from_secs(20));
        assert_eq!(deadline.halved(late).instant(), late);
    }
}
