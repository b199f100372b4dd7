//! Counts as numbers to multiply.

/// A count as a number to multiply.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn to_float(count: u64) -> f64 {
    count as f64
}
