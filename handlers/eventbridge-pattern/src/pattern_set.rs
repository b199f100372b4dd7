//! Patterns that are matched together.

use crate::compiled_pattern::CompiledPattern;
use crate::error::EventFormatError;
use crate::explain::{MatchExplanation, explain_mismatch};
use crate::field_paths::FieldPathTree;
use crate::flatten_event::flatten_event;
use crate::pattern::Pattern;

/// Patterns that are matched together: an event is read once, however many patterns there are.
///
/// Each pattern is judged alone. AWS's engine, given many patterns as one machine, sometimes lets a wildcard of one make another
/// match what it does not match alone.
///
/// ```
/// use eventbridge_pattern::{Pattern, PatternSet};
///
/// let set = PatternSet::new([
///     Pattern::parse(r#"{"source": ["aws.s3"]}"#)?,
///     Pattern::parse(r#"{"source": ["aws.ec2"]}"#)?,
///     Pattern::parse(r#"{"source": [{"prefix": "aws."}]}"#)?,
/// ]);
/// assert_eq!(set.matches(r#"{"source": "aws.ec2"}"#)?, [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PatternSet {
    /// The patterns; the slots of their fields are those of `paths`.
    patterns: Vec<CompiledPattern>,
    /// The paths of all patterns.
    paths: FieldPathTree,
}

impl PatternSet {
    /// A set of patterns, which are known by their index from now on.
    pub fn new(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let mut set = Self::default();
        for pattern in patterns {
            let mut compiled = pattern.into_compiled();
            for field in &mut compiled.fields {
                field.slot = set.paths.insert(&field.path);
            }
            set.patterns.push(compiled);
        }
        set
    }

    /// The indices of the patterns that match an event, given as JSON text, in ascending order.
    ///
    /// # Errors
    /// The event is not UTF-8, not JSON, or not an object. As in EventBridge, text behind the object is ignored.
    pub fn matches(&self, event: impl AsRef<[u8]>) -> Result<Vec<usize>, EventFormatError> {
        let flat = flatten_event(event.as_ref(), &self.paths)?;
        let mut matching = Vec::new();
        for (index, pattern) in self.patterns.iter().enumerate() {
            if pattern.matches(&flat) {
                matching.push(index);
            }
        }
        Ok(matching)
    }

    /// Explains why a pattern of the set matches an event, or does not; `None` if the set has no pattern of this index.
    ///
    /// # Errors
    /// As [`PatternSet::matches`].
    pub fn explain(
        &self,
        index: usize,
        event: impl AsRef<[u8]>,
    ) -> Result<Option<MatchExplanation>, EventFormatError> {
        let Some(pattern) = self.patterns.get(index) else { return Ok(None) };
        let flat = flatten_event(event.as_ref(), &self.paths)?;
        let is_match = pattern.matches(&flat);
        Ok(Some(if is_match { MatchExplanation::Matches } else { explain_mismatch(pattern, &flat) }))
    }
}

impl FromIterator<Pattern> for PatternSet {
    fn from_iter<I: IntoIterator<Item = Pattern>>(patterns: I) -> Self {
        Self::new(patterns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_a_set_is_explained_as_it_is_alone() {
        let texts = [r#"{"a": ["x"]}"#, r#"{"b": {"c": [1]}, "a": ["y"]}"#, r#"{"d": [{"exists": false}]}"#];
        let set: PatternSet = texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        for event in [r#"{"a": "x"}"#, r#"{"a": "y", "b": {"c": 1}, "d": 2}"#, "{}"] {
            for (index, text) in texts.iter().enumerate() {
                let alone = Pattern::parse(text).unwrap().explain(event).unwrap();
                assert_eq!(set.explain(index, event).unwrap(), Some(alone), "{text} {event}");
            }
            assert_eq!(set.explain(texts.len(), event).unwrap(), None);
        }
        assert!(set.explain(0, "[]").is_err());
    }
}
