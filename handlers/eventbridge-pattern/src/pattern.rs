//! One event pattern.

use std::str::FromStr;

use crate::compile::compile;
use crate::compiled_pattern::CompiledPattern;
use crate::error::{EventFormatError, PatternError};
use crate::explain::{MatchExplanation, explain_mismatch};
use crate::flatten_event::flatten_event;
use crate::minify::minify;

/// The most characters that the pattern of an EventBridge rule may have, by the default quota. White space counts.
pub const MAX_PATTERN_CHARACTERS: usize = 2048;

/// An event pattern, compiled.
///
/// ```
/// use eventbridge_pattern::Pattern;
///
/// let pattern = Pattern::parse(r#"{"source": ["aws.s3"], "detail": {"size": [{"numeric": [">", 0]}]}}"#)?;
/// assert!(pattern.matches(r#"{"source": "aws.s3", "detail": {"size": 5}}"#)?);
/// assert!(!pattern.matches(r#"{"source": "aws.s3", "detail": {"size": 0}}"#)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pattern {
    compiled: CompiledPattern,
    minified: String,
}

impl Pattern {
    /// Compiles the text of a pattern.
    ///
    /// As in EventBridge, text behind the closing brace is ignored. The length is not checked, because it is a quota: compare
    /// [`Pattern::minified_length`] with [`MAX_PATTERN_CHARACTERS`].
    ///
    /// # Errors
    /// Everything that EventBridge's API refuses, in its words: text that is not JSON, match expressions that are unknown or
    /// malformed, empty objects and arrays, more than 1000 combinations of `$or`, wildcards that are too complex.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let compiled = compile(text)?;
        let minified = minify(text.get(..compiled.length).unwrap_or(text));
        Ok(Self { compiled, minified })
    }

    /// Whether the pattern matches an event, given as JSON text.
    ///
    /// To match many patterns against an event use a [`PatternSet`](crate::PatternSet), which reads the event once.
    ///
    /// # Errors
    /// The event is not UTF-8, not JSON, or not an object. As in EventBridge, text behind the object is ignored.
    pub fn matches(&self, event: impl AsRef<[u8]>) -> Result<bool, EventFormatError> {
        let flat = flatten_event(event.as_ref(), &self.compiled.paths)?;
        Ok(self.compiled.matches(&flat))
    }

    /// Why the pattern matches an event, or does not. The explanation never repeats a value of the event.
    ///
    /// ```
    /// use eventbridge_pattern::Pattern;
    ///
    /// let pattern = Pattern::parse(r#"{"detail": {"state": ["failed", {"prefix": "abort"}]}}"#)?;
    /// let explanation = pattern.explain(r#"{"detail": {"state": "running"}}"#)?;
    /// assert_eq!(
    ///     explanation.to_string(),
    ///     r#"detail.state: expected one of "failed", starting with "abort", found string"#
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Pattern::matches`].
    pub fn explain(&self, event: impl AsRef<[u8]>) -> Result<MatchExplanation, EventFormatError> {
        let flat = flatten_event(event.as_ref(), &self.compiled.paths)?;
        if self.compiled.matches(&flat) {
            return Ok(MatchExplanation::Matches);
        }
        Ok(explain_mismatch(&self.compiled, &flat))
    }

    /// The pattern as compact JSON: its text without white space outside strings, and without what follows it. Deploy this.
    pub fn minified(&self) -> &str {
        &self.minified
    }

    /// The number of characters of [`Pattern::minified`], which EventBridge limits to [`MAX_PATTERN_CHARACTERS`].
    pub fn minified_length(&self) -> usize {
        self.minified.chars().count()
    }

    /// Whether the pattern looks at a field, given as a dotted path, or at any field below it.
    ///
    /// ```
    /// use eventbridge_pattern::Pattern;
    ///
    /// let pattern = Pattern::parse(r#"{"detail": {"user": {"name": ["root"]}}}"#)?;
    /// assert!(pattern.mentions("detail.user"));
    /// assert!(!pattern.mentions("detail.user.na"));
    /// # Ok::<(), eventbridge_pattern::PatternError>(())
    /// ```
    pub fn mentions(&self, path: &str) -> bool {
        for field in &self.compiled.fields {
            if let Some(rest) = field.path.strip_prefix(path.as_bytes())
                && matches!(rest, [] | [b'.', ..])
            {
                return true;
            }
        }
        false
    }

    /// The compiled form, for a set.
    pub(crate) fn into_compiled(self) -> CompiledPattern {
        self.compiled
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}
