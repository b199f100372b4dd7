//! What the rules make of a corpus, by class.

use std::collections::BTreeMap;

use responder_core::event::EventError;
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::PlanStep;
use responder_core::rules::RuleSet;
use serde::Serialize;

use super::{Class, Sample, facts};

/// What became of the samples of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The class.
    pub class: &'static str,
    /// Whether it must be found; if not, it must page nobody.
    pub is_attack: bool,
    /// How many samples.
    pub samples: usize,
    /// How many deliveries.
    pub events: usize,
    /// How many incidents.
    pub incidents: usize,
    /// How many pages.
    pub pages: usize,
    /// In how many samples somebody was paged about the attacker.
    pub found: usize,
    /// How many samples were not decided as they must be.
    pub wrong: usize,
    /// What paged, and how often.
    pub paged_by: BTreeMap<String, usize>,
}

impl Row {
    /// A class of which nothing is known yet.
    pub fn of(class: Class) -> Self {
        Self { class: class.name, is_attack: class.is_attack, ..Self::default() }
    }

    /// With what became of more samples of the class.
    pub fn add(&mut self, more: &Self) {
        self.samples += more.samples;
        self.events += more.events;
        self.incidents += more.incidents;
        self.pages += more.pages;
        self.found += more.found;
        self.wrong += more.wrong;
        for (rule, pages) in &more.paged_by {
            *self.paged_by.entry(rule.clone()).or_default() += pages;
        }
    }
}

/// Decides about all samples together, as one replay; one row for each of them, in their order.
///
/// # Errors
/// When an event of the corpus is none.
pub fn judge(rules: &RuleSet, samples: &[Sample]) -> Result<Vec<Row>, EventError> {
    let mut cases = Vec::new();
    for (_, event) in samples.iter().flat_map(|sample| &sample.events) {
        cases.extend(rules.match_event(&event.to_string())?);
    }
    let mut ledger = MemoryStore::new(facts(samples));
    let mut notified = Vec::new();
    for case in order_and_deduplicate(cases).0 {
        let pages = ledger.decide(&case).steps.into_iter().filter_map(|step| match step {
            PlanStep::Page { incident, .. } => Some(*incident),
            _ => None,
        });
        notified.extend(pages);
    }
    let incidents = ledger.incidents();
    Ok(samples.iter().map(|sample| row(sample, &incidents, &notified)).collect())
}

fn row(sample: &Sample, incidents: &[Incident], notified: &[Incident]) -> Row {
    let own = |incident: &&Incident| sample.accounts.contains(&incident.account);
    let is_thief = |incident: &Incident| {
        incident.principal.as_ref().is_some_and(|principal| Some(principal.raw()) == sample.thief.as_deref())
    };
    let pages = notified.iter().filter(own).count();
    let found = notified.iter().filter(own).any(is_thief);
    let mut row = Row {
        samples: 1,
        events: sample.events.len(),
        incidents: incidents.iter().filter(own).count(),
        pages,
        found: usize::from(found),
        wrong: usize::from(if sample.class.is_attack { !found } else { pages > 0 }),
        ..Row::of(sample.class)
    };
    for incident in notified.iter().filter(own) {
        *row.paged_by.entry(incident.rule.clone()).or_default() += 1;
    }
    row
}
