//! One line for each step of a plan.

use responder_core::plan::PlanStep;
use responder_core::state::deployment::DeploymentOutcome;

use super::short_names::show_service;

/// How many characters of a name a line shows.
const NAME_LENGTH_MAX: usize = 160;

/// Describes a step in one line: a word, then what it is about.
pub(super) fn describe_step(step: &PlanStep) -> String {
    let (word, text) = match step {
        PlanStep::Redeploy { service, why, .. } => ("redeploy", about_service(service, why)),
        PlanStep::Skip { service, why, .. } => ("skip", about_service(service, why)),
        PlanStep::Defer { service, why, .. } => ("defer", about_service(service, why)),
        PlanStep::RecordChange { change } => ("record", format!("the change of {}", change.at)),
        PlanStep::ResolveChange { change } => {
            ("resolve", format!("the change of {}: every service is answered for", change.at))
        }
        PlanStep::ReconcileDeployment { service, .. } => {
            ("reconcile", about_service(service, "this is the deployment that was requested"))
        }
        PlanStep::EndDeployment { service, end, .. } => {
            let outcome = describe_outcome(end.outcome);
            ("end", about_service(service, &format!("the deployment that was requested {outcome}")))
        }
        PlanStep::Prove { evidence, at, .. } => {
            ("prove", about_service(&evidence.service, &format!("a new task read the new value at {at}")))
        }
        PlanStep::Page { incident, .. } => {
            let severity = incident.severity.as_str().to_uppercase();
            ("page", format!("[{severity}] {}: {}", incident.rule, incident.title))
        }
        PlanStep::Digest { incident, .. } => {
            ("digest", format!("{}: {}, for the daily summary", incident.rule, incident.title))
        }
        PlanStep::Suppress { rule, exception, why } => ("suppress", format!("{rule}: {exception}: {why}")),
        PlanStep::ExtendIncident { rule, .. } => {
            ("extend", format!("{rule}: part of an incident that was paged"))
        }
        PlanStep::Resolve { rule, at, .. } => ("resolve", format!("{rule}: ended at {at}")),
        PlanStep::Count { rule, count, at_least, within, principals } => {
            let through = match principals {
                Some(principals) => format!(", by {principals} principals or more"),
                None => String::new(),
            };
            ("count", format!("{rule}: {count} of {at_least} within {within}{through}"))
        }
        PlanStep::UpdateLastSeen { at, .. } => ("seen", format!("a read at {at}")),
        PlanStep::Unknown { why } => ("unknown", why.clone()),
        PlanStep::Nothing { why } => ("nothing", why.clone()),
        PlanStep::Ignore { why } => ("ignore", why.clone()),
    };
    format!("{word:<9} {text}")
}

fn about_service(arn: &str, text: &str) -> String {
    format!("{}: {text}", show_service(arn, NAME_LENGTH_MAX))
}

fn describe_outcome(outcome: DeploymentOutcome) -> &'static str {
    match outcome {
        DeploymentOutcome::Completed => "completed",
        DeploymentOutcome::Failed => "failed",
        DeploymentOutcome::Superseded => "was superseded by a newer one",
        DeploymentOutcome::Refused => "had never begun",
        DeploymentOutcome::Denied => "was refused by ECS",
        DeploymentOutcome::Declined => "was declined by ECS for now",
        DeploymentOutcome::Unseen => "was never seen",
        DeploymentOutcome::Gone => "is gone with its service",
    }
}
