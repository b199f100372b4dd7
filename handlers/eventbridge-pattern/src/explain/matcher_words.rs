//! Matchers in words, for people.

use crate::excluded_values::ExcludedValues;
use crate::value_matcher::ValueMatcher;

/// Describes the values that a matcher accepts, in words that go behind "expected": `starting with "prod/"`, `absent`.
pub(super) fn describe_matcher(matcher: &ValueMatcher) -> String {
    match matcher {
        ValueMatcher::Exact(text) => text.text.clone(),
        ValueMatcher::Address { spelling, .. } => format!("\"{spelling}\""),
        ValueMatcher::Number { spelling, .. } => spelling.clone(),
        ValueMatcher::Numeric(range) => format!("a number {}", range.spelling),
        // A prefix has the opening quote, a suffix the closing one.
        ValueMatcher::Prefix(text) => format!("starting with {text}\""),
        ValueMatcher::Suffix(text) => format!("ending with \"{text}"),
        ValueMatcher::PrefixIgnoringCase { spelling, .. } => {
            format!("starting, in any case, with \"{spelling}\"")
        }
        ValueMatcher::SuffixIgnoringCase { spelling, .. } => {
            format!("ending, in any case, with \"{spelling}\"")
        }
        ValueMatcher::EqualsIgnoringCase { spelling, .. } => format!("\"{spelling}\" in any case"),
        ValueMatcher::Wildcard { spelling, .. } => format!("like \"{spelling}\""),
        ValueMatcher::Cidr { spelling, .. } => format!("an address in {spelling}"),
        ValueMatcher::Exists => "present".to_owned(),
        ValueMatcher::Absent => "absent".to_owned(),
        ValueMatcher::AnythingBut(excluded) => describe_excluded(excluded),
    }
}

fn describe_excluded(excluded: &ExcludedValues) -> String {
    let mut spellings = Vec::new();
    let words = match excluded {
        ExcludedValues::Strings(strings) => {
            spellings.clone_from(strings);
            "anything but"
        }
        ExcludedValues::Numbers(numbers) => {
            for (_, spelling) in numbers {
                spellings.push(spelling.clone());
            }
            "anything but"
        }
        ExcludedValues::Prefixes(prefixes) => {
            for prefix in prefixes {
                spellings.push(format!("{prefix}\""));
            }
            "anything but starting with"
        }
        ExcludedValues::Suffixes(suffixes) => {
            for suffix in suffixes {
                spellings.push(format!("\"{suffix}"));
            }
            "anything but ending with"
        }
        ExcludedValues::IgnoringCase(texts) => {
            for (_, spelling) in texts {
                spellings.push(format!("\"{spelling}\""));
            }
            "anything but, in any case,"
        }
        ExcludedValues::Wildcards(texts) => {
            for (_, spelling) in texts {
                spellings.push(format!("\"{spelling}\""));
            }
            "anything but like"
        }
    };
    format!("{words} {}", spellings.join(", "))
}
