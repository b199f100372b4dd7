//! A failed rotation pages, once per incident.

use acceptance::{LEDGER_TABLE, TestBed, events, now, wait_until};

#[test]
fn a_failed_rotation_and_its_copies_and_retries_are_one_page() {
    let bed = TestBed::new();
    let failure = bed.deploy("failure");
    let secret = bed.aws.create_secret("prod/app-db");
    let event = events::rotation_failed(&bed.aws, &secret, now(), "setSecret");
    bed.send(&failure, std::slice::from_ref(&event));
    let page = bed.wait_for_pages(1).remove(0);
    assert!(page.message.contains("prod/app-db"), "the page names the secret: {page:#?}");
    assert!(page.message.contains("setSecret"), "the page names the step: {page:#?}");
    bed.wait_until_answered(&failure);

    // The same delivery again, and Secrets Manager's own retry of the same rotation.
    let retry = events::rotation_failed(&bed.aws, &secret, now(), "setSecret");
    bed.send(&failure, &[event.clone(), event, retry]);
    bed.wait_until_answered(&failure);
    assert_eq!(bed.take_pages().len(), 0, "one incident is one page");
    assert!(bed.take_parked(&failure).is_empty());
}

#[test]
fn failed_rotations_of_two_secrets_are_two_incidents() {
    let bed = TestBed::new();
    let failure = bed.deploy("failure");
    let secrets = ["prod/one", "prod/two"].map(|name| bed.aws.create_secret(name));
    let failed =
        secrets.each_ref().map(|secret| events::rotation_failed(&bed.aws, secret, now(), "testSecret"));
    bed.send(&failure, &failed);
    bed.wait_until_answered(&failure);
    let pages = bed.take_pages();
    assert_eq!(pages.len(), 2, "{pages:#?}");
    for name in ["prod/one", "prod/two"] {
        assert_eq!(pages.iter().filter(|page| page.message.contains(name)).count(), 1, "{pages:#?}");
    }
}

#[test]
fn a_page_goes_out_without_a_ledger() {
    let bed = TestBed::new();
    let failure = bed.deploy("failure");
    let secret = bed.aws.create_secret("prod/app-db");
    bed.aws.delete_table(LEDGER_TABLE);
    bed.send(&failure, &[events::rotation_failed(&bed.aws, &secret, now(), "setSecret")]);
    wait_until("a page arrives", || {
        bed.take_pages().into_iter().find(|page| page.message.contains("prod/app-db"))
    });
}
