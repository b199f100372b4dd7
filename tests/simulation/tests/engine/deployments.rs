//! Claims of concurrency slots and services, whoever dies or comes second.

use std::collections::BTreeMap;
use std::rc::Rc;

use responder_core::rules::Handler;
use responder_core::settings::Settings;
use responder_core::time::Span;
use simulation::builtin_rules::load_builtin_rules;
use simulation::cloud::{CallFault, CallLatency, SimulatedCloud};
use simulation::ecs::RolloutOutcome;
use simulation::invocations::{InvocationConfig, InvocationPool, InvocationTurn};
use simulation::random::SeededRandom;

use crate::functions::{ACCOUNT, CloudView as _, FunctionSet, LEASE, sweep_event};
use crate::rotation::{functions, rotated_cloud, rotation_event, service_arn};

/// One deployment at once in a cluster.
fn settings() -> Settings {
    Settings { rollout_limit: 1, ..Settings::default() }
}

/// How often each service was deployed by us.
fn count_deployments(cloud: &SimulatedCloud) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    cloud.with_record(|record| {
        for deployment in &record.deployments {
            *counts.entry(deployment.service.clone()).or_default() += 1;
        }
    });
    counts
}

fn sweep_after(cloud: &Rc<SimulatedCloud>, seconds: i64) -> usize {
    cloud.pass(Span::from_secs(seconds));
    let mut sweep = FunctionSet::new(cloud, Handler::Sweep, settings());
    sweep.process(&[sweep_event(cloud.now())]).1.deployments_forced
}

#[test]
fn a_place_is_taken_by_one_service_until_its_deployment_ends() {
    let cloud = rotated_cloud(&["api", "web"]);
    for name in ["api", "web"] {
        let outcome = RolloutOutcome::Completes(Span::from_secs(600));
        cloud.with_ecs(|ecs| ecs.set_usual_outcome(&service_arn(name), outcome));
    }
    let mut rotation = FunctionSet::new(&cloud, Handler::Rotation, settings());
    assert_eq!(rotation.process(&[rotation_event()]).1.deployments_forced, 1);
    // Long after the lease.
    assert_eq!(sweep_after(&cloud, 300), 0);
    // The first one completed: one sweep gives the place back, the next one takes it.
    let deployed = [sweep_after(&cloud, 310), sweep_after(&cloud, 60), sweep_after(&cloud, 60)];
    assert_eq!(deployed.iter().sum::<usize>(), 1, "{deployed:?}");
    assert_eq!(count_deployments(&cloud).len(), 2);
}

#[test]
fn invocations_that_race_share_the_places_and_deploy_each_service_once() {
    for seed in 0..200 {
        let cloud = rotated_cloud(&["api", "web"]);
        cloud.with_state(|state| state.latency = CallLatency::Typical);
        let config = InvocationConfig {
            rules: load_builtin_rules().unwrap(),
            settings: settings(),
            account: ACCOUNT.to_owned(),
            timeout: LEASE,
            lease: LEASE,
        };
        let mut invocations = InvocationPool::new(&cloud, config);
        for number in 0..3 {
            let event = Rc::from(rotation_event().as_str());
            invocations.start(Handler::Rotation, vec![(number, event)], None);
        }
        let mut random = SeededRandom::new(seed);
        loop {
            match invocations.run_one_turn(&mut random) {
                Some(InvocationTurn::Died(number)) => panic!("{number} died"),
                Some(_) => {}
                None => match cloud.clock.next_due() {
                    Some(due) => cloud.clock.advance_to(due),
                    None => break,
                },
            }
        }
        assert_eq!(count_deployments(&cloud).into_values().collect::<Vec<_>>(), [1], "seed {seed}");
        for _ in 0..8 {
            sweep_after(&cloud, 60);
        }
        assert_eq!(count_deployments(&cloud).into_values().collect::<Vec<_>>(), [1, 1], "seed {seed}");
    }
}

#[test]
fn what_ecs_refused_is_as_if_nobody_had_asked() {
    let cloud = rotated_cloud(&["web"]);
    // ECS is certain to have done nothing: the place and the service are free at once.
    cloud.with_state(|state| state.faults.plan_for_next("UpdateService", CallFault::Throttled));
    let mut rotation = FunctionSet::new(&cloud, Handler::Rotation, settings());
    assert_eq!(rotation.process(&[rotation_event()]).1.deployments_forced, 0);
    assert_eq!(rotation.process(&[rotation_event()]).1.deployments_forced, 1);
}

#[test]
fn a_death_about_the_call_keeps_the_place_for_a_rollout_and_the_service_on_record() {
    for fault in [CallFault::DiesBefore, CallFault::DiesAfter] {
        let cloud = rotated_cloud(&["api", "web"]);
        cloud.with_state(|state| state.faults.plan_for_next("UpdateService", fault));
        assert!(
            FunctionSet::new(&cloud, Handler::Rotation, settings()).invoke(&[rotation_event()]).is_none()
        );
        // No one knows whether ECS was asked: not even after the lease does another service get the place at once.
        cloud.pass(Span::from_secs(61));
        let mut rotation = FunctionSet::new(&cloud, Handler::Rotation, settings());
        assert_eq!(rotation.process(&[rotation_event()]).1.deployments_forced, 0, "{fault:?}");
        // The sweep finds out, and gives the place back.
        for _ in 0..15 {
            sweep_after(&cloud, 60);
        }
        let deployed = count_deployments(&cloud);
        assert_eq!(deployed.into_values().collect::<Vec<_>>(), [1, 1], "{fault:?}");
    }
}

#[test]
fn a_request_that_was_sent_twice_finds_itself() {
    let calls = {
        let cloud = rotated_cloud(&["web"]);
        functions(&cloud).process(&[rotation_event()]);
        cloud.count_all_calls()
    };
    for call in 0..calls {
        let cloud = rotated_cloud(&["web"]);
        cloud.with_state(|state| state.faults.plan(call, CallFault::Repeated));
        let (_, counters) = functions(&cloud).process(&[rotation_event()]);
        assert_eq!(counters.claims_held, 0, "call {call}");
        assert!(!count_deployments(&cloud).is_empty(), "call {call}");
    }
}

#[test]
fn the_id_of_a_deployment_is_adopted_if_its_answer_was_lost() {
    let cloud = rotated_cloud(&["web"]);
    cloud.with_state(|state| state.faults.plan_for_next("UpdateService", CallFault::DiesAfter));
    assert!(functions(&cloud).invoke(&[rotation_event()]).is_none());
    let requested = || {
        cloud.with_table(|table| {
            let mut services = table.items().filter(|item| item.key.sk.starts_with("service#"));
            services.next().and_then(|item| item.text("deployment")).map(str::to_owned)
        })
    };
    assert_eq!(requested(), None);
    sweep_after(&cloud, 61);
    let deployed = cloud.with_record(|record| record.deployments[0].deployment.clone());
    assert_eq!(requested(), Some(deployed.clone()));
    // A deployment of somebody else is not taken for ours.
    cloud.with_ecs(|ecs| ecs.deploy(&service_arn("web"), None, cloud.now()));
    sweep_after(&cloud, 60);
    assert_eq!(requested(), Some(deployed));
}
