//! `replay explain`: explains why each rule matches an event, or does not.

use std::io::{self, Write as _};

use responder_audit::input::{ContentProblem, FileContent, find_events, visit_contents};
use responder_core::facts::Facts;
use responder_core::rules::{Handler, RuleSet};

use crate::cli::ExplainArgs;
use crate::command_outcome::{CommandError, CommandOutcome, unreadable_file};
use crate::output::warn;
use crate::rules_and_facts::load_rules;

pub(crate) fn explain_events(args: &ExplainArgs) -> Result<CommandOutcome, CommandError> {
    let rules = load_rules(&args.rules)?;
    let mut contents = Vec::new();
    visit_contents(&args.event, &mut |content| contents.push(content))
        .map_err(|error| unreadable_file(&args.event, error))?;
    let mut problems = 0;
    for content in &contents {
        problems += explain_content(&rules, content)?;
    }
    Ok(CommandOutcome::after_problems(problems))
}

/// Explains the events of one content. Returns how many parts of it could not be read.
fn explain_content(rules: &RuleSet, content: &FileContent) -> Result<usize, CommandError> {
    let mut events = Vec::new();
    let mut problems = Vec::new();
    find_events(&content.bytes, &mut |found| match found {
        Ok(event) => events.push(event),
        Err(problem) => problems.push(problem.to_string()),
    });
    problems.extend(content.cut.clone());
    let mut out = io::stdout().lock();
    for event in &events {
        if events.len() > 1 {
            writeln!(out, "event at byte {}", event.offset)?;
        }
        match explain_event(rules, &event.text) {
            Ok(lines) => writeln!(out, "{}", lines.join("\n"))?,
            Err(reason) => problems.push(ContentProblem { offset: event.offset, reason }.to_string()),
        }
    }
    for problem in &problems {
        warn(&format!("{}: {problem}", content.name));
    }
    Ok(problems.len())
}

/// Returns a line for each rule, and a line for each response that follows.
fn explain_event(rules: &RuleSet, text: &str) -> Result<Vec<String>, String> {
    let matched_events = rules.match_event(text).map_err(|error| error.to_string())?;
    let id_width = rules.rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for handler in Handler::ALL {
        for rule in rules.handler_rules(handler) {
            let explanation = rule.pattern.explain(text).map_err(|error| error.to_string())?;
            lines.push(format!("{:<9} {:<id_width$}  {explanation}", handler.as_str(), rule.id));
        }
    }
    for matched_event in &matched_events {
        for applied in matched_event.find_applied_responses(&Facts::default()) {
            let handler = matched_event.handler.as_str();
            let response = applied.response;
            lines.push(format!("{handler:<9} response {}: {}", response.id, response.title));
        }
    }
    Ok(lines)
}
