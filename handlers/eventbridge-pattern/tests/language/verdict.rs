//! The verdict of the crate on a pattern and an event, asked in every way that it offers.

use eventbridge_pattern::{EventFormatError, Pattern, PatternSet};

/// The verdict in the words of the vectors, and the message of an error.
pub(crate) fn verdict(pattern: &str, event: &str) -> (&'static str, String) {
    let pattern = match Pattern::parse(pattern) {
        Ok(pattern) => pattern,
        Err(error) => return ("invalid", error.message().to_owned()),
    };
    let alone = pattern.matches(event);
    let explained = pattern.explain(event);
    let in_a_set = PatternSet::new([pattern]).matches(event);
    match (alone, explained, in_a_set) {
        (Ok(matches), Ok(explanation), Ok(indices)) => {
            assert_eq!(explanation.is_match(), matches, "explained as matched");
            assert_eq!(indices == [0], matches, "in a set as alone");
            (if matches { "match" } else { "no_match" }, String::new())
        }
        (Err(error), Err(of_explanation), Err(of_set)) => {
            assert_eq!((&of_explanation, &of_set), (&error, &error));
            let message = match &error {
                EventFormatError::NotJson(error) => error.message().to_owned(),
                EventFormatError::NotAnObject => error.to_string(),
            };
            ("event_error", message)
        }
        differing => ("some ways read the event and others refuse it", format!("{differing:?}")),
    }
}
