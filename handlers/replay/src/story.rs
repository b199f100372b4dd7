//! The story of some input: every decision, every incident, every problem, and where every event went.

use std::collections::BTreeSet;
use std::path::PathBuf;

use responder_core::event::read;
use responder_core::facts::Facts;
use responder_core::incident::Incident;
use responder_core::ledger::{Ledger, in_order};
use responder_core::plan::{Outcome, Plan};
use responder_core::rules::{Case, Rules};
use serde::Serialize;

use crate::source::{Problem, each_file};

/// Everything that a run finds out.
#[derive(Debug)]
pub(crate) struct Story {
    /// One decision for each event and handler, by time.
    pub(crate) decisions: Vec<Plan>,
    /// The incidents, most severe first.
    pub(crate) incidents: Vec<Incident>,
    /// What could not be read, by file and place.
    pub(crate) problems: Vec<Problem>,
    /// The counts.
    pub(crate) summary: Summary,
}

/// Where every event went: `events` = `matched` + `duplicates` + `ignored`, and `parked` were no events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// Events read.
    pub(crate) events: usize,
    /// Different events that a rule matches.
    pub(crate) matched: usize,
    /// Further copies of those.
    pub(crate) duplicates: usize,
    /// Events that no rule matches.
    pub(crate) ignored: usize,
    /// Parts of the input that could not be read.
    pub(crate) parked: usize,
    /// Decisions that did or counted something.
    pub(crate) answered: usize,
    /// Decisions that another one had answered.
    pub(crate) coalesced: usize,
    /// Decisions that an event is not for us although a rule matches.
    pub(crate) not_ours: usize,
    /// Incidents.
    pub(crate) incidents: usize,
}

/// Decides about every event below `paths`.
pub(crate) fn replay(rules: &Rules, facts: Facts, paths: &[PathBuf]) -> Story {
    let mut summary = Summary::default();
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut copies = 0;
    let mut problems = each_file(paths, &mut |file, bytes, problems| {
        read(bytes, &mut |found| {
            let mut problem = |offset, reason| {
                problems.push(Problem { file: file.to_owned(), offset: Some(offset), reason });
            };
            let document = match found {
                Ok(document) => document,
                Err(error) => return problem(error.offset, error.reason),
            };
            match rules.cases(&document.text) {
                Ok(found) => {
                    summary.events += 1;
                    summary.ignored += usize::from(found.is_empty());
                    copies += usize::from(!found.is_empty());
                    cases.extend(found);
                }
                Err(error) => problem(document.offset, error.to_string()),
            }
        });
    });
    problems.sort();
    let (cases, _) = in_order(cases);
    summary.matched = cases.iter().map(|case| case.event.key()).collect::<BTreeSet<_>>().len();
    summary.duplicates = copies - summary.matched;
    summary.parked = problems.len();
    let mut ledger = Ledger::new(facts);
    let mut decisions = Vec::with_capacity(cases.len());
    for case in cases {
        let plan = ledger.decide(&case);
        match plan.outcome {
            Outcome::Answered | Outcome::Parked => summary.answered += 1,
            Outcome::Coalesced => summary.coalesced += 1,
            Outcome::Ignored => summary.not_ours += 1,
        }
        decisions.push(plan);
    }
    let incidents = ledger.incidents();
    summary.incidents = incidents.len();
    Story { decisions, incidents, problems, summary }
}
