//! The report that people read: incidents first, then rotations, then a summary.

use std::io::{self, Write};

use responder_core::incident::{Incident, IncidentStatus};
use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::Handler;
use responder_core::state::deployment::DeploymentOutcome;
use responder_core::text::Untrusted;

use crate::source::Problem;
use crate::story::Story;

/// How long anything from outside may be in a line.
const MAX: usize = 160;

/// Writes the report. `known` says whether there were facts about services.
pub(crate) fn write(story: &Story, known: bool, out: &mut impl Write) -> io::Result<()> {
    heading("Incidents", out)?;
    if story.incidents.is_empty() {
        writeln!(out, "  none")?;
    }
    for incident in &story.incidents {
        self::incident(incident, out)?;
    }
    let rotations: Vec<&Plan> = story
        .decisions
        .iter()
        .filter(|plan| plan.handler == Handler::Rotation || plan.handler == Handler::Sweep)
        .collect();
    if !rotations.is_empty() {
        heading("Rotations", out)?;
        for plan in rotations {
            rotation(plan, out)?;
        }
        if !known {
            writeln!(out, "\n  The services are unknown: give them with --facts.")?;
        }
    }
    heading("Summary", out)?;
    let summary = &story.summary;
    let rows = [
        (summary.events, "events read"),
        (summary.matched, "matched by a rule"),
        (summary.duplicates, "further copies of those, counted once"),
        (summary.ignored, "ignored: no rule matches"),
        (summary.quarantined, "parked: could not be read"),
        (summary.incidents, "incidents"),
    ];
    rows.iter().try_for_each(|(count, what)| writeln!(out, "  {count:>9}  {what}"))
}

/// One line about something that could not be read.
pub(crate) fn problem(problem: &Problem) -> String {
    let file = Untrusted::new(&*problem.file).show(MAX);
    match problem.offset {
        Some(offset) => format!("{file}: byte {offset}: {}", problem.reason),
        None => format!("{file}: {}", problem.reason),
    }
}

fn heading(text: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{text}\n{}\n", "-".repeat(text.len()))
}

fn incident(incident: &Incident, out: &mut impl Write) -> io::Result<()> {
    let state = if incident.state == IncidentStatus::Resolved { " (resolved)" } else { "" };
    let severity = incident.severity.name().to_uppercase();
    writeln!(out, "  {severity:<8}  {}: {}{state}", incident.rule, incident.title)?;
    for (label, text) in rows(incident) {
        writeln!(out, "            {label:<6} {text}")?;
    }
    writeln!(out)
}

fn rows(incident: &Incident) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    match &incident.principal {
        Some(principal) => rows.push(("who", principal.show(MAX))),
        None if incident.principals > 1 => rows.push(("who", format!("{} principals", incident.principals))),
        None => {}
    }
    let secrets = match incident.distinct_secrets {
        None => "an unknown number of secrets (the log does not say)".to_owned(),
        Some(1) => {
            format!("1 secret: {}", incident.secrets.first().map(|name| name.show(MAX)).unwrap_or_default())
        }
        Some(count) => format!("{count} different secrets"),
    };
    let events =
        if incident.reads == 1 { "1 event".to_owned() } else { format!("{} events", incident.reads) };
    let errors = if incident.errors > 0 { format!(", {} refused", incident.errors) } else { String::new() };
    let regions: Vec<String> =
        incident.regions.iter().map(|region| Untrusted::new(region).show(32)).collect();
    let account = Untrusted::new(&*incident.account).show(32);
    rows.push(("what", format!("{events}{errors}; {secrets}")));
    rows.push(("where", format!("account {account}; {}", regions.join(", "))));
    rows.push(("when", format!("{} to {}", incident.first, incident.last)));
    rows.extend(incident.resolved_at.map(|at| ("until", at.to_string())));
    rows.extend(
        incident.details.iter().map(|detail| ("", format!("{}: {}", detail.label, detail.value.show(MAX)))),
    );
    rows.push(("key", incident.key.clone()));
    rows
}

fn rotation(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let secrets: Vec<String> = plan.secrets.iter().map(|secret| secret.show(MAX)).collect();
    writeln!(out, "  {}  {}  {}", plan.time, plan.name.show(40), secrets.join(", "))?;
    for step in &plan.steps {
        writeln!(out, "      {}", self::step(step))?;
    }
    Ok(())
}

/// One step in one short line.
pub(crate) fn step(step: &PlanStep) -> String {
    match step {
        PlanStep::Redeploy { service, why, .. } => format!("redeploy  {}: {why}", service_name(service)),
        PlanStep::Skip { service, why, .. } => format!("skip      {}: {why}", service_name(service)),
        PlanStep::Page { incident, .. } => {
            format!(
                "page      [{}] {}: {}",
                incident.severity.name().to_uppercase(),
                incident.rule,
                incident.title
            )
        }
        PlanStep::Suppress { rule, exception, why } => format!("suppress  {rule}: {exception}: {why}"),
        PlanStep::ExtendIncident { rule, .. } => {
            format!("join      {rule}: part of an incident that was paged")
        }
        PlanStep::Resolve { rule, at, .. } => format!("resolve   {rule}: ended at {at}"),
        PlanStep::Count { rule, count, at_least, within } => {
            format!("count     {rule}: {count} of {at_least} within {within}")
        }
        PlanStep::Defer { service, why, .. } => format!("hold      {}: {why}", service_name(service)),
        PlanStep::RecordChange { change } => format!("note      changed at {}", change.at),
        PlanStep::ResolveChange { change } => {
            format!("settle    the change of {} is answered for", change.at)
        }
        PlanStep::ReconcileDeployment { service, .. } => {
            format!("adopt     {}: the deployment is ours", service_name(service))
        }
        PlanStep::EndDeployment { service, end, .. } => {
            format!("end       {}: our deployment {}", service_name(service), how(end.outcome))
        }
        PlanStep::Prove { evidence, at, .. } => {
            format!("prove     {}: a new task read the new value at {at}", service_name(&evidence.service))
        }
        PlanStep::Digest { incident, .. } => {
            format!("digest    {}: {}, for the daily summary", incident.rule, incident.title)
        }
        PlanStep::UpdateLastSeen { at, .. } => format!("see       read at {at}"),
        PlanStep::Unknown { why } => format!("unknown   {why}"),
        PlanStep::Nothing { why } => format!("nothing   {why}"),
        PlanStep::Ignore { why } => format!("ignore    {why}"),
    }
}

fn how(how: DeploymentOutcome) -> &'static str {
    match how {
        DeploymentOutcome::Completed => "completed",
        DeploymentOutcome::Failed => "failed",
        DeploymentOutcome::Superseded => "was superseded by a newer one",
        DeploymentOutcome::Refused => "had never begun",
        DeploymentOutcome::Denied => "was refused by ECS",
        DeploymentOutcome::Unseen => "was never seen",
        DeploymentOutcome::Gone => "is gone with its service",
    }
}

/// The part of a service's ARN that people know it by.
fn service_name(arn: &str) -> String {
    Untrusted::new(arn.split_once(":service/").map_or(arn, |(_, path)| path)).show(MAX)
}
