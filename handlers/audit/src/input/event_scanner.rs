//! Finds the events in the content of a file: streams, trail files, `LookupEvents` output, and any mix of them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::str;

use eventbridge_pattern::json::parse_value;
use serde_json::Value;

use super::content_form::ContentForm;
use super::content_tally::ContentTally;
use super::envelope::wrap_record;
use super::event_origin::EventOrigin;
use super::input_kind::{ObjectKind, find_event_list};
use super::input_problem::ContentProblem;
use super::json_scan::{self, BrokenValue};
use super::object_head::ObjectHead;
use super::opened_value::{may_be_json, open_value, row_to_json};
use super::record_repair::repair_record;
use super::scan_budget::ScanBudget;
use super::table_reader::TableReader;

/// One event that was found, as the text of an EventBridge event.
#[derive(Debug)]
pub struct FoundEvent<'a> {
    /// The position at which it starts, in bytes from the start of the content.
    pub offset: usize,
    /// The event. A bare CloudTrail record has been given its envelope, a reshaped one its own shape.
    pub text: Cow<'a, str>,
    /// Where and when it happened.
    pub origin: EventOrigin,
}

/// The next thing in the content: an event, or a part that could not be read.
pub type FoundResult<'a> = Result<FoundEvent<'a>, ContentProblem>;

/// Finds every event in `bytes` and hands each to `sink`, in the order of the content.
///
/// It understands EventBridge events, one or many, one a line or not, or in a list; CloudTrail files
/// (`{"Records":[…]}`); `LookupEvents` output (`{"Events":[{"CloudTrailEvent":"…"}]}`); bare records; messages of SQS and
/// SNS with an event in them; lists and lines of strings that hold one each; CloudWatch Logs, Logs Insights, CloudTrail
/// Lake, Athena, Splunk and Elasticsearch, as rows, answers, hits and tables. A part that cannot be read is handed over as
/// a [`ContentProblem`] and hides no other event. Returns what else was found.
pub fn find_events<'a>(bytes: &'a [u8], sink: &mut dyn FnMut(FoundResult<'a>)) -> ContentTally {
    scan_content(bytes, 0, sink)
}

/// How many messages may be nested in each other: `LookupEvents`, or SNS in SQS, or log data in Kinesis, and one more.
const NESTED_MESSAGES_MAX: usize = 4;

/// How many problems of one content are reported. The last report says that further ones are not.
const REPORTED_PROBLEMS_MAX: usize = 1_000;

const UNKNOWN_OBJECT: &str = "an object that is neither an EventBridge event nor a CloudTrail record (neither `detail-type` nor `eventName`)";

pub(super) const NO_OBJECT_IN_LIST: &str = "expected an object in this list";

const NO_VALUE: &str = "neither an object nor a list of objects";

fn scan_content<'a>(bytes: &'a [u8], depth: usize, sink: &mut dyn FnMut(FoundResult<'a>)) -> ContentTally {
    let budget = ScanBudget::for_input(bytes);
    let tally = ContentTally::default();
    let mut scanner = EventScanner { bytes, depth, budget, problems: 0, is_recovering: false, tally, sink };
    match ContentForm::detect(bytes) {
        ContentForm::Json => {
            if json_scan::skip_space(bytes, 0) == bytes.len() {
                scanner.report_problem(0, "the input is empty");
            }
            scanner.scan_values();
        }
        ContentForm::Table(delimiter) => scanner.scan_table(delimiter),
        ContentForm::Beside(kind) => scanner.tally.count_beside(kind),
        ContentForm::Refused(reason) => scanner.report_problem(0, reason),
    }
    scanner.finish()
}

/// The scanner of one content.
pub(super) struct EventScanner<'a, 's> {
    pub(super) bytes: &'a [u8],
    /// How many messages the content is nested in.
    depth: usize,
    /// How many bytes the scanner may still visit again after something broken.
    pub(super) budget: ScanBudget,
    /// How many problems there were, reported or not.
    pub(super) problems: usize,
    /// Whether the last value was broken. A further problem may then be a part of the same value, such as an inner
    /// object of a torn record, and is not reported unless it begins a line.
    pub(super) is_recovering: bool,
    /// What was found beside events.
    tally: ContentTally,
    sink: &'s mut dyn FnMut(FoundResult<'a>),
}

impl<'t> EventScanner<'t, '_> {
    /// Reports the objects of other products, one problem for each product.
    fn finish(mut self) -> ContentTally {
        for (reason, refused) in self.tally.take_refused() {
            self.is_recovering = false;
            let objects = if refused.count == 1 { "object" } else { "objects" };
            self.report_problem(refused.offset, format!("{} {objects}: {reason}", refused.count));
        }
        self.tally
    }

    /// Reports a problem, unless it is a part of one that was reported before.
    pub(super) fn report_problem(&mut self, offset: usize, reason: impl Into<String>) {
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
                b'"' => self.scan_string(at, NO_VALUE),
                b',' => at + 1,
                // A bracket that closes a list which a broken element has cut in two.
                b']' | b'}' if self.problems > 0 => at + 1,
                _ => self.scan_line(at),
            };
            if self.budget.is_spent() {
                self.is_recovering = false;
                self.report_problem(at, "too much of this input is broken; the rest was not read");
                return;
            }
        }
    }

    /// Scans a line that begins with something else than JSON: a line of a log, with the JSON behind its time, or nothing
    /// that can be read. Returns the start of the next line.
    fn scan_line(&mut self, at: usize) -> usize {
        if let Some(start) = json_scan::find_logged_value(self.bytes, at) {
            let end = self.scan_value(start);
            return json_scan::find_next_line(self.bytes, end.saturating_sub(1));
        }
        self.report_problem(at, NO_VALUE);
        self.is_recovering = true;
        json_scan::find_next_line(self.bytes, at)
    }

    /// Scans the string at `start`, which may hold the text of an event. `other` is the problem if it does not. Returns
    /// the position at which to go on.
    fn scan_string(&mut self, start: usize, other: &str) -> usize {
        let end = match json_scan::find_string_end(self.bytes, start) {
            Ok(end) => end,
            Err(broken) => {
                self.budget.charge(broken.at - start);
                return self.skip_broken_value(start, broken);
            }
        };
        match self.parse_slice(start, end) {
            Some(Value::String(text)) if may_be_json(&text) && self.depth < NESTED_MESSAGES_MAX => {
                self.scan_message(start, &text);
            }
            _ => self.report_problem(start, other),
        }
        end
    }

    /// Scans a list within a list: a row of a query's answer, or a list of events. Returns whether it holds any.
    fn scan_inner_value(&mut self, start: usize, end: usize) -> bool {
        if self.depth >= NESTED_MESSAGES_MAX {
            return false;
        }
        let Some(value) = self.parse_slice(start, end) else { return false };
        let texts = open_value(&value);
        for text in &texts {
            self.scan_message(start, text);
        }
        !texts.is_empty()
    }

    fn parse_slice(&self, start: usize, end: usize) -> Option<Value> {
        let text = str::from_utf8(self.bytes.get(start..end)?).ok()?;
        parse_value(text).ok()
    }

    /// Scans the rows of a table. Each becomes an object with the names of the header.
    fn scan_table(&mut self, delimiter: u8) {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.bytes);
        let mut reader = TableReader::new(bytes, delimiter);
        let mut header: Option<Vec<String>> = None;
        while let Some(row) = reader.next_row() {
            match (row, &header) {
                (Ok((_, cells)), None) => header = Some(cells),
                (Ok((start, cells)), Some(names)) if cells.len() == names.len() => {
                    self.scan_message(start, &row_to_json(names, &cells));
                }
                (Ok((start, _)), _) => self.report_problem(start, "a row with other cells than the header"),
                (Err(start), _) => self.report_problem(start, "a row that does not end"),
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
                    self.scan_element(first, at, end);
                    end
                }
            };
        }
    }

    /// Scans one whole element of a list: an event, the text of one, or a row.
    pub(super) fn scan_element(&mut self, first: u8, start: usize, end: usize) {
        match first {
            b'{' => self.scan_object(start, end),
            b'"' => {
                self.scan_string(start, NO_OBJECT_IN_LIST);
            }
            b'[' if self.scan_inner_value(start, end) => {}
            _ => self.report_problem(start, NO_OBJECT_IN_LIST),
        }
    }

    /// Reports a value that does not end and is no list. Returns the position at which the next one may start.
    fn skip_broken_value(&mut self, start: usize, broken: BrokenValue) -> usize {
        self.report_problem(start, broken.describe());
        self.is_recovering = true;
        json_scan::find_next_line(self.bytes, start)
    }

    /// Scans one whole object: an event, a record, or something with events in it.
    pub(super) fn scan_object(&mut self, start: usize, end: usize) {
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
        match ObjectKind::detect(&head, bytes, start, end) {
            ObjectKind::Event => self.hand_over_event(start, text, head),
            ObjectKind::BareRecord => self.hand_over_record(start, text, head),
            ObjectKind::EventList(list) => self.scan_list(list),
            ObjectKind::Message if self.depth < NESTED_MESSAGES_MAX => {
                let (_, text) = head.message_text.unwrap_or_default();
                self.scan_message(start, &text);
            }
            ObjectKind::Beside(kind) => self.tally.count_beside(kind),
            ObjectKind::Refused(reason) => self.tally.count_refused(reason, start),
            ObjectKind::Message | ObjectKind::Unknown => {
                if self.scan_inner_value(start, end) {
                    return;
                }
                match ObjectKind::explain_unknown(&head) {
                    Some(reason) => self.tally.count_refused(reason, start),
                    None => self.report_problem(start, UNKNOWN_OBJECT),
                }
            }
        }
    }

    fn hand_over_event(&mut self, offset: usize, text: &'t str, head: ObjectHead) {
        let repaired = if head.is_reshaped { repair_record(text) } else { None };
        let text = match repaired {
            Some(repaired) => Cow::Owned(repaired),
            None => Cow::Borrowed(text),
        };
        self.is_recovering = false;
        (self.sink)(Ok(FoundEvent { offset, text, origin: EventOrigin::of_event(head) }));
    }

    /// Hands over a bare record in an envelope. A reshaped one is repaired first, and read again.
    fn hand_over_record(&mut self, offset: usize, text: &str, head: ObjectHead) {
        let repaired = if head.is_reshaped { repair_record(text) } else { None };
        let (text, head) = match &repaired {
            Some(repaired) => (repaired.as_str(), ObjectHead::parse(repaired).unwrap_or(head)),
            None => (text, head),
        };
        let event = Cow::Owned(wrap_record(text, &head));
        self.is_recovering = false;
        (self.sink)(Ok(FoundEvent { offset, text: event, origin: EventOrigin::of_record(head) }));
    }

    /// Scans the text of a message. Its events and problems get the position of the message.
    fn scan_message(&mut self, offset: usize, text: &str) {
        let sink = &mut *self.sink;
        let tally = scan_content(text.as_bytes(), self.depth + 1, &mut |found| {
            sink(match found {
                Ok(event) => {
                    Ok(FoundEvent { offset, text: Cow::Owned(event.text.into_owned()), origin: event.origin })
                }
                Err(problem) => Err(ContentProblem {
                    offset,
                    reason: format!("in the text that this object holds: {problem}"),
                }),
            });
        });
        self.tally.add_inner(tally);
        self.is_recovering = false;
    }
}
