//! Storms: whatever happens in whatever order, no service is redeployed too often, and no consumer is forgotten.

use std::collections::BTreeMap;

use proptest::prelude::*;
use responder_core::aws::ecs_arn::ServiceArn;
use responder_core::aws::ecs_service::DeploymentController;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::facts::Facts;
use responder_core::plan::{Plan, PlanStep};
use responder_core::time::{Span, Timestamp};

use crate::vocabulary::*;

const SECRETS: [&str; 3] = ["s1", "s2", "s3"];
const SERVICES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// A service: which secrets it uses, by bit, and what is special about it.
#[derive(Clone, Debug)]
struct Spec {
    uses: u8,
    special: Special,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Special {
    Nothing,
    SlowCooldown,
    NoCooldown,
    Closed,
    OpenAtFour,
    Off,
    Notify,
    CodeDeploy,
}

/// Something that happens to a secret or a service.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// Its value changes, and both events, one of them, or none report it.
    Changes(usize, ReportedBy),
    TagIsEdited(usize),
    Begins(usize),
    Completes(usize),
    /// And the deployment that last completed is PRIMARY again.
    IsRolledBack(usize),
    Sweep,
}

#[derive(Clone, Copy, Debug)]
enum ReportedBy {
    Both,
    Label,
    Rotation,
    Nothing,
}

fn any_special() -> impl Strategy<Value = Special> {
    prop_oneof![
        4 => Just(Special::Nothing),
        1 => Just(Special::SlowCooldown),
        1 => Just(Special::NoCooldown),
        1 => Just(Special::Closed),
        1 => Just(Special::OpenAtFour),
        1 => Just(Special::Off),
        1 => Just(Special::Notify),
        1 => Just(Special::CodeDeploy),
    ]
}

fn any_happening() -> impl Strategy<Value = Happening> {
    let notified = prop_oneof![
        Just(ReportedBy::Both),
        Just(ReportedBy::Label),
        Just(ReportedBy::Rotation),
        Just(ReportedBy::Nothing)
    ];
    prop_oneof![
        4 => (0..SECRETS.len(), notified).prop_map(|(secret, notified)| Happening::Changes(secret, notified)),
        1 => (0..SECRETS.len()).prop_map(Happening::TagIsEdited),
        1 => (0..SERVICES.len()).prop_map(Happening::Begins),
        2 => (0..SERVICES.len()).prop_map(Happening::Completes),
        1 => (0..SERVICES.len()).prop_map(Happening::IsRolledBack),
        3 => Just(Happening::Sweep),
    ]
}

struct Storm {
    facts: Facts,
    now: Timestamp,
    /// When the value of a secret really changed last.
    changed: BTreeMap<String, Timestamp>,
    /// When the deployment of a service began that completed last.
    completed: BTreeMap<ServiceArn, Timestamp>,
    /// Every deployment that was asked for, by service.
    redeployed: BTreeMap<ServiceArn, Vec<Timestamp>>,
}

impl Storm {
    fn new(specs: &[Spec], in_flight: u32) -> Self {
        let mut facts = Facts::default();
        facts.settings.rollout_limit = in_flight;
        facts.settings.rollout_timeout = Span::from_secs(600);
        for (name, spec) in SERVICES.iter().zip(specs) {
            let used = SECRETS.iter().enumerate().filter(|(bit, _)| spec.uses & (1 << bit) != 0);
            let mut service = service(name, &used.map(|(_, name)| secret_arn(name)).collect::<Vec<_>>());
            let tag = match spec.special {
                Special::Nothing => None,
                Special::SlowCooldown => Some(("cooldown", "20m")),
                Special::NoCooldown => Some(("cooldown", "0s")),
                Special::Closed => Some(("window", "Sun 00:00-01:00 UTC")),
                Special::OpenAtFour => Some(("window", "daily 16:00-16:20 UTC")),
                Special::Off => Some(("redeploy", "off")),
                Special::Notify => Some(("redeploy", "notify")),
                Special::CodeDeploy => {
                    service.controller = DeploymentController::CodeDeploy;
                    None
                }
            };
            let tag = tag.map(|(name, value)| (format!("secrets-responder:{name}"), value.to_owned()));
            service.tags.extend(tag);
            facts.services.get_or_insert_default().push(service);
        }
        for name in SECRETS {
            facts.secrets.insert(secret(name).key(), metadata(name, "09:00:00"));
        }
        let (changed, completed, redeployed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut storm = Self { facts, now: at("12:00:00"), changed, completed, redeployed };
        storm.receive(&sweep("12:00:00"));
        storm
    }

    fn receive(&mut self, event: &str) -> Plan {
        let plan = decide(&mut self.facts, event);
        for step in &plan.steps {
            let PlanStep::Redeploy { service, not_before, .. } = step else { continue };
            self.redeployed.entry(service.clone()).or_default().push(plan.time.max(*not_before));
        }
        let taken = in_flight(&self.facts, plan.time).len();
        assert!(
            taken <= self.facts.settings.rollout_limit as usize,
            "{taken} in flight: {:?}",
            describe(&plan)
        );
        plan
    }

    fn sweep(&mut self) -> Plan {
        self.receive(&sweep(&self.now.to_string()))
    }

    fn happens(&mut self, happening: Happening) {
        let time = self.now.to_string();
        match happening {
            Happening::Changes(number, notified) => {
                let (name, version) = (SECRETS[number], format!("v{}", self.now.millis()));
                let metadata = self.facts.secrets.get_mut(&secret(name).key()).unwrap();
                metadata.versions = [(version.clone(), ["AWSCURRENT".to_owned()].into())].into();
                metadata.modified_at = Some(self.now);
                self.changed.insert(secret(name).key(), self.now);
                if matches!(notified, ReportedBy::Both | ReportedBy::Label) {
                    self.receive(&label_moved(name, &time, &version));
                }
                if matches!(notified, ReportedBy::Both | ReportedBy::Rotation) {
                    self.now = self.now.plus(Span::from_secs(2));
                    self.receive(&rotation_succeeded(name, &self.now.to_string()));
                }
            }
            Happening::TagIsEdited(number) => {
                let metadata = self.facts.secrets.get_mut(&secret(SECRETS[number]).key());
                metadata.unwrap().modified_at = Some(self.now);
            }
            Happening::Begins(number) => self.ends(number, "IN_PROGRESS"),
            Happening::Completes(number) => self.ends(number, "COMPLETED"),
            Happening::IsRolledBack(number) => self.ends(number, "FAILED"),
            Happening::Sweep => drop(self.sweep()),
        }
    }

    /// ECS tells of the deployment of ours that goes on, if there is one.
    fn ends(&mut self, number: usize, kind: &str) {
        let (name, arn) = (SERVICES[number], service_arn(SERVICES[number]));
        let open = self
            .facts
            .deployments
            .get(&arn)
            .filter(|requested| requested.is_open() && requested.requested_at <= self.now);
        let Some(begun) = open.map(|requested| requested.requested_at) else { return };
        let event =
            deployment_event(name, &self.now.to_string(), kind, &format!("ecs-svc/{}", begun.millis()), "");
        self.receive(&event);
        let old = at("2026-02-01T00:00:00Z");
        let service = self.facts.services.iter_mut().flatten().find(|service| service.arn == arn).unwrap();
        match kind {
            "COMPLETED" => drop(self.completed.insert(arn, begun)),
            "FAILED" => {
                let before = self.completed.get(&arn).copied().unwrap_or(old);
                service.primary = primary(&format!("ecs-svc/{}", before.millis()), &before.to_string(), None);
            }
            _ => {}
        }
    }

    /// The consumers that run an old value and of which no human was notified.
    fn forgotten(&self) -> Vec<String> {
        let mut forgotten = Vec::new();
        for service in self.facts.services.iter().flatten() {
            let is_off = service.tags.values().any(|value| value == "off");
            for (key, changed) in self.changed.iter().filter(|_| !is_off) {
                let name = SECRETS.into_iter().find(|name| secret(name).key() == *key).unwrap();
                let is_used = !service
                    .find_requested_versions(&SecretRef::from_arn(&secret_arn(name)).unwrap())
                    .is_empty();
                let notified = self.facts.notified.get(&service.arn).and_then(|notified| notified.get(key));
                let runs = service.primary.as_ref().map(|primary| primary.created_at);
                // Two changes within the settle delay of each other are one notification.
                let notified_until = notified.map(|notified| notified.plus(self.facts.settings.settle_delay));
                if is_used && runs <= Some(*changed) && notified_until < Some(*changed) {
                    forgotten.push(format!("{} {name}: runs {runs:?}, notified {notified:?}", service.arn));
                }
            }
        }
        forgotten
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_consumer_is_forgotten_and_no_service_is_redeployed_too_often(
        specs in proptest::collection::vec((0u8..8, any_special()).prop_map(|(uses, special)| Spec { uses, special }), 1..6),
        in_flight in 1u32..4,
        happenings in proptest::collection::vec((0i64..200, any_happening()), 1..40),
    ) {
        let mut storm = Storm::new(&specs, in_flight);
        for (seconds, happening) in happenings {
            storm.now = storm.now.plus(Span::from_secs(seconds));
            storm.happens(happening);
        }
        let mut last = None;
        for _ in 0..90 {
            storm.now = storm.now.plus(Span::from_secs(60));
            last = Some(storm.sweep());
        }
        let forgotten = storm.forgotten();
        prop_assert!(forgotten.is_empty(), "{forgotten:#?}");
        // Deciding the last sweep again.
        let again = storm.sweep();
        let acts = again.steps.iter().find(|step| matches!(step, PlanStep::Redeploy { .. } | PlanStep::Page { .. } | PlanStep::RecordChange { .. }));
        prop_assert!(acts.is_none(), "{acts:?} after {last:?}");
        for (name, spec) in SERVICES.iter().zip(&specs) {
            let cooldown = match spec.special {
                Special::NoCooldown => Span::from_secs(0),
                Special::SlowCooldown => Span::from_secs(1_200),
                _ => storm.facts.settings.cooldown,
            };
            let times = storm.redeployed.get(&service_arn(name)).cloned().unwrap_or_default();
            for pair in times.windows(2) {
                prop_assert!(pair[0].plus(cooldown) <= pair[1], "{name}: {pair:?}");
            }
        }
    }
}

#[test]
fn five_rotations_in_four_minutes_are_a_first_and_a_last_deployment() {
    let spec = Spec { uses: 7, special: Special::Nothing };
    let mut storm = Storm::new(&[spec], 5);
    for number in [0, 1, 2, 0, 1] {
        storm.happens(Happening::Changes(number, ReportedBy::Both));
        storm.now = storm.now.plus(Span::from_secs(48));
    }
    for _ in 0..30 {
        storm.now = storm.now.plus(Span::from_secs(60));
        storm.sweep();
    }
    let expected = vec![at("12:00:15"), at("12:06:10")];
    assert_eq!(storm.redeployed.into_values().collect::<Vec<_>>(), [expected]);
}
