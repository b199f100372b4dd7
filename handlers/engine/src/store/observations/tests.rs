//! Which observations are written, in which items, and what an attacker makes of it.

use responder_core::aws::secret_ref::SecretRef;
use responder_core::state::observation::ObservationRole;
use responder_core::text::Untrusted;

use super::*;
use crate::port::AttributeValue;

fn observation(key: &str, at: &str) -> Observation {
    Observation {
        at: at.parse().unwrap(),
        key: key.to_owned(),
        resolves: false,
        id: Untrusted::new("id"),
        account: "111122223333".to_owned(),
        region: "us-west-2".to_owned(),
        principal: Untrusted::new("p"),
        secrets: Vec::new(),
        secrets_known: true,
        error: false,
        origins: Vec::new(),
        roles: BTreeMap::from([("bulk-read".to_owned(), ObservationRole::Counts)]),
    }
}

fn ask(group: &str, key: &str, at: &str) -> ObservationQuery {
    let observation = observation(key, at);
    let reach = Span::from_secs(600);
    ObservationQuery {
        group: group.to_owned(),
        from: observation.at.minus(reach),
        to: observation.at.plus(reach),
        observation,
    }
}

#[test]
fn a_late_event_does_not_make_all_that_lies_between_be_read() {
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let asks =
        ["2026-01-02T03:04:05Z", "2026-01-02T03:20:00Z", "2026-01-01T03:04:05Z"].map(|at| ask("s", at, at));
    let ranges = merge_queries(asks.to_vec()).remove("s").unwrap().ranges;
    let expected = [
        (at("2026-01-01T02:54:05Z"), at("2026-01-01T03:14:05Z")),
        (at("2026-01-02T02:54:05Z"), at("2026-01-02T03:30:00Z")),
    ];
    assert_eq!(ranges, expected);
}

#[test]
fn stretches_sort_as_time_does_and_hold_their_items() {
    let text = |at: &str| chunk_start(at.parse().unwrap()).to_string();
    assert_eq!(text("1970-01-01T00:09:59.999Z"), "1970-01-01T00:00:00Z");
    let (first, next) = (text("2026-01-02T03:09:59Z"), text("2026-01-02T03:10:00Z"));
    let item = format!("{}ffff", schema::first_sort_key_of_chunk(&first));
    assert!(
        *first < *schema::first_sort_key_of_chunk(&first)
            && schema::first_sort_key_of_chunk(&first) < item
            && item < schema::last_sort_key_of_chunk(&first)
            && schema::last_sort_key_of_chunk(&first) < schema::first_sort_key_of_chunk(&next)
    );
}

#[test]
fn a_full_chunk_takes_only_what_is_new_and_at_most_as_many_again() {
    let observation = |n: usize, region: &str| {
        let at = Timestamp::from_millis(1_767_322_800_000 + i64::try_from(n).unwrap());
        let region = region.to_owned();
        Observation { at, region, ..observation(&format!("{n:05}"), "2026-01-02T03:04:05Z") }
    };
    let far = Timestamp::from_millis(0);
    let all: BTreeSet<Observation> = (0..5_000).map(|n| observation(n, "us-west-2")).collect();
    let NewObservations { accepted: news, dropped } =
        select_new_observations("s", &BTreeMap::new(), &all, far);
    assert_eq!((news.len(), dropped), (CHUNK_OBSERVATIONS_MAX, 4_000));
    let known: BTreeMap<Observation, i64> = news.into_iter().map(|observation| (observation, 9)).collect();
    let more = [
        observation(1, "us-west-2"),
        observation(6_000, "us-west-2"),
        observation(6_001, "eu-west-1"),
        observation(6_002, "eu-west-1"),
    ];
    let NewObservations { accepted: news, dropped } =
        select_new_observations("s", &known, &more.clone().into(), far);
    assert_eq!((news, dropped), (BTreeSet::from([more[2].clone()]), 2));
    let new: BTreeSet<Observation> = (6_000..9_000).map(|n| observation(n, &n.to_string())).collect();
    assert_eq!(select_new_observations("s", &known, &new, far).accepted.len(), CHUNK_OBSERVATIONS_MAX);
}

#[test]
fn long_marks_take_the_room_of_several() {
    let secret =
        |n: usize| SecretRef::from_name_or_arn(&format!("{n:0512}"), "111122223333", "us-west-2").unwrap();
    let observations: BTreeSet<Observation> = (0..3_000)
        .map(|n| Observation {
            secrets: (0..20).map(|m| secret(n * 20 + m)).collect(),
            ..observation(&format!("{n:032}"), "2026-01-02T03:04:05Z")
        })
        .collect();
    let NewObservations { accepted: news, dropped } =
        select_new_observations("s", &BTreeMap::new(), &observations, Timestamp::from_millis(0));
    assert_eq!(news.len() + dropped, observations.len());
    let bytes: usize =
        build_updates("s", &news, 1).iter().filter_map(|update| size(&update.set["observations"])).sum();
    assert!((900_000..1_200_000).contains(&bytes), "{bytes}");
}

fn size(value: &AttributeValue) -> Option<usize> {
    match value {
        AttributeValue::Text(text) => Some(text.len()),
        _ => None,
    }
}

#[test]
fn an_item_stays_small_whatever_is_read() {
    let secret = |n: usize| {
        let name = format!("{n:06}{}", "\u{1}".repeat(506));
        SecretRef {
            text: Untrusted::new(name),
            ..SecretRef::from_name_or_arn("x", "111122223333", "us-west-2").unwrap()
        }
    };
    let observations: BTreeSet<Observation> = (0..300)
        .map(|n| Observation {
            secrets: (0..20).map(|m| secret(n * 20 + m)).collect(),
            principal: Untrusted::new("\u{1}".repeat(512)),
            ..observation(&format!("{n:032}"), "2026-01-02T03:04:05Z")
        })
        .collect();
    let mut found = BTreeSet::new();
    let mut largest = 0;
    for update in build_updates("s", &observations, 9_999_999_999) {
        let item = update.apply(None);
        let text = item.text("observations").unwrap();
        largest = largest.max(text.len());
        found.extend(unpack_observations(text));
    }
    assert!((200_000..300_000).contains(&largest), "{largest}");
    assert!(observations.is_subset(&found), "nothing is lost");
}
