//! The ids of rules, responses and exceptions.

/// The form of an id, for problems.
pub(super) const RULE_ID_FORMAT: &str = "an id is lower-case letters, digits and hyphens, at most 64";

const RULE_ID_MAX_BYTES: usize = 64;

/// Whether a text is an id.
pub(super) fn is_rule_id(id: &str) -> bool {
    (1..=RULE_ID_MAX_BYTES).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !id.starts_with('-')
}
