//! The API's limits, pages and errors.

use responder_core::time::Timestamp;

use crate::ecs::{Controller, Ecs, Estate, NewService, Operation, TaskDefinition};
use crate::{Fault, Place};

fn t0() -> Timestamp {
    at(0)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

fn place() -> Place {
    Place::new("111122223333", "us-east-1")
}

fn new(cluster: &str, name: &str) -> NewService {
    NewService { cluster: cluster.to_owned(), name: name.to_owned(), desired: 1, ..NewService::default() }
}

fn with(count: usize) -> (Ecs, Vec<String>) {
    let mut ecs = Ecs::new(place(), 1);
    let arns = (0..count).map(|i| ecs.create_service(new("prod", &format!("s{i:03}")), t0())).collect();
    (ecs, arns)
}

/// All pages of `ListServices`, by length, and what is on them.
fn pages(ecs: &mut Ecs, cluster: &str, max: Option<usize>) -> (Vec<usize>, Vec<String>) {
    let (mut lengths, mut all, mut token) = (Vec::new(), Vec::new(), None);
    loop {
        let page = ecs.list_services(Some(cluster), max, token.as_deref(), t0()).unwrap();
        lengths.push(page.arns.len());
        all.extend(page.arns);
        token = page.next_token;
        if token.is_none() {
            return (lengths, all);
        }
    }
}

#[test]
fn pages_end_where_the_services_end() {
    let cases = [
        (0, None, vec![0]),
        (10, None, vec![10]),
        (11, None, vec![10, 1]),
        (100, Some(100), vec![100]),
        (101, Some(100), vec![100, 1]),
        (3, Some(1), vec![1, 1, 1]),
    ];
    for (count, max, expected) in cases {
        let (mut ecs, arns) = with(count);
        ecs.create_cluster("prod");
        // Names that begin alike: another cluster's services must not slip in.
        ecs.create_service(new("prod-eu", "x"), t0());
        ecs.create_service(new("pro", "x"), t0());
        assert_eq!(pages(&mut ecs, "prod", max), (expected, arns), "{count} {max:?}");
    }
}

#[test]
fn a_page_size_or_a_token_that_aws_refuses_is_refused() {
    let (mut ecs, _) = with(12);
    ecs.create_service(new("other", "x"), t0());
    for max in [0, 101] {
        assert_eq!(
            ecs.list_services(Some("prod"), Some(max), None, t0()).unwrap_err().code,
            "InvalidParameterException"
        );
        assert_eq!(ecs.list_clusters(Some(max), None, t0()).unwrap_err().code, "InvalidParameterException");
    }
    let token = ecs.list_services(Some("prod"), None, None, t0()).unwrap().next_token.unwrap();
    for (cluster, token) in [("other", token.as_str()), ("prod", "nonsense"), ("prod", "")] {
        let refusal = ecs.list_services(Some(cluster), None, Some(token), t0()).unwrap_err();
        assert_eq!(refusal.code, "InvalidParameterException", "{cluster} {token}");
    }
    let refusal = ecs.list_services(Some("nowhere"), None, None, t0()).unwrap_err();
    assert_eq!(refusal.code, "ClusterNotFoundException");
    assert_eq!(ecs.list_services(None, None, None, t0()).unwrap_err().code, "ClusterNotFoundException");
}

#[test]
fn a_service_that_goes_between_two_pages_hides_no_other() {
    let (mut ecs, arns) = with(12);
    let page = ecs.list_services(Some("prod"), None, None, t0()).unwrap();
    ecs.delete_service(&arns[9], t0());
    ecs.delete_service(&arns[0], t0());
    let rest = ecs.list_services(Some("prod"), None, page.next_token.as_deref(), t0()).unwrap();
    assert_eq!(rest.arns, arns[10..]);
}

#[test]
fn clusters_come_in_pages_too() {
    let mut ecs = Ecs::new(place(), 1);
    let clusters: Vec<String> = (0..150).map(|i| ecs.create_cluster(&format!("c{i:03}"))).collect();
    let first = ecs.list_clusters(None, None, t0()).unwrap();
    let second = ecs.list_clusters(None, first.next_token.as_deref(), t0()).unwrap();
    assert_eq!((first.arns, second.arns), (clusters[..100].to_vec(), clusters[100..].to_vec()));
    assert_eq!(second.next_token, None);
}

#[test]
fn ten_services_are_described_at_once_and_no_more() {
    let (mut ecs, arns) = with(11);
    assert_eq!(ecs.describe_services(Some("prod"), &arns[..10], t0()).unwrap().services.len(), 10);
    for wrong in [&arns[..], &[]] {
        let refusal = ecs.describe_services(Some("prod"), wrong, t0()).unwrap_err();
        assert_eq!(refusal.code, "InvalidParameterException");
    }
}

#[test]
fn what_is_not_there_is_a_failure_and_costs_the_others_nothing() {
    let (mut ecs, arns) = with(3);
    let elsewhere = ecs.create_service(new("other", "x"), t0());
    ecs.fail_to_describe(&arns[1], "ACCESS_DENIED");
    let requested =
        ["s000".to_owned(), arns[1].clone(), "gone".to_owned(), elsewhere.clone(), arns[2].clone()];
    let described = ecs.describe_services(Some("prod"), &requested, t0()).unwrap();
    let found: Vec<&str> = described.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(found, ["s000", "s002"]);
    let failures: Vec<(&str, &str)> =
        described.failures.iter().map(|failure| (failure.arn.as_str(), failure.reason.as_str())).collect();
    let gone = place().arn("ecs", "service/prod/gone");
    assert_eq!(
        failures,
        [(arns[1].as_str(), "ACCESS_DENIED"), (gone.as_str(), "MISSING"), (elsewhere.as_str(), "MISSING")]
    );
}

#[test]
fn a_deleted_service_is_described_but_not_listed_and_not_updated() {
    let (mut ecs, arns) = with(2);
    ecs.delete_service(&arns[0], t0());
    assert_eq!(pages(&mut ecs, "prod", None).1, arns[1..]);
    let status = |ecs: &mut Ecs, now| {
        let described = ecs.describe_services(Some("prod"), &arns[..1], now).unwrap();
        described.services[0].status.as_str()
    };
    assert_eq!(status(&mut ecs, t0()), "DRAINING");
    let refusal = ecs.update_service(Some("prod"), &arns[0], true, t0()).unwrap_err();
    assert_eq!(refusal.code, "ServiceNotActiveException");
    assert_eq!(status(&mut ecs, at(60_000)), "INACTIVE");
    let refusal = ecs.update_service(Some("prod"), &arns[0], true, at(60_000)).unwrap_err();
    assert_eq!(refusal.code, "ServiceNotFoundException");
}

#[test]
fn updates_that_aws_refuses_are_refused_and_start_nothing() {
    let (mut ecs, arns) = with(1);
    let blue =
        ecs.create_service(NewService { controller: Controller::CodeDeploy, ..new("prod", "blue") }, t0());
    let external =
        ecs.create_service(NewService { controller: Controller::External, ..new("prod", "ext") }, t0());
    ecs.deny(&arns[0]);
    for (cluster, service, code, words) in [
        (
            "prod",
            blue.as_str(),
            "InvalidParameterException",
            "Use AWS CodeDeploy to trigger a new deployment.",
        ),
        ("prod", &external, "InvalidParameterException", "EXTERNAL"),
        ("prod", &arns[0], "AccessDeniedException", "ecs:UpdateService"),
        ("prod", "nothing", "ServiceNotFoundException", ""),
        ("nowhere", "s000", "ClusterNotFoundException", ""),
    ] {
        let refusal = ecs.update_service(Some(cluster), service, true, t0()).unwrap_err();
        assert_eq!(refusal.code, code);
        assert!(refusal.message.contains(words), "{refusal}");
    }
    assert!(ecs.log.deployments().is_empty() && ecs.advance(at(1_000_000)).is_empty());
    // Without force there is nothing to refuse, and nothing to do.
    let updated = ecs.update_service(Some("prod"), "blue", false, t0()).unwrap();
    assert_eq!(&updated, ecs.service(&blue).unwrap());
    assert_eq!(ecs.calls.made(Operation::UpdateService), 6);
}

#[test]
fn a_task_definition_is_found_by_each_of_its_names() {
    let mut ecs = Ecs::new(place(), 1);
    let family = || TaskDefinition { family: "web".to_owned(), ..TaskDefinition::default() };
    let (first, second) = (ecs.register(family()), ecs.register(family()));
    for (name, arn) in [("web:1", &first), ("web:2", &second), ("web", &second), (&first, &first)] {
        assert_eq!(&ecs.describe_task_definition(name, t0()).unwrap().arn, arn, "{name}");
    }
    for unknown in ["web:3", "webb", "arn:aws:ecs:us-east-1:111122223333:task-definition/web"] {
        let refusal = ecs.describe_task_definition(unknown, t0()).unwrap_err();
        assert_eq!(refusal.code, "ClientException");
    }
}

#[test]
fn reads_of_services_share_a_bucket_and_updates_have_another() {
    let (mut ecs, arns) = with(1);
    ecs.throttle();
    let mut served = 0;
    for i in 0..120 {
        let ok = if i % 2 == 0 {
            ecs.list_services(Some("prod"), None, None, t0()).is_ok()
        } else {
            ecs.describe_services(Some("prod"), &arns, t0()).is_ok()
        };
        served += usize::from(ok);
    }
    assert_eq!(served, 100);
    let updates = |ecs: &mut Ecs, now| {
        (0..60).filter(|_| ecs.update_service(Some("prod"), "s000", true, now).is_ok()).count()
    };
    assert_eq!(updates(&mut ecs, t0()), 50);
    assert_eq!(updates(&mut ecs, at(2_000)), 10);
    assert_eq!(ecs.log.deployments().len(), 60, "a throttled call starts nothing");
    let refusal = ecs.list_services(Some("prod"), None, None, t0()).unwrap_err();
    assert_eq!((refusal.code, refusal.status()), ("ThrottlingException", 400));
}

#[test]
fn a_planted_fault_has_no_effect_but_is_counted() {
    let (mut ecs, arns) = with(1);
    ecs.calls.plant(Operation::UpdateService, [Some(Fault::Internal("ServerException")), None]);
    let refusal = ecs.update_service(Some("prod"), &arns[0], true, t0()).unwrap_err();
    assert_eq!((refusal.code, refusal.status()), ("ServerException", 500));
    assert!(ecs.log.deployments().is_empty());
    ecs.update_service(Some("prod"), &arns[0], true, t0()).unwrap();
    assert_eq!((ecs.log.deployments().len(), ecs.calls.made(Operation::UpdateService)), (1, 2));
}

#[test]
fn an_estate_is_as_large_as_was_asked_and_the_same_each_time() {
    let secrets: Vec<String> =
        (0..20).map(|i| place().arn("secretsmanager", &format!("secret:app-{i}-AbCd{i:02}"))).collect();
    let estate = Estate { clusters: 4, services: 500, revisions: 300, secrets };
    let mut ecs = Ecs::estate(place(), 7, &estate, t0());
    let other = Ecs::estate(place(), 7, &estate, t0());
    let arns: Vec<String> = ecs.service_arns().map(str::to_owned).collect();
    assert_eq!(arns.len(), 500);
    assert!(arns.iter().all(|arn| ecs.service(arn) == other.service(arn)));
    assert_eq!(ecs.list_clusters(None, None, t0()).unwrap().arns.len(), 4);
    let used: std::collections::BTreeSet<String> =
        arns.iter().map(|arn| ecs.service(arn).unwrap().task_definition.clone()).collect();
    assert_eq!(used.len(), 300);
    let referring = used
        .iter()
        .filter(|arn| ecs.describe_task_definition(arn, t0()).unwrap().references().next().is_some());
    assert!(referring.count() > 150);
    let clusters: Vec<usize> =
        (0..4).map(|i| pages(&mut ecs, &format!("cluster-{i:03}"), Some(100)).1.len()).collect();
    assert_eq!((clusters.iter().sum(), clusters.contains(&0)), (500, false), "{clusters:?}");
    let crowded = pages(&mut ecs, "cluster-000", Some(100)).1.len();
    assert!(crowded > 250, "{crowded} services in the first cluster: several pages");
}
