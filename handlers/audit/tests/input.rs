//! The tolerant reader: it understands every form of input, and a broken part hides no event beside it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use responder_audit::input::find_events;
use serde_json::{Value, json};

const EVENT: &str = r#"{"detail-type":"x","source":"aws.s","detail":{"eventID":"e"}}"#;
const RECORD: &str =
    r#"{"eventName":"GetSecretValue","eventSource":"secretsmanager.amazonaws.com","eventID":"r"}"#;

/// How many events and at which offsets problems.
fn count_events(input: &str) -> (usize, Vec<usize>) {
    count_events_in_bytes(input.as_bytes())
}

fn count_events_in_bytes(input: &[u8]) -> (usize, Vec<usize>) {
    let (mut events, mut problems) = (0, Vec::new());
    find_events(input, &mut |next| match next {
        Ok(_) => events += 1,
        Err(problem) => problems.push(problem.offset),
    });
    (events, problems)
}

#[test]
fn every_form_of_input_is_understood() {
    let quoted = serde_json::to_string(RECORD).unwrap();
    let body = serde_json::to_string(EVENT).unwrap();
    let forms = [
        (EVENT.to_owned(), 1),
        (format!("{EVENT}\n{EVENT}\n\n{RECORD}"), 3),
        (format!("\u{feff}{EVENT}{EVENT}"), 2),
        (format!(r#"{{"Records":[{RECORD},{RECORD}]}}"#), 2),
        (format!("{{\"Records\": [\n{RECORD},\n{RECORD}\n]\n}}\n"), 2),
        (r#"{"Records":[]}"#.to_owned(), 0),
        (format!(r#"{{"NextToken":"t","Events":[{{"EventId":"r","CloudTrailEvent":{quoted}}}]}}"#), 1),
        (
            format!(
                r#"{{"Events":[{{"CloudTrailEvent":{quoted}}}],"NextToken":"t","a":{{"b":[1]}}}} {EVENT}"#
            ),
            2,
        ),
        (format!("[{EVENT},\n{RECORD}]"), 2),
        (format!(r#"{{"Records":[{{"messageId":"m","body":{body}}}]}}"#), 1),
        (serde_json::to_string_pretty(&serde_json::from_str::<Value>(EVENT).unwrap()).unwrap(), 1),
    ];
    for (input, events) in forms {
        assert_eq!(count_events(&input), (events, vec![]), "{input}");
    }
}

#[test]
fn a_broken_line_costs_itself_only() {
    for broken in [
        r#"{"detail-type":"x","#,
        r#"{"detail-type":"x"#,
        r#"{"detail":[}}"#,
        "garbage",
        r#"{"a":1}"#,
        "{a:1}",
    ] {
        let input = format!("{EVENT}\n{broken}\n{EVENT}\n");
        let (events, problems) = count_events(&input);
        assert_eq!((events, problems.len()), (2, 1), "{broken}: {problems:?}");
        assert!(
            problems[0] > EVENT.len() && problems[0] <= EVENT.len() + 1 + broken.len(),
            "{broken}: {problems:?}"
        );
    }
}

#[test]
fn a_broken_record_in_a_trail_file_costs_itself_only() {
    let input = format!(r#"{{"Records":[{RECORD},{{"eventName":["x"}},"y":{{"z":1}}}},{RECORD}]}}"#);
    assert_eq!(count_events(&input), (2, vec![13 + RECORD.len()]));
    let truncated = format!(r#"{{"Records":[{RECORD},{RECORD},{{"eventNa"#);
    assert_eq!(count_events(&truncated).0, 2);
}

#[test]
fn empty_and_strange_inputs_are_one_problem() {
    for input in ["", "  \n ", "5", "null", "[1]", r#"{"Records":5}"#] {
        let (events, problems) = count_events(input);
        assert_eq!((events, problems.len()), (0, 1), "{input:?}");
    }
}

#[test]
fn invalid_utf8_is_one_problem_and_hides_no_other_event() {
    let mut input = format!("{EVENT}\n").into_bytes();
    input.extend_from_slice(b"{\"detail-type\":\"\xff\xfe\"}\n");
    input.extend_from_slice(EVENT.as_bytes());
    assert_eq!(count_events_in_bytes(&input), (2, vec![EVENT.len() + 1 + 16]));
}

#[test]
fn deep_nesting_neither_overflows_nor_hides_the_events_after_it() {
    let deep = format!(r#"{{"detail-type":"x","detail":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(count_events(&format!("{deep}\n{EVENT}")).0, 1);
    assert_eq!(count_events(&format!(r#"{{"Records":[{deep},{RECORD}]}}"#)).0, 1);
    assert_eq!(count_events(&"{\"a\":[\n".repeat(20_000)).0, 0);
}

/// The events' ids and the problems' offsets.
fn list_ids(input: &str) -> (Vec<String>, Vec<usize>) {
    let (mut events, mut problems) = (Vec::new(), Vec::new());
    find_events(input.as_bytes(), &mut |next| match next {
        Ok(event) => {
            let parsed: Value = serde_json::from_str(&event.text).unwrap();
            events.push(parsed["detail"]["eventID"].as_str().unwrap().to_owned());
        }
        Err(problem) => problems.push(problem.offset),
    });
    (events, problems)
}

fn record(id: &str) -> String {
    format!(
        r#"{{"eventName":"BatchGetSecretValue","eventID":"{id}","requestParameters":{{"filters":[{{"key":"a"}},{{"key":"b"}}]}}}}"#
    )
}

#[test]
fn commas_between_values_are_no_reason_to_lose_one() {
    let (a, b, c) = (record("a"), record("b"), record("c"));
    for input in [
        format!("{a},{b}, {c}"),
        format!("{a},\n{b},\n{c},\n"),
        format!(r#"{{"Records":[{a}]}},{{"Records":[{b},{c}]}}"#),
    ] {
        assert_eq!(
            list_ids(&input),
            (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], vec![]),
            "{input}"
        );
    }
}

#[test]
fn a_broken_record_with_lists_of_its_own_costs_itself_only() {
    let broken = record("x").replacen(r#""a""#, r#""a"#, 1);
    let (b, c) = (record("b"), record("c"));
    let expected = vec!["b".to_owned(), "c".to_owned()];
    for input in [
        format!(r#"{{"Records":[{broken},{b},{c}]}}"#),
        format!(r#"{{"Records":[{b},{broken},{c}]}}"#),
        format!(r#"{{"Records":[{b},{c},{broken}]}}"#),
        format!("{{\"Records\": [\n  {broken},\n  {b},\n  {c}\n]}}"),
    ] {
        let (found, problems) = list_ids(&input);
        assert_eq!((found, problems.len()), (expected.clone(), 1), "{input}: {problems:?}");
    }
}

#[test]
fn a_cut_line_does_not_reach_into_the_next() {
    let line =
        |id: &str| format!(r#"{{"Records":[{},{}]}}"#, record(&format!("{id}1")), record(&format!("{id}2")));
    let whole = line("b");
    for cut in 1..line("a").len() {
        let input = format!("{}\n{whole}\n{whole}\n", &line("a")[..cut]);
        let (found, problems) = list_ids(&input);
        assert!(found.ends_with(&["b1", "b2", "b1", "b2"].map(str::to_owned)), "cut at {cut}: {found:?}");
        assert!(!problems.is_empty(), "cut at {cut}");
    }
}

#[test]
fn a_list_element_that_is_no_object_costs_itself_only() {
    let (a, b) = (record("a"), record("b"));
    for input in [
        format!("[null,{a},null,{b}]"),
        format!("[{a},5,\"x\",{b}]"),
        format!(r#"{{"Records":[[1],{a},{b},true]}}"#),
    ] {
        let (found, problems) = list_ids(&input);
        assert_eq!((found, problems.len()), (vec!["a".to_owned(), "b".to_owned()], 2), "{input}");
    }
}

#[test]
fn white_space_and_marks_before_a_line_do_not_matter() {
    let (a, b, c) = (record("a"), record("b"), record("c"));
    for input in [
        format!("garbage\n  {a}\n\t{b}\n{c}"),
        format!("garbage\r\n\u{feff}{a}\r\n\u{feff}{b}\n\u{1e}{c}"),
        format!("{}\n  {a}\n  {b}\n  {c}", r#"{"eventName":"#),
    ] {
        let (found, problems) = list_ids(&input);
        assert_eq!((found.len(), problems.len()), (3, 1), "{input}");
    }
}

#[test]
fn every_broken_line_is_reported() {
    let a = record("a");
    for (input, count) in [
        ("{\"eventName\":\n".repeat(5) + &a, 5),
        (format!("garbage\nmore\nyet\n{a}"), 3),
        (format!("garbage\n{{\"a\":1}}\n{{\"b\":2}}\n{a}"), 3),
    ] {
        let (found, problems) = list_ids(&input);
        assert_eq!((found.len(), problems.len()), (1, count), "{input}");
    }
    assert_eq!(list_ids(&"x\n".repeat(5_000)).1.len(), 1_000);
}

#[test]
fn lists_of_events_are_found_wherever_their_key_stands() {
    let (a, b) = (record("a"), record("b"));
    for input in [
        format!(r#"{{"meta":{{"a":1}},"tags":[1],"Records":[{a},{b}],"more":{{}}}}"#),
        format!(r#"[{{"Records":[{a}]}},{{"Records":[{b}]}}]"#),
        format!(r#"{{"ResponseMetadata":{{"x":[]}},"Events":[{{"CloudTrailEvent":{}}},{b}]}}"#, json!(a)),
    ] {
        assert_eq!(list_ids(&input), (vec!["a".to_owned(), "b".to_owned()], vec![]), "{input}");
    }
}

#[test]
fn messages_of_queues_and_topics_are_opened() {
    let a = record("a");
    let notification = json!({"Type": "Notification", "Message": a}).to_string();
    for input in [
        notification.clone(),
        json!({"Messages": [{"Body": notification}]}).to_string(),
        json!({"Records": [{"messageId": "m", "body": notification}]}).to_string(),
        json!({"Messages": [{"Body": json!({"Records": [serde_json::from_str::<Value>(&a).unwrap()]}).to_string()}]}).to_string(),
    ] {
        assert_eq!(list_ids(&input), (vec!["a".to_owned()], vec![]), "{input}");
    }
    let broken = json!({"Messages": [{"Body": "{\"eventName\":"}, {"Body": a}]}).to_string();
    let (found, problems) = list_ids(&broken);
    assert_eq!((found.len(), problems), (1, vec![13]));
}

proptest! {
    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        count_events_in_bytes(&bytes);
    }

    #[test]
    fn no_json_like_input_panics(input in "[\\[\\]{}\",:a\\\\\n \u{e9}1]{0,80}") {
        count_events(&input);
    }
}
