//! The clock, and the time that an invocation has left.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use responder_core::time::{Span, Timestamp};
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Failure};

/// The present: the only clock of the functions.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The instant by which everything must have been answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

/// What is kept back to write the counters and to answer Lambda.
const RESERVE: Duration = Duration::from_secs(1);

impl Deadline {
    /// From Lambda's deadline in milliseconds since 1970. Never later than a claim is held: no other invocation may
    /// take over what this one still works on.
    pub(crate) fn of(deadline_millis: u64, lease: Span) -> Self {
        let now_millis = u64::try_from(now().millis()).unwrap_or_default();
        let lambda = Duration::from_millis(deadline_millis.saturating_sub(now_millis));
        let lease = Duration::from_millis(u64::try_from(lease.millis()).unwrap_or_default());
        let left = lambda.min(lease);
        Self(Instant::now() + left.saturating_sub(RESERVE.min(left / 4)))
    }

    /// What is left.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// An earlier one, at half of what is left: the other half is for acting on what was learned.
    pub(crate) fn half(self) -> Self {
        Self(Instant::now() + self.left() / 2)
    }

    /// An earlier one, by so much.
    pub(crate) fn sooner(self, by: Duration) -> Self {
        Self(self.0.checked_sub(by).unwrap_or(self.0))
    }

    /// Waits for `future`, but not beyond the deadline. The future goes to the heap: those of the SDKs are large.
    pub(crate) fn bound<T>(
        self,
        what: &'static str,
        future: impl Future<Output = T>,
    ) -> impl Future<Output = Result<T, Error>> {
        let bounded = timeout_at(self.0, Box::pin(future));
        async move { bounded.await.map_err(|_| Error::Deadline(what)) }
    }

    /// Waits for a call of an SDK, but not beyond the deadline.
    pub(crate) fn call<T, E: ProvideErrorMetadata>(
        self,
        service: &'static str,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> impl Future<Output = Result<T, Error>> {
        let bounded = self.bound(operation, call);
        async move {
            bounded.await?.map_err(|error| Error::Call { service, operation, failure: Failure::of(&error) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_never_works_for_longer_than_its_claims_are_held() {
        let in_an_hour = u64::try_from(now().millis()).unwrap() + 3_600_000;
        let left = Deadline::of(in_an_hour, Span::from_secs(60)).left();
        assert!(left <= Duration::from_secs(59) && left > Duration::from_secs(57), "{left:?}");
        assert_eq!(Deadline::of(0, Span::from_secs(60)).left(), Duration::ZERO);
    }

    #[tokio::test]
    async fn what_hangs_ends_at_the_deadline() {
        let soon = u64::try_from(now().millis()).unwrap() + 40;
        let deadline = Deadline::of(soon, Span::from_secs(60));
        let error = deadline.bound("waiting", std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(error.to_string(), "no time is left for waiting");
    }
}
