//! Waiting: for a condition, and for the clock.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the harness waits for anything. It ends a test that hangs; it is no measure of how fast a machine is, so nothing that works comes near it.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// How often a condition is looked at.
const PROBE_INTERVAL: Duration = Duration::from_millis(25);

/// Calls `probe` until it answers with `Some`, and returns that value.
///
/// # Panics
///
/// After [`PATIENCE`], with `event` as the thing that did not happen.
pub fn wait_until<T>(event: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "after {PATIENCE:?} still not: {event}");
        sleep(PROBE_INTERVAL);
    }
}

/// Waits until the clock shows a later second. AWS and the emulator date many things in whole seconds, such as a deployment: only what happens in a later
/// second is later for them.
pub fn wait_for_next_second() {
    let second = now();
    wait_until("the clock goes on", || (now() > second).then_some(()));
}

/// The time in whole seconds, as AWS writes event times.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).expect("the clock is within range")
}
