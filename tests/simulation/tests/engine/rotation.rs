//! The answer to a rotation: when a service is redeployed, and how often, whatever is refused or dies on the way.

use std::rc::Rc;

use responder_core::rules::Handler;
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};
use responder_engine::EventOutcome;
use serde_json::json;
use simulation::cloud::{CallFault, CloudBuilder, SimulatedCloud};
use simulation::ecs::RolloutOutcome;

use crate::functions::{ACCOUNT, CloudView as _, FunctionSet, sweep_event};

/// The secret of the tests.
pub(crate) const SECRET: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";

/// When the secret is rotated.
pub(crate) fn rotated_at() -> Timestamp {
    "2026-05-04T03:00:20Z".parse().unwrap()
}

/// The event that a rotation of the secret succeeded.
pub(crate) fn rotation_event() -> String {
    rotation_event_of(SECRET, rotated_at())
}

pub(crate) fn rotation_event_of(secret: &str, at: Timestamp) -> String {
    json!({"source": "aws.secretsmanager", "detail-type": "AWS Service Event via CloudTrail",
        "account": ACCOUNT, "region": "us-west-2", "time": at.to_string(), "detail": {
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationSucceeded", "awsRegion": "us-west-2",
            "eventTime": at.to_string(), "eventType": "AwsServiceEvent", "recipientAccountId": ACCOUNT,
            "additionalEventData": {"SecretId": secret}}})
    .to_string()
}

/// A second after the secret was rotated, in a cloud with these services in one cluster, which use it.
pub(crate) fn rotated_cloud(services: &[&str]) -> Rc<SimulatedCloud> {
    let mut builder = CloudBuilder::new(rotated_at()).journal().secret("prod/db");
    for name in services {
        builder = builder.service("shop", name, &[SECRET]);
    }
    let cloud = builder.build();
    cloud.with_secrets(|secrets| {
        secrets.start_rotation(SECRET, rotated_at().minus(Span::from_secs(5)));
        secrets.finish_rotation(SECRET, rotated_at());
    });
    cloud.pass(Span::from_secs(1));
    cloud
}

pub(crate) fn service_arn(name: &str) -> String {
    format!("arn:aws:ecs:us-west-2:{ACCOUNT}:service/shop/{name}")
}

pub(crate) fn functions(cloud: &Rc<SimulatedCloud>) -> FunctionSet {
    FunctionSet::new(cloud, Handler::Rotation, Settings::default())
}

#[test]
fn a_rotation_waits_until_the_change_has_settled_and_is_answered_once() {
    let cloud = rotated_cloud(&["web"]);
    // ECS goes on describing the service as it was: the claim alone says that it was redeployed.
    cloud.with_ecs(simulation::ecs::SimulatedEcs::outdate_descriptions);
    let (ends, counters) = functions(&cloud).process(&[rotation_event(), rotation_event(), "{}".to_owned()]);
    let expected = vec![EventOutcome::Answered, EventOutcome::Coalesced, EventOutcome::Quarantined];
    assert_eq!((ends, counters.deployments_forced), (expected, 1));
    // A little later than the settle delay, for not all services are deployed in the same instant.
    let now = cloud.now().to_string();
    assert!(now.starts_with("2026-05-04T03:00:35."), "{now}");
    // One line for the event, one for the text that is none, the counters, and those of the incident.
    assert_eq!(cloud.take_journal().log_lines.len(), 4);
    let (ends, counters) = functions(&cloud).process(&[rotation_event()]);
    assert_eq!((ends, counters.deployments_forced), (vec![EventOutcome::Coalesced], 0));
}

#[test]
fn a_refused_redeployment_is_told_once_and_costs_no_other() {
    for is_denied in [true, false] {
        let cloud = rotated_cloud(&["refused", "web"]);
        cloud.with_ecs(|ecs| {
            if is_denied {
                ecs.deny_updates(&service_arn("refused"));
            } else {
                ecs.lose_for_updates(&service_arn("refused"));
            }
        });
        let (ends, counters) = functions(&cloud).process(&[rotation_event()]);
        assert_eq!((ends, counters.deployments_forced), (vec![EventOutcome::Answered], 1));
        assert_eq!((counters.redeploys_refused, cloud.pages().len()), (1, 1));
        let (ends, counters) = functions(&cloud).process(&[rotation_event()]);
        // The other service's deployment goes on: the event is answered by waiting for it.
        assert_eq!((ends, counters.pages_sent), (vec![EventOutcome::Answered], 0));
    }
}

#[test]
fn chats_are_told_once_after_the_page_and_what_goes_wrong_there_costs_nothing() {
    let cloud = rotated_cloud(&["refused"]);
    cloud.with_ecs(|ecs| ecs.deny_updates(&service_arn("refused")));
    cloud.with_state(|state| state.chat_topic_is_gone = true);
    let (ends, counters) = functions(&cloud).process(&[rotation_event()]);
    assert_eq!((ends, counters.pages_sent), (vec![EventOutcome::Answered], 1));
    let journal = cloud.take_journal();
    assert_eq!((counters.chats_sent, counters.chats_failed, journal.chats.len()), (0, 1, 1));
    assert!(journal.log_lines.iter().any(|line| line.contains("\"chat\":\"failed\"")));
    let (_, counters) = functions(&cloud).process(&[rotation_event()]);
    assert_eq!((counters.pages_sent, cloud.take_journal().chats.len()), (0, 0));
}

#[test]
fn what_an_invocation_claimed_before_it_died_is_done_by_the_sweep() {
    let cloud = rotated_cloud(&["web"]);
    cloud.with_state(|state| state.faults.plan_for_next("UpdateService", CallFault::DiesBefore));
    assert!(functions(&cloud).invoke(&[rotation_event()]).is_none(), "it dies");
    // The event is on record and left to the sweep.
    let mut functions = functions(&cloud);
    assert_eq!(functions.process(&[rotation_event()]).1.deployments_forced, 0);
    functions.engine.handler = Handler::Sweep;
    let mut forced = Vec::new();
    for minute in 1..8 {
        cloud.clock.advance_to(rotated_at().plus(Span::from_secs(60 * minute + 1)));
        forced.push(functions.process(&[sweep_event(cloud.now())]).1.deployments_forced);
    }
    assert_eq!(forced.iter().sum::<usize>(), 1, "{forced:?}");
}

/// A sweep sees that a newer deployment replaces ours; a later sweep, that the newer one is complete and answers the change.
#[test]
fn a_later_sweep_gives_the_proof_of_a_superseded_deployment_to_the_newer_one() {
    let cloud = rotated_cloud(&["web"]);
    cloud.with_ecs(|ecs| {
        let outcomes = [Span::from_secs(600), Span::from_secs(60)].map(RolloutOutcome::Completes);
        ecs.plan_outcomes(&service_arn("web"), outcomes);
    });
    let mut functions = functions(&cloud);
    assert_eq!(functions.process(&[rotation_event()]).1.deployments_forced, 1);
    cloud.pass(Span::from_secs(70));
    let newer = cloud.with_ecs(|ecs| ecs.deploy(&service_arn("web"), None, cloud.now())).unwrap();
    functions.engine.handler = Handler::Sweep;
    functions.process(&[sweep_event(cloud.now())]);
    cloud.pass(Span::from_secs(120));
    functions.process(&[sweep_event(cloud.now())]);
    let proofs = cloud.with_table(|table| {
        let proofs = table.items().filter(|item| item.key.pk.starts_with("proof#"));
        proofs.cloned().collect::<Vec<_>>()
    });
    let [proof] = &proofs[..] else { panic!("one proof: {proofs:?}") };
    assert_eq!((proof.text("decision"), proof.text("deployment")), (Some("newer"), Some(newer.as_str())));
    assert!(proof.number("superseded_at").is_some() && proof.number("completed_at").is_some(), "{proof:?}");
}
