//! Events that are built to take long.

use eventbridge_pattern::{EventFormatError, Pattern, PatternSet};

const PATTERN: &str =
    r#"{"a":{"b":["1"],"c":["2"],"d":["3"],"e":[{"exists":false}]},"f":{"b":["1"],"c":["2"]}}"#;

fn matching_indices(event: &str) -> Result<Vec<usize>, EventFormatError> {
    PatternSet::from_iter(Pattern::parse(PATTERN)).matches(event)
}

#[test]
fn events_with_many_or_deep_arrays_end_soon() {
    let objects = vec![r#"{"b":"1","c":"2","e":"0","x":{"d":"3"}}"#; 3000].join(",");
    let wide = format!(r#"{{"a":[{objects}],"f":[{objects}],"a":[{objects}]}}"#);
    assert_eq!(matching_indices(&wide), Ok(vec![]));
    let opening = r#"[{"b":"1"},{"c":"2"},"#.repeat(900);
    let deep = format!(r#"{{"a":{opening}[{objects}]{}}}"#, "]".repeat(900));
    assert_eq!(matching_indices(&deep), Ok(vec![]));
}

/// Two arrays under one name, and a third field to be found in either, are too many pairs to try.
#[test]
fn an_event_that_exhausts_the_search_counts_as_a_match() {
    let objects =
        |name: &str, value: &str| vec![format!(r#"{{"{name}":"{value}","d":"0"}}"#); 3000].join(",");
    let pairs = format!(
        r#"{{"a":[{},{{"d":"3"}}],"a":[{},{{"d":"3"}}],"f":[{{"b":"1","c":"2"}}]}}"#,
        objects("b", "1"),
        objects("c", "2")
    );
    assert_eq!(matching_indices(&pairs), Ok(vec![0]));
}

#[test]
fn an_event_that_is_nested_too_deeply_is_refused() {
    assert!(matching_indices(&format!(r#"{{"a":{}"#, "[".repeat(100_000))).is_err());
}
