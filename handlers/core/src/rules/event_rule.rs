//! One rule: a pattern file.

use eventbridge_pattern::Pattern;

use super::handler::Handler;

/// One EventBridge rule: a pattern file.
#[derive(Debug)]
pub struct EventRule {
    /// The file's name without `.json`.
    pub id: String,
    /// The folder, and so the function that gets its events.
    pub handler: Handler,
    /// The pattern.
    pub pattern: Pattern,
}
