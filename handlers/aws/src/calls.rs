//! The clock, and calls that end by it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use responder_core::time::Timestamp;
use responder_engine::EngineError;
use tokio::time::timeout;

use crate::error::failed;

/// The present: the only clock of the functions.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Waits for `future`, but not beyond an instant. The future goes to the heap: those of the SDKs are large.
pub(crate) fn bound<T>(
    until: Timestamp,
    what: &'static str,
    future: impl Future<Output = T>,
) -> impl Future<Output = Result<T, EngineError>> {
    let future = Box::pin(future);
    async move {
        let left = until.millis().saturating_sub(now().millis());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        timeout(left, future).await.map_err(|_| EngineError::DeadlineReached(what))
    }
}

/// Waits for a call of an SDK, but not beyond an instant.
pub(crate) fn call<T, E: ProvideErrorMetadata>(
    until: Timestamp,
    service: &'static str,
    operation: &'static str,
    call: impl Future<Output = Result<T, SdkError<E>>>,
) -> impl Future<Output = Result<T, EngineError>> {
    let bounded = bound(until, operation, call);
    async move { bounded.await?.map_err(|error| failed(service, operation, &error)) }
}

#[cfg(test)]
mod tests {
    use responder_core::time::Span;

    use super::*;

    #[tokio::test]
    async fn what_hangs_ends_at_the_deadline() {
        for until in [now().plus(Span::from_millis(40)), Timestamp::default()] {
            let error = bound(until, "waiting", std::future::pending::<()>()).await.unwrap_err();
            assert_eq!(error.to_string(), "no time is left for waiting");
            assert!(now() >= until);
        }
    }
}
