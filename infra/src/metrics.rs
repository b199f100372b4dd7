//! The metrics of the functions, by name: alarms and dashboard read them. `handlers/engine/src/metrics.rs` writes them.

/// The namespace of all of them; most have the one dimension `Handler`.
pub const METRIC_NAMESPACE: &str = "SecretsResponder";

/// How many texts arrived, heartbeats among them.
pub const EVENTS_RECEIVED: &str = "EventsReceived";

/// How many events ended in which way.
pub const EVENT_OUTCOMES: [&str; 5] =
    ["EventsAnswered", "EventsCoalesced", "EventsIgnored", "EventsQuarantined", "EventsFailed"];

/// How many effects were applied, suppressed or refused.
pub const EFFECTS: [&str; 12] = [
    "PagesSent",
    "ChatsSent",
    "ChatsFailed",
    "ClaimsHeld",
    "Duplicates",
    "DigestEntries",
    "Suppressed",
    "DeploymentsForced",
    "DeploymentsDeferred",
    "RedeployRefused",
    "LedgerBypassed",
    "ObservationsDropped",
];

/// How many incidents changed, by `Handler`, `Rule` and `Severity`; and how many rotations failed, by `Account` and `Region`.
pub const INCIDENT_CHANGES: [&str; 4] =
    ["IncidentsOpened", "IncidentsRaised", "IncidentsResolved", "RotationFailures"];

/// The seconds from a change of a secret to the first read of the new value.
pub const SECONDS_TO_CONSUME: &str = "SecondsToConsume";

/// The names of all metrics.
pub fn list_metrics() -> Vec<&'static str> {
    let mut names = vec![EVENTS_RECEIVED, SECONDS_TO_CONSUME];
    names.extend(EVENT_OUTCOMES);
    names.extend(EFFECTS);
    names.extend(INCIDENT_CHANGES);
    names
}
