//! Finds the events in what an auditor has: streams, trail files, `LookupEvents` output, any mix of them.

use std::borrow::Cow;
use std::str;

use super::envelope::wrap;
use super::record_head::RecordHead;
use super::scan::{self, BrokenValue};

/// One event that was found, as the text of an EventBridge event.
#[derive(Debug)]
pub struct FoundEvent<'a> {
    /// Where it starts, in bytes from the start of the input.
    pub offset: usize,
    /// The event; a bare CloudTrail record has been given its envelope.
    pub text: Cow<'a, str>,
}

/// A part of the input that could not be read. Holds nothing of the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {reason}")]
pub struct InputProblem {
    /// Where, in bytes from the start of the input.
    pub offset: usize,
    /// What is wrong.
    pub reason: String,
}

/// What was found next.
pub type FoundResult<'a> = Result<FoundEvent<'a>, InputProblem>;

/// Finds every event in `bytes` and hands each to `sink`, in the order of the input.
///
/// Understands EventBridge events, one or many, one a line or not, or in a list; CloudTrail files
/// (`{"Records":[…]}`); `LookupEvents` output (`{"Events":[{"CloudTrailEvent":"…"}]}`); bare records; and messages of
/// SQS and SNS with an event in them. What cannot be read is handed over as a [`InputProblem`] and costs nothing else.
pub fn read<'a>(bytes: &'a [u8], sink: &mut dyn FnMut(FoundResult<'a>)) {
    read_nested(bytes, 0, sink);
}

/// How deep events lie in the text of messages at the most: `LookupEvents`, or SNS in SQS, and one more.
const NESTED_MAX: usize = 3;
/// More problems of one input are not told one by one.
const PROBLEMS_MAX: usize = 1_000;

fn read_nested<'a>(bytes: &'a [u8], depth: usize, sink: &mut dyn FnMut(FoundResult<'a>)) {
    // Looking for the next event after a broken one may look at the same bytes again. An input made to be slow is
    // given up, with a problem that says so, when that has happened often.
    let budget = bytes.len().saturating_mul(16).saturating_add(1 << 20);
    let mut reader = EventScanner { bytes, depth, budget, problems: 0, recovering: false, sink };
    if scan::skip_space(bytes, 0) == bytes.len() {
        reader.problem(0, "the input is empty");
    }
    reader.stream();
}

struct EventScanner<'a, 's> {
    bytes: &'a [u8],
    depth: usize,
    budget: usize,
    problems: usize,
    /// After something broken: what cannot be read may be a part of it, not worth a problem of its own.
    recovering: bool,
    sink: &'s mut dyn FnMut(FoundResult<'a>),
}

impl EventScanner<'_, '_> {
    /// Tells a problem, unless it is a part of one that was told: a line of its own never is.
    fn problem(&mut self, offset: usize, reason: impl Into<String>) {
        let own_line = offset == 0 || self.bytes.get(offset - 1) == Some(&b'\n');
        if self.recovering && !own_line {
            return;
        }
        self.problems += 1;
        match self.problems.cmp(&PROBLEMS_MAX) {
            std::cmp::Ordering::Less => (self.sink)(Err(InputProblem { offset, reason: reason.into() })),
            std::cmp::Ordering::Equal => {
                let reason = "a thousand problems in this input; further ones are not told".to_owned();
                (self.sink)(Err(InputProblem { offset, reason }));
            }
            std::cmp::Ordering::Greater => {}
        }
    }

    /// Everything, one value after the other.
    fn stream(&mut self) {
        let mut at = 0;
        loop {
            at = scan::skip_space(self.bytes, at);
            let Some(&byte) = self.bytes.get(at) else { return };
            at = match byte {
                b'{' | b'[' => self.value(at),
                b',' => at + 1,
                // What closes a list that a broken element has cut in two.
                b']' | b'}' if self.problems > 0 => at + 1,
                _ => {
                    self.problem(at, "neither an object nor a list of objects");
                    self.recovering = true;
                    scan::next_line(self.bytes, at)
                }
            };
            if self.budget == 0 {
                self.recovering = false;
                self.problem(at, "too much of this input is broken; the rest was not read");
                return;
            }
        }
    }

    /// The object or list at `start`; returns where to go on.
    fn value(&mut self, start: usize) -> usize {
        match scan::value_end(self.bytes, start) {
            Ok(end) => {
                match self.list_in(start, end) {
                    Some(list) => self.list(list),
                    None => self.object(start, end),
                }
                end
            }
            Err(broken) => {
                self.charge(broken.at - start);
                match self.list_in(start, broken.at) {
                    Some(list) => self.torn_list(list, broken),
                    None => self.broken(start, broken),
                }
            }
        }
    }

    /// The list in `{"Records":[…]}`, wherever the key stands, or the value itself if it is one.
    fn list_in(&mut self, start: usize, end: usize) -> Option<usize> {
        let bytes = self.bytes.get(..end)?;
        if bytes.get(start) == Some(&b'[') {
            return Some(start);
        }
        let mut at = scan::skip_space(bytes, start + 1);
        while bytes.get(at) == Some(&b'"') {
            let key_end = scan::string_end(bytes, at).ok()?;
            let key = bytes.get(at + 1..key_end - 1)?;
            at = scan::skip_space(bytes, key_end);
            if bytes.get(at) != Some(&b':') {
                return None;
            }
            at = scan::skip_space(bytes, at + 1);
            if bytes.get(at) == Some(&b'[') && LISTS.contains(&key) {
                return Some(at);
            }
            match scan::skip_value(bytes, at) {
                Ok(next) => at = scan::skip_space(bytes, next),
                Err(broken) => {
                    self.charge(broken.at.saturating_sub(at));
                    return None;
                }
            }
            if bytes.get(at) != Some(&b',') {
                return None;
            }
            at = scan::skip_space(bytes, at + 1);
        }
        None
    }

    /// The elements of a list that is known to end.
    fn list(&mut self, start: usize) {
        let mut at = start + 1;
        loop {
            at = scan::skip_space(self.bytes, at);
            at = match self.bytes.get(at) {
                Some(b',') => at + 1,
                Some(b']') | None => return,
                Some(&first) => {
                    let end = scan::skip_value(self.bytes, at).unwrap_or(at + 1);
                    if first == b'{' {
                        self.object(at, end);
                    } else {
                        self.problem(at, "expected an object in this list");
                    }
                    end
                }
            };
        }
    }

    /// The elements of a list that something broken in it has torn; returns where to go on.
    fn torn_list(&mut self, start: usize, broken: BrokenValue) -> usize {
        let limit = if broken.at_line { broken.at } else { self.bytes.len() };
        let mut at = start + 1;
        let told = self.problems;
        while self.budget > 0 {
            at = scan::skip_space(self.bytes, at);
            if at >= limit {
                break;
            }
            match self.bytes.get(at) {
                Some(b',') => at += 1,
                Some(b']') => {
                    at += 1;
                    break;
                }
                Some(b'{') => match scan::value_end(self.bytes, at) {
                    Ok(end) => {
                        self.object(at, end);
                        at = end;
                    }
                    Err(broken) => {
                        self.charge(broken.at - at);
                        self.problem(at, format!("{} at byte {}", broken.why, broken.at));
                        self.recovering = true;
                        at = self.next_event(at + 1, limit);
                    }
                },
                _ => {
                    self.problem(at, "expected an object in this list");
                    self.recovering = true;
                    at = self.next_event(at, limit);
                }
            }
        }
        if self.problems == told {
            self.problem(start, format!("{} at byte {}", broken.why, broken.at));
        }
        // What is left of the list's object is no news.
        self.recovering = true;
        at.min(limit)
    }

    /// The next object that is an event, after a broken one: nested objects look like elements too.
    fn next_event(&mut self, mut at: usize, limit: usize) -> usize {
        while self.budget > 0 {
            let Some(start) = scan::next_object(self.bytes, at, limit) else { break };
            match scan::value_end(self.bytes, start) {
                Ok(end) => {
                    let text = self.bytes.get(start..end).and_then(|slice| str::from_utf8(slice).ok());
                    let head = text.and_then(|text| RecordHead::read(text).ok());
                    let known =
                        head.is_some_and(|head| head.is_event || head.is_record || head.inner.is_some());
                    if known || self.list_in(start, end).is_some() {
                        return start;
                    }
                    at = end - 1;
                }
                Err(broken) => {
                    self.charge(broken.at - start);
                    at = start + 1;
                }
            }
        }
        limit
    }

    /// A value of its own that does not end; returns where the next may start.
    fn broken(&mut self, start: usize, broken: BrokenValue) -> usize {
        self.problem(start, format!("{} at byte {}", broken.why, broken.at));
        self.recovering = true;
        scan::next_line(self.bytes, start)
    }

    /// Counts bytes that may be looked at again.
    fn charge(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_sub(bytes);
    }

    /// One whole object: an event, a record, or something with events in it.
    fn object(&mut self, start: usize, end: usize) {
        let slice = self.bytes.get(start..end).unwrap_or_default();
        let text = match str::from_utf8(slice) {
            Ok(text) => text,
            Err(error) => {
                // Told at its own place, which is never the start of a line.
                self.recovering = false;
                return self.problem(start + error.valid_up_to(), "not UTF-8");
            }
        };
        let head = match RecordHead::read(text) {
            Ok(head) => head,
            Err(error) => {
                self.recovering = false;
                return self.problem(start + error.offset(), format!("not JSON: {}", error.kind()));
            }
        };
        let text = if head.is_event {
            Cow::Borrowed(text)
        } else if head.is_record {
            Cow::Owned(wrap(text, &head))
        } else if let Some(list) = self.list_in(start, end) {
            return self.list(list);
        } else if let Some(inner) = head.inner.filter(|_| self.depth < NESTED_MAX) {
            return self.inner(start, &inner);
        } else {
            return self.problem(start, NO_EVENT);
        };
        self.recovering = false;
        (self.sink)(Ok(FoundEvent { offset: start, text }));
    }

    /// The events in a text that an object holds.
    fn inner(&mut self, offset: usize, text: &str) {
        let sink = &mut *self.sink;
        read_nested(text.as_bytes(), self.depth + 1, &mut |found| {
            sink(match found {
                Ok(document) => Ok(FoundEvent { offset, text: Cow::Owned(document.text.into_owned()) }),
                Err(problem) => Err(InputProblem {
                    offset,
                    reason: format!("in the text that this object holds: {problem}"),
                }),
            });
        });
        self.recovering = false;
    }
}

/// Under which keys a list of events stands: trail files and SQS events, `LookupEvents`, `ReceiveMessage`.
const LISTS: [&[u8]; 4] = [b"Records", b"Events", b"events", b"Messages"];

const NO_EVENT: &str = "an object that is neither an EventBridge event nor a CloudTrail record (neither `detail-type` nor `eventName`)";
