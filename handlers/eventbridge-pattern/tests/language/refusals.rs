//! Patterns that are refused, and the words of the refusal.

use eventbridge_pattern::Pattern;

#[test]
fn match_expressions_are_refused_in_the_words_of_the_engine() {
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
        assert_eq!(error.message(), message, "{entry}");
        assert!(error.offset() > 5, "{entry}: the refusal is inside of the entry");
    }
}

#[test]
fn more_than_a_thousand_combinations_are_refused() {
    let combinations = |n: usize| format!("{{{}}}", vec![r#""$or":[{"a":[1]},{"b":[2]}]"#; n].join(","));
    assert!(Pattern::parse(&combinations(9)).is_ok());
    assert!(Pattern::parse(&combinations(10)).is_err());
}

#[test]
fn wildcards_that_are_too_complex_are_refused() {
    let wildcards = |n: usize| format!(r#"{{"a":[{{"wildcard":"{}"}}]}}"#, "*a".repeat(n));
    assert!(Pattern::parse(&wildcards(7)).is_ok());
    assert!(Pattern::parse(&wildcards(11)).unwrap_err().message().starts_with("Rule is too complex"));
}
