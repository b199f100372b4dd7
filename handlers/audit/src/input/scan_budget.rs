//! A limit on repeated work: scanning after a broken value may visit the same bytes again, but not without end.

/// How often the scanner may visit each byte of the input again, on average.
const VISITS_PER_BYTE: usize = 16;

/// Repeated visits that every input may have, however short it is.
const FREE_VISITS_BYTES: usize = 1 << 20;

/// The bytes that the scanner may still visit again.
///
/// An input that was made to be slow, such as 100,000 lines of `{"a":`, would otherwise take quadratic time.
#[derive(Debug)]
pub(super) struct ScanBudget {
    bytes_left: usize,
}

impl ScanBudget {
    /// The budget of an input of this length.
    pub(super) fn for_input(bytes: &[u8]) -> Self {
        Self { bytes_left: bytes.len().saturating_mul(VISITS_PER_BYTE).saturating_add(FREE_VISITS_BYTES) }
    }

    /// Takes bytes that the scanner may visit again off the budget.
    pub(super) fn charge(&mut self, bytes: usize) {
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
    }

    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.bytes_left == 0
    }
}
