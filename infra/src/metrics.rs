//! The metrics of the functions, by name: what alarms and dashboard look at. `handlers/engine/src/metrics.rs` writes them.

/// Their namespace; the dimension is `Handler`.
pub const NAMESPACE: &str = "SecretsResponder";

/// Texts that arrived: the heartbeat.
pub const RECEIVED: &str = "EventsReceived";

/// How events end.
pub const ENDS: [&str; 5] =
    ["EventsAnswered", "EventsCoalesced", "EventsIgnored", "EventsParked", "EventsFailed"];

/// What was done, and what was not.
pub const WORK: [&str; 12] = [
    "PagesSent",
    "ChatsSent",
    "ChatsFailed",
    "ClaimsHeld",
    "Duplicates",
    "Digests",
    "Suppressed",
    "DeploymentsForced",
    "DeploymentsHeld",
    "RedeployRefused",
    "LedgerBypassed",
    "MarksDropped",
];

/// What became of incidents, by `Handler`, `Rule` and `Severity`; and rotations that failed, by `Account` and `Region`.
pub const INCIDENTS: [&str; 4] =
    ["IncidentsOpened", "IncidentsRaised", "IncidentsResolved", "RotationFailures"];

/// From a change to the first read of the new value.
pub const TO_CONSUME: &str = "SecondsToConsume";

/// All of them.
pub fn all() -> impl Iterator<Item = &'static str> {
    [RECEIVED, TO_CONSUME].into_iter().chain(ENDS).chain(WORK).chain(INCIDENTS)
}
