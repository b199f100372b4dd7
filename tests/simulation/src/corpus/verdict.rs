//! The verdict of the rules on a corpus, by class.

use std::collections::BTreeMap;

use responder_core::event::EventError;
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::PlanStep;
use responder_core::rules::RuleSet;
use serde::Serialize;

use super::class::BehaviourClass;
use super::sample::{CorpusSample, make_facts};

/// The verdict on the samples of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClassVerdict {
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
    /// The rules that paged, and how often.
    pub paged_by: BTreeMap<String, usize>,
}

impl ClassVerdict {
    /// The verdict on a class without samples.
    pub fn new(class: BehaviourClass) -> Self {
        Self { class: class.name, is_attack: class.is_attack, ..Self::default() }
    }

    /// Adds more samples of the class.
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

/// Decides all samples together, as one replay; returns a verdict for each of them, in their order.
///
/// # Errors
///
/// If an event of the corpus cannot be parsed.
pub fn judge_samples(rules: &RuleSet, samples: &[CorpusSample]) -> Result<Vec<ClassVerdict>, EventError> {
    let mut cases = Vec::new();
    for sample in samples {
        for (_, event) in &sample.events {
            cases.extend(rules.match_event(&event.to_string())?);
        }
    }
    let mut store = MemoryStore::new(make_facts(samples));
    let mut paged = Vec::new();
    for case in order_and_deduplicate(cases).0 {
        for step in store.decide(&case).steps {
            if let PlanStep::Page { incident, .. } = step {
                paged.push(*incident);
            }
        }
    }
    let incidents = store.incidents();
    Ok(samples.iter().map(|sample| judge_sample(sample, &incidents, &paged)).collect())
}

fn judge_sample(sample: &CorpusSample, incidents: &[Incident], paged: &[Incident]) -> ClassVerdict {
    let mut verdict = ClassVerdict::new(sample.class);
    verdict.samples = 1;
    verdict.events = sample.events.len();
    verdict.incidents = incidents.iter().filter(|incident| is_of_sample(incident, sample)).count();
    for incident in paged {
        if is_of_sample(incident, sample) {
            verdict.pages += 1;
            *verdict.paged_by.entry(incident.rule.clone()).or_default() += 1;
            if is_about_thief(incident, sample) {
                verdict.found = 1;
            }
        }
    }
    let is_wrong = if sample.class.is_attack { verdict.found == 0 } else { verdict.pages > 0 };
    verdict.wrong = usize::from(is_wrong);
    verdict
}

fn is_of_sample(incident: &Incident, sample: &CorpusSample) -> bool {
    sample.accounts.contains(&incident.account)
}

fn is_about_thief(incident: &Incident, sample: &CorpusSample) -> bool {
    match (&incident.principal, &sample.thief) {
        (Some(principal), Some(thief)) => principal.raw() == thief,
        _ => false,
    }
}
