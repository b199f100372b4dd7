//! Waiting: for a condition with a deadline, and for the clock.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Asks `probe` every 25 ms until it answers with `Some`, and gives that back.
///
/// # Panics
///
/// After `deadline`, saying `what` did not happen.
pub fn wait_until<T>(what: &str, deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(start.elapsed() < deadline, "after {deadline:?} still not: {what}");
        sleep(Duration::from_millis(25));
    }
}

/// The time in whole seconds, as AWS writes event times.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).expect("the clock is within range")
}
