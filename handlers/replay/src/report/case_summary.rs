//! The decisions about a fixture, in a few lines.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::plan::PlanStep;

use super::replay_result::ReplayResult;
use super::step_line::describe_step;
use crate::output::describe_problem;

/// How many lines a case has at most.
const SUMMARY_LINES_MAX: usize = 8;

/// Describes what was done about a case. Equal lines stand once, with how often they occur. Of a response that did not
/// fire, the highest count is shown: how near a miss it was.
pub(crate) fn summarise_case(result: &ReplayResult) -> Vec<String> {
    let mut lines = CountedLines::default();
    for plan in &result.decisions {
        for step in &plan.steps {
            if !matches!(step, PlanStep::Count { .. }) {
                lines.add(describe_step(step));
            }
        }
    }
    for problem in &result.problems {
        lines.add(format!("{:<9} {}", "problem", describe_problem(problem)));
    }
    for step in find_highest_counts(result) {
        lines.add(describe_step(step));
    }
    if lines.lines.is_empty() {
        lines.add(if result.decisions.is_empty() {
            "ignore    no rule matches".to_owned()
        } else {
            "nothing   to do".to_owned()
        });
    }
    lines.into_texts()
}

/// Lines in the order in which they first came, each with how often it came.
#[derive(Default)]
struct CountedLines {
    lines: Vec<(String, usize)>,
}

impl CountedLines {
    fn add(&mut self, text: String) {
        for (known, times) in &mut self.lines {
            if *known == text {
                *times += 1;
                return;
            }
        }
        self.lines.push((text, 1));
    }

    fn into_texts(mut self) -> Vec<String> {
        let hidden = self.lines.len().saturating_sub(SUMMARY_LINES_MAX);
        self.lines.truncate(SUMMARY_LINES_MAX);
        let mut texts = Vec::new();
        for (text, times) in self.lines {
            texts.push(if times == 1 { text } else { format!("{text} ({times} times)") });
        }
        if hidden > 0 {
            texts.push(format!("and {hidden} more"));
        }
        texts
    }
}

/// Returns the step with the highest count of each response that did not fire.
fn find_highest_counts(result: &ReplayResult) -> Vec<&PlanStep> {
    let mut fired: BTreeSet<&String> = BTreeSet::new();
    for incident in &result.incidents {
        fired.insert(&incident.rule);
        fired.extend(&incident.also);
    }
    let mut highest: BTreeMap<&String, (usize, &PlanStep)> = BTreeMap::new();
    for plan in &result.decisions {
        for step in &plan.steps {
            let PlanStep::Count { rule, count, .. } = step else { continue };
            let is_higher = match highest.get(rule) {
                Some((known, _)) => count > known,
                None => true,
            };
            if is_higher && !fired.contains(rule) {
                highest.insert(rule, (*count, step));
            }
        }
    }
    highest.into_values().map(|(_, step)| step).collect()
}
