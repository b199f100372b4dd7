//! Patterns, alone and in sets, and the events they are matched against.

use super::PatternError;
use super::compile::{Compiled, compile};
use super::explain::{Explanation, expectation, explain};
use super::flatten::{EventError, Flat, Leaf, flatten};
use super::matcher::{Field, Matcher};
use super::minify::minify;
use super::paths::Paths;
use super::search::{Candidates, satisfiable};
use crate::json::{JsonError, Reader};

/// The longest pattern, in characters, that a rule may have (default quota of `EventBridge`; white space counts).
pub const MAX_LEN: usize = 2048;

/// One event pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    compiled: Compiled,
    minified: String,
}

impl Pattern {
    /// Reads a pattern. Text behind its closing brace is ignored, as `EventBridge` does; its length is not checked.
    ///
    /// # Errors
    /// Whatever the API of `EventBridge` refuses, in its words: text that is not JSON, unknown or malformed match expressions,
    /// empty objects and arrays, more than 1000 combinations of `$or`, wildcards above the complexity limit.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let compiled = compile(text)?;
        let minified = minify(text.get(..compiled.end).unwrap_or(text));
        Ok(Self { compiled, minified })
    }

    /// Whether the pattern matches an event.
    pub fn matches(&self, event: &Event<'_>) -> bool {
        // The event has been read once without error.
        flatten(event.source, &self.compiled.paths)
            .is_ok_and(|flat| self.compiled.matches(&flat, |field| &flat.leaves[field.slot]))
    }

    /// Why the pattern matches an event or does not. Never repeats a value of the event.
    pub fn explain(&self, event: &Event<'_>) -> Explanation {
        match flatten(event.source, &self.compiled.paths) {
            Ok(flat) if !self.compiled.matches(&flat, |field| &flat.leaves[field.slot]) => {
                explain(&self.compiled, &flat)
            }
            _ => Explanation::Matched,
        }
    }

    /// The pattern as compact JSON: its text without white space outside strings. This is what to deploy; its number of
    /// characters counts against [`MAX_LEN`].
    pub fn minified(&self) -> &str {
        &self.minified
    }

    /// The number of characters of [`Pattern::minified`].
    pub fn minified_len(&self) -> usize {
        self.minified.chars().count()
    }

    /// The fields in the order of the pattern: dotted path, and each matcher in words.
    pub fn leaves(&self) -> impl Iterator<Item = (String, Vec<String>)> + '_ {
        self.compiled.used().map(|field| {
            (
                String::from_utf8_lossy(&field.path).into_owned(),
                field.matchers.iter().map(Matcher::describe).collect(),
            )
        })
    }

    /// Whether a field of it is this one (a dotted path), or lies below it.
    pub fn mentions(&self, path: &str) -> bool {
        let below = |field: &Field| {
            let rest = field.path.strip_prefix(path.as_bytes());
            rest.is_some_and(|rest| rest.first().is_none_or(|next| *next == b'.'))
        };
        self.compiled.fields.iter().any(below)
    }

    /// What each field asks for, in one phrase: dotted path, and words such as `one of "a", "b"`.
    pub fn expectations(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.compiled
            .used()
            .map(|field| (String::from_utf8_lossy(&field.path).into_owned(), expectation(field)))
    }
}

/// An event that is known to be a JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    source: &'a str,
}

impl<'a> Event<'a> {
    /// Checks an event.
    ///
    /// # Errors
    /// It is not UTF-8, not JSON, or not an object. Text behind the object is ignored.
    pub fn read(bytes: &'a [u8]) -> Result<Self, EventError> {
        let source = utf8(bytes)?;
        flatten(source, &Paths::default())?;
        Ok(Self { source })
    }

    /// The event's text.
    pub fn text(&self) -> &'a str {
        self.source
    }
}

/// Patterns that are matched together: each alone counts, but the event is read once.
#[derive(Clone, Debug, Default)]
pub struct PatternSet {
    patterns: Vec<Compiled>,
    /// The paths of all patterns; the fields' slots are those of this tree.
    paths: Paths,
}

impl PatternSet {
    /// A set; the patterns are known by their index.
    pub fn new(patterns: Vec<Pattern>) -> Self {
        let mut set = Self::default();
        for Pattern { mut compiled, .. } in patterns {
            for field in &mut compiled.fields {
                field.slot = set.paths.insert(&field.path);
            }
            set.patterns.push(compiled);
        }
        set
    }

    /// The indices of the patterns that match an event, ascending.
    ///
    /// # Errors
    /// The event is not UTF-8, not JSON, or not an object.
    pub fn matches(&self, event: &[u8]) -> Result<Vec<usize>, EventError> {
        let flat = flatten(utf8(event)?, &self.paths)?;
        let matching = |pattern: &Compiled| pattern.matches(&flat, |field| &flat.leaves[field.slot]);
        Ok(self
            .patterns
            .iter()
            .enumerate()
            .filter(|(_, pattern)| matching(pattern))
            .map(|(index, _)| index)
            .collect())
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, JsonError> {
    // The reader words the error.
    Reader::from_bytes(bytes).map(|reader| reader.source())
}

impl Compiled {
    /// Whether some alternative holds.
    fn matches<'f, 'e: 'f>(&self, flat: &'f Flat<'e>, leaves: impl Fn(&Field) -> &'f [Leaf<'e>]) -> bool {
        // Without arrays of objects, fields do not depend on each other.
        let alone = |alternative: &&Vec<usize>| {
            alternative
                .iter()
                .all(|index| self.holds_alone(&self.fields[*index], leaves(&self.fields[*index])))
        };
        let mut candidates = self.alternatives.iter().filter(alone);
        if flat.tree.elements.len() == 1 {
            return candidates.next().is_some();
        }
        candidates.any(|alternative| {
            let found: Vec<Candidates> = alternative
                .iter()
                .map(|index| self.candidates(&self.fields[*index], leaves(&self.fields[*index])))
                .collect();
            satisfiable(&found.iter().collect::<Vec<_>>(), &flat.tree)
        })
    }

    /// Whether a field could hold if it were the only one.
    pub(super) fn holds_alone(&self, field: &Field, leaves: &[Leaf<'_>]) -> bool {
        if self.visible(leaves).any(|leaf| field.accepts(leaf)) {
            return true;
        }
        // In arrays a field can be absent from the element at hand.
        field.may_be_absent() && self.visible(leaves).all(|leaf| leaf.element != 0)
    }

    fn candidates(&self, field: &Field, leaves: &[Leaf<'_>]) -> Candidates {
        let mut matching: Vec<u32> =
            self.visible(leaves).filter(|leaf| field.accepts(leaf)).map(|leaf| leaf.element).collect();
        let mut present: Vec<u32> = self.visible(leaves).map(|leaf| leaf.element).collect();
        for elements in [&mut matching, &mut present] {
            elements.sort_unstable();
            elements.dedup();
        }
        Candidates { matching, present, absent: field.may_be_absent() }
    }

    fn visible<'f, 'e: 'f>(&'f self, leaves: &'f [Leaf<'e>]) -> impl Iterator<Item = &'f Leaf<'e>> {
        leaves.iter().filter(|leaf| self.empty_steps || !leaf.empty_step)
    }

    /// The fields that some alternative uses; a field whose path comes again is not.
    fn used(&self) -> impl Iterator<Item = &Field> {
        let used = |index: &usize| self.alternatives.iter().any(|alternative| alternative.contains(index));
        (0..self.fields.len()).filter(used).map(|index| &self.fields[index])
    }
}
