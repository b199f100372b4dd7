//! The checks of a row of `responses.json`.

use std::collections::BTreeSet;

use super::field_problems::{FieldProblem, FieldProblems};
use super::handler::Handler;
use super::page_text::check_page_text;
use super::response_action::ResponseAction;
use super::response_row::ResponseRow;
use super::threshold::{CountPer, Threshold};
use crate::severity::Severity;
use crate::time::Span;

/// The longest window of a threshold: the ledger keeps observations for two of them.
const THRESHOLD_WINDOW_MAX: Span = Span::from_secs(24 * 3_600);

/// The longest title, in characters: a subject has to hold it.
const TITLE_MAX_CHARS: usize = 60;

/// Finds everything that is wrong with a row, whose rules have these handlers.
pub(super) fn find_row_problems(row: &ResponseRow, rule_handlers: &BTreeSet<Handler>) -> Vec<FieldProblem> {
    let handler = row.find_handler(rule_handlers);
    let threshold = row.threshold_or_default(handler.unwrap_or(Handler::Access));
    let mut problems = FieldProblems::default();
    check_rules(row, rule_handlers, &mut problems);
    check_texts(row, &mut problems);
    check_action(row, handler, &threshold, &mut problems);
    check_threshold(row, &threshold, &mut problems);
    check_page_text(&row.meaning, &row.certainty, &row.next_steps, &mut problems);
    problems.into_list()
}

fn is_redeploying(action: ResponseAction) -> bool {
    matches!(action, ResponseAction::Redeploy | ResponseAction::Follow)
}

fn check_rules(row: &ResponseRow, rule_handlers: &BTreeSet<Handler>, problems: &mut FieldProblems) {
    let needs_no_rule = row.action == ResponseAction::Quarantine;
    // The sweep repeats what the events of rotations ask for.
    let is_rotation_and_sweep = *rule_handlers == BTreeSet::from([Handler::Rotation, Handler::Sweep]);
    let has_several_folders =
        rule_handlers.len() > 1 && !(is_redeploying(row.action) && is_rotation_and_sweep);
    problems.add_if(
        row.on.is_empty() != needs_no_rule || has_several_folders,
        "on",
        "name one or more rules of one folder (none for `\"do\": \"park\"`; `redeploy` and `follow` may add rules of sweep/)",
    );
}

fn check_texts(row: &ResponseRow, problems: &mut FieldProblems) {
    let is_printable = row.title.bytes().all(|b| (b' '..=b'~').contains(&b));
    problems.add_if(
        !(1..=TITLE_MAX_CHARS).contains(&row.title.len()) || !is_printable,
        "title",
        "a title is 1 to 60 printable ASCII characters",
    );
    problems.add_if(
        row.runbook.is_empty(),
        "runbook",
        "must not be empty: name the page that helps at 3 a.m., by its path or URL",
    );
}

fn check_action(
    row: &ResponseRow,
    handler: Option<Handler>,
    threshold: &Threshold,
    problems: &mut FieldProblems,
) {
    let is_page = row.action == ResponseAction::Page;
    let can_be_resolved = matches!(row.action, ResponseAction::Page | ResponseAction::Overdue);
    problems.add_if(
        !is_page && row.when.is_some() || !can_be_resolved && !row.resolved_by.is_empty(),
        "do",
        "`when` counts pages only, and `resolved_by` closes pages and overdue rotations only",
    );
    problems.add_if(
        !is_page && row.resolves_when_quiet,
        "do",
        "`resolves_when_quiet` is for pages: other incidents end by what they wait for",
    );
    let has_exceptions_or_incident = !row.exceptions.is_empty() || row.incident.is_some();
    problems.add_if(
        !is_page && has_exceptions_or_incident,
        "do",
        "only pages have exceptions and share an incident",
    );
    let is_after_other_rule =
        threshold.after.as_ref().is_none_or(|after| row.on.len() >= 2 && row.on.contains(after));
    problems.add_if(
        !is_after_other_rule,
        "when.after",
        "must be a rule of `on`, which must name another one beside it",
    );
    let needed_handler = match row.action {
        ResponseAction::Redeploy | ResponseAction::Follow => Some(Handler::Rotation),
        ResponseAction::Overdue | ResponseAction::Summarise => Some(Handler::Sweep),
        ResponseAction::Prove | ResponseAction::FirstRead => Some(Handler::Access),
        ResponseAction::Page | ResponseAction::Quarantine => None,
    };
    problems.add_if(
        needed_handler.is_some() && handler != needed_handler,
        "do",
        "`redeploy` and `follow` are for rules of rotation/, `overdue` and `summarise` for those of sweep/, `prove` and `first-read` for those of access/",
    );
}

fn check_threshold(row: &ResponseRow, threshold: &Threshold, problems: &mut FieldProblems) {
    problems.add_if(threshold.at_least == 0, "when.at_least", "must be at least 1");
    problems.add_if(threshold.principals == 0, "when.principals", "must be at least 1");
    problems.add_if(
        threshold.within > THRESHOLD_WINDOW_MAX || threshold.within == Span::default(),
        "when.within",
        "must be more than nothing and at most 24h",
    );
    problems.add_if(
        !is_escalation_rising(row.severity, threshold),
        "when.escalate",
        "each step must raise both the count and the severity",
    );
    problems.add_if(
        !row.resolved_by.is_empty() && threshold.per != CountPer::Secret,
        "resolved_by",
        "closes the incident of a secret: needs `per` `secret`",
    );
    problems.add_if(
        row.resolve_after.is_some_and(|resolve_after| resolve_after < threshold.within),
        "resolve_after",
        "must not be shorter than `when.within`",
    );
}

fn is_escalation_rising(severity: Severity, threshold: &Threshold) -> bool {
    let mut previous_count = threshold.at_least;
    let mut previous_severity = severity;
    for step in &threshold.escalate {
        if step.at_least <= previous_count || step.severity <= previous_severity {
            return false;
        }
        previous_count = step.at_least;
        previous_severity = step.severity;
    }
    true
}
