//! Finds the events in the content of a file: streams, trail files, `LookupEvents` output, and any mix of them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::str;

use super::envelope::wrap_record;
use super::input_kind::{ObjectKind, find_event_list};
use super::input_problem::ContentProblem;
use super::json_scan::{self, BrokenValue};
use super::object_head::ObjectHead;
use super::record_repair::repair_record;
use super::scan_budget::ScanBudget;

/// One event that was found, as the text of an EventBridge event.
#[derive(Debug)]
pub struct FoundEvent<'a> {
    /// The position at which it starts, in bytes from the start of the content.
    pub offset: usize,
    /// The event. A bare CloudTrail record has been given its envelope.
    pub text: Cow<'a, str>,
}

/// The next thing in the content: an event, or a part that could not be read.
pub type FoundResult<'a> = Result<FoundEvent<'a>, ContentProblem>;

/// Finds every event in `bytes` and hands each to `sink`, in the order of the content.
///
/// It understands EventBridge events, one or many, one a line or not, or in a list; CloudTrail files
/// (`{"Records":[…]}`); `LookupEvents` output (`{"Events":[{"CloudTrailEvent":"…"}]}`); bare records; and messages of
/// SQS and SNS with an event in them. A part that cannot be read is handed over as a [`ContentProblem`] and hides no
/// other event.
pub fn find_events<'a>(bytes: &'a [u8], sink: &mut dyn FnMut(FoundResult<'a>)) {
    scan_content(bytes, 0, sink);
}

/// How many messages may be nested in each other: `LookupEvents`, or SNS in SQS, and one more.
const NESTED_MESSAGES_MAX: usize = 3;

/// How many problems of one content are reported. The last report says that further ones are not.
const REPORTED_PROBLEMS_MAX: usize = 1_000;

const UNKNOWN_OBJECT: &str = "an object that is neither an EventBridge event nor a CloudTrail record (neither `detail-type` nor `eventName`)";

const NO_TIME: &str = "an event without a time that can be read; it cannot be counted with others";

fn scan_content<'a>(bytes: &'a [u8], depth: usize, sink: &mut dyn FnMut(FoundResult<'a>)) {
    let budget = ScanBudget::for_input(bytes);
    let mut scanner = EventScanner { bytes, depth, budget, problems: 0, is_recovering: false, sink };
    if json_scan::skip_space(bytes, 0) == bytes.len() {
        scanner.report_problem(0, "the input is empty");
    }
    scanner.scan_values();
}

struct EventScanner<'a, 's> {
    bytes: &'a [u8],
    /// How many messages the content is nested in.
    depth: usize,
    /// How many bytes the scanner may still visit again after something broken.
    budget: ScanBudget,
    /// How many problems there were, reported or not.
    problems: usize,
    /// Whether the last value was broken. A further problem may then be a part of the same value, such as an inner
    /// object of a torn record, and is not reported unless it begins a line.
    is_recovering: bool,
    sink: &'s mut dyn FnMut(FoundResult<'a>),
}

impl EventScanner<'_, '_> {
    /// Reports a problem, unless it is a part of one that was reported before.
    fn report_problem(&mut self, offset: usize, reason: impl Into<String>) {
        if self.is_recovering && !json_scan::begins_line(self.bytes, offset) {
            return;
        }
        self.problems += 1;
        let reason = match self.problems.cmp(&REPORTED_PROBLEMS_MAX) {
            Ordering::Less => reason.into(),
            Ordering::Equal => "a thousand problems in this input; further ones are not reported".to_owned(),
            Ordering::Greater => return,
        };
        (self.sink)(Err(ContentProblem { offset, reason }));
    }

    /// Scans the whole content, one value after the other.
    fn scan_values(&mut self) {
        let mut at = 0;
        loop {
            at = json_scan::skip_space(self.bytes, at);
            let Some(&byte) = self.bytes.get(at) else { return };
            at = match byte {
                b'{' | b'[' => self.scan_value(at),
                b',' => at + 1,
                // A bracket that closes a list which a broken element has cut in two.
                b']' | b'}' if self.problems > 0 => at + 1,
                _ => {
                    self.report_problem(at, "neither an object nor a list of objects");
                    self.is_recovering = true;
                    json_scan::find_next_line(self.bytes, at)
                }
            };
            if self.budget.is_spent() {
                self.is_recovering = false;
                self.report_problem(at, "too much of this input is broken; the rest was not read");
                return;
            }
        }
    }

    /// Scans the object or list at `start`. Returns the position at which to go on.
    fn scan_value(&mut self, start: usize) -> usize {
        match json_scan::find_value_end(self.bytes, start) {
            Ok(end) => {
                match self.find_list(start, end) {
                    Some(list) => self.scan_list(list),
                    None => self.scan_object(start, end),
                }
                end
            }
            Err(broken) => {
                self.budget.charge(broken.at - start);
                match self.find_list(start, broken.at) {
                    Some(list) => self.scan_torn_list(list, broken),
                    None => self.skip_broken_value(start, broken),
                }
            }
        }
    }

    /// Returns the position of the list of events in a value, if it holds one.
    fn find_list(&mut self, start: usize, end: usize) -> Option<usize> {
        match find_event_list(self.bytes, start, end) {
            Ok(list) => list,
            Err((member, broken)) => {
                self.budget.charge(broken.at.saturating_sub(member));
                None
            }
        }
    }

    /// Scans the elements of a list that is known to end.
    fn scan_list(&mut self, start: usize) {
        let mut at = start + 1;
        loop {
            at = json_scan::skip_space(self.bytes, at);
            at = match self.bytes.get(at) {
                Some(b',') => at + 1,
                Some(b']') | None => return,
                Some(&first) => {
                    let end = json_scan::skip_value(self.bytes, at).unwrap_or(at + 1);
                    if first == b'{' {
                        self.scan_object(at, end);
                    } else {
                        self.report_problem(at, "expected an object in this list");
                    }
                    end
                }
            };
        }
    }

    /// Scans the elements of a list that a broken element has torn. Returns the position at which to go on.
    ///
    /// After a broken element the scanner looks for the next object that is an event. In
    /// `{"Records":[{A},{"eventName":["x"},{B}]}` the second element is broken; `A` and `B` are found all the same.
    fn scan_torn_list(&mut self, start: usize, broken: BrokenValue) -> usize {
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
                Some(b'{') => at = self.scan_torn_element(at, limit),
                _ => {
                    self.report_problem(at, "expected an object in this list");
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

    /// Scans one object of a torn list. Returns the position at which to go on.
    fn scan_torn_element(&mut self, start: usize, limit: usize) -> usize {
        match json_scan::find_value_end(self.bytes, start) {
            Ok(end) => {
                self.scan_object(start, end);
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

    /// Reports a value that does not end and is no list. Returns the position at which the next one may start.
    fn skip_broken_value(&mut self, start: usize, broken: BrokenValue) -> usize {
        self.report_problem(start, broken.describe());
        self.is_recovering = true;
        json_scan::find_next_line(self.bytes, start)
    }

    /// Scans one whole object: an event, a record, or something with events in it.
    fn scan_object(&mut self, start: usize, end: usize) {
        let bytes = self.bytes;
        let text = match str::from_utf8(bytes.get(start..end).unwrap_or_default()) {
            Ok(text) => text,
            Err(error) => {
                // The problem has a position of its own, which never begins a line.
                self.is_recovering = false;
                return self.report_problem(start + error.valid_up_to(), "not UTF-8");
            }
        };
        let head = match ObjectHead::parse(text) {
            Ok(head) => head,
            Err(error) => {
                self.is_recovering = false;
                return self.report_problem(start + error.offset(), format!("not JSON: {}", error.kind()));
            }
        };
        let kind = ObjectKind::detect(&head, bytes, start, end);
        // An event with its record is decided as the functions decide it: as it is.
        let may_be_rewritten =
            matches!(kind, ObjectKind::BareRecord | ObjectKind::Unknown) || !head.envelope.detail;
        if may_be_rewritten && self.scan_rewritten_record(start, text) {
            return;
        }
        let event = match kind {
            ObjectKind::Event => Cow::Borrowed(text),
            ObjectKind::BareRecord => Cow::Owned(wrap_record(text, &head)),
            ObjectKind::EventList(list) => return self.scan_list(list),
            ObjectKind::Message if self.depth < NESTED_MESSAGES_MAX => {
                return self.scan_message(start, &head.message_text.unwrap_or_default());
            }
            ObjectKind::Message | ObjectKind::Unknown => {
                return self.report_problem(start, UNKNOWN_OBJECT);
            }
        };
        self.is_recovering = false;
        if kind == ObjectKind::BareRecord && !head.has_time(text) {
            self.report_problem(start, NO_TIME);
        }
        (self.sink)(Ok(FoundEvent { offset: start, text: event }));
    }

    /// Scans a record that a tool wrote in another way than CloudTrail. Returns whether it is one.
    fn scan_rewritten_record(&mut self, start: usize, text: &str) -> bool {
        let Some(repaired) = repair_record(text) else { return false };
        let Ok(head) = ObjectHead::parse(&repaired.text) else { return false };
        let event = match ObjectKind::detect(&head, repaired.text.as_bytes(), 0, repaired.text.len()) {
            ObjectKind::Event => repaired.text.clone(),
            ObjectKind::BareRecord => wrap_record(&repaired.text, &head),
            _ => return false,
        };
        self.is_recovering = false;
        if let Some(problem) = repaired.problem {
            self.report_problem(start, problem);
        }
        if !head.has_time(&repaired.text) {
            self.report_problem(start, NO_TIME);
        }
        (self.sink)(Ok(FoundEvent { offset: start, text: Cow::Owned(event) }));
        true
    }

    /// Scans the text of a message. Its events and problems get the position of the message.
    fn scan_message(&mut self, offset: usize, text: &str) {
        let sink = &mut *self.sink;
        scan_content(text.as_bytes(), self.depth + 1, &mut |found| {
            sink(match found {
                Ok(event) => Ok(FoundEvent { offset, text: Cow::Owned(event.text.into_owned()) }),
                Err(problem) => Err(ContentProblem {
                    offset,
                    reason: format!("in the text that this object holds: {problem}"),
                }),
            });
        });
        self.is_recovering = false;
    }
}
