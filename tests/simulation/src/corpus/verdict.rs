//! The verdict of the rules on a corpus, by class.

use std::collections::BTreeMap;

use responder_core::event::EventError;
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::PlanStep;
use responder_core::rules::RuleSet;
use responder_core::time::Span;
use serde::Serialize;
use serde_json::json;

use super::class::BehaviourClass;
use super::sample::{CorpusSample, make_facts};

/// How often the sweep runs here; the sweep's rule runs it every minute.
const SWEEP_INTERVAL: Span = Span::from_secs(300);
/// Every incident has ended so long after the last event.
const AFTER_THE_LAST_EVENT: Span = Span::from_secs(3 * 3_600);
/// Where the sweep runs: in an account and a Region without samples.
const SWEEP_ACCOUNT: &str = "999999999999";
const SWEEP_REGION: &str = "eu-north-1";

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
    /// How many secrets the attackers read, by records that name them.
    pub stolen: usize,
    /// How many of them the last page of each attack tells.
    pub told: usize,
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
        self.stolen += more.stolen;
        self.told += more.told;
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
    for sweep in write_sweeps(samples) {
        cases.extend(rules.match_event(&sweep)?);
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

/// A sweep every five minutes, from the first event to the end of what it may open. The minutes between would change nothing but
/// the time that it takes.
fn write_sweeps(samples: &[CorpusSample]) -> Vec<String> {
    let times = samples.iter().flat_map(|sample| sample.events.iter().map(|(at, _)| *at));
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Vec::new() };
    let mut sweeps = Vec::new();
    let mut at = first;
    while at < last.plus(AFTER_THE_LAST_EVENT) {
        at = at.plus(SWEEP_INTERVAL);
        sweeps.push(
            json!({
                "id": format!("sweep-{at}"), "source": "aws.events", "detail-type": "Scheduled Event",
                "account": SWEEP_ACCOUNT, "region": SWEEP_REGION, "time": at.to_string(), "resources": [], "detail": {},
            })
            .to_string(),
        );
    }
    sweeps
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
                verdict.told = incident.secret_refs.len().min(sample.stolen);
            }
        }
    }
    verdict.stolen = sample.stolen;
    // On-call changes what the last page names: it must be nearly all.
    let is_told = verdict.told * 10 >= verdict.stolen * 9;
    let is_wrong = if sample.class.is_attack { verdict.found == 0 || !is_told } else { verdict.pages > 0 };
    verdict.wrong = usize::from(is_wrong);
    verdict
}

fn is_of_sample(incident: &Incident, sample: &CorpusSample) -> bool {
    sample.accounts.contains(&incident.account)
}

fn is_about_thief(incident: &Incident, sample: &CorpusSample) -> bool {
    match (&incident.principal, &sample.thief) {
        (Some(principal), Some(thief)) => principal.raw() == thief,
        // The last figures of several principals name how many there are.
        (None, None) => sample.accomplices > 0 && incident.principals > 1,
        _ => false,
    }
}
