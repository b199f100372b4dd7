//! Labels, rotations, replicas and stale reads.

use responder_core::time::{Span, Timestamp};
use serde_json::json;

use super::{Operation, Secrets};
use crate::Fault;

const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + seconds * 1_000)
}

fn one() -> (Secrets, String) {
    let mut secrets = Secrets::new("111122223333", 5);
    let arn = secrets.create(HOME, "prod/app", at(0));
    (secrets, arn)
}

fn names(secrets: &mut Secrets, seconds: i64) -> Vec<String> {
    let notified = secrets.advance(at(seconds)).into_iter().map(|notified| {
        let name = notified.event["detail"]["eventName"].as_str().or(notified.event["detail-type"].as_str());
        format!("{} {}", notified.region, name.unwrap())
    });
    notified.collect()
}

#[test]
fn a_new_value_is_current_the_old_one_previous_and_the_one_before_deprecated() {
    let (mut secrets, arn) = one();
    let first = secrets.current(&arn).unwrap().labelled("AWSCURRENT").unwrap().to_owned();
    let second = secrets.put_value(&arn, at(1)).unwrap();
    let third = secrets.put_value(&arn, at(2)).unwrap();
    let described = secrets.describe_secret(HOME, "prod/app", at(2)).unwrap();
    assert_eq!(described.labelled("AWSCURRENT"), Some(third.as_str()));
    assert_eq!(described.labelled("AWSPREVIOUS"), Some(second.as_str()));
    assert!(described.versions[&first].labels.is_empty());
    assert_eq!((described.last_changed, described.last_rotated), (at(2), None));
    let ids = |secrets: &mut Secrets, all| {
        secrets.list_secret_version_ids(HOME, &arn, all, at(2)).unwrap().versions.len()
    };
    assert_eq!((ids(&mut secrets, false), ids(&mut secrets, true)), (2, 3));
    assert_eq!(secrets.roll_back(&arn, at(3)), Some(second.clone()));
    assert_eq!(secrets.current(&arn).unwrap().labelled("AWSPREVIOUS"), Some(third.as_str()));
}

#[test]
fn a_moved_label_is_told_as_documented() {
    let (mut secrets, arn) = one();
    let version = secrets.put_value(&arn, at(1)).unwrap();
    let mut notified = secrets.advance(at(1)).pop().unwrap().event;
    notified["id"].take();
    let expected = json!({
        "version": "0", "id": null, "detail-type": "Secret Label Updated", "source": "aws.secretsmanager",
        "account": "111122223333", "time": at(1).to_string(), "region": HOME, "resources": [arn],
        "detail": {"name": "prod/app", "labelUpdated": "AWSCURRENT", "versionId": version},
    });
    assert_eq!(notified, expected);
}

#[test]
fn a_rotation_fails_is_tried_again_and_succeeds() {
    let (mut secrets, arn) = one();
    secrets.rotate_every(&arn, Span::from_secs(1_000), at(0));
    let pending = secrets.rotate_start(&arn, at(10)).unwrap();
    assert!(secrets.rotate_fail(&arn, "setSecret", at(20)));
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
    assert_eq!(secrets.rotate_start(&arn, at(30)), Some(pending.clone()), "the version that was left");
    assert_eq!(secrets.rotate_finish(&arn, at(40)), Some(pending.clone()));
    let described = secrets.describe_secret(HOME, &arn, at(40)).unwrap();
    assert_eq!(described.labelled("AWSCURRENT"), Some(pending.as_str()));
    assert_eq!(described.labelled("AWSPENDING"), None);
    assert_eq!((described.last_rotated, described.next_rotation), (Some(at(40)), Some(at(1_040))));
    assert_eq!(
        names(&mut secrets, 40),
        ["us-east-1 RotationStarted", "us-east-1 Secret Label Updated", "us-east-1 RotationSucceeded"]
    );
    assert_eq!(secrets.rotate_finish(&arn, at(50)), None);
    assert!(!secrets.rotate_fail(&arn, "setSecret", at(50)));
}

#[test]
fn a_value_that_is_put_during_a_rotation_ends_it() {
    let (mut secrets, arn) = one();
    secrets.rotate_start(&arn, at(1)).unwrap();
    secrets.advance(at(1));
    secrets.put_value(&arn, at(2)).unwrap();
    assert_eq!(names(&mut secrets, 2), ["us-east-1 RotationAbandoned", "us-east-1 Secret Label Updated"]);
    assert_eq!(secrets.rotate_finish(&arn, at(3)), None);
}

#[test]
fn a_replica_shows_a_change_later_under_its_own_arn() {
    let (mut secrets, arn) = one();
    secrets.replication = Span::from_secs(30);
    secrets.replicas_tell = true;
    assert!(secrets.describe_secret(AWAY, "prod/app", at(0)).is_err());
    secrets.replicate(&arn, AWAY, at(0));
    assert!(secrets.describe_secret(AWAY, "prod/app", at(29)).is_err());
    let first = secrets.describe_secret(AWAY, "prod/app", at(30)).unwrap();
    assert_eq!(first.arn, arn.replace(HOME, AWAY));
    assert_eq!(first.primary_region.as_deref(), Some(HOME));
    let version = secrets.put_value(&arn, at(40)).unwrap();
    let current = |secrets: &mut Secrets, seconds| {
        let described = secrets.describe_secret(AWAY, &first.arn, at(seconds)).unwrap();
        described.labelled("AWSCURRENT").unwrap().to_owned()
    };
    assert_ne!(current(&mut secrets, 69), version);
    assert_eq!(current(&mut secrets, 70), version);
    assert_eq!(names(&mut secrets, 69), ["us-east-1 Secret Label Updated"]);
    assert_eq!(secrets.next_due(), Some(at(70)));
    assert_eq!(names(&mut secrets, 70), ["eu-west-1 Secret Label Updated"]);
}

#[test]
fn a_read_soon_after_a_change_may_show_the_state_before_but_never_an_older_one() {
    let (mut secrets, arn) = one();
    secrets.stale_for = Span::from_secs(10);
    let second = secrets.put_value(&arn, at(100)).unwrap();
    let third = secrets.put_value(&arn, at(200)).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let described = secrets.describe_secret(HOME, &arn, at(209)).unwrap();
        seen.insert(described.labelled("AWSCURRENT").unwrap().to_owned());
    }
    assert_eq!(seen, [second, third.clone()].into());
    for _ in 0..100 {
        let described = secrets.describe_secret(HOME, &arn, at(210)).unwrap();
        assert_eq!(described.labelled("AWSCURRENT"), Some(third.as_str()));
    }
}

#[test]
fn a_secret_is_found_by_each_of_its_names() {
    let (mut secrets, arn) = one();
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
    let mut secrets = Secrets::estate("111122223333", HOME, 1, 203, at(0));
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
    secrets.calls.plant(Operation::ListSecrets, [Some(Fault::Throttled)]);
    assert_eq!(secrets.list_secrets(HOME, None, None, at(1)).unwrap_err().code, "ThrottlingException");
}
