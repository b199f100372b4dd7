//! The clock of this computer.

use std::time::{SystemTime, UNIX_EPOCH};

use responder_core::time::Timestamp;

/// The present.
pub(crate) fn current_time() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
