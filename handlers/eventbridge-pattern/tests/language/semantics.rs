//! The meaning of patterns next to the recorded vectors, and the additions of the crate.

use eventbridge_pattern::{Pattern, PatternSet};

use crate::verdict::verdict;

/// A pattern, events that match, and events that do not.
const NEIGHBOURS: &[(&str, &[&str], &[&str])] = &[
    // Numbers: equal if the decimal text equals the double's shortest text, otherwise by spelling.
    (
        r#"{"a":[300]}"#,
        &[r#"{"a":300.0}"#, r#"{"a":3e2}"#, r#"{"a":[1,3.0E+2]}"#],
        &[r#"{"a":300.0000000000000001}"#, r#"{"a":"300"}"#],
    ),
    (r#"{"a":[-0]}"#, &[r#"{"a":0}"#, r#"{"a":0.0}"#, r#"{"a":-0e5}"#], &[r#"{"a":"0"}"#]),
    (r#"{"a":[1e309]}"#, &[r#"{"a":1e309}"#], &[r#"{"a":1E309}"#, r#"{"a":10e308}"#]),
    (r#"{"a":[9007199254740993]}"#, &[r#"{"a":9007199254740993}"#], &[r#"{"a":9007199254740992}"#]),
    (r#"{"a":[5e-324]}"#, &[r#"{"a":5e-324}"#], &[r#"{"a":4.9e-324}"#]),
    (r#"{"a":[4.9e-324]}"#, &[r#"{"a":49e-325}"#], &[r#"{"a":5e-324}"#]),
    (
        r#"{"a":[{"numeric":[">",0]}]}"#,
        &[r#"{"a":1e-300}"#],
        &[r#"{"a":1e309}"#, r#"{"a":0}"#, r#"{"a":"1"}"#, r#"{"a":-0}"#],
    ),
    // Addresses.
    (
        r#"{"a":["10.0.0.1"]}"#,
        &[r#"{"a":"010.0.0.1"}"#, r#"{"a":"::ffff:0a00:0001"}"#],
        &[r#"{"a":"10.0.0.1 "}"#, r#"{"a":"10.0.0.2"}"#],
    ),
    (r#"{"a":["::1"]}"#, &[r#"{"a":"0:0:0:0:0:0:0:1"}"#], &[r#"{"a":"::2"}"#]),
    (
        r#"{"a":[{"cidr":"10.0.0.5/24"}]}"#,
        &[r#"{"a":"10.0.0.0"}"#, r#"{"a":"10.0.0.4"}"#, r#"{"a":"10.0.0.255"}"#],
        &[r#"{"a":"10.0.1.0"}"#, r#"{"a":"9.255.255.255"}"#, r#"{"a":null}"#],
    ),
    (
        r#"{"a":["1.2.3.4",5,"x"]}"#,
        &[r#"{"a":"1.2.3.4"}"#, r#"{"a":5.0}"#, r#"{"a":"x"}"#],
        &[r#"{"a":"5"}"#],
    ),
    // Anything-but.
    (
        r#"{"a":[{"anything-but":"x"}]}"#,
        &[r#"{"a":null}"#, r#"{"a":1}"#, r#"{"a":["x","y"]}"#],
        &["{}", r#"{"a":[]}"#, r#"{"a":{}}"#, r#"{"a":["x"]}"#],
    ),
    (
        r#"{"a":[{"anything-but":[1,2]}]}"#,
        &[r#"{"a":"1"}"#, r#"{"a":3}"#, r#"{"a":true}"#],
        &[r#"{"a":1.0}"#, r#"{"a":2e0}"#],
    ),
    (
        r#"{"a":[{"anything-but":{"wildcard":"a*"}}]}"#,
        &[r#"{"a":"ba"}"#, r#"{"a":5}"#],
        &[r#"{"a":"a"}"#, r#"{"a":[]}"#],
    ),
    // Existence is about leaves.
    (
        r#"{"a":[{"exists":false}]}"#,
        &["{}", r#"{"a":[]}"#, r#"{"a":{}}"#, r#"{"a":[[]]}"#, r#"{"a":{"b":1}}"#],
        &[r#"{"a":null}"#, r#"{"a":""}"#, r#"{"a":[[0]]}"#],
    ),
    (
        r#"{"a":{"b":[{"exists":false}]}}"#,
        &[r#"{"a":1}"#, r#"{"a":null}"#, r#"{"a":[]}"#],
        &[r#"{"a.b":1}"#, r#"{"a":[{"b":1}]}"#],
    ),
    // Array consistency; absence is judged within the elements chosen before, in the order of paths.
    (
        r#"{"r":{"k":["A"],"v":[{"exists":false}]}}"#,
        &[r#"{"r":[{"k":"A"},{"k":"B","v":1}]}"#],
        &[r#"{"r":[{"k":"A","v":1},{"k":"B"}]}"#],
    ),
    (
        r#"{"r":{"k":[{"exists":false}],"v":["A"]}}"#,
        &[r#"{"r":[{"v":"A"}]}"#],
        &[r#"{"r":[{"v":"A"},{"k":"B"}]}"#],
    ),
    (
        r#"{"a":{"b":[1],"c":[2]}}"#,
        &[r#"{"a":[{"b":[[1]],"c":2}]}"#, r#"{"a":[{"b":1}],"a.c":2}"#],
        &[r#"{"a":[{"b":1},{"c":2}]}"#],
    ),
    (
        r#"{"a":{"b":[1],"c":[2]}}"#,
        &[r#"{"a":[{"b":1}],"a":[{"c":2}]}"#],
        &[r#"{"a":[[{"b":1}],[{"c":2}]]}"#],
    ),
    // `$or`, and the same field outside: the later one wins.
    (
        r#"{"a":["1"],"$or":[{"a":["2"]},{"b":["3"]}]}"#,
        &[r#"{"a":"2"}"#, r#"{"a":"1","b":"3"}"#],
        &[r#"{"a":"1"}"#, r#"{"b":"3"}"#],
    ),
    (
        r#"{"x":{"$or":[{"a":[1]},{"$or":[{"b":[2]},{"c":[3]}],"d":[4]}]}}"#,
        &[r#"{"x":{"a":1}}"#, r#"{"x":{"c":3,"d":4}}"#],
        &[r#"{"x":{"b":2}}"#],
    ),
    // Duplicate names: in a pattern the last wins, in an event both count.
    (r#"{"a":["x"],"a":["y"]}"#, &[r#"{"a":"y"}"#, r#"{"a":"x","a":"y"}"#], &[r#"{"a":"x"}"#]),
    // Names with dots, and empty ones.
    (
        r#"{"a.b":{"c":["x"]}}"#,
        &[r#"{"a":{"b.c":"x"}}"#, r#"{"a":{"b":{"c":"x"}}}"#],
        &[r#"{"a":{"b":"x"}}"#],
    ),
    (r#"{"a.":["x"]}"#, &[r#"{"a.":"x"}"#], &[r#"{"a":{"":"x"}}"#]),
    (r#"{"":["x"]}"#, &[r#"{"":"x"}"#], &[r#"{"a":"x"}"#]),
    // Quotes belong to the text that is compared.
    (r#"{"a":[{"prefix":"x\""}]}"#, &[r#"{"a":"x"}"#, r#"{"a":"x\"y"}"#], &[r#"{"a":"xy"}"#]),
    (r#"{"a":["\ud800"]}"#, &[r#"{"a":"\ud800"}"#], &[r#"{"a":"?"}"#, r#"{"a":"\ud801"}"#]),
    (r#"{"a":[{"prefix":""}]}"#, &[r#"{"a":""}"#], &[r#"{"a":5}"#, r#"{"a":null}"#]),
];

#[test]
fn neighbours_of_the_vectors_match_as_in_the_engine() {
    for (pattern, matching, failing) in NEIGHBOURS {
        for event in *matching {
            assert_eq!(verdict(pattern, event).0, "match", "{pattern} {event}");
        }
        for event in *failing {
            assert_eq!(verdict(pattern, event).0, "no_match", "{pattern} {event}");
        }
    }
}

#[test]
fn a_minified_pattern_has_no_white_space_outside_strings() {
    let text = " { \"a\" : { \"b\" : [ \"x y\" , { \"numeric\" : [ \">\", 1, \"<=\", 2 ] } ] } } tail";
    let pattern = Pattern::parse(text).unwrap();
    assert_eq!(pattern.minified(), r#"{"a":{"b":["x y",{"numeric":[">",1,"<=",2]}]}}"#);
    assert_eq!(pattern.minified_length(), 46);
}

#[test]
fn a_set_judges_each_pattern_alone() {
    let patterns = [r#"{"a":["x"]}"#, r#"{"a":{"":["x"]}}"#, r#"{"":["y"]}"#, r#"{"a":[{"exists":false}]}"#];
    let set: PatternSet = patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect();
    assert_eq!(set.matches(r#"{"a":"x","":"y"}"#), Ok(vec![0, 2]));
    // The empty name is known to the third pattern only.
    assert_eq!(set.matches(r#"{"a":{"":"x"}}"#), Ok(vec![3]));
}

#[test]
fn the_error_of_an_event_repeats_nothing_of_it() {
    let set = PatternSet::default();
    assert_eq!(set.matches(b"{\"a\":\"\xff\"}").unwrap_err().kind(), "invalid UTF-8");
    assert_eq!(set.matches("[]").unwrap_err().kind(), "not an object");
    let error = set.matches(r#"{"password":"hunter2"#).unwrap_err();
    assert_eq!(error.to_string(), "Event is not JSON: unexpected end at byte 20");
}

#[test]
fn a_pattern_mentions_the_fields_above_its_own() {
    let pattern = Pattern::parse(r#"{"a":{"b":["x"]},"$or":[{"c":["x"]},{"d.e":["x"]}]}"#).unwrap();
    for path in ["a", "a.b", "c", "d", "d.e"] {
        assert!(pattern.mentions(path), "{path}");
    }
    for path in ["b", "a.bb", "d.", "d.e.f", "$or"] {
        assert!(!pattern.mentions(path), "{path}");
    }
}
