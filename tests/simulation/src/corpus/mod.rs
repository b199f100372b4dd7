//! A corpus of labelled `CloudTrail` events, made from a seed: attacks that must be found, and everyday work that must page nobody.
//!
//! Every class is played in accounts of its own, all at the same time: so a page belongs to the class of its account, and no class is decided in an otherwise
//! empty world. Principals, names, spellings of secrets, times, and the order and number of deliveries vary with the seed. The shapes of the records are those of
//! the fixtures; `fixtures/README.md` says where they come from.

mod attack;
mod benign;
mod caller;
mod judge;
mod launch;
mod scene;
mod secret;

use responder_core::aws::ecs_service::EcsService;
use responder_core::facts::{Facts, Settings};
use responder_core::time::{Span, Timestamp};
use serde_json::Value;

use crate::Random;
pub use judge::{Row, judge};
use scene::Scene;

/// A kind of behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be found; if not, it must page nobody.
    pub is_attack: bool,
    /// What happens.
    pub about: &'static str,
    play: fn(&mut Scene),
}

/// One play of a class.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Of which class.
    pub class: Class,
    /// The accounts in which it happens, and nothing else does.
    pub accounts: Vec<String>,
    /// Who attacks, as the core names principals; absent in what is benign.
    pub thief: Option<String>,
    /// What EventBridge delivers, in the order of delivery.
    pub events: Vec<(Timestamp, Value)>,
    /// The ECS services of these accounts.
    pub services: Vec<EcsService>,
}

/// All classes, attacks first.
pub fn resolve_spellings() -> Vec<Class> {
    attack::CLASSES.into_iter().chain(benign::CLASSES).collect()
}

/// One sample of each class; the same seed gives the same samples.
pub fn samples(seed: u64) -> Vec<Sample> {
    let mut random = Random::new(seed);
    resolve_spellings().into_iter().map(|class| sample(class, random.next_u64())).collect()
}

/// What an operator of these accounts has set and what is known of their services.
pub fn facts(samples: &[Sample]) -> Facts {
    let services = samples.iter().flat_map(|sample| sample.services.iter().cloned()).collect();
    Facts { settings: settings(), services: Some(services), ..Facts::default() }
}

/// The settings: those of an operator who has declared the role that Terraform runs with.
fn settings() -> Settings {
    let automation = ["arn:aws:iam::*:role/automation/terraform-*"];
    let automation = automation.into_iter().filter_map(|pattern| pattern.parse().ok()).collect();
    Settings { automation_principals: automation, ..Settings::default() }
}

/// One sample of a class.
pub fn sample(class: Class, seed: u64) -> Sample {
    let mut random = Random::new(seed);
    // Any time of the day, at any second.
    let from: Timestamp = Timestamp::from_millis(FROM).plus(below(&mut random, Span::from_secs(86_400)));
    let mut scene = Scene::new(random, from);
    (class.play)(&mut scene);
    scene.finish(class)
}

/// 2026-09-01T00:00:00Z.
const FROM: i64 = 1_788_220_800_000;

/// A length of time below `bound`.
fn below(random: &mut Random, bound: Span) -> Span {
    let millis = random.below(u64::try_from(bound.millis()).unwrap_or_default());
    Span::from_millis(i64::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use responder_core::rules::builtin;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_samples_and_another_seed_others() {
        let text = |seed| {
            let events = samples(seed).into_iter().flat_map(|sample| sample.events);
            events.map(|(at, event)| format!("{at} {event}")).collect::<Vec<_>>()
        };
        assert_eq!(text(7), text(7));
        let (one, other): (BTreeSet<_>, BTreeSet<_>) =
            (text(7).into_iter().collect(), text(8).into_iter().collect());
        assert!(one.is_disjoint(&other));
    }

    #[test]
    fn every_event_is_one_and_every_account_has_one_class() {
        let rules = builtin().unwrap();
        let mut seen = BTreeSet::new();
        for sample in samples(1) {
            assert!(sample.accounts.iter().all(|account| seen.insert(account.clone())));
            assert_eq!(sample.thief.is_some(), sample.class.is_attack, "{}", sample.class.name);
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
        let names: BTreeSet<&str> = resolve_spellings().iter().map(|class| class.name).collect();
        assert_eq!(names.len(), resolve_spellings().len());
    }
}
