//! Overdue rotations: which rotations count, and how often a human is notified.

use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::facts::Facts;

use crate::vocabulary::*;

fn rotating(tweak: impl FnOnce(&mut SecretMetadata)) -> Facts {
    let mut facts = facts_with(&[("a", &["s1"])]);
    let mut metadata = metadata("s1", "2026-02-01T00:00:00Z");
    (metadata.rotates, metadata.next_rotation) = (true, Some(at("12:00:00")));
    tweak(&mut metadata);
    facts.changes.insert(secret("s1").key(), known_change("2026-02-01T00:00:00Z", "v2", true));
    facts.secrets.insert(secret("s1").key(), metadata);
    facts
}

#[test]
fn an_overdue_rotation_is_notified() {
    let overdue = |time: &str, tweak: fn(&mut SecretMetadata)| steps(&mut rotating(tweak), &sweep(time));
    let page = ["page rotation-overdue"];
    assert!(overdue("14:00:00", |_| ()).is_empty());
    assert_eq!(overdue("14:00:01", |_| ()), page);
    assert!(overdue("18:00:00", |metadata| metadata.rotates = false).is_empty());
    assert!(overdue("18:00:00", |metadata| metadata.deleted_at = Some(at("11:00:00"))).is_empty());
    assert!(
        overdue("18:00:00", |metadata| metadata.primary_region = Some("eu-west-1".to_owned())).is_empty()
    );
    assert_eq!(overdue("18:00:00", |metadata| metadata.primary_region = Some(HOME.to_owned())), page);
}

#[test]
fn a_stuck_rotation_is_notified() {
    let stuck = |time: &str, label: &str| {
        let mut facts = rotating(|metadata| {
            (metadata.rotates, metadata.modified_at) = (false, Some(at("12:00:00")));
            metadata.versions.insert("v3".to_owned(), [label.to_owned()].into());
        });
        facts.changes.clear();
        facts.changes.insert(secret("s1").key(), known_change("2026-02-01T00:00:00Z", "v2", true));
        steps(&mut facts, &sweep(time))
    };
    assert!(stuck("14:00:00", "AWSPENDING").is_empty());
    assert_eq!(stuck("14:00:01", "AWSPENDING"), ["page rotation-overdue"]);
    assert!(stuck("18:00:00", "AWSPREVIOUS").is_empty());
    // A pending label on the current version is what a rotation leaves.
    let mut done = rotating(|metadata| {
        metadata.rotates = false;
        metadata.versions.get_mut("v2").unwrap().insert("AWSPENDING".to_owned());
    });
    assert!(steps(&mut done, &sweep("18:00:00")).is_empty());
}

#[test]
fn an_overdue_rotation_is_notified_once_until_one_succeeds() {
    let mut facts = rotating(|metadata| {
        metadata.versions.insert("v3".to_owned(), ["AWSPENDING".to_owned()].into());
        metadata.modified_at = Some(at("2026-03-01T01:00:00Z"));
    });
    facts.services = Some(Vec::new());
    let page = ["page rotation-overdue"];
    let join = ["extend rotation-overdue"];
    assert_eq!(steps(&mut facts, &sweep("03:00:01")), page, "stuck since yesterday");
    let summed = ["page daily-summary", "extend rotation-overdue"];
    assert_eq!(steps(&mut facts, &sweep("18:00:00")), summed, "and due at noon");
    let metadata = facts.secrets.values_mut().next().unwrap();
    metadata.modified_at = Some(at("2026-03-03T12:00:00Z"));
    assert_eq!(steps(&mut facts, &sweep("2026-03-05T12:00:00Z")), join, "a tag was edited");
    // It happens at last, and the next one does not.
    let metadata = facts.secrets.values_mut().next().unwrap();
    metadata.versions = [("v3".to_owned(), ["AWSCURRENT".to_owned()].into())].into();
    metadata.modified_at = Some(at("2026-03-05T13:00:00Z"));
    metadata.rotated_at = metadata.modified_at;
    metadata.next_rotation = Some(at("2026-03-05T17:00:00Z"));
    let words = steps(&mut facts, &rotation_succeeded("s1", "2026-03-05T13:00:00Z"));
    assert!(words.contains(&"resolve rotation-overdue".to_owned()), "{words:?}");
    steps(&mut facts, &sweep("2026-03-05T13:05:00Z"));
    steps(&mut facts, &sweep("2026-03-05T13:06:00Z"));
    assert_eq!(steps(&mut facts, &sweep("2026-03-05T19:00:01Z")), page);
}

/// `count` secrets whose rotations were due at noon.
fn many_rotating(count: usize) -> Facts {
    let mut facts = Facts { services: Some(Vec::new()), ..Facts::default() };
    for number in 0..count {
        let name = format!("s{number:03}");
        let mut metadata = metadata(&name, "2026-02-01T00:00:00Z");
        (metadata.rotates, metadata.next_rotation) = (true, Some(at("12:00:00")));
        facts.changes.insert(secret(&name).key(), known_change("2026-02-01T00:00:00Z", "v2", true));
        facts.secrets.insert(secret(&name).key(), metadata);
    }
    facts
}

#[test]
fn a_few_overdue_rotations_have_a_page_each_and_many_share_one() {
    for (count, pages) in [(1, 1), (3, 3), (4, 1), (300, 1)] {
        let mut facts = many_rotating(count);
        let plan = decide(&mut facts, &sweep("15:00:00"));
        assert_eq!(describe(&plan), vec!["page rotation-overdue"; pages], "{count}");
        // They are no news at the next sweep.
        let next = steps(&mut facts, &sweep("15:01:00"));
        assert!(next.iter().all(|step| step == "extend rotation-overdue"), "{count}: {next:?}");
    }
}

#[test]
fn a_page_about_many_overdue_rotations_lists_ten_the_count_and_the_command_for_the_rest() {
    let mut facts = many_rotating(300);
    let told = details(&decide(&mut facts, &sweep("15:00:00")));
    assert_eq!(told.len(), 11, "{told:?}");
    assert!(told[0].contains("300 rotations are overdue") && told[0].contains("list-secrets"), "{told:?}");
    assert!(told[1].contains("s000: it was due on"), "{told:?}");
}

#[test]
fn a_further_overdue_rotation_and_one_that_is_overdue_again_are_news() {
    let mut facts = many_rotating(10);
    assert_eq!(steps(&mut facts, &sweep("15:00:00")), ["page rotation-overdue"]);
    let further = many_rotating(11);
    facts.secrets.insert(secret("s010").key(), further.secrets[&secret("s010").key()].clone());
    facts.changes.insert(secret("s010").key(), further.changes[&secret("s010").key()].clone());
    let next = steps(&mut facts, &sweep("15:01:00"));
    assert_eq!(next, ["extend rotation-overdue", "page rotation-overdue"]);
    // It rotates, and is overdue again two days later.
    let again = facts.secrets.get_mut(&secret("s003").key()).unwrap();
    again.rotated_at = Some(at("16:00:00"));
    again.next_rotation = Some(at("2026-03-03T12:00:00Z"));
    let much_later = steps(&mut facts, &sweep("2026-03-04T12:00:00Z"));
    assert!(much_later.contains(&"page rotation-overdue".to_owned()), "{much_later:?}");
}

#[test]
fn a_page_about_many_overdue_rotations_is_resolved_when_none_is_overdue() {
    let mut facts = many_rotating(10);
    steps(&mut facts, &sweep("15:00:00"));
    for (number, metadata) in facts.secrets.values_mut().enumerate() {
        if number > 0 {
            metadata.next_rotation = Some(at("2026-04-01T00:00:00Z"));
        }
    }
    assert_eq!(steps(&mut facts, &sweep("15:01:00")), ["extend rotation-overdue"]);
    for metadata in facts.secrets.values_mut() {
        metadata.next_rotation = Some(at("2026-04-01T00:00:00Z"));
    }
    assert_eq!(steps(&mut facts, &sweep("15:02:00")), ["resolve rotation-overdue"]);
    assert!(steps(&mut facts, &sweep("15:03:00")).is_empty());
}
