//! Rollouts over time.

use proptest::prelude::*;
use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};

use crate::Place;
use crate::ecs::{
    CircuitBreaker, Container, Controller, Ecs, EcsEvent, NewService, Outcome, RolloutState, TaskDefinition,
    TaskLaunch,
};

const ROLE: &str = "arn:aws:iam::111122223333:role/execution";
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app-AbCdEf:password::";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + seconds * 1_000)
}

/// One service with two tasks, and the ARN of the service.
fn one(circuit_breaker: Option<CircuitBreaker>) -> (Ecs, String) {
    let mut ecs = Ecs::new(Place::new("111122223333", "us-east-1"), 3);
    let task_definition = ecs.register(TaskDefinition {
        family: "web".to_owned(),
        execution_role: Some(ROLE.to_owned()),
        containers: vec![Container { secrets: vec![SECRET.to_owned()], ..Container::default() }],
        ..TaskDefinition::default()
    });
    let service = NewService {
        cluster: "prod".to_owned(),
        name: "web".to_owned(),
        desired: 2,
        circuit_breaker,
        task_definition,
        connect_secrets: vec!["mesh".to_owned()],
        ..NewService::default()
    };
    let arn = ecs.create_service(service, at(0));
    (ecs, arn)
}

fn force(ecs: &mut Ecs, arn: &str, seconds: i64) -> String {
    let updated = ecs.update_service(Some("prod"), arn, true, at(seconds)).unwrap();
    updated.primary().unwrap().id.clone()
}

/// The deployments of a service: id, whether PRIMARY, state.
fn deployments(ecs: &Ecs, arn: &str) -> Vec<(String, bool, RolloutState)> {
    let found = &ecs.service(arn).unwrap().deployments;
    found.iter().map(|found| (found.id.clone(), found.primary, found.state)).collect()
}

/// What was told: the name and the deployment of each event.
fn notified(events: &[EcsEvent]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let notified = events.iter().filter_map(|event| match event {
        EcsEvent::StateChange { event, .. } => {
            let name = text(&event["detail"]["eventName"]);
            Some((name.replace("SERVICE_DEPLOYMENT_", ""), text(&event["detail"]["deploymentId"])))
        }
        EcsEvent::Launched(_) => None,
    });
    notified.collect()
}

fn launches(events: Vec<EcsEvent>) -> Vec<TaskLaunch> {
    let launches = events.into_iter().filter_map(|event| match event {
        EcsEvent::Launched(launch) => Some(launch),
        EcsEvent::StateChange { .. } => None,
    });
    launches.collect()
}

const ROLLBACK: Option<CircuitBreaker> = Some(CircuitBreaker { rollback: true });

#[test]
fn a_forced_deployment_completes_in_its_time() {
    let (mut ecs, arn) = one(None);
    ecs.usual = Outcome::Completes(Span::from_secs(90));
    let before = ecs.service(&arn).unwrap().primary().unwrap().id.clone();
    let id = force(&mut ecs, &arn, 10);
    assert!(id.strip_prefix("ecs-svc/").is_some_and(|digits| digits.len() == 19), "{id}");
    let both = [(id.clone(), true, RolloutState::InProgress), (before, false, RolloutState::Completed)];
    ecs.run_until(at(99));
    assert_eq!(deployments(&ecs, &arn), both);
    assert_eq!(ecs.next_due(), Some(at(100)));
    ecs.run_until(at(100));
    assert_eq!(deployments(&ecs, &arn), [(id.clone(), true, RolloutState::Completed)]);
    assert_eq!(ecs.service(&arn).unwrap().primary().unwrap().created_at, at(10));

    let events = ecs.advance(at(1_000));
    assert_eq!(
        notified(&events),
        [("IN_PROGRESS".to_owned(), id.clone()), ("COMPLETED".to_owned(), id.clone())]
    );
    let EcsEvent::StateChange { event, .. } = events.last().unwrap() else { panic!("not told: {events:?}") };
    let mut event = event.clone();
    assert_eq!(event["id"].take().as_str().map(str::len), Some(36));
    let expected = json!({
        "version": "0", "id": null, "detail-type": "ECS Deployment State Change", "source": "aws.ecs",
        "account": "111122223333", "time": at(100).to_string(), "region": "us-east-1", "resources": [arn],
        "detail": {
            "eventType": "INFO", "eventName": "SERVICE_DEPLOYMENT_COMPLETED", "deploymentId": id,
            "updatedAt": at(100).to_string(), "reason": format!("ECS deployment {id} completed."),
        },
    });
    assert_eq!(event, expected);
    assert!(ecs.advance(at(2_000)).is_empty(), "nothing is told twice");
}

#[test]
fn every_new_task_reads_its_secrets_by_the_execution_role() {
    let (mut ecs, arn) = one(None);
    ecs.usual = Outcome::Completes(Span::from_secs(90));
    force(&mut ecs, &arn, 0);
    let launches = launches(ecs.advance(at(90)));
    assert_eq!(launches.iter().map(|launch| launch.started_at).collect::<Vec<_>>(), [at(30), at(60)]);
    for launch in &launches {
        assert_eq!((launch.service.as_str(), launch.execution_role.as_deref()), (arn.as_str(), Some(ROLE)));
        assert_eq!(launch.reads, [SECRET, "mesh"]);
        assert!(launch.task.len() == 32 && launch.task.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    assert_ne!(launches[0].task, launches[1].task);
}

#[test]
fn a_second_forced_deployment_supersedes_the_first_which_never_completes() {
    let (mut ecs, arn) = one(None);
    let (first, second) = (force(&mut ecs, &arn, 0), force(&mut ecs, &arn, 50));
    let states: Vec<_> = deployments(&ecs, &arn).into_iter().map(|(id, primary, _)| (id, primary)).collect();
    assert_eq!(states[..2], [(second.clone(), true), (first.clone(), false)]);
    assert_eq!(states.len(), 3, "the COMPLETED one drains as well");
    ecs.run_until(at(110));
    assert_eq!(deployments(&ecs, &arn), [(second.clone(), true, RolloutState::InProgress)]);
    let events = ecs.advance(at(1_000));
    let expected = [("IN_PROGRESS", &first), ("IN_PROGRESS", &second), ("COMPLETED", &second)];
    assert_eq!(notified(&events), expected.map(|(name, id)| (name.to_owned(), id.clone())));
    // One task of the first one had started when it was superseded.
    assert_eq!(launches(events).len(), 3);
    let cluster = ecs.service(&arn).unwrap().cluster.clone();
    assert_eq!(ecs.log.most_in_flight(&cluster), 1, "it is one service");
}

#[test]
fn a_failed_deployment_is_rolled_back_to_the_last_completed_one() {
    let (mut ecs, arn) = one(ROLLBACK);
    let good = force(&mut ecs, &arn, 0);
    ecs.next(&arn, [Outcome::Fails(Span::from_secs(30))]);
    ecs.advance(at(200));
    let bad = force(&mut ecs, &arn, 200);
    ecs.run_until(at(230));
    let states = [(good.clone(), true, RolloutState::InProgress), (bad.clone(), false, RolloutState::Failed)];
    assert_eq!(deployments(&ecs, &arn), states);
    let primary = ecs.service(&arn).unwrap().primary().unwrap().clone();
    assert_eq!((primary.created_at, primary.updated_at), (at(0), at(230)));
    let reason = format!("ECS deployment circuit breaker: rolling back to deploymentId {good}.");
    assert_eq!(primary.reason, reason);
    let events = ecs.advance(at(1_000));
    let expected = [("IN_PROGRESS", &bad), ("FAILED", &bad), ("IN_PROGRESS", &good), ("COMPLETED", &good)];
    assert_eq!(notified(&events), expected.map(|(name, id)| (name.to_owned(), id.clone())));
    assert_eq!(launches(events).len(), 3, "as many as the circuit breaker counts at least");
    assert_eq!(deployments(&ecs, &arn), [(good, true, RolloutState::Completed)]);
    let cluster = ecs.service(&arn).unwrap().cluster.clone();
    assert_eq!(ecs.log.in_flight(&cluster).last().unwrap().1, 0);
}

#[test]
fn a_failure_event_is_an_error() {
    let (mut ecs, arn) = one(ROLLBACK);
    ecs.usually(&arn, Outcome::Fails(Span::from_secs(30)));
    force(&mut ecs, &arn, 0);
    let events = ecs.advance(at(30));
    let failed = events.iter().find_map(|event| match event {
        EcsEvent::StateChange { event, .. } if event["detail"]["eventType"] == "ERROR" => Some(event),
        _ => None,
    });
    let detail = &failed.unwrap()["detail"];
    assert_eq!(detail["eventName"], "SERVICE_DEPLOYMENT_FAILED");
    assert_eq!(detail["reason"], "ECS deployment circuit breaker: tasks failed to start.");
}

#[test]
fn two_forced_deployments_in_a_row_can_leave_nothing_to_roll_back_to() {
    let (mut ecs, arn) = one(ROLLBACK);
    let outcomes = [Outcome::Fails(Span::from_secs(300)), Outcome::Fails(Span::from_secs(100))];
    ecs.next(&arn, outcomes);
    let (_, second) = (force(&mut ecs, &arn, 0), force(&mut ecs, &arn, 10));
    let events = ecs.advance(at(10_000));
    assert_eq!(notified(&events).last().unwrap(), &("FAILED".to_owned(), second.clone()));
    assert_eq!(deployments(&ecs, &arn), [(second, true, RolloutState::Failed)]);
    // Before the completed one has drained there is something to roll back to.
    let (mut ecs, arn) = one(ROLLBACK);
    let before = ecs.service(&arn).unwrap().primary().unwrap().id.clone();
    ecs.next(&arn, [Outcome::Stalls, Outcome::Fails(Span::from_secs(20))]);
    force(&mut ecs, &arn, 0);
    force(&mut ecs, &arn, 10);
    ecs.advance(at(10_000));
    assert_eq!(deployments(&ecs, &arn), [(before, true, RolloutState::Completed)]);
}

#[test]
fn without_a_circuit_breaker_a_broken_rollout_is_silent_for_ever() {
    let cases =
        [(None, Outcome::Fails(Span::from_secs(30))), (None, Outcome::Stalls), (ROLLBACK, Outcome::Stalls)];
    for (breaker, outcome) in cases {
        let (mut ecs, arn) = one(breaker);
        ecs.usually(&arn, outcome);
        let id = force(&mut ecs, &arn, 0);
        assert_eq!(notified(&ecs.advance(at(1_000_000))), [("IN_PROGRESS".to_owned(), id.clone())]);
        assert_eq!(deployments(&ecs, &arn)[0], (id, true, RolloutState::InProgress));
        assert_eq!(ecs.next_due(), None);
    }
}

#[test]
fn a_circuit_breaker_without_rollback_only_stops() {
    let (mut ecs, arn) = one(Some(CircuitBreaker { rollback: false }));
    ecs.usually(&arn, Outcome::Fails(Span::from_secs(30)));
    let id = force(&mut ecs, &arn, 0);
    ecs.advance(at(10_000));
    assert_eq!(deployments(&ecs, &arn)[0], (id, true, RolloutState::Failed));
    assert_eq!(deployments(&ecs, &arn).len(), 2, "the tasks of the one before still run");
}

#[test]
fn a_pipeline_deploys_a_new_revision_and_codedeploy_tells_nothing() {
    let (mut ecs, arn) = one(None);
    let revision = ecs.register(TaskDefinition { family: "web".to_owned(), ..TaskDefinition::default() });
    let id = ecs.deploy(&arn, Some(&revision), at(5)).unwrap();
    let primary = ecs.service(&arn).unwrap().primary().unwrap().clone();
    assert_eq!((primary.id, primary.task_definition, primary.forced), (id, revision, false));
    assert!(!ecs.log.deployments()[0].forced);
    let blue = ecs.create_service(
        NewService {
            cluster: "prod".to_owned(),
            name: "blue".to_owned(),
            controller: Controller::CodeDeploy,
            ..NewService::default()
        },
        at(0),
    );
    ecs.advance(at(1_000));
    ecs.deploy(&blue, None, at(1_000)).unwrap();
    assert_eq!(ecs.advance(at(9_000)), []);
    assert_eq!(ecs.deploy("nothing", None, at(9_000)), None);
}

#[test]
fn deployments_in_flight_are_counted_per_cluster() {
    let (mut ecs, arn) = one(None);
    let mut arns = vec![arn];
    for name in ["a", "b"] {
        let service =
            NewService { cluster: "prod".to_owned(), name: name.to_owned(), ..NewService::default() };
        arns.push(ecs.create_service(service, at(0)));
    }
    for (i, arn) in arns.iter().enumerate() {
        force(&mut ecs, arn, if i == 2 { 130 } else { 0 });
    }
    ecs.advance(at(1_000));
    let cluster = ecs.service(&arns[0]).unwrap().cluster.clone();
    assert_eq!(ecs.log.most_in_flight(&cluster), 2);
    let counts: Vec<usize> = ecs.log.in_flight(&cluster).iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [1, 2, 1, 0, 1, 0]);
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let span = || (0_i64..200).prop_map(Span::from_secs);
    prop_oneof![span().prop_map(Outcome::Completes), span().prop_map(Outcome::Fails), Just(Outcome::Stalls)]
}

proptest! {
    #[test]
    fn whatever_happens_there_is_one_primary_and_events_stand_in_their_order(
        rollback: bool,
        forced in prop::collection::vec((0_i64..300, outcome()), 1..8),
        seen in prop::collection::vec(0_i64..2_000, 0..5),
    ) {
        let run = |looks: &[i64]| {
            let (mut ecs, arn) = one(Some(CircuitBreaker { rollback }));
            let (mut now, mut events) = (0, Vec::new());
            for (wait, outcome) in &forced {
                // How often somebody looks changes nothing.
                for look in looks.iter().filter(|look| (now..now + wait).contains(*look)) {
                    events.extend(ecs.advance(at(*look)));
                }
                now += wait;
                ecs.next(&arn, [*outcome]);
                force(&mut ecs, &arn, now);
                let states = deployments(&ecs, &arn);
                assert_eq!(states.iter().filter(|(_, primary, _)| *primary).count(), 1);
            }
            events.extend(ecs.advance(at(100_000)));
            let in_flight = ecs.log.in_flight(&ecs.service(&arn).unwrap().cluster).last().unwrap().1;
            (events, deployments(&ecs, &arn), in_flight)
        };
        let mut looks = seen.clone();
        looks.sort_unstable();
        let (events, states, in_flight) = run(&looks);
        prop_assert!(events.is_sorted_by_key(EcsEvent::at));
        prop_assert!(states.first().is_some_and(|(_, primary, _)| *primary));
        prop_assert_eq!(states.iter().filter(|(_, primary, _)| *primary).count(), 1);
        let open = states[0].2 == RolloutState::InProgress;
        prop_assert_eq!(in_flight, usize::from(open));
        prop_assert_eq!(run(&[]), (events, states, in_flight));
    }
}
