//! Distant consumers: services that refer to a secret of another Region or account.

use responder_core::facts::Facts;
use responder_core::question::Question;

use crate::vocabulary::*;

const OTHER_REGION: &str = "eu-west-1";
const OTHER_ACCOUNT: &str = "444455556666";

/// An ARN or event with another Region and account.
fn moved(text: &str, region: &str, account: &str) -> String {
    text.replace(HOME, region).replace(ACCOUNT, account)
}

/// A service in one Region that refers to the secret `s1` of another Region and account; the functions are at home.
fn service_with_secret_at(service_region: &str, secret_region: &str, secret_account: &str) -> Facts {
    let mut facts = facts_with(&[("a", &["s1"])]);
    facts.settings.home_region = Some(HOME.to_owned());
    facts.settings.home_account = Some(ACCOUNT.to_owned());
    facts.secrets.clear();
    let arn = moved(&secret_arn("s1"), secret_region, secret_account);
    facts.services = Some(vec![service("a", &[arn])]);
    let service = first_service(&mut facts);
    service.arn = service.arn.as_str().replace(HOME, service_region).into();
    service.cluster = service.cluster.as_str().replace(HOME, service_region).into();
    facts
}

#[test]
fn services_are_redeployed_for_a_secret_of_any_region_and_account_where_functions_look_for_them() {
    // The Region of the service, of the secret, and its account; the further Regions; the first step about the service.
    let table = [
        (HOME, HOME, ACCOUNT, "", "redeploy a s1"),
        (HOME, OTHER_REGION, ACCOUNT, "", "redeploy a s1"),
        (HOME, OTHER_REGION, OTHER_ACCOUNT, "", "redeploy a s1"),
        (HOME, HOME, OTHER_ACCOUNT, "", "redeploy a s1"),
        (OTHER_REGION, HOME, ACCOUNT, OTHER_REGION, "redeploy a s1"),
        (OTHER_REGION, "us-east-1", OTHER_ACCOUNT, OTHER_REGION, "redeploy a s1"),
        // The Region of the secret itself is always looked at.
        (OTHER_REGION, OTHER_REGION, ACCOUNT, "", "redeploy a s1"),
        (OTHER_REGION, HOME, ACCOUNT, "", "skip a out-of-reach"),
        (OTHER_REGION, "us-east-1", ACCOUNT, "", "skip a out-of-reach"),
    ];
    for (service_region, secret_region, account, further, expected) in table {
        let mut facts = service_with_secret_at(service_region, secret_region, account);
        facts.settings.further_regions = further.split_whitespace().map(str::to_owned).collect();
        let event = moved(&label_moved("s1", "12:00:00", "v2"), secret_region, account);
        let plan = decide(&mut facts, &event);
        let steps = describe(&plan);
        let case = format!("{service_region} {secret_region} {account} {further}: {steps:?}");
        assert!(steps.contains(&"record s1 12:00:00".to_owned()), "{case}");
        assert!(steps.contains(&expected.to_owned()), "{case}");
        let is_notified = details(&plan).iter().any(|detail| detail.contains("do not look for services"));
        assert_eq!(is_notified, expected.contains("skip"), "{case}");
    }
}

#[test]
fn every_region_of_the_sweep_is_searched_for_consumers() {
    let mut facts = Facts::default();
    facts.settings.home_region = Some(HOME.to_owned());
    facts.settings.home_account = Some(ACCOUNT.to_owned());
    facts.settings.further_regions = vec![OTHER_REGION.to_owned()];
    let event = moved(&label_moved("s1", "12:00:00", "v2"), "us-east-1", OTHER_ACCOUNT);
    let mut searched = Vec::new();
    let mut remembered = Vec::new();
    for question in list_questions(&facts, &event) {
        match question {
            Question::Consumers { account, region, .. } => searched.push(format!("{account} {region}")),
            Question::RotationState { account, region } => remembered.push(format!("{account} {region}")),
            _ => {}
        }
    }
    let expected = [
        format!("{ACCOUNT} {OTHER_REGION}"),
        format!("{ACCOUNT} {HOME}"),
        format!("{OTHER_ACCOUNT} us-east-1"),
    ];
    assert_eq!((searched.as_slice(), remembered.as_slice()), (&expected[..], &expected[..]));
}

#[test]
fn the_sweep_retries_what_waits_for_a_secret_that_no_sweep_lists() {
    let mut facts = service_with_secret_at(HOME, OTHER_REGION, OTHER_ACCOUNT);
    tag(&mut facts, "window", "Mon 12:10-13:00 UTC");
    let event = moved(&label_moved("s1", "12:00:00", "v2"), OTHER_REGION, OTHER_ACCOUNT);
    let deferred = steps(&mut facts, &event);
    assert!(deferred.contains(&"defer a window 12:10:00".to_owned()), "{deferred:?}");
    assert_eq!(steps(&mut facts, &sweep("12:11:00")), ["redeploy a s1"]);
    let finished = deployment_event("a", "12:13:00", "COMPLETED", "ecs-svc/1", "");
    steps(&mut facts, &finished);
    assert_eq!(steps(&mut facts, &sweep("12:14:00")), ["skip a already-newer", "resolve-change s1"]);
}

#[test]
fn a_discovery_failure_where_a_consumer_may_be_keeps_the_change_open() {
    for region in [HOME, OTHER_REGION] {
        let mut facts = service_with_secret_at(HOME, OTHER_REGION, ACCOUNT);
        facts.services = Some(Vec::new());
        facts.add_discovery_failure(ACCOUNT, region, "a cluster could not be listed");
        let event = moved(&label_moved("s1", "12:00:00", "v2"), OTHER_REGION, ACCOUNT);
        let plan = decide(&mut facts, &event);
        assert!(plan.retry.is_some(), "{region}");
        assert!(!describe(&plan).contains(&"resolve-change s1".to_owned()), "{region}");
    }
}

#[test]
fn references_to_secrets_whose_changes_do_not_reach_us_are_notified_once() {
    let distant = moved(&secret_arn("other"), OTHER_REGION, ACCOUNT);
    let mut facts = service_with_secret_at(HOME, HOME, ACCOUNT);
    facts.services.as_mut().unwrap().push(service("b", std::slice::from_ref(&distant)));
    let plan = decide(&mut facts, &label_moved("s1", "12:00:00", "v2"));
    let told = details(&plan);
    assert!(
        told.iter().any(|detail| detail.contains("1 reference to secrets of 111122223333/eu-west-1")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|detail| detail.contains("service/shop/b") && detail.contains(&distant)),
        "{told:?}"
    );
    // A further service with the same secret is no news; another secret is.
    facts.services.as_mut().unwrap().push(service("c", std::slice::from_ref(&distant)));
    assert!(details(&decide(&mut facts, &label_moved("s1", "13:00:00", "v3"))).is_empty());
    let third = moved(&secret_arn("third"), OTHER_REGION, ACCOUNT);
    facts.services.as_mut().unwrap().push(service("d", &[third]));
    let told = details(&decide(&mut facts, &label_moved("s1", "14:00:00", "v4")));
    assert!(told.iter().any(|detail| detail.contains("3 references")), "{told:?}");
}

#[test]
fn references_whose_changes_reach_us_are_not_notified() {
    let distant = moved(&secret_arn("other"), OTHER_REGION, ACCOUNT);
    let with_distant_service = || {
        let mut facts = service_with_secret_at(HOME, HOME, ACCOUNT);
        facts.services.as_mut().unwrap().push(service("b", std::slice::from_ref(&distant)));
        facts
    };
    let event = label_moved("s1", "12:00:00", "v2");
    // The sweep examines the Region.
    let mut swept = with_distant_service();
    swept.settings.further_regions.push(OTHER_REGION.to_owned());
    assert!(details(&decide(&mut swept, &event)).is_empty());
    // An event of that Region reached us before.
    let mut reported = with_distant_service();
    steps(&mut reported, &moved(&label_moved("other", "11:00:00", "v1"), OTHER_REGION, ACCOUNT));
    assert!(details(&decide(&mut reported, &event)).is_empty());
    // A replay without settings does not know where the functions are.
    let mut unknown = with_distant_service();
    unknown.settings.home_region = None;
    assert!(details(&decide(&mut unknown, &event)).is_empty());
}
