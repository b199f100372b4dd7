//! What the language does next to the recorded vectors, and what the crate adds to it.

use responder_core::pattern::{Event, Pattern, PatternSet};

use crate::verdict;

/// `pattern`, then events that match, then events that do not.
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
        &[r#"{"a":"10.0.0.5"}"#, r#"{"a":"10.0.0.255"}"#],
        &[r#"{"a":"10.0.0.4"}"#, r#"{"a":null}"#],
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
fn neighbours_of_the_vectors() {
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
fn refuses_in_the_words_of_the_engine() {
    for (entry, message) in [
        (r#"{"prefix":{}}"#, "Prefix expression name not found"),
        (r#"{"suffix":{"x":"y"}}"#, "Unsupported suffix pattern: x"),
        (r#"{"anything-but":{"prefix":""}}"#, "Null prefix/suffix not allowed"),
        (
            r#"{"anything-but":[]}"#,
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ),
        (r#"{"anything-but":[null]}"#, "Inside anything but list, start|null|boolean is not supported."),
        (r#"{"anything-but":"x","y":1}"#, "Too many elements in numeric expression"),
        (r#"{"numeric":[]}"#, "Invalid member in numeric match: ]"),
        (r#"{"numeric":["=","x"]}"#, "Value of equals must be numeric"),
        (r#"{"numeric":["<",1,">",0]}"#, "Too many elements in numeric expression"),
        (r#"{"numeric":[">",1,"=",2]}"#, "Bad numeric range operator: ="),
        (r#"{"numeric":[">",1,2]}"#, "Bad value in numeric range: 2"),
        (r#"{"numeric":[">",1,"<",2,3]}"#, "Too many terms in numeric range expression"),
        (r#"{"numeric":[">",1,"<",1]}"#, "Bottom must be less than top"),
        (r#"{"numeric":["=",9007199254740993]}"#, "Cannot compare number : 9007199254740993"),
        (r#"{"exists":1}"#, "exists match pattern must be either true or false."),
        (r#"{"wildcard":"a\\x"}"#, "Invalid escape character at pos 2"),
        (r#"{"prefix":"x","suffix":"y"}"#, "Only one key allowed in match expression"),
        ("{}", "Match expression name not found"),
    ] {
        let error = Pattern::parse(&format!(r#"{{"a":[{entry}]}}"#)).unwrap_err();
        assert_eq!(error.message, message, "{entry}");
        assert!(error.offset.is_some());
    }
    let combinations = |n: usize| format!("{{{}}}", vec![r#""$or":[{"a":[1]},{"b":[2]}]"#; n].join(","));
    assert!(Pattern::parse(&combinations(9)).is_ok());
    assert!(Pattern::parse(&combinations(10)).is_err());
    let complex = format!(r#"{{"a":[{{"wildcard":"{}"}}]}}"#, "*a".repeat(11));
    assert!(Pattern::parse(&complex).unwrap_err().message.starts_with("Rule is too complex"));
}

#[test]
fn explains_without_values() {
    let pattern = Pattern::parse(
        r#"{"detail":{"b":["x","y"],"a":[{"exists":false}]},"$or":[{"c":[1]},{"d":[{"prefix":"p"}]}]}"#,
    )
    .unwrap();
    for (event, explanation) in [
        (r#"{"detail":{"b":"secret"}}"#, r#"detail.b: expected one of "x", "y", found string"#),
        (r#"{"detail":{"b":[]}}"#, r#"detail.b: expected one of "x", "y", found empty array"#),
        (r#"{"detail":{"b":["p","q"]}}"#, r#"detail.b: expected one of "x", "y", found array of 2"#),
        (r#"{"detail":{"b":{"x":1}}}"#, r#"detail.b: expected one of "x", "y", found object"#),
        (r#"{"detail":{"b":"x","a":true}}"#, "detail.a: expected absent, found true/false"),
        (
            r#"{"detail":{"b":"x"},"c":null}"#,
            "no alternative of $or holds; the closest fails at c: expected 1, found null",
        ),
        (
            r#"{"detail":[{"b":"x","a":1},{}],"c":1}"#,
            "each field matches, but not within the same array element",
        ),
        (r#"{"detail":{"b":"x"},"d":"pq"}"#, "matches"),
    ] {
        assert_eq!(
            pattern.explain(&Event::read(event.as_bytes()).unwrap()).to_string(),
            explanation,
            "{event}"
        );
    }
}

#[test]
fn tells_what_it_asks_for() {
    let pattern = Pattern::parse(
        " { \"a\" : { \"b\" : [ \"x y\" , { \"numeric\" : [ \">\", 1, \"<=\", 2 ] } ] } } tail",
    )
    .unwrap();
    assert_eq!(pattern.minified(), r#"{"a":{"b":["x y",{"numeric":[">",1,"<=",2]}]}}"#);
    assert_eq!(pattern.minified_len(), 46);
    let leaves: Vec<_> = pattern.leaves().collect();
    assert_eq!(leaves, [("a.b".to_owned(), vec!["\"x y\"".to_owned(), "a number > 1 and <= 2".to_owned()])]);
}

#[test]
fn a_set_judges_each_pattern_alone() {
    let patterns = [r#"{"a":["x"]}"#, r#"{"a":{"":["x"]}}"#, r#"{"":["y"]}"#, r#"{"a":[{"exists":false}]}"#];
    let set = PatternSet::new(patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect());
    assert_eq!((set.len(), set.is_empty()), (4, false));
    assert_eq!(set.matches(br#"{"a":"x","":"y"}"#), Ok(vec![0, 2]));
    // The empty name is known to the third pattern only.
    assert_eq!(set.matches(br#"{"a":{"":"x"}}"#), Ok(vec![3]));
    assert_eq!(set.matches(b"{\"a\":\"\xff\"}").unwrap_err().kind(), "invalid UTF-8");
    assert_eq!(set.matches(b"[]").unwrap_err().kind(), "not an object");
    let error = set.matches(br#"{"password":"hunter2"#).unwrap_err();
    assert_eq!(error.to_string(), "Event is not JSON: unexpected end at byte 20");
}

#[test]
fn hostile_events_end_soon() {
    let pattern = r#"{"a":{"b":["1"],"c":["2"],"d":["3"],"e":[{"exists":false}]},"f":{"b":["1"],"c":["2"]}}"#;
    let set = PatternSet::new(vec![Pattern::parse(pattern).unwrap()]);
    let objects = vec![r#"{"b":"1","c":"2","e":"0","x":{"d":"3"}}"#; 3000].join(",");
    let flat = format!(r#"{{"a":[{objects}],"f":[{objects}],"a":[{objects}]}}"#);
    assert_eq!(set.matches(flat.as_bytes()), Ok(vec![]));
    let deep = format!(r#"{{"a":{}[{objects}]{}}}"#, r#"[{"b":"1"},{"c":"2"},"#.repeat(900), "]".repeat(900));
    assert_eq!(set.matches(deep.as_bytes()), Ok(vec![]));
    // Two arrays under one name, and a third field to be found in either: too many pairs to try, so it counts as a match.
    let objects =
        |name: &str, value: &str| vec![format!(r#"{{"{name}":"{value}","d":"0"}}"#); 3000].join(",");
    let pairs = format!(
        r#"{{"a":[{},{{"d":"3"}}],"a":[{},{{"d":"3"}}],"f":[{{"b":"1","c":"2"}}]}}"#,
        objects("b", "1"),
        objects("c", "2")
    );
    assert_eq!(set.matches(pairs.as_bytes()), Ok(vec![0]));
    assert!(set.matches(format!(r#"{{"a":{}"#, "[".repeat(100_000)).as_bytes()).is_err());
}
