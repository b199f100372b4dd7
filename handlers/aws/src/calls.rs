//! The clock, and calls that end by it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use responder_core::time::Timestamp;
use responder_engine::EngineError;
use tokio::time::timeout;

use crate::error::call_failed;

/// The present: the only clock of the functions.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Waits for `future`, but not beyond an instant. The future goes to the heap: those of the SDKs are large.
pub(crate) fn wait_until<T>(
    until: Timestamp,
    purpose: &'static str,
    future: impl Future<Output = T>,
) -> impl Future<Output = Result<T, EngineError>> {
    let future = Box::pin(future);
    async move {
        let remaining = until.millis().saturating_sub(now().millis());
        let remaining = Duration::from_millis(u64::try_from(remaining).unwrap_or_default());
        timeout(remaining, future).await.map_err(|_| EngineError::DeadlineReached(purpose))
    }
}

/// Makes a call of an SDK that ends at an instant.
pub(crate) fn make_call<T, E: ProvideErrorMetadata>(
    until: Timestamp,
    service: &'static str,
    operation: &'static str,
    call: impl Future<Output = Result<T, SdkError<E>>>,
) -> impl Future<Output = Result<T, EngineError>> {
    let bounded = wait_until(until, operation, call);
    async move { bounded.await?.map_err(|error| call_failed(service, operation, &error)) }
}

#[cfg(test)]
mod tests {
    use responder_core::time::Span;

    use super::*;

    #[tokio::test]
    async fn what_hangs_ends_at_the_deadline() {
        for until in [now().plus(Span::from_millis(40)), Timestamp::default()] {
            let error = wait_until(until, "waiting", std::future::pending::<()>()).await.unwrap_err();
            assert_eq!(error.to_string(), "no time is left for waiting");
            assert!(now() >= until);
        }
    }
}
