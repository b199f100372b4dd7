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
