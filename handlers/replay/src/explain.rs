//! `replay explain`: why each rule matches an event, or does not.

use std::io::{self, Write as _};
use std::path::Path;

use responder_audit::input;
use responder_core::facts::Facts;
use responder_core::rules::{AppliedResponse, Handler, RuleSet};

use crate::cli::ExplainArgs;
use crate::source;
use crate::{End, Failure, settings, warn};

pub(crate) fn explain(args: &ExplainArgs) -> Result<End, Failure> {
    let rules = settings::rules(&args.rules)?;
    let file = args.event.display().to_string();
    let (bytes, complete) =
        source::read(Path::new(&args.event)).map_err(|error| Failure::File { file: file.clone(), error })?;
    let mut texts = Vec::new();
    let mut problems = Vec::new();
    input::read(&bytes, &mut |found| match found {
        Ok(document) => texts.push((document.offset, document.text.into_owned())),
        Err(problem) => problems.push(problem.to_string()),
    });
    problems.extend(complete.err());
    let mut out = io::stdout().lock();
    for (offset, text) in &texts {
        if texts.len() > 1 {
            writeln!(out, "event at byte {offset}")?;
        }
        match describe(&rules, text) {
            Ok(lines) => lines.iter().try_for_each(|line| writeln!(out, "{line}"))?,
            Err(reason) => problems.push(format!("byte {offset}: {reason}")),
        }
    }
    for problem in &problems {
        warn(&format!("{file}: {problem}"));
    }
    Ok(if problems.is_empty() { End::Done } else { End::Parked })
}

/// A line for each rule, matching ones marked, and the responses that follow.
fn describe(rules: &RuleSet, text: &str) -> Result<Vec<String>, String> {
    let cases = rules.cases(text).map_err(|error| error.to_string())?;
    let width = rules.rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for handler in Handler::ALL {
        for rule in rules.of(handler) {
            let verdict = rule.pattern.explain(text).map_err(|error| error.to_string())?;
            lines.push(format!("{:<9} {:<width$}  {verdict}", handler.name(), rule.id));
        }
    }
    for case in &cases {
        let applied = case.applied(&Facts::default());
        let responses = applied
            .iter()
            .map(|AppliedResponse { response, .. }| format!("{}: {}", response.id, response.title));
        lines.extend(responses.map(|response| format!("{:<9} response {response}", case.handler.name())));
    }
    Ok(lines)
}
