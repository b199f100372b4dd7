//! Finds the whole events in a list that a broken element has torn.

use super::event_scanner::{EventScanner, NO_OBJECT_IN_LIST};
use super::input_kind::ObjectKind;
use super::json_scan::{self, BrokenValue};
use super::object_head::ObjectHead;

impl EventScanner<'_, '_> {
    /// Scans the elements of a list that a broken element has torn. Returns the position at which to go on.
    ///
    /// After a broken element the scanner looks for the next object that is an event. In
    /// `{"Records":[{A},{"eventName":["x"},{B}]}` the second element is broken; `A` and `B` are found all the same.
    pub(super) fn scan_torn_list(&mut self, start: usize, broken: BrokenValue) -> usize {
        let limit = if broken.ends_at_line { broken.at } else { self.bytes.len() };
        let problems_before = self.problems;
        let mut at = start + 1;
        while !self.budget.is_spent() {
            at = json_scan::skip_space(self.bytes, at);
            if at >= limit {
                break;
            }
            match self.bytes.get(at) {
                Some(b',') => at += 1,
                Some(b']') => {
                    at += 1;
                    break;
                }
                Some(first @ (b'{' | b'[' | b'"')) => at = self.scan_torn_element(*first, at, limit),
                _ => {
                    self.report_problem(at, NO_OBJECT_IN_LIST);
                    self.is_recovering = true;
                    at = self.find_next_event(at, limit);
                }
            }
        }
        if self.problems == problems_before {
            self.report_problem(start, broken.describe());
        }
        // The rest of the object that holds the list belongs to the same problem.
        self.is_recovering = true;
        at.min(limit)
    }

    /// Scans one element of a torn list. Returns the position at which to go on.
    fn scan_torn_element(&mut self, first: u8, start: usize, limit: usize) -> usize {
        match json_scan::skip_value(self.bytes, start) {
            Ok(end) => {
                self.scan_element(first, start, end);
                end
            }
            Err(broken) => {
                self.budget.charge(broken.at - start);
                self.report_problem(start, broken.describe());
                self.is_recovering = true;
                self.find_next_event(start + 1, limit)
            }
        }
    }

    /// Returns the position of the next object that is an event or holds some, after a broken one; `limit` if there is
    /// none. Objects that are nested in the broken one look like elements of the list, too.
    fn find_next_event(&mut self, mut at: usize, limit: usize) -> usize {
        while !self.budget.is_spent() {
            let Some(start) = json_scan::find_next_object(self.bytes, at, limit) else { break };
            match json_scan::find_value_end(self.bytes, start) {
                Ok(end) => {
                    if self.may_hold_events(start, end) {
                        return start;
                    }
                    at = end - 1;
                }
                Err(broken) => {
                    self.budget.charge(broken.at - start);
                    at = start + 1;
                }
            }
        }
        limit
    }

    /// Whether a whole object is an event or may hold some.
    fn may_hold_events(&self, start: usize, end: usize) -> bool {
        let slice = self.bytes.get(start..end).unwrap_or_default();
        // An object that is no JSON inside may still hold a list of events that are.
        let mut head = ObjectHead::default();
        if let Ok(text) = str::from_utf8(slice)
            && let Ok(found) = ObjectHead::parse(text)
        {
            head = found;
        }
        ObjectKind::detect(&head, self.bytes, start, end) != ObjectKind::Unknown
    }
}
