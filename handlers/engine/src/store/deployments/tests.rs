//! Claims of slots and services, whoever dies or comes second.

use std::sync::LazyLock;

use responder_core::facts::Facts;
use responder_core::time::Span;

use super::*;
use crate::deadline::Deadline;
use crate::fake::{EngineFake, block_on};

const CLUSTER: &str = "arn:aws:ecs:us-west-2:111122223333:cluster/shop";
static CLUSTER_ARN: LazyLock<ClusterArn> = LazyLock::new(|| CLUSTER.into());

fn arn(name: &str) -> ServiceArn {
    format!("arn:aws:ecs:us-west-2:111122223333:service/shop/{name}").into()
}

fn ledger<'l>(aws: &'l EngineFake, owner: &'l str) -> Ledger<'l, EngineFake> {
    let lease = Span::from_secs(60);
    Ledger::new(aws, owner, lease, Deadline::from_invocation(aws.now().plus(lease), lease, aws.now()))
}

fn wish(service: &ServiceArn, slot: u32, fresh_from: i64, cooldown_from: i64) -> DeploymentRequest<'_> {
    let at = |second| Timestamp::from_millis(second * 1_000);
    let (fresh_from, cooldown_from, rollout) = (at(fresh_from), at(cooldown_from), Span::from_secs(600));
    DeploymentRequest {
        cluster: &CLUSTER_ARN,
        service,
        changes: &[],
        fresh_from,
        cooldown_from,
        slot,
        rollout,
    }
}

fn at(aws: &EngineFake, second: i64) {
    aws.clock.set(Timestamp::from_millis(second * 1_000));
}

fn claim(aws: &EngineFake, owner: &str, wish: &DeploymentRequest<'_>) -> DeploymentClaimResult {
    block_on(ledger(aws, owner).claim_deployment(wish)).unwrap()
}

fn ticket(granted: DeploymentClaimResult) -> DeploymentClaim {
    let DeploymentClaimResult::Granted(ticket) = granted else { panic!("{granted:?}") };
    ticket
}

fn end_deployment(
    aws: &EngineFake,
    owner: &str,
    service: &ServiceArn,
    requested_at: Timestamp,
    (at, outcome): (Timestamp, DeploymentOutcome),
    slot: Option<(&ClusterArn, u32)>,
) -> bool {
    let report = DeploymentEndReport { service, requested_at, end: DeploymentEnd { at, outcome }, slot };
    block_on(ledger(aws, owner).record_deployment_end(&report)).unwrap()
}

fn known(aws: &EngineFake) -> Facts {
    let mut facts = Facts::default();
    block_on(ledger(aws, "reader").read_rotation_state("111122223333", "us-west-2", &mut facts)).unwrap();
    facts
}

#[test]
fn a_place_is_taken_by_one_service_until_its_deployment_ends() {
    let (aws, web, api) = (EngineFake::default(), arn("web"), arn("api"));
    at(&aws, 1_000);
    let first = wish(&web, 0, 900, 0);
    let granted = ticket(claim(&aws, "a", &first));
    assert_eq!(claim(&aws, "b", &wish(&api, 0, 900, 0)), DeploymentClaimResult::Deferred);
    block_on(ledger(&aws, "a").record_deployment(&first, granted, Some("ecs-svc/1"))).unwrap();
    // Long after the lease.
    at(&aws, 1_300);
    assert_eq!(claim(&aws, "b", &wish(&api, 0, 900, 0)), DeploymentClaimResult::Deferred);
    let facts = known(&aws);
    let requested = &facts.deployments[&web];
    assert_eq!(
        (requested.deployment.as_deref(), requested.slot, requested.is_open()),
        (Some("ecs-svc/1"), Some(0), true)
    );
    assert_eq!(facts.concurrency_slots[CLUSTER][&0].service, web);
    let end = (Timestamp::from_millis(1_400_000), DeploymentOutcome::Completed);
    end_deployment(&aws, "c", &web, requested.requested_at, end, Some((&CLUSTER_ARN, 0)));
    assert!(known(&aws).concurrency_slots.is_empty() && !known(&aws).deployments[&web].is_open());
    assert!(matches!(claim(&aws, "b", &wish(&api, 0, 900, 0)), DeploymentClaimResult::Granted(_)));
}

#[test]
fn a_service_is_asked_for_once_a_change_and_not_while_it_cools_down() {
    let (aws, web) = (EngineFake::default(), arn("web"));
    at(&aws, 1_000);
    let granted = ticket(claim(&aws, "a", &wish(&web, 0, 900, 700)));
    block_on(ledger(&aws, "a").record_deployment(&wish(&web, 0, 900, 700), granted, None)).unwrap();
    assert_eq!(claim(&aws, "b", &wish(&web, 1, 990, 700)), DeploymentClaimResult::AlreadyRequested);
    assert_eq!(claim(&aws, "b", &wish(&web, 1, 1_050, 999)), DeploymentClaimResult::Deferred);
    assert!(!known(&aws).concurrency_slots[CLUSTER].contains_key(&1), "what was not granted keeps no place");
    at(&aws, 1_300);
    assert!(
        matches!(claim(&aws, "b", &wish(&web, 0, 1_050, 1_000)), DeploymentClaimResult::Granted(_)),
        "its own place"
    );
}

#[test]
fn what_ecs_refused_is_as_if_nobody_had_asked() {
    let (aws, web) = (EngineFake::default(), arn("web"));
    at(&aws, 1_000);
    let wish = wish(&web, 0, 900, 700);
    let granted = ticket(claim(&aws, "a", &wish));
    block_on(ledger(&aws, "a").withdraw_deployment(&wish, granted, DeploymentOutcome::Refused));
    assert!(known(&aws).concurrency_slots.is_empty() && !known(&aws).deployments[&web].was_requested());
    at(&aws, 1_001);
    assert!(matches!(claim(&aws, "b", &wish), DeploymentClaimResult::Granted(_)));
}

#[test]
fn a_death_about_the_call_keeps_the_place_for_a_rollout_and_the_service_on_record() {
    let (aws, web, api) = (EngineFake::default(), arn("web"), arn("api"));
    at(&aws, 1_000);
    let granted = ticket(claim(&aws, "dead", &wish(&web, 0, 900, 700)));
    let requested = known(&aws).deployments[&web].clone();
    assert_eq!(
        (requested.requested_at, requested.deployment, requested.end),
        (granted.requested_at, None, None)
    );
    // Nobody knows whether ECS was asked. The sweep finds out, and gives the place back.
    at(&aws, 1_061);
    assert_eq!(claim(&aws, "b", &wish(&api, 0, 900, 700)), DeploymentClaimResult::Deferred);
    let end = (Timestamp::from_millis(1_100_000), DeploymentOutcome::Unseen);
    end_deployment(&aws, "sweep", &web, granted.requested_at, end, Some((&CLUSTER_ARN, 0)));
    assert!(matches!(claim(&aws, "b", &wish(&api, 0, 900, 700)), DeploymentClaimResult::Granted(_)));
}

#[test]
fn what_ecs_tells_corrects_what_was_inferred_and_nothing_else_does() {
    for (known_as, ends) in [
        (DeploymentOutcome::Superseded, &[DeploymentOutcome::Completed, DeploymentOutcome::Failed][..]),
        (DeploymentOutcome::Unseen, &[DeploymentOutcome::Completed, DeploymentOutcome::Failed]),
        (DeploymentOutcome::Failed, &[DeploymentOutcome::Completed]),
        (DeploymentOutcome::Completed, &[]),
    ] {
        for then in [
            DeploymentOutcome::Completed,
            DeploymentOutcome::Failed,
            DeploymentOutcome::Superseded,
            DeploymentOutcome::Unseen,
            DeploymentOutcome::Gone,
        ] {
            let (aws, web) = (EngineFake::default(), arn("web"));
            at(&aws, 1_000);
            let requested = ticket(claim(&aws, "a", &wish(&web, 0, 900, 700))).requested_at;
            let holds = [(1_100, known_as), (1_200, then)].map(|(second, how)| {
                let end = (Timestamp::from_millis(second * 1_000), how);
                end_deployment(&aws, "b", &web, requested, end, None)
            });
            let expected = if ends.contains(&then) { then } else { known_as };
            assert_eq!(
                known(&aws).deployments[&web].end.unwrap().outcome,
                expected,
                "{known_as:?}, {then:?}"
            );
            assert_eq!(holds, [true, then == expected], "{known_as:?}, {then:?}");
        }
    }
}

#[test]
fn a_request_that_was_sent_twice_finds_itself_and_another_of_the_same_invocation_does_not() {
    let (aws, web) = (EngineFake::default(), arn("web"));
    at(&aws, 1_000);
    let wish = wish(&web, 0, 900, 700);
    assert!(matches!(claim(&aws, "a", &wish), DeploymentClaimResult::Granted(_)));
    assert!(
        matches!(claim(&aws, "a", &wish), DeploymentClaimResult::Granted(_)),
        "the same instant: the SDK repeated it"
    );
    at(&aws, 1_001);
    assert_eq!(claim(&aws, "a", &wish), DeploymentClaimResult::AlreadyRequested);
}

#[test]
fn an_id_is_adopted_once_and_only_of_the_deployment_that_was_asked_for() {
    let (aws, web) = (EngineFake::default(), arn("web"));
    at(&aws, 1_000);
    let granted = ticket(claim(&aws, "dead", &wish(&web, 0, 900, 700)));
    let adopt = |at, id| block_on(ledger(&aws, "b").record_deployment_id(&web, at, id)).unwrap();
    adopt(Timestamp::from_millis(1), "ecs-svc/0");
    assert_eq!(known(&aws).deployments[&web].deployment, None);
    adopt(granted.requested_at, "ecs-svc/1");
    adopt(granted.requested_at, "ecs-svc/2");
    assert_eq!(known(&aws).deployments[&web].deployment.as_deref(), Some("ecs-svc/1"));
}
