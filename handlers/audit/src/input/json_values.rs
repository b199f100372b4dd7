//! Finds the JSON values that follow each other in some bytes, such as the lines of a table's export.

use super::json_scan::{self, BrokenValue};
use super::scan_budget::ScanBudget;

/// Hands every object and list in some bytes to `sink`, with its position, until the sink returns `false`.
///
/// A value is its bytes, or one phrase about why it cannot be read. After a broken value the scan goes on with the next
/// line. Further problems before the next line that holds a value belong to the broken value and are not reported.
pub(crate) fn scan_values<'b>(
    bytes: &'b [u8],
    sink: &mut dyn FnMut(usize, Result<&'b [u8], &'static str>) -> bool,
) {
    let mut budget = ScanBudget::for_input(bytes);
    let mut is_recovering = false;
    let mut at = json_scan::skip_space(bytes, 0);
    while let Some(byte) = bytes.get(at) {
        let wants_more;
        let next;
        match find_value(bytes, at, *byte) {
            // A comma between two values.
            Ok(None) => {
                wants_more = true;
                next = at + 1;
            }
            Ok(Some(end)) => {
                is_recovering &= !json_scan::begins_line(bytes, at);
                wants_more = sink(at, bytes.get(at..end).ok_or("cut"));
                next = end;
            }
            Err(broken) => {
                budget.charge(broken.at - at);
                wants_more = is_recovering || sink(at, Err(broken.why));
                is_recovering = true;
                next = json_scan::find_next_line(bytes, at);
            }
        }
        if !wants_more {
            return;
        }
        if budget.is_spent() {
            sink(at, Err("too much of this input is broken; the rest was not read"));
            return;
        }
        at = json_scan::skip_space(bytes, next);
    }
}

/// Returns the end of the object or list at `at`; `None` if a comma stands there.
fn find_value(bytes: &[u8], at: usize, first: u8) -> Result<Option<usize>, BrokenValue> {
    match first {
        b'{' | b'[' => json_scan::find_value_end(bytes, at).map(Some),
        b',' => Ok(None),
        _ => Err(BrokenValue { at, why: "neither an object nor a list", ends_at_line: false }),
    }
}
