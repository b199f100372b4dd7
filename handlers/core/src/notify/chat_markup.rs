//! The Markdown of chats: values from outside stand in code spans.

use crate::text::Untrusted;

/// The longest value in a code span, in characters.
const CODE_SPAN_MAX_CHARS: usize = 200;

/// Formats a value as a code span, without the characters that could end one or that Slack reads anywhere.
pub(super) fn format_code_span(value: &Untrusted) -> String {
    let shown = value.show(CODE_SPAN_MAX_CHARS).replace('`', "\\u{60}").replace('&', "\\u{26}");
    if shown.trim().is_empty() { "(empty)".to_owned() } else { format!("`{shown}`") }
}

/// Whether a text of ours is safe with its code spans: it has nothing that Slack reads anywhere, and every span ends.
pub(super) fn is_safe_with_code_spans(text: &str) -> bool {
    !text.is_empty() && !text.contains(['<', '>', '&']) && text.matches('`').count().is_multiple_of(2)
}

/// Whether a text has none of the characters that end a code span or that Slack reads anywhere.
pub(super) fn is_safe_in_code_span(text: &str) -> bool {
    !text.is_empty() && !text.contains(['`', '<', '>', '&'])
}
