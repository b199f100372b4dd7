//! Trails: without one that logs and records reads, no rule about an API call ever fires, and nothing says so.

use crate::finding::RegionFindings;
use crate::snapshot::{Inspection, ObservedTrail, RegionSnapshot, TrailFieldSelector, TrailSelectors};

/// How the events of a trail reach `EventBridge`.
const DOCUMENTATION: &str =
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html";

/// Checks whether some trail records the management events of this Region, reads included, and delivers them.
pub(super) fn check_trails(region: &str, observed: &RegionSnapshot, findings: &mut RegionFindings<'_>) {
    let Some(trails) = findings.require_seen("trail", "trails", &observed.trails) else { return };
    let mut recording: Vec<&ObservedTrail> = Vec::new();
    for trail in trails {
        if trail.multi_region || trail.home == region {
            recording.push(trail);
        }
    }
    if recording.is_empty() {
        let what = match trails.len() {
            0 => "there is no trail".to_owned(),
            count => format!("none of the {count} trails records this Region"),
        };
        return findings.fail(
            "trail",
            "trails",
            what,
            "EventBridge gets `… via CloudTrail` events only where a trail logs: nothing is detected here",
            "deploy infra/trail.yaml (a multi-Region trail), or make a trail of yours multi-Region",
        );
    }
    let one_is_good = recording.iter().any(|trail| judge_trail(trail) == TrailVerdict::Good);
    for trail in recording {
        report_trail(trail, one_is_good, findings);
    }
}

/// How good a trail is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TrailVerdict {
    Good,
    Stopped,
    Undelivered,
    WithoutReads,
    WithoutWrites,
    Blind,
    /// It could not be looked at, for this reason.
    Unknown(String),
}

fn judge_trail(trail: &ObservedTrail) -> TrailVerdict {
    // 1. A trail that is known to be stopped records nothing, whatever its selectors are.
    if trail.logging == Inspection::Seen(false) {
        return TrailVerdict::Stopped;
    }
    // 2. Status or selectors could not be looked at.
    if let Inspection::Unseen(reason) = &trail.logging {
        return TrailVerdict::Unknown(reason.clone());
    }
    let selectors = match &trail.selectors {
        Inspection::Seen(selectors) => selectors,
        Inspection::Unseen(reason) => return TrailVerdict::Unknown(reason.clone()),
    };
    // 3. The selectors decide, and then whether the logs can be delivered.
    match (takes_reads(selectors), takes_writes(selectors)) {
        (true, true) if trail.delivery_error.is_some() => TrailVerdict::Undelivered,
        (true, true) => TrailVerdict::Good,
        (true, false) => TrailVerdict::WithoutWrites,
        (false, true) => TrailVerdict::WithoutReads,
        (false, false) => TrailVerdict::Blind,
    }
}

/// Reports a trail. That it is not as it should be is no failure where another one is.
fn report_trail(trail: &ObservedTrail, another_is_good: bool, findings: &mut RegionFindings<'_>) {
    let name = trail.arn.rsplit('/').next().unwrap_or(&trail.arn);
    let record_all =
        format!("record all management events: aws cloudtrail put-event-selectors ({DOCUMENTATION})");
    let (what, means, fix) = match judge_trail(trail) {
        TrailVerdict::Good => return report_good_trail(name, trail, findings),
        TrailVerdict::Undelivered => {
            let error = trail.delivery_error.as_deref().unwrap_or_default();
            return findings.warn(
                "trail-delivery",
                name,
                format!("it cannot deliver: {error}"),
                "events reach EventBridge, but no log is kept that could be replayed",
                "look at the bucket's policy and key: `aws cloudtrail get-trail-status` names the error",
            );
        }
        TrailVerdict::Unknown(reason) => return findings.unseen("trail", name, &reason),
        TrailVerdict::Stopped => (
            "it does not log",
            "no rule about an API call fires while no trail logs",
            format!("aws cloudtrail start-logging --name {} --region {}", trail.arn, trail.home),
        ),
        TrailVerdict::WithoutReads => (
            "its selectors leave out read-only management events",
            "GetSecretValue and BatchGetSecretValue are read-only: who steals secrets is not seen",
            record_all,
        ),
        TrailVerdict::WithoutWrites => (
            "its selectors leave out write management events",
            "changes of secrets, of their protection and of this responder are not seen",
            record_all,
        ),
        TrailVerdict::Blind => (
            "its selectors leave out the management events of Secrets Manager",
            "the trail logs, and every rule is blind",
            record_all,
        ),
    };
    if another_is_good {
        findings.warn("trail", name, what, "another trail records what is needed", fix);
    } else {
        findings.fail("trail", name, what, means, fix);
    }
}

fn report_good_trail(name: &str, trail: &ObservedTrail, findings: &mut RegionFindings<'_>) {
    let owner = if trail.organization { "the organization's" } else { "the account's" };
    findings.ok("trail", name, format!("{owner} trail logs, with reads"));
    if !trail.validated {
        findings.warn(
            "trail-validation",
            name,
            "log files are not validated",
            "who can write to the bucket can change the evidence unseen",
            format!("aws cloudtrail update-trail --name {} --enable-log-file-validation", trail.arn),
        );
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
