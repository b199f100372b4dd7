//! Trails: without one that logs and records reads, no rule about an API call ever matches, and nothing says so.

use super::fault::WiringFault;
use super::region_check::RegionCheck;
use crate::snapshot::{Inspection, ObservedTrail, TrailFieldSelector, TrailSelectors};

/// Checks whether some trail records the management events of the Region, reads included, and delivers them.
pub(super) fn check_trails(check: &mut RegionCheck<'_>) {
    let Some(trails) = check.require_seen("trail", "trails", &check.observed.trails) else { return };
    let mut recording: Vec<&ObservedTrail> = trails.iter().collect();
    recording.retain(|trail| trail.multi_region || trail.home == check.region);
    if recording.is_empty() {
        let what = match trails.len() {
            0 => "there is no trail".to_owned(),
            count => format!("none of the {count} trails records this Region"),
        };
        return check.report(WiringFault::NoTrail, "trails", &[("what", &what)]);
    }
    let one_is_good = recording.iter().any(|trail| judge_trail(trail) == TrailVerdict::Good);
    for trail in recording {
        report_trail(check, trail, one_is_good);
    }
}

/// How good a trail is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TrailVerdict {
    Good,
    /// It does not record, or does not deliver, what is needed.
    Faulty(WiringFault),
    /// It could not be inspected, for this reason.
    Unknown(String),
}

/// Judges a trail in this order:
///
/// 1. A trail that is known to be stopped records nothing, whatever its selectors are.
/// 2. A trail whose status or selectors could not be inspected is unknown.
/// 3. The selectors decide, and where they take all events, whether the log files can be delivered.
fn judge_trail(trail: &ObservedTrail) -> TrailVerdict {
    // 1. Stopped.
    if trail.logging == Inspection::Seen(false) {
        return TrailVerdict::Faulty(WiringFault::TrailStopped);
    }
    // 2. Unknown.
    if let Inspection::Unseen(reason) = &trail.logging {
        return TrailVerdict::Unknown(reason.clone());
    }
    let selectors = match &trail.selectors {
        Inspection::Seen(selectors) => selectors,
        Inspection::Unseen(reason) => return TrailVerdict::Unknown(reason.clone()),
    };
    // 3. Selectors and delivery.
    match (takes_reads(selectors), takes_writes(selectors)) {
        (true, true) if trail.delivery_error.is_some() => TrailVerdict::Faulty(WiringFault::TrailUndelivered),
        (true, true) => TrailVerdict::Good,
        (true, false) => TrailVerdict::Faulty(WiringFault::TrailWithoutWrites),
        (false, true) => TrailVerdict::Faulty(WiringFault::TrailWithoutReads),
        (false, false) => TrailVerdict::Faulty(WiringFault::TrailBlind),
    }
}

/// Reports a trail. A trail that records too little is only a warning where another one records enough.
fn report_trail(check: &mut RegionCheck<'_>, trail: &ObservedTrail, one_is_good: bool) {
    let name = trail.arn.rsplit('/').next().unwrap_or(&trail.arn);
    let fault = match judge_trail(trail) {
        TrailVerdict::Faulty(fault) => fault,
        TrailVerdict::Unknown(reason) => return check.report_unseen("trail", name, &reason),
        TrailVerdict::Good => {
            let owner = if trail.organization { "the organization's" } else { "the account's" };
            check.ok("trail", name, format!("{owner} trail logs, with reads"));
            if !trail.validated {
                check.report(WiringFault::TrailUnvalidated, name, &[("arn", &trail.arn)]);
            }
            return;
        }
    };
    let error = trail.delivery_error.as_deref().unwrap_or_default();
    let values = [("error", error), ("arn", &trail.arn), ("home", &trail.home)];
    match fault.texts() {
        Some(texts) if one_is_good && fault != WiringFault::TrailUndelivered => {
            let values =
                [("what", &*texts.what), ("fix", &texts.fix), ("arn", &trail.arn), ("home", &trail.home)];
            check.report(WiringFault::TrailRedundant, name, &values);
        }
        _ => check.report(fault, name, &values),
    }
}

/// Whether the selectors take Secrets Manager's management events that are reads.
fn takes_reads(selectors: &TrailSelectors) -> bool {
    takes_events(selectors, "ReadOnly", "true", &["GetSecretValue", "BatchGetSecretValue"])
}

/// Whether the selectors take Secrets Manager's management events that are writes.
fn takes_writes(selectors: &TrailSelectors) -> bool {
    takes_events(selectors, "WriteOnly", "false", &["PutResourcePolicy"])
}

/// A trail has basic or advanced selectors (`API_GetEventSelectors`); without any it records all management events.
fn takes_events(selectors: &TrailSelectors, read_write: &str, read_only: &str, names: &[&str]) -> bool {
    if selectors.basic.is_empty() && selectors.advanced.is_empty() {
        return true;
    }
    for selector in &selectors.basic {
        if selector.management && (selector.read_write == "All" || selector.read_write == read_write) {
            return true;
        }
    }
    selectors.advanced.iter().any(|fields| fields_take_events(fields, read_only, names))
}

/// Whether an advanced selector takes management events (it must say so), and no condition of it excludes these events.
fn fields_take_events(fields: &[TrailFieldSelector], read_only: &str, names: &[&str]) -> bool {
    let mut is_about_management = false;
    for field in fields {
        let takes = match field.field.as_str() {
            "eventCategory" => {
                is_about_management = true;
                takes_value(field, "Management")
            }
            "readOnly" => takes_value(field, read_only),
            "eventSource" => takes_value(field, "secretsmanager.amazonaws.com"),
            "eventName" => names.iter().all(|name| takes_value(field, name)),
            // Another field narrows the events in a way that only a human can judge.
            _ => false,
        };
        if !takes {
            return false;
        }
    }
    is_about_management
}

/// Whether a condition takes a value: it asks for this one among others or for none, and does not exclude it.
fn takes_value(field: &TrailFieldSelector, value: &str) -> bool {
    let asks_for_none = field.equals.is_empty() && field.starts_with.is_empty() && field.ends_with.is_empty();
    let asks_for_it = matches_any(value, &field.equals, &field.starts_with, &field.ends_with);
    let excludes_it = matches_any(value, &field.not_equals, &field.not_starts_with, &field.not_ends_with);
    (asks_for_none || asks_for_it) && !excludes_it
}

fn matches_any(value: &str, equals: &[String], starts_with: &[String], ends_with: &[String]) -> bool {
    equals.iter().any(|text| value == text)
        || starts_with.iter().any(|text| value.starts_with(text))
        || ends_with.iter().any(|text| value.ends_with(text))
}
