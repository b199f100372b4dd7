//! Narrowing patterns: the `where` and `unless` of responses and exceptions.

use eventbridge_pattern::Pattern;
use serde_json::Value;

/// The object with the enrichment of an event, which no event of EventBridge has.
pub(super) const ENRICHMENT_FIELD: &str = "derived";
/// The attribute that follows from what the task definitions of a role refer to.
const LAUNCH_PATH: &str = "derived.caller.launch";

/// The place of a narrowing pattern among those that are matched in one pass.
#[derive(Clone, Copy, Debug)]
pub(super) enum NarrowingIndex {
    /// Among the patterns that look at the event alone.
    Event(usize),
    /// Among the patterns that also look at the enrichment.
    Enriched {
        /// The index.
        index: usize,
        /// Whether the pattern looks at `derived.caller.launch`.
        looks_at_launch: bool,
    },
}

/// The narrowing patterns while rules are parsed.
#[derive(Default)]
pub(super) struct NarrowingPatterns {
    /// How many patterns the rules have: the narrowing patterns come behind them.
    rule_count: usize,
    pub(super) event_patterns: Vec<Pattern>,
    pub(super) enriched_patterns: Vec<Pattern>,
}

impl NarrowingPatterns {
    pub(super) fn new(rule_count: usize) -> Self {
        Self { rule_count, ..Self::default() }
    }

    /// Adds a pattern as it is written.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn add(&mut self, pattern: &Value) -> Result<NarrowingIndex, String> {
        let pattern = Pattern::parse(&pattern.to_string()).map_err(|error| error.to_string())?;
        if pattern.mentions(ENRICHMENT_FIELD) {
            let index = self.enriched_patterns.len();
            let looks_at_launch = pattern.mentions(LAUNCH_PATH);
            self.enriched_patterns.push(pattern);
            Ok(NarrowingIndex::Enriched { index, looks_at_launch })
        } else {
            let index = self.rule_count + self.event_patterns.len();
            self.event_patterns.push(pattern);
            Ok(NarrowingIndex::Event(index))
        }
    }
}
