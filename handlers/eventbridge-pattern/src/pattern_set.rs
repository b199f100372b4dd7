//! Patterns that are matched together.

use crate::compiled_pattern::CompiledPattern;
use crate::error::EventFormatError;
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
}

impl FromIterator<Pattern> for PatternSet {
    fn from_iter<I: IntoIterator<Item = Pattern>>(patterns: I) -> Self {
        Self::new(patterns)
    }
}
