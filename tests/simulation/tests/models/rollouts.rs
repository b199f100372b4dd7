//! Rollouts of ECS over time.

use proptest::prelude::*;
use responder_core::aws::ecs_service::{DeploymentController, RolloutState};
use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};
use simulation::ecs::{
    CircuitBreaker, EcsEvent, NewService, RegisteredTaskDefinition, RolloutOutcome, SimulatedEcs,
    TaskContainer, TaskLaunch,
};
use simulation::location::AwsLocation;

const ROLE: &str = "arn:aws:iam::111122223333:role/execution";
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app-AbCdEf:password::";
const WITH_ROLLBACK: Option<CircuitBreaker> = Some(CircuitBreaker { rollback: true });
const WITHOUT_ROLLBACK: Option<CircuitBreaker> = Some(CircuitBreaker { rollback: false });

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + seconds * 1_000)
}

fn fail_after(seconds: i64) -> RolloutOutcome {
    RolloutOutcome::Fails(Span::from_secs(seconds))
}

/// ECS with one service of two tasks.
struct OneService {
    ecs: SimulatedEcs,
    arn: String,
}

/// An event of ECS: its name without what all names begin with, and the deployment.
type ReportedState = (&'static str, String);

impl OneService {
    fn new(circuit_breaker: Option<CircuitBreaker>) -> Self {
        let mut ecs = SimulatedEcs::new(AwsLocation::new("111122223333", "us-east-1"), 3);
        let task_definition = ecs.register_task_definition(RegisteredTaskDefinition {
            family: "web".to_owned(),
            execution_role: Some(ROLE.to_owned()),
            containers: vec![TaskContainer { secrets: vec![SECRET.to_owned()], ..TaskContainer::default() }],
            ..RegisteredTaskDefinition::default()
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
        Self { ecs, arn }
    }

    /// Forces a deployment; returns its id.
    fn force_deployment(&mut self, seconds: i64) -> String {
        let updated = self.ecs.update_service(Some("prod"), &self.arn, true, at(seconds)).unwrap();
        updated.primary().unwrap().id.clone()
    }

    fn plan_outcomes(&mut self, outcomes: impl IntoIterator<Item = RolloutOutcome>) {
        self.ecs.plan_outcomes(&self.arn, outcomes);
    }

    fn primary_id(&self) -> String {
        self.ecs.service(&self.arn).unwrap().primary().unwrap().id.clone()
    }

    /// The deployments: id, whether PRIMARY, state.
    fn deployments(&self) -> Vec<(String, bool, RolloutState)> {
        let mut deployments = Vec::new();
        for deployment in &self.ecs.service(&self.arn).unwrap().deployments {
            deployments.push((deployment.id.clone(), deployment.primary, deployment.rollout_state));
        }
        deployments
    }

    fn most_in_flight(&self) -> usize {
        self.ecs.log.most_in_flight(&self.ecs.service(&self.arn).unwrap().cluster)
    }

    /// How many services of the cluster are in flight now.
    fn count_in_flight(&self) -> usize {
        let cluster = &self.ecs.service(&self.arn).unwrap().cluster;
        self.ecs.log.in_flight(cluster).last().map_or(0, |(_, count)| *count)
    }
}

/// The states that ECS reported.
fn list_reports(events: &[EcsEvent]) -> Vec<ReportedState> {
    let mut reports = Vec::new();
    for event in events {
        if let EcsEvent::StateChange { event, .. } = event {
            let name = match event["detail"]["eventName"].as_str().unwrap() {
                "SERVICE_DEPLOYMENT_IN_PROGRESS" => "IN_PROGRESS",
                "SERVICE_DEPLOYMENT_COMPLETED" => "COMPLETED",
                "SERVICE_DEPLOYMENT_FAILED" => "FAILED",
                other => panic!("{other}"),
            };
            reports.push((name, event["detail"]["deploymentId"].as_str().unwrap().to_owned()));
        }
    }
    reports
}

fn list_launches(events: Vec<EcsEvent>) -> Vec<TaskLaunch> {
    let mut launches = Vec::new();
    for event in events {
        if let EcsEvent::Launched(launch) = event {
            launches.push(launch);
        }
    }
    launches
}

#[test]
fn a_forced_deployment_completes_in_its_time() {
    let mut service = OneService::new(None);
    service.ecs.default_outcome = RolloutOutcome::Completes(Span::from_secs(90));
    let before = service.primary_id();
    let id = service.force_deployment(10);
    assert!(id.strip_prefix("ecs-svc/").is_some_and(|digits| digits.len() == 19), "{id}");
    let both = [(id.clone(), true, RolloutState::InProgress), (before, false, RolloutState::Completed)];
    service.ecs.run_until(at(99));
    assert_eq!(service.deployments(), both);
    assert_eq!(service.ecs.next_due(), Some(at(100)));
    service.ecs.run_until(at(100));
    assert_eq!(service.deployments(), [(id.clone(), true, RolloutState::Completed)]);
    assert_eq!(service.ecs.service(&service.arn).unwrap().primary().unwrap().created_at, at(10));

    let events = service.ecs.advance(at(1_000));
    assert_eq!(list_reports(&events), [("IN_PROGRESS", id.clone()), ("COMPLETED", id.clone())]);
    let Some(EcsEvent::StateChange { event, .. }) = events.last() else { panic!("{events:?}") };
    let mut event = event.clone();
    assert_eq!(event["id"].take().as_str().map(str::len), Some(36));
    let expected = json!({
        "version": "0", "id": null, "detail-type": "ECS Deployment State Change", "source": "aws.ecs",
        "account": "111122223333", "time": at(100).to_string(), "region": "us-east-1", "resources": [service.arn],
        "detail": {
            "eventType": "INFO", "eventName": "SERVICE_DEPLOYMENT_COMPLETED", "deploymentId": id,
            "updatedAt": at(100).to_string(), "reason": format!("ECS deployment {id} completed."),
        },
    });
    assert_eq!(event, expected);
    assert!(service.ecs.advance(at(2_000)).is_empty(), "nothing is sent twice");
}

#[test]
fn every_new_task_reads_its_secrets_by_the_execution_role() {
    let mut service = OneService::new(None);
    service.ecs.default_outcome = RolloutOutcome::Completes(Span::from_secs(90));
    let id = service.force_deployment(0);
    let launches = list_launches(service.ecs.advance(at(90)));
    assert_eq!(launches.iter().map(|launch| launch.started_at).collect::<Vec<_>>(), [at(30), at(60)]);
    for launch in &launches {
        assert_eq!(
            (launch.service.as_str(), launch.deployment.as_str()),
            (service.arn.as_str(), id.as_str())
        );
        assert_eq!(launch.execution_role.as_deref(), Some(ROLE));
        assert_eq!(launch.reads, [SECRET, "mesh"]);
        assert!(launch.task.len() == 32 && launch.task.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    assert_ne!(launches[0].task, launches[1].task);
}

#[test]
fn a_deployment_has_the_tasks_that_it_launched() {
    let mut service = OneService::new(None);
    let before = service.ecs.service(&service.arn).unwrap().primary().unwrap().tasks.clone();
    assert_eq!(before.iter().map(|task| task.started_at).collect::<Vec<_>>(), [at(0), at(0)]);
    assert_ne!(before[0].id, before[1].id);
    service.force_deployment(0);
    let launches = list_launches(service.ecs.advance(at(1_000)));
    let tasks = service.ecs.service(&service.arn).unwrap().primary().unwrap().tasks.clone();
    assert_eq!(tasks.len(), launches.len());
    for (task, launch) in tasks.iter().zip(&launches) {
        assert_eq!((&task.id, task.started_at), (&launch.task, launch.started_at));
    }
}

#[test]
fn a_second_forced_deployment_supersedes_the_first_which_never_completes() {
    let mut service = OneService::new(None);
    let first = service.force_deployment(0);
    let second = service.force_deployment(50);
    let deployments = service.deployments();
    assert_eq!((&deployments[0].0, deployments[0].1), (&second, true));
    assert_eq!((&deployments[1].0, deployments[1].1), (&first, false));
    assert_eq!(deployments.len(), 3, "the COMPLETED one drains as well");
    service.ecs.run_until(at(110));
    assert_eq!(service.deployments(), [(second.clone(), true, RolloutState::InProgress)]);
    let events = service.ecs.advance(at(1_000));
    let expected = [("IN_PROGRESS", first), ("IN_PROGRESS", second.clone()), ("COMPLETED", second)];
    assert_eq!(list_reports(&events), expected);
    // One task of the first one had started when it was superseded.
    assert_eq!(list_launches(events).len(), 3);
    assert_eq!(service.most_in_flight(), 1, "it is one service");
}

#[test]
fn a_failed_deployment_is_rolled_back_to_the_last_completed_one() {
    let mut service = OneService::new(WITH_ROLLBACK);
    let good = service.force_deployment(0);
    service.plan_outcomes([fail_after(30)]);
    service.ecs.advance(at(200));
    let bad = service.force_deployment(200);
    service.ecs.run_until(at(230));
    let states = [(good.clone(), true, RolloutState::InProgress), (bad.clone(), false, RolloutState::Failed)];
    assert_eq!(service.deployments(), states);
    let primary = service.ecs.service(&service.arn).unwrap().primary().unwrap().clone();
    assert_eq!((primary.created_at, primary.updated_at), (at(0), at(230)));
    let reason = format!("ECS deployment circuit breaker: rolling back to deploymentId {good}.");
    assert_eq!(primary.reason, reason);
    let events = service.ecs.advance(at(1_000));
    let expected = [
        ("IN_PROGRESS", bad.clone()),
        ("FAILED", bad),
        ("IN_PROGRESS", good.clone()),
        ("COMPLETED", good.clone()),
    ];
    assert_eq!(list_reports(&events), expected);
    assert_eq!(list_launches(events).len(), 3, "as many as the circuit breaker counts at least");
    assert_eq!(service.deployments(), [(good, true, RolloutState::Completed)]);
    assert_eq!(service.count_in_flight(), 0);
}

#[test]
fn a_failure_event_is_an_error() {
    let mut service = OneService::new(WITH_ROLLBACK);
    service.ecs.set_usual_outcome(&service.arn, fail_after(30));
    service.force_deployment(0);
    let mut failures: Vec<Value> = Vec::new();
    for event in service.ecs.advance(at(30)) {
        if let EcsEvent::StateChange { event, .. } = event
            && event["detail"]["eventType"] == "ERROR"
        {
            failures.push(event["detail"].clone());
        }
    }
    let detail = &failures[0];
    assert_eq!(detail["eventName"], "SERVICE_DEPLOYMENT_FAILED");
    assert_eq!(detail["reason"], "ECS deployment circuit breaker: tasks failed to start.");
}

#[test]
fn two_forced_deployments_in_a_row_can_leave_nothing_to_roll_back_to() {
    let mut service = OneService::new(WITH_ROLLBACK);
    service.plan_outcomes([fail_after(300), fail_after(100)]);
    service.force_deployment(0);
    let second = service.force_deployment(10);
    let events = service.ecs.advance(at(10_000));
    assert_eq!(list_reports(&events).last().unwrap(), &("FAILED", second.clone()));
    assert_eq!(service.deployments(), [(second, true, RolloutState::Failed)]);
}

#[test]
fn a_completed_deployment_that_has_not_drained_can_be_rolled_back_to() {
    let mut service = OneService::new(WITH_ROLLBACK);
    let before = service.primary_id();
    service.plan_outcomes([RolloutOutcome::Stalls, fail_after(20)]);
    service.force_deployment(0);
    service.force_deployment(10);
    service.ecs.advance(at(10_000));
    assert_eq!(service.deployments(), [(before, true, RolloutState::Completed)]);
}

#[test]
fn without_a_circuit_breaker_a_broken_rollout_is_silent_for_ever() {
    let cases =
        [(None, fail_after(30)), (None, RolloutOutcome::Stalls), (WITH_ROLLBACK, RolloutOutcome::Stalls)];
    for (circuit_breaker, outcome) in cases {
        let mut service = OneService::new(circuit_breaker);
        service.ecs.set_usual_outcome(&service.arn, outcome);
        let id = service.force_deployment(0);
        assert_eq!(list_reports(&service.ecs.advance(at(1_000_000))), [("IN_PROGRESS", id.clone())]);
        assert_eq!(service.deployments()[0], (id, true, RolloutState::InProgress));
        assert_eq!(service.ecs.next_due(), None);
    }
}

#[test]
fn a_circuit_breaker_without_rollback_only_stops() {
    let mut service = OneService::new(WITHOUT_ROLLBACK);
    service.ecs.set_usual_outcome(&service.arn, fail_after(30));
    let id = service.force_deployment(0);
    service.ecs.advance(at(10_000));
    let deployments = service.deployments();
    assert_eq!(deployments[0], (id, true, RolloutState::Failed));
    assert_eq!(deployments.len(), 2, "the tasks of the one before still run");
}

#[test]
fn a_pipeline_deploys_a_new_revision() {
    let mut service = OneService::new(None);
    let family = RegisteredTaskDefinition { family: "web".to_owned(), ..RegisteredTaskDefinition::default() };
    let revision = service.ecs.register_task_definition(family);
    let id = service.ecs.deploy(&service.arn, Some(&revision), at(5)).unwrap();
    let primary = service.ecs.service(&service.arn).unwrap().primary().unwrap().clone();
    assert_eq!((primary.id, primary.task_definition, primary.forced), (id, revision, false));
    assert!(!service.ecs.log.deployments()[0].forced);
    assert_eq!(service.ecs.deploy("nothing", None, at(9_000)), None);
}

#[test]
fn ecs_sends_no_event_about_a_codedeploy_service() {
    let mut ecs = SimulatedEcs::new(AwsLocation::new("111122223333", "us-east-1"), 3);
    let blue = NewService {
        cluster: "prod".to_owned(),
        name: "blue".to_owned(),
        controller: DeploymentController::CodeDeploy,
        ..NewService::default()
    };
    let arn = ecs.create_service(blue, at(0));
    ecs.deploy(&arn, None, at(1_000)).unwrap();
    assert_eq!(ecs.advance(at(9_000)), []);
}

#[test]
fn deployments_in_flight_are_counted_per_cluster() {
    let mut service = OneService::new(None);
    let mut arns = vec![service.arn.clone()];
    for name in ["a", "b"] {
        let other = NewService { cluster: "prod".to_owned(), name: name.to_owned(), ..NewService::default() };
        arns.push(service.ecs.create_service(other, at(0)));
    }
    for (arn, seconds) in arns.iter().zip([0, 0, 130]) {
        service.ecs.update_service(Some("prod"), arn, true, at(seconds)).unwrap();
    }
    service.ecs.advance(at(1_000));
    assert_eq!(service.most_in_flight(), 2);
    let cluster = &service.ecs.service(&service.arn).unwrap().cluster;
    let counts: Vec<usize> = service.ecs.log.in_flight(cluster).iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [1, 2, 1, 0, 1, 0]);
}

fn any_outcome() -> impl Strategy<Value = RolloutOutcome> {
    let any_span = || (0_i64..200).prop_map(Span::from_secs);
    prop_oneof![
        any_span().prop_map(RolloutOutcome::Completes),
        any_span().prop_map(RolloutOutcome::Fails),
        Just(RolloutOutcome::Stalls)
    ]
}

/// A service after some forced deployments, and every event of ECS. Time passes in one step or in several.
fn run_deployments(
    rollback: bool,
    forced: &[(i64, RolloutOutcome)],
    stops: &[i64],
) -> (OneService, Vec<EcsEvent>) {
    let mut service = OneService::new(Some(CircuitBreaker { rollback }));
    let mut events = Vec::new();
    let mut now = 0;
    for (wait, outcome) in forced {
        for stop in stops {
            if (now..now + wait).contains(stop) {
                events.extend(service.ecs.advance(at(*stop)));
            }
        }
        now += wait;
        service.plan_outcomes([*outcome]);
        service.force_deployment(now);
        assert_eq!(service.deployments().iter().filter(|(_, primary, _)| *primary).count(), 1);
    }
    events.extend(service.ecs.advance(at(100_000)));
    (service, events)
}

proptest! {
    #[test]
    fn whatever_happens_there_is_one_primary_and_events_stand_in_their_order(
        rollback: bool,
        forced in prop::collection::vec((0_i64..300, any_outcome()), 1..8),
        mut stops in prop::collection::vec(0_i64..2_000, 0..5),
    ) {
        stops.sort_unstable();
        let (service, events) = run_deployments(rollback, &forced, &stops);
        prop_assert!(events.is_sorted_by_key(EcsEvent::at));
        let deployments = service.deployments();
        prop_assert!(deployments[0].1);
        prop_assert_eq!(deployments.iter().filter(|(_, primary, _)| *primary).count(), 1);
        let is_open = deployments[0].2 == RolloutState::InProgress;
        prop_assert_eq!(service.count_in_flight(), usize::from(is_open));
        // It does not matter in how many steps time passes.
        let (in_one_step, same_events) = run_deployments(rollback, &forced, &[]);
        prop_assert_eq!(in_one_step.deployments(), deployments);
        prop_assert_eq!(in_one_step.count_in_flight(), service.count_in_flight());
        prop_assert_eq!(same_events, events);
    }
}
