//! Explanations name the field, what was expected and what kind of thing was found, and never a value of the event.

use eventbridge_pattern::Pattern;

#[test]
fn an_explanation_names_the_failing_field_but_no_value() {
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
        assert_eq!(pattern.explain(event).unwrap().to_string(), explanation, "{event}");
    }
}

#[test]
fn every_matcher_has_words() {
    for (entry, words) in [
        (r#""x""#, r#""x""#),
        (r#""10.0.0.1""#, r#""10.0.0.1""#),
        ("3e2", "3e2"),
        ("null", "null"),
        (r#"{"exactly":"x"}"#, r#""x""#),
        (r#"{"prefix":"x"}"#, r#"starting with "x""#),
        (r#"{"suffix":"x"}"#, r#"ending with "x""#),
        (r#"{"prefix":{"equals-ignore-case":"x"}}"#, r#"starting, in any case, with "x""#),
        (r#"{"suffix":{"equals-ignore-case":"x"}}"#, r#"ending, in any case, with "x""#),
        (r#"{"equals-ignore-case":"x"}"#, r#""x" in any case"#),
        (r#"{"wildcard":"x*"}"#, r#"like "x*""#),
        (r#"{"cidr":"10.1.2.3/8"}"#, "an address in 10.1.2.3/8"),
        (r#"{"numeric":["=",1]}"#, "a number = 1"),
        (r#"{"numeric":["<",1]}"#, "a number < 1"),
        (r#"{"numeric":[">",1,"<=",2]}"#, "a number > 1 and <= 2"),
        (r#"{"exists":true}"#, "present"),
        (r#"{"anything-but":"x"}"#, r#"anything but "x""#),
        (r#"{"anything-but":[1,2]}"#, "anything but 1, 2"),
        (r#"{"anything-but":{"prefix":["x","y"]}}"#, r#"anything but starting with "x", "y""#),
        (r#"{"anything-but":{"suffix":"x"}}"#, r#"anything but ending with "x""#),
        (r#"{"anything-but":{"equals-ignore-case":"x"}}"#, r#"anything but, in any case, "x""#),
        (r#"{"anything-but":{"wildcard":"x*"}}"#, r#"anything but like "x*""#),
    ] {
        let pattern = Pattern::parse(&format!(r#"{{"a":[{entry}]}}"#)).unwrap();
        let explanation = pattern.explain("{}").unwrap().to_string();
        assert_eq!(explanation, format!("a: expected {words}, found absent"));
    }
}
