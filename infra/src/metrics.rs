//! The metrics of the functions, by name: what alarms and dashboard look at. `handlers/engine/src/log.rs` writes them.

/// Their namespace; the dimension is `Handler`.
pub const NAMESPACE: &str = "SecretsResponder";

/// Texts that arrived: the heartbeat.
pub const RECEIVED: &str = "EventsReceived";

/// How events end.
pub const ENDS: [&str; 5] =
    ["EventsAnswered", "EventsCoalesced", "EventsIgnored", "EventsParked", "EventsFailed"];

/// What was done, and what was not.
pub const WORK: [&str; 6] = [
    "PagesSent",
    "DeploymentsForced",
    "DeploymentsHeld",
    "RedeployRefused",
    "LedgerBypassed",
    "MarksDropped",
];

/// From a change to the first read of the new value.
pub const TO_CONSUME: &str = "SecondsToConsume";

/// All of them.
pub fn all() -> impl Iterator<Item = &'static str> {
    [RECEIVED, TO_CONSUME].into_iter().chain(ENDS).chain(WORK)
}
