//! One fixture: decides about its events, and compares with what it expects.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use responder_audit::input::{NoProgress, is_fixture_companion};
use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::{Handler, ResponseAction, RuleSet};
use serde::Deserialize;
use serde_json::{Value, json};

use super::json_difference::find_difference;
use super::replay_result::{ReplayResult, replay_events};
use super::report_filter::ReportFilter;
use crate::command_outcome::CommandError;
use crate::rules_and_facts::{list_folder, load_facts, load_json};

/// The about.json of a fixture.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseDescription {
    /// One sentence about the case.
    #[serde(rename = "about")]
    _sentence: String,
    /// The source of the shape of its events.
    #[serde(rename = "shape")]
    _source: String,
    /// The responses that must act, and no others.
    fires: BTreeSet<String>,
    /// The purpose of the case.
    #[serde(rename = "kind")]
    _purpose: CasePurpose,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CasePurpose {
    Fires,
    NearMiss,
    Hostile,
}

/// A fixture that was decided about, and how it differs from what it expects.
pub(crate) struct CheckedCase {
    /// The decisions.
    pub(crate) result: ReplayResult,
    /// One sentence for each difference.
    pub(crate) differences: Vec<String>,
}

/// Decides about the events of a fixture and compares. With `update` it writes expected.json instead of reading it.
pub(crate) fn check_case(rules: &RuleSet, folder: &Path, update: bool) -> Result<CheckedCase, CommandError> {
    let description: CaseDescription = load_json(&folder.join("about.json"))?;
    let facts_file = folder.join("facts.json");
    let facts = load_facts(if facts_file.is_file() { Some(&facts_file) } else { None })?;
    let everything = ReportFilter::default();
    let mut result = replay_events(rules, facts, &list_event_files(folder)?, everything, &mut NoProgress);
    for problem in &mut result.problems {
        // The expected problems name the file without its folder, so that they hold wherever the fixtures lie.
        if let Some(name) = Path::new(&problem.file).file_name() {
            problem.file = name.to_string_lossy().into_owned();
        }
    }
    let mut differences = Vec::new();
    let fired = list_fired_responses(rules, &result);
    if fired != description.fires {
        differences.push(format!("about.json says that {:?} fire, but {fired:?} do", description.fires));
    }
    let decided = json!({
        "decisions": result.render_decisions(rules), "incidents": result.incidents,
        "problems": result.problems, "summary": result.summary,
    });
    let expected_file = folder.join("expected.json");
    if update {
        if let Err(error) = fs::write(&expected_file, format!("{decided:#}\n")) {
            return Err(CommandError::UnwritableFile { file: expected_file.display().to_string(), error });
        }
    } else {
        let expected = if expected_file.is_file() { load_json(&expected_file)? } else { Value::Null };
        if let Some(place) = find_difference(&expected, &decided) {
            differences.push(format!("expected.json differs at {place}"));
        }
    }
    Ok(CheckedCase { result, differences })
}

/// Lists the files of a fixture that hold its events.
fn list_event_files(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = list_folder(folder)?;
    files.retain(|file| !is_fixture_companion(file.file_name().unwrap_or_default()));
    Ok(files)
}

/// Lists the responses that acted: those that opened an incident, redeployed a service, proved a read or quarantined a
/// part of the input. In a sweep, also those whose earlier work it carried on.
fn list_fired_responses(rules: &RuleSet, result: &ReplayResult) -> BTreeSet<String> {
    let mut fired = BTreeSet::new();
    for incident in &result.incidents {
        fired.insert(incident.rule.clone());
        fired.extend(incident.also.iter().cloned());
    }
    let mut actions = Vec::new();
    for plan in &result.decisions {
        for step in &plan.steps {
            actions.extend(find_action(plan, step));
        }
    }
    if !result.problems.is_empty() {
        // A function quarantines what the replay reports as a problem.
        actions.push(ResponseAction::Quarantine);
    }
    for response in rules.responses.values() {
        if actions.contains(&response.action) {
            fired.insert(response.id.clone());
        }
    }
    fired
}

/// Returns the action that a step belongs to, if the step bears no id of a response and carries the action out.
fn find_action(plan: &Plan, step: &PlanStep) -> Option<ResponseAction> {
    let is_sweep = plan.handler == Handler::Sweep;
    match step {
        PlanStep::Redeploy { .. } => Some(ResponseAction::Redeploy),
        PlanStep::RecordChange { .. } | PlanStep::ResolveChange { .. } if is_sweep => {
            Some(ResponseAction::Redeploy)
        }
        PlanStep::ReconcileDeployment { .. } | PlanStep::EndDeployment { .. } if is_sweep => {
            Some(ResponseAction::Follow)
        }
        PlanStep::Prove { .. } => Some(ResponseAction::Prove),
        _ => None,
    }
}
