//! A failed rotation pages, once per incident.

use acceptance::{World, events, now};

#[test]
fn a_failed_rotation_is_one_page_however_often_it_is_told() {
    let world = World::new();
    let failure = world.deploy("failure");
    let secret = world.aws.create_secret("prod/app-db");
    let event = events::rotation_failed(&world.aws, &secret, now(), "setSecret");
    world.send(&failure, std::slice::from_ref(&event));
    let page = world.wait_for_pages(1).remove(0);
    assert!(page.message.contains("prod/app-db"), "the page names the secret: {page:#?}");
    assert!(page.message.contains("setSecret"), "the page names the step: {page:#?}");
    world.settle(&failure);

    // The same delivery again, and Secrets Manager's own retry of the same rotation.
    let retry = events::rotation_failed(&world.aws, &secret, now(), "setSecret");
    world.send(&failure, &[event.clone(), event, retry]);
    world.settle(&failure);
    assert_eq!(world.pages().len(), 0, "one incident is one page");
    assert!(world.parked(&failure).is_empty());
}

#[test]
fn two_secrets_are_two_incidents() {
    let world = World::new();
    let failure = world.deploy("failure");
    let secrets = ["prod/one", "prod/two"].map(|name| world.aws.create_secret(name));
    let failed =
        secrets.each_ref().map(|secret| events::rotation_failed(&world.aws, secret, now(), "testSecret"));
    world.send(&failure, &failed);
    let pages = world.wait_for_pages(2);
    for name in ["prod/one", "prod/two"] {
        assert_eq!(pages.iter().filter(|page| page.message.contains(name)).count(), 1, "{pages:#?}");
    }
}

#[test]
fn a_page_goes_out_without_a_ledger() {
    let world = World::new();
    let failure = world.deploy("failure");
    let secret = world.aws.create_secret("prod/app-db");
    world.aws.delete_table("ledger");
    world.send(&failure, &[events::rotation_failed(&world.aws, &secret, now(), "setSecret")]);
    acceptance::wait_until("a page arrives", std::time::Duration::from_secs(30), || {
        world.pages().into_iter().find(|page| page.message.contains("prod/app-db"))
    });
}
