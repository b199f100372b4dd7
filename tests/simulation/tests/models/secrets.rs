//! Labels, rotations, replicas and stale reads.

use std::collections::BTreeSet;

use responder_core::time::{Span, Timestamp};
use serde_json::json;
use simulation::secrets::{SecretsOperation, SimulatedSecrets};
use simulation::service_calls::ServiceFault;

const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + seconds * 1_000)
}

/// Secrets Manager with one secret, and its ARN.
fn create_one() -> (SimulatedSecrets, String) {
    let mut secrets = SimulatedSecrets::new("111122223333", 5);
    let arn = secrets.create(HOME, "prod/app", at(0));
    (secrets, arn)
}

/// The Regions and names of the events until an instant.
fn list_events(secrets: &mut SimulatedSecrets, seconds: i64) -> Vec<String> {
    let mut names = Vec::new();
    for sent in secrets.advance(at(seconds)) {
        let name = sent.event["detail"]["eventName"].as_str().or(sent.event["detail-type"].as_str());
        names.push(format!("{} {}", sent.region, name.unwrap()));
    }
    names
}

#[test]
fn a_new_value_is_current_the_old_one_previous_and_the_one_before_deprecated() {
    let (mut secrets, arn) = create_one();
    let first = secrets.current(&arn).unwrap().version_with_label("AWSCURRENT").unwrap().to_owned();
    let second = secrets.put_value(&arn, at(1)).unwrap();
    let third = secrets.put_value(&arn, at(2)).unwrap();
    let described = secrets.describe_secret(HOME, "prod/app", at(2)).unwrap();
    assert_eq!(described.version_with_label("AWSCURRENT"), Some(third.as_str()));
    assert_eq!(described.version_with_label("AWSPREVIOUS"), Some(second.as_str()));
    assert!(described.versions[&first].labels.is_empty());
    assert_eq!((described.last_changed, described.last_rotated), (at(2), None));
    for (include_deprecated, count) in [(false, 2), (true, 3)] {
        let listing = secrets.list_secret_version_ids(HOME, &arn, include_deprecated, at(2)).unwrap();
        assert_eq!(listing.versions.len(), count);
    }
    assert_eq!(secrets.roll_back_value(&arn, at(3)), Some(second.clone()));
    assert_eq!(secrets.current(&arn).unwrap().version_with_label("AWSPREVIOUS"), Some(third.as_str()));
}

#[test]
fn the_event_of_a_moved_label_is_as_documented() {
    let (mut secrets, arn) = create_one();
    let version = secrets.put_value(&arn, at(1)).unwrap();
    let mut event = secrets.advance(at(1)).pop().unwrap().event;
    event["id"].take();
    let expected = json!({
        "version": "0", "id": null, "detail-type": "Secret Label Updated", "source": "aws.secretsmanager",
        "account": "111122223333", "time": at(1).to_string(), "region": HOME, "resources": [arn],
        "detail": {"name": "prod/app", "labelUpdated": "AWSCURRENT", "versionId": version},
    });
    assert_eq!(event, expected);
}

#[test]
fn a_failed_rotation_is_retried_and_succeeds() {
    let (mut secrets, arn) = create_one();
    secrets.rotate_every(&arn, Span::from_secs(1_000), at(0));
    let pending = secrets.start_rotation(&arn, at(10)).unwrap();
    assert!(secrets.fail_rotation(&arn, "setSecret", at(20)));
    let events = secrets.advance(at(20));
    let detail = &events[1].event["detail"];
    assert_eq!(
        detail["errorMessage"],
        format!(
            "Error when executing lambda arn:aws:lambda:{HOME}:111122223333:function:rotate during setSecret step"
        )
    );
    assert_eq!(detail["additionalEventData"], json!({"SecretId": arn}));
    assert_eq!(events[1].event["resources"], json!([]));
    assert!(detail["userIdentity"].get("type").is_none());
    assert!(detail["requestID"].as_str().unwrap().starts_with(&format!("Rotation-{arn}-")));
    assert_eq!(secrets.start_rotation(&arn, at(30)), Some(pending.clone()), "the version that is left over");
    assert_eq!(secrets.finish_rotation(&arn, at(40)), Some(pending.clone()));
    let described = secrets.describe_secret(HOME, &arn, at(40)).unwrap();
    assert_eq!(described.version_with_label("AWSCURRENT"), Some(pending.as_str()));
    assert_eq!(described.version_with_label("AWSPENDING"), None);
    assert_eq!((described.last_rotated, described.next_rotation), (Some(at(40)), Some(at(1_040))));
    assert_eq!(
        list_events(&mut secrets, 40),
        ["us-east-1 RotationStarted", "us-east-1 Secret Label Updated", "us-east-1 RotationSucceeded"]
    );
    assert_eq!(secrets.finish_rotation(&arn, at(50)), None);
    assert!(!secrets.fail_rotation(&arn, "setSecret", at(50)));
}

#[test]
fn a_value_that_is_put_during_a_rotation_ends_it() {
    let (mut secrets, arn) = create_one();
    secrets.start_rotation(&arn, at(1)).unwrap();
    secrets.advance(at(1));
    secrets.put_value(&arn, at(2)).unwrap();
    assert_eq!(
        list_events(&mut secrets, 2),
        ["us-east-1 RotationAbandoned", "us-east-1 Secret Label Updated"]
    );
    assert_eq!(secrets.finish_rotation(&arn, at(3)), None);
}

#[test]
fn a_replica_shows_a_change_later_under_its_own_arn() {
    let (mut secrets, arn) = create_one();
    secrets.replication_lag = Span::from_secs(30);
    secrets.replicas_send_events = true;
    assert!(secrets.describe_secret(AWAY, "prod/app", at(0)).is_err());
    secrets.replicate(&arn, AWAY, at(0));
    assert!(secrets.describe_secret(AWAY, "prod/app", at(29)).is_err());
    let first = secrets.describe_secret(AWAY, "prod/app", at(30)).unwrap();
    assert_eq!(first.arn, arn.replace(HOME, AWAY));
    assert_eq!(first.primary_region.as_deref(), Some(HOME));
    let version = secrets.put_value(&arn, at(40)).unwrap();
    for (seconds, is_new) in [(69, false), (70, true)] {
        let described = secrets.describe_secret(AWAY, &first.arn, at(seconds)).unwrap();
        assert_eq!(described.version_with_label("AWSCURRENT") == Some(version.as_str()), is_new);
    }
    assert_eq!(list_events(&mut secrets, 69), ["us-east-1 Secret Label Updated"]);
    assert_eq!(secrets.next_due(), Some(at(70)));
    assert_eq!(list_events(&mut secrets, 70), ["eu-west-1 Secret Label Updated"]);
}

#[test]
fn a_read_soon_after_a_change_may_show_the_state_before_but_never_an_older_one() {
    let (mut secrets, arn) = create_one();
    secrets.stale_for = Span::from_secs(10);
    let second = secrets.put_value(&arn, at(100)).unwrap();
    let third = secrets.put_value(&arn, at(200)).unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        let described = secrets.describe_secret(HOME, &arn, at(209)).unwrap();
        seen.insert(described.version_with_label("AWSCURRENT").unwrap().to_owned());
    }
    assert_eq!(seen, [second, third.clone()].into());
    for _ in 0..100 {
        let described = secrets.describe_secret(HOME, &arn, at(210)).unwrap();
        assert_eq!(described.version_with_label("AWSCURRENT"), Some(third.as_str()));
    }
}

#[test]
fn a_secret_is_found_by_each_of_its_names() {
    let (mut secrets, arn) = create_one();
    let partial = arn.rsplit_once('-').unwrap().0;
    for id in ["prod/app", &arn, partial] {
        assert_eq!(secrets.describe_secret(HOME, id, at(0)).unwrap().arn, arn, "{id}");
    }
    for id in ["prod/ap", "app", ""] {
        let refusal = secrets.describe_secret(HOME, id, at(0)).unwrap_err();
        assert_eq!(refusal.code, "ResourceNotFoundException");
    }
}

#[test]
fn secrets_come_in_pages_without_the_deleted_ones() {
    let mut secrets = SimulatedSecrets::make_estate("111122223333", HOME, 1, 203, at(0));
    let arns: Vec<String> = secrets.arns().map(str::to_owned).collect();
    for arn in [&arns[0], &arns[99], &arns[202]] {
        secrets.delete(arn, at(1));
    }
    assert_eq!(secrets.describe_secret(HOME, &arns[0], at(1)).unwrap().deleted, Some(at(1)));
    let first = secrets.list_secrets(HOME, None, None, at(1)).unwrap();
    assert_eq!(first.secrets.len(), 100);
    let second = secrets.list_secrets(HOME, Some(100), first.next_token.as_deref(), at(1)).unwrap();
    assert_eq!((second.secrets.len(), second.next_token), (100, None));
    assert!(first.secrets.last().unwrap().arn < second.secrets[0].arn);
    for (max, token, code) in
        [(Some(101), None, "InvalidParameterException"), (None, Some("x"), "InvalidNextTokenException")]
    {
        assert_eq!(secrets.list_secrets(HOME, max, token, at(1)).unwrap_err().code, code);
    }
    assert_eq!(secrets.list_secrets(AWAY, None, None, at(1)).unwrap().secrets, []);
    secrets.calls.plant(SecretsOperation::ListSecrets, [Some(ServiceFault::Throttled)]);
    assert_eq!(secrets.list_secrets(HOME, None, None, at(1)).unwrap_err().code, "ThrottlingException");
}
