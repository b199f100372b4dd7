//! The item of a service: which requests it takes, and which ends.

use std::sync::LazyLock;

use super::*;

static SERVICE: LazyLock<ServiceArn> =
    LazyLock::new(|| "arn:aws:ecs:us-west-2:111122223333:service/shop/web".into());
static CLUSTER_ARN: LazyLock<ClusterArn> =
    LazyLock::new(|| "arn:aws:ecs:us-west-2:111122223333:cluster/shop".into());

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

/// A request at an instant.
fn request(fresh_from: i64, cooldown_from: i64, now: i64) -> ItemUpdate {
    let request = DeploymentRequest {
        cluster: &CLUSTER_ARN,
        service: &SERVICE,
        changes: &[],
        fresh_from: at(fresh_from),
        cooldown_from: at(cooldown_from),
        slot: 0,
        rollout: Span::from_secs(600),
    };
    request_update(&request, "a", at(now), Span::from_secs(60))
}

#[test]
fn a_service_is_asked_for_once_a_change_and_not_while_it_cools_down() {
    let first = request(900, 700, 1_000);
    assert!(first.condition.holds(None));
    let requested = first.apply(None);
    let is_granted = |item: &TableItem, fresh_from, cooldown_from, now| {
        request(fresh_from, cooldown_from, now).condition.holds(Some(item))
    };
    // Another invocation holds it; then nobody does, and a request that answers the change is on record.
    assert!(!is_granted(&requested, 1_050, 1_040, 1_060));
    assert!(!is_granted(&requested, 990, 700, 1_300));
    // A later change, while the service cools down and after that.
    assert!(!is_granted(&requested, 1_050, 999, 1_300));
    assert!(is_granted(&requested, 1_050, 1_000, 1_300));
    assert!(requested.number("ttl").is_some());
}

#[test]
fn a_withdrawn_request_is_as_if_nobody_had_asked() {
    let requested = request(900, 700, 1_000).apply(None);
    for outcome in [DeploymentOutcome::Refused, DeploymentOutcome::Denied] {
        let end = DeploymentEnd { at: at(1_000), outcome };
        let report = DeploymentEndReport { service: &SERVICE, requested_at: at(1_000), end, slot: None };
        let withdrawn = end_update(&report).apply(Some(requested.clone()));
        assert!(request(900, 700, 1_001).condition.holds(Some(&withdrawn)), "{outcome:?}");
    }
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
            let end = |second, outcome, requested_at| {
                let end = DeploymentEnd { at: at(second), outcome };
                end_update(&DeploymentEndReport { service: &SERVICE, requested_at, end, slot: None })
            };
            let requested = request(900, 700, 1_000).apply(None);
            assert!(!end(1_100, known_as, at(999)).condition.holds(Some(&requested)), "of another request");
            let first = end(1_100, known_as, at(1_000));
            assert!(first.condition.holds(Some(&requested)), "{known_as:?}");
            let ended = first.apply(Some(requested));
            let second = end(1_200, then, at(1_000));
            assert_eq!(second.condition.holds(Some(&ended)), ends.contains(&then), "{known_as:?}, {then:?}");
        }
    }
}

#[test]
fn a_request_that_was_sent_twice_finds_itself_and_another_of_the_same_invocation_does_not() {
    let requested = request(900, 700, 1_000).apply(None);
    assert!(!request(900, 700, 1_000).condition.holds(Some(&requested)));
    assert!(is_own_request(&requested, "a", at(1_000)), "the same instant: the SDK repeated it");
    assert!(!is_own_request(&requested, "a", at(1_001)));
    assert!(!is_own_request(&requested, "b", at(1_000)));
}

#[test]
fn an_id_is_adopted_once_and_only_of_the_deployment_that_was_asked_for() {
    let requested = request(900, 700, 1_000).apply(None);
    assert!(!id_update(&SERVICE, at(1), "ecs-svc/0").condition.holds(Some(&requested)));
    let adoption = id_update(&SERVICE, at(1_000), "ecs-svc/1");
    assert!(adoption.condition.holds(Some(&requested)));
    let adopted = adoption.apply(Some(requested));
    assert_eq!(adopted.text("deployment"), Some("ecs-svc/1"));
    assert!(!id_update(&SERVICE, at(1_000), "ecs-svc/2").condition.holds(Some(&adopted)));
}
