//! Discovery in front of a fleet: how many calls it makes, what it finds again, and what it says of what it cannot.

use std::rc::Rc;

use responder_core::rules::Handler;
use responder_core::settings::{ResponseMode, Settings};
use responder_core::text::Untrusted;
use responder_core::time::Span;
use simulation::cloud::{CallFault, SimulatedCloud};
use simulation::ecs::{RegisteredTaskDefinition, TaskContainer};
use simulation::location::HOME_REGION;

use crate::fleet::{build_fleet, definition_arn, secret_arn};
use crate::functions::{CloudView as _, sweep_event};
use crate::rotation::rotation_event_of;
use crate::rotation_process::{RotationProcess, cluster_arn, service_arn};

/// Two clusters of 15 and 8 services with 6 revisions, of which every third uses the secret 0.
fn small() -> Rc<SimulatedCloud> {
    build_fleet(&[15, 8], 6, 3, Span::default())
}

/// The users of the secret 0 in the small fleet.
const USERS: [&str; 8] = ["s0000", "s0003", "s0006", "s0009", "s0012", "s0015", "s0018", "s0021"];

fn pass(cloud: &SimulatedCloud, seconds: i64) {
    cloud.pass(Span::from_secs(seconds));
}

#[test]
fn five_thousand_services_cost_the_fewest_calls_there_can_be() {
    let sizes: Vec<usize> = [[120; 20], [130; 20]].concat();
    let cloud = build_fleet(&sizes, 3_000, 300, Span::from_millis(10));
    let mut process = RotationProcess::new(&cloud);
    let first = process.look(0, 1);
    assert!(first.failures().is_empty(), "{:?}", first.failures());
    // Revisions 0, 300, ... 2,700 use it; 2,000 services use the first 2,000 revisions once more.
    assert_eq!(first.names().unwrap().len(), 10 + 7);
    // A page of clusters; two pages for each cluster (5,000 / 100 + 40 at most); 5,000 / 10, and the 17 users, which are
    // in as many clusters, once more, because the task definitions took minutes; each revision once.
    assert_eq!(first.calls.ecs, [1, 80, 500 + 17, 3_000]);
    assert!(first.calls.ecs[1] <= 5_000 / 100 + 40);
    assert_eq!((first.calls.repeated, first.calls.recorded), (17, 3_000));
    let throttled = || cloud.with_ecs(|ecs| ecs.count_throttled());
    assert_eq!(throttled(), 0, "the engine keeps below ECS's limits");

    // The inventory was begun for a later change. What uses the secret is looked at again: 17 services in 17 clusters.
    pass(&cloud, 60);
    let again = process.look(0, 3_000);
    assert_eq!((again.names() == first.names(), again.calls.ecs), (true, [0, 0, 17, 0]));

    // Another process reads no task definition. The last services that were described are still fresh.
    let other = RotationProcess::new(&cloud).look(0, 1);
    assert_eq!((other.names(), other.calls.recorded), (first.names(), 0));
    let [clusters, lists, describes, definitions] = other.calls.ecs;
    assert_eq!((clusters, lists, definitions), (1, 80, 0));
    assert!((500..=500 + 17).contains(&describes), "{describes}");
    assert_eq!(throttled(), 0);
}

#[test]
fn an_inventory_serves_what_changed_before_it_and_not_what_changed_later() {
    let cloud = small();
    let mut process = RotationProcess::new(&cloud);
    let first = process.look(0, 1);
    assert_eq!(first.calls.ecs, [1, 2, 3, 6]);
    assert_eq!(first.names().unwrap(), USERS);
    // Its repetition, and another secret that changed before: nothing is old yet.
    assert_eq!(process.look(0, 1).calls.ecs, [0; 4]);
    assert_eq!(process.look(1, 100).calls.ecs, [0; 4]);
    pass(&cloud, 60);
    let later = process.look(0, 61);
    assert_eq!((later.names(), later.calls.ecs), (first.names(), [0, 0, 2, 0]));
    // It has been looked at right now.
    assert_eq!(process.look(0, 61).calls.ecs, [0; 4]);
    assert_eq!(process.look(0, 30).calls.ecs, [1, 2, 3, 0]);
    pass(&cloud, 3_601);
    assert_eq!(process.look(0, 9_000).calls.ecs, [1, 2, 3, 0]);
}

#[test]
fn a_service_whose_tags_nobody_understands_is_kept() {
    let cloud = small();
    cloud.with_ecs(|ecs| {
        let service = ecs.service_mut(&service_arn(0, 1)).unwrap();
        service.tags.insert("secrets-responder:secret".to_owned(), "db-000".to_owned());
    });
    let report = RotationProcess::new(&cloud).look(0, 1);
    assert_eq!(report.names().unwrap()[..3], ["s0000", "s0001", "s0003"]);
}

#[test]
fn what_uses_a_secret_is_described_as_it_is_now() {
    let cloud = small();
    let mut process = RotationProcess::new(&cloud);
    process.look(0, 1);
    pass(&cloud, 60);
    let now = cloud.now();
    let newer = cloud.with_ecs(|ecs| {
        ecs.forget_service(&service_arn(0, 3));
        let container = TaskContainer {
            name: "app".to_owned(),
            secrets: vec![secret_arn(0)],
            ..TaskContainer::default()
        };
        let definition = ecs.register_task_definition(RegisteredTaskDefinition {
            family: "new".to_owned(),
            execution_role: Some("role".to_owned()),
            containers: vec![container],
            ..RegisteredTaskDefinition::default()
        });
        let service = ecs.service_mut(&service_arn(0, 6)).unwrap();
        service.task_definition = definition_arn(1);
        service.deployments[0].task_definition = definition_arn(1);
        ecs.deploy(&service_arn(0, 0), Some(&definition), now).unwrap()
    });
    let report = process.look(0, 61);
    // One is gone, one does not use the secret any more, and the new revision is read.
    assert_eq!(report.names().unwrap(), ["s0000", "s0009", "s0012", "s0015", "s0018", "s0021"]);
    assert_eq!(report.calls.ecs, [0, 0, 2, 1]);
    let service = &report.facts.services.as_ref().unwrap()[0];
    assert_eq!(service.primary.as_ref().unwrap().id, newer);
    assert_eq!((service.execution_roles.len(), service.references.len()), (1, 1));
}

#[test]
fn a_service_on_record_is_described_and_one_that_is_gone_is_inactive() {
    for is_whole_cluster in [false, true] {
        let cloud = small();
        let mut process = RotationProcess::new(&cloud);
        process.functions.engine.settings = Settings { mode: ResponseMode::Enforce, ..Settings::default() };
        process.look(0, 1);
        assert!(cloud.count_calls("UpdateService") > 0);
        pass(&cloud, 1);
        cloud.with_ecs(|ecs| {
            if is_whole_cluster {
                ecs.delete_cluster(&cluster_arn(0));
            } else {
                ecs.forget_service(&service_arn(0, 0));
            }
        });
        process.functions.engine.handler = Handler::Sweep;
        let report = process.process(&sweep_event(cloud.now()));
        assert_eq!(report.statuses().get("s0000"), Some(&"INACTIVE"), "{:?}", report.statuses());
        assert!(report.failures().is_empty(), "{:?}", report.failures());
    }
}

#[test]
fn only_what_is_missing_is_asked_for_again() {
    let cloud = small();
    let mut process = RotationProcess::new(&cloud);
    cloud.with_ecs(|ecs| {
        ecs.hide(&cluster_arn(1));
        ecs.fail_to_describe(&service_arn(0, 3), "HIDDEN <b>");
        ecs.hide(&definition_arn(0));
    });
    let report = process.look(0, 1);
    let denied = "refused (AccessDeniedException)";
    let expected = [
        format!("the service {} could not be described: HIDDENb", service_arn(0, 3)),
        format!(
            "the services of the cluster {} could not be listed: ecs ListServices: {denied}",
            cluster_arn(1)
        ),
        format!(
            "the task definition {} could not be read: ecs DescribeTaskDefinition: {denied}",
            definition_arn(0)
        ),
    ];
    assert_eq!(report.failures(), expected);
    assert_eq!((report.names().unwrap(), report.calls.ecs), (vec!["s0009"], [1, 2, 2, 6]));
    // Nothing of it is visible yet.
    assert_eq!(process.look(0, 1).calls.ecs, [0, 1, 1, 1]);
    cloud.with_ecs(simulation::ecs::SimulatedEcs::reveal_everything);
    let report = process.look(0, 1);
    assert_eq!((report.failures().len(), report.names().unwrap().len()), (0, 8));
    assert_eq!(report.calls.ecs, [0, 1, 2, 1]);
    assert_eq!(process.look(0, 1).calls.ecs, [0; 4]);
}

#[test]
fn without_any_cluster_nothing_is_known_and_no_cluster_is_an_answer() {
    let cloud = small();
    let mut process = RotationProcess::new(&cloud);
    cloud.with_state(|state| state.faults.plan_for_next("ListClusters", CallFault::Denied));
    let report = process.look(0, 1);
    assert_eq!(report.failures().len(), 1, "{:?}", report.failures());
    cloud.with_ecs(|ecs| {
        ecs.delete_cluster(&cluster_arn(0));
        ecs.delete_cluster(&cluster_arn(1));
    });
    let report = process.look(0, 1);
    assert_eq!((report.names(), report.failures().len()), (Some(Vec::new()), 0));
}

#[test]
fn when_time_runs_out_the_next_invocation_goes_on_from_there_in_any_process() {
    let cloud = build_fleet(&[400, 400], 800, 3, Span::from_millis(10));
    let mut read = 0;
    for attempt in 1..20 {
        let mut process = RotationProcess::new(&cloud);
        process.functions.timeout = Span::from_secs(12);
        let report = process.look(0, 1);
        read += report.calls.ecs[3];
        if report.failures().is_empty() {
            assert_eq!(report.names().unwrap().len(), 267);
            assert_eq!(read, 800, "each revision is read once ever");
            assert!(attempt > 2, "time ran out: {attempt}");
            return;
        }
        // What is missing are task definitions: one sentence.
        let failures = report.failures();
        let expected = "task definitions could not be read (such as";
        assert!(failures.len() == 1 && failures[0].contains(expected), "{failures:?}");
        assert!(report.calls.ecs[3] > 40, "it reads while it describes: {:?}", report.calls);
    }
    panic!("it never ends");
}

#[test]
fn without_the_ledger_ecs_is_asked_and_nothing_is_written() {
    let cloud = small();
    cloud.set_fault("dynamodb", Some(CallFault::Denied));
    let report = RotationProcess::new(&cloud).look(0, 1);
    assert_eq!(report.names().unwrap().len(), 8);
    assert_eq!((report.calls.ecs[3], cloud.count_items("")), (6, 0));
}

#[test]
fn what_tags_and_settings_declare_is_used_too() {
    let cloud = small();
    let arn = cloud.with_secrets(|secrets| secrets.create(HOME_REGION, "elsewhere", cloud.now()));
    let mut process = RotationProcess::new(&cloud);
    let declared = &mut process.functions.engine.settings.declared_secrets;
    declared.insert("c01/s0016".to_owned(), vec![Untrusted::new("elsewhere")]);
    let report = process.process(&rotation_event_of(&arn, cloud.now()));
    assert_eq!(report.names().unwrap(), ["s0016"]);
}
