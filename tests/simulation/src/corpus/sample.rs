//! Samples: plays of classes, each from a seed.

use responder_core::aws::ecs_service::EcsService;
use responder_core::facts::{Facts, Settings};
use responder_core::time::{Span, Timestamp};
use serde_json::Value;

use super::class::BehaviourClass;
use super::stage::{CorpusStage, HOMES};
use super::{attack, everyday};
use crate::random::SeededRandom;

/// One play of a class.
#[derive(Clone, Debug)]
pub struct CorpusSample {
    /// Its class.
    pub class: BehaviourClass,
    /// The accounts in which it happens, and nothing else does.
    pub accounts: Vec<String>,
    /// The attacker, as the core names principals; absent in everyday work.
    pub thief: Option<String>,
    /// How many principals the attack has, where it is one of several.
    pub accomplices: usize,
    /// How many secrets the attacker read, by records that name them.
    pub stolen: usize,
    /// The events that EventBridge delivers, in the order of delivery.
    pub events: Vec<(Timestamp, Value)>,
    /// The ECS services of these accounts.
    pub services: Vec<EcsService>,
}

/// 2026-09-01T00:00:00Z.
const FIRST_DAY_MILLIS: i64 = 1_788_220_800_000;
/// A play begins at any time of the day, at any second.
const DAY: Span = Span::from_secs(86_400);

/// All classes, attacks first.
pub fn list_classes() -> Vec<BehaviourClass> {
    [&attack::CLASSES[..], &everyday::CLASSES[..]].concat()
}

/// One sample of each class; the same seed gives the same samples.
pub fn make_samples(seed: u64) -> Vec<CorpusSample> {
    let mut random = SeededRandom::new(seed);
    list_classes().into_iter().map(|class| make_sample(class, random.next_u64())).collect()
}

/// One sample of a class.
pub fn make_sample(class: BehaviourClass, seed: u64) -> CorpusSample {
    let mut random = SeededRandom::new(seed);
    let from = Timestamp::from_millis(FIRST_DAY_MILLIS).plus(random.span_below(DAY));
    let mut stage = CorpusStage::new(random, from);
    (class.play)(&mut stage);
    let events = stage.deliver_events();
    CorpusSample {
        class,
        accounts: stage.accounts.into_iter().collect(),
        thief: stage.thief,
        accomplices: stage.accomplices.len(),
        stolen: stage.stolen.len(),
        events,
        services: stage.services,
    }
}

/// The settings of an operator of these accounts, and what is known of their services.
pub fn make_facts(samples: &[CorpusSample]) -> Facts {
    let mut services = Vec::new();
    for sample in samples {
        services.extend_from_slice(&sample.services);
    }
    Facts { settings: make_settings(), services: Some(services), ..Facts::default() }
}

/// The settings of an operator who has named the home Regions, and has declared the role that Terraform runs with.
fn make_settings() -> Settings {
    let mut settings = Settings { home_region: Some(HOMES[0].to_owned()), ..Settings::default() };
    settings.further_regions.extend(HOMES[1..].iter().map(|region| (*region).to_owned()));
    settings.automation_principals.extend("arn:aws:iam::*:role/automation/terraform-*".parse().ok());
    settings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use responder_core::rules::builtin;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_samples_and_another_seed_others() {
        let write_events = |seed| {
            let mut texts = BTreeSet::new();
            for sample in make_samples(seed) {
                texts.extend(sample.events.iter().map(|(at, event)| format!("{at} {event}")));
            }
            texts
        };
        assert_eq!(write_events(7), write_events(7));
        assert!(write_events(7).is_disjoint(&write_events(8)));
    }

    #[test]
    fn every_event_is_one_and_every_account_has_one_class() {
        let rules = builtin().unwrap();
        let mut seen = BTreeSet::new();
        for sample in make_samples(1) {
            assert!(sample.accounts.iter().all(|account| seen.insert(account.clone())));
            let has_thief = sample.thief.is_some() || sample.accomplices > 0;
            assert_eq!(has_thief, sample.class.is_attack, "{}", sample.class.name);
            assert!(!sample.events.is_empty());
            for (_, event) in &sample.events {
                rules.match_event(&event.to_string()).unwrap();
                let account = event["account"].as_str().unwrap();
                assert!(sample.accounts.iter().any(|known| known == account), "{}", sample.class.name);
            }
        }
    }

    #[test]
    fn every_class_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = list_classes().iter().map(|class| class.name).collect();
        assert_eq!(names.len(), list_classes().len());
    }
}
