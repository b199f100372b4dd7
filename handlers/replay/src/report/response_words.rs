//! The words in which `explain` says why a response fired, or did not.

use eventbridge_pattern::MatchExplanation;
use responder_core::facts::Settings;
use responder_core::incident::Incident;
use responder_core::plan::PlanStep;
use responder_core::rules::{CountPer, DistinctBy, Response, ResponseAction};
use responder_core::severity::Severity;

use super::step_line::describe_step;

/// How many steps of a plan a line names.
const NAMED_STEPS_MAX: usize = 3;

/// The enriched fields that depend on settings or facts, and the members of a facts file that decide them.
const DECIDING_MEMBERS: [(&str, &str); 10] = [
    ("derived.hours", "settings.business_hours"),
    ("derived.secret.decoy", "settings.decoys"),
    ("derived.secret.environment", "settings.production.secrets"),
    ("derived.caller.environment", "settings.production.accounts"),
    ("derived.caller.kind", "settings.humans"),
    ("derived.caller.automation", "settings.automation"),
    ("derived.caller.launch", "services"),
    ("derived.region", "settings.home and settings.regions"),
    ("derived.replica", "settings.home and settings.regions"),
    ("derived.policy", "settings.organization"),
];

/// Describes the incidents of a response, the most severe first.
pub(super) fn describe_incidents(response: &Response, incidents: &[&Incident]) -> String {
    let severity = incidents.iter().map(|incident| incident.severity).max().unwrap_or(response.severity);
    let events: usize = incidents.iter().map(|incident| incident.reads).sum();
    let count = match incidents.len() {
        1 => "1 incident".to_owned(),
        count => format!("{count} incidents"),
    };
    let noun = if events == 1 { "event" } else { "events" };
    let mut parts = vec![format!("fires: {count} of severity {}, {events} {noun}", severity.as_str())];
    if severity == Severity::Info {
        parts.push("it pages nobody and stands in the daily summary".to_owned());
    }
    if severity < response.severity {
        parts.push(format!("an exception lowers it from {}", response.severity.as_str()));
    }
    if let Some(step) = response.when.escalate.iter().find(|step| step.severity > severity) {
        parts.push(format!("{} from {} on", step.severity.as_str(), step.at_least));
    }
    if let Some(lead) = incidents.iter().find(|incident| incident.rule != response.id) {
        parts.push(format!("in the incident of {}", lead.rule));
    }
    parts.join("; ")
}

/// Describes what a response did whose action is not to page; `None` if it did nothing.
pub(super) fn describe_action_steps(response: &Response, steps: &[&PlanStep]) -> Option<String> {
    let mut done = Vec::new();
    for step in steps {
        let is_action = match step {
            PlanStep::Redeploy { rule, .. }
            | PlanStep::Digest { rule, .. }
            | PlanStep::ExtendIncident { rule, .. } => *rule == response.id,
            PlanStep::Prove { .. } => response.action == ResponseAction::Prove,
            PlanStep::ReconcileDeployment { .. } | PlanStep::EndDeployment { .. } => {
                response.action == ResponseAction::Follow
            }
            _ => false,
        };
        if is_action {
            done.push(*step);
        }
    }
    if done.is_empty() { None } else { Some(format!("fires: {}", name_steps(&done))) }
}

/// For example "3 of 10 different secrets of one principal within 10m".
pub(super) fn describe_count(response: &Response, count: usize) -> String {
    let things = match response.when.distinct {
        DistinctBy::Secret => "different secrets",
        DistinctBy::Region => "Regions",
        DistinctBy::Principal => "principals",
        DistinctBy::Event => "events",
    };
    let subject = match response.when.per {
        CountPer::Principal => "principal",
        CountPer::Secret => "secret",
        CountPer::Account => "account",
        CountPer::Person => "person",
        CountPer::Address => "source address",
    };
    let when = &response.when;
    format!("{count} of {} {things} of one {subject} within {}", when.at_least, when.within)
}

/// Describes why a response that applies did nothing.
pub(super) fn describe_unfired_action(
    response: &Response,
    settings: &Settings,
    steps: &[&PlanStep],
) -> String {
    match response.action {
        ResponseAction::FirstRead if !settings.first_reads => "the setting `first_reads` is off".to_owned(),
        ResponseAction::FirstRead => "the principal had read the secret before".to_owned(),
        ResponseAction::Prove => "no service waited for this read: no redeployment came before".to_owned(),
        ResponseAction::Summarise => "the day before has no entry, or its summary is not due".to_owned(),
        ResponseAction::Overdue => "no rotation is known to be overdue".to_owned(),
        ResponseAction::Follow => "it is about no deployment that the responder requested".to_owned(),
        ResponseAction::Redeploy | ResponseAction::Page | ResponseAction::Quarantine => {
            let mut reasons = Vec::new();
            for step in steps {
                let is_reason = matches!(
                    step,
                    PlanStep::Skip { .. }
                        | PlanStep::Defer { .. }
                        | PlanStep::Unknown { .. }
                        | PlanStep::Nothing { .. }
                        | PlanStep::Ignore { .. }
                );
                if is_reason {
                    reasons.push(*step);
                }
            }
            if reasons.is_empty() { "there was nothing to do".to_owned() } else { name_steps(&reasons) }
        }
    }
}

/// Describes why `where` excludes some events, and which member of a facts file would change that.
pub(super) fn describe_where(reason: &MatchExplanation, count: usize) -> String {
    let text = format!("`where` excludes {count}: {reason}");
    let (MatchExplanation::FieldMismatch(mismatch) | MatchExplanation::NoOrBranch(mismatch)) = reason else {
        return text;
    };
    for (path, member) in DECIDING_MEMBERS {
        if mismatch.path == path {
            return format!("{text}; `{member}` of --facts decides it");
        }
    }
    text
}

/// Names the first different steps.
fn name_steps(steps: &[&PlanStep]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for step in steps {
        let text = describe_step(step).split_whitespace().collect::<Vec<_>>().join(" ");
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let hidden = texts.len().saturating_sub(NAMED_STEPS_MAX);
    texts.truncate(NAMED_STEPS_MAX);
    if hidden > 0 {
        texts.push(format!("and {hidden} more"));
    }
    texts.join("; ")
}
