//! `replay explain`: explains why each rule matches an event, or does not, and why each response fires for all events
//! together, or does not.

use std::io::{self, Write as _};

use responder_audit::input::{ContentProblem, FileContent, find_events, visit_contents};
use responder_core::rules::{Handler, MatchedEvent, RuleSet};

use crate::cli::ExplainArgs;
use crate::command_outcome::{CommandError, CommandOutcome, unreadable_file};
use crate::output::warn;
use crate::report::explain_responses;
use crate::rules_and_facts::{load_facts, load_rules};

pub(crate) fn explain_events(args: &ExplainArgs) -> Result<CommandOutcome, CommandError> {
    let rules = load_rules(&args.rules)?;
    let facts = load_facts(args.facts.as_deref())?;
    let mut contents = Vec::new();
    for path in &args.events {
        visit_contents(path, &mut |content| contents.push(content))
            .map_err(|error| unreadable_file(path, error))?;
    }
    let mut found = EventCollection::default();
    for content in &contents {
        found.explain_content(&rules, content)?;
    }
    let EventCollection { matched, problems } = found;
    let mut out = io::stdout().lock();
    writeln!(out, "\nresponses")?;
    for line in explain_responses(&rules, facts, matched, problems) {
        writeln!(out, "{line}")?;
    }
    Ok(CommandOutcome::after_problems(problems))
}

/// The events that were explained.
#[derive(Default)]
struct EventCollection<'r> {
    /// Those that a rule matches.
    matched: Vec<MatchedEvent<'r>>,
    /// How many parts of the input could not be read.
    problems: usize,
}

impl<'r> EventCollection<'r> {
    /// Explains the events of one content, rule by rule.
    fn explain_content(&mut self, rules: &'r RuleSet, content: &FileContent) -> Result<(), CommandError> {
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
            match self.explain_event(rules, &event.text) {
                Ok(lines) => writeln!(out, "{}", lines.join("\n"))?,
                Err(reason) => {
                    problems.push(ContentProblem { offset: event.offset, reason }.to_string());
                }
            }
        }
        for problem in &problems {
            warn(&format!("{}: {problem}", content.name));
        }
        self.problems += problems.len();
        Ok(())
    }

    /// Returns a line for each rule.
    fn explain_event(&mut self, rules: &'r RuleSet, text: &str) -> Result<Vec<String>, String> {
        let matched_events = rules.match_event(text).map_err(|error| error.to_string())?;
        let id_width = rules.rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
        let mut lines = Vec::new();
        for handler in Handler::ALL {
            for rule in rules.handler_rules(handler) {
                let explanation = rule.pattern.explain(text).map_err(|error| error.to_string())?;
                lines.push(format!("{:<9} {:<id_width$}  {explanation}", handler.as_str(), rule.id));
            }
        }
        self.matched.extend(matched_events);
        Ok(lines)
    }
}
