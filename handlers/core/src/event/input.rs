//! Finds the events in what an auditor has: streams, trail files, `LookupEvents` output, any mix of them.

use std::borrow::Cow;
use std::str;

use super::envelope::wrap;
use super::head::Head;
use super::scan::{self, Broken};

/// One event that was found, as the text of an EventBridge event.
#[derive(Debug)]
pub struct Document<'a> {
    /// Where it starts, in bytes from the start of the input.
    pub offset: usize,
    /// The event; a bare `CloudTrail` record has been given its envelope.
    pub text: Cow<'a, str>,
}

/// A part of the input that could not be read. Holds nothing of the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {reason}")]
pub struct Problem {
    /// Where, in bytes from the start of the input.
    pub offset: usize,
    /// What is wrong.
    pub reason: String,
}

/// What was found next.
pub type Found<'a> = Result<Document<'a>, Problem>;

/// Finds every event in `bytes` and hands each to `sink`, in the order of the input.
///
/// Understands EventBridge events, one or many, one a line or not, or in a list; `CloudTrail` files
/// (`{"Records":[…]}`); `LookupEvents` output (`{"Events":[{"CloudTrailEvent":"…"}]}`); bare records; and SQS messages
/// whose `body` is an event. What cannot be read is handed over as a [`Problem`] and costs nothing else.
pub fn read<'a>(bytes: &'a [u8], sink: &mut dyn FnMut(Found<'a>)) {
    let bom = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    // Looking for the next event after a broken one may look at the same bytes again. An input made to be slow is
    // given up, with a problem that says so, when that has happened often.
    let budget = bytes.len().saturating_mul(16).saturating_add(1 << 20);
    let mut reader = Reader { bytes, budget, recovering: false, sink };
    let start = scan::skip_space(bytes, bom);
    if start == bytes.len() {
        reader.problem(bom, "the input is empty");
        return;
    }
    reader.stream(start);
}

struct Reader<'a, 's> {
    bytes: &'a [u8],
    budget: usize,
    /// After something broken: objects that are no events are parts of it, not worth a problem each.
    recovering: bool,
    sink: &'s mut dyn FnMut(Found<'a>),
}

impl<'a> Reader<'a, '_> {
    fn problem(&mut self, offset: usize, reason: impl Into<String>) {
        (self.sink)(Err(Problem { offset, reason: reason.into() }));
    }

    fn stream(&mut self, mut at: usize) {
        loop {
            at = scan::skip_space(self.bytes, at);
            let Some(&byte) = self.bytes.get(at) else { return };
            at = match byte {
                b'[' => self.list(at),
                b'{' => match self.container(at) {
                    Some(list) => self.list(list),
                    None => self.element(at, false),
                },
                // What closes a list that a broken element has cut in two.
                b',' | b']' | b'}' if self.recovering => at + 1,
                // What follows the list in its object: `LookupEvents` has a `NextToken` there.
                b',' | b'}' => self.after_list(at),
                _ => {
                    if !self.recovering {
                        self.problem(at, "neither an object nor a list of objects");
                    }
                    self.recovering = true;
                    scan::next_line(self.bytes, at)
                }
            };
            if self.budget == 0 {
                self.problem(at, "too much of this input is broken; the rest was not read");
                return;
            }
        }
    }

    /// The start of the list in `{"Records":[…]}` or `{"Events":[…]}`, wherever the key stands.
    fn container(&mut self, start: usize) -> Option<usize> {
        let mut at = scan::skip_space(self.bytes, start + 1);
        loop {
            if self.bytes.get(at) != Some(&b'"') {
                return None;
            }
            let end = scan::string_end(self.bytes, at).ok()?;
            let key = self.bytes.get(at + 1..end - 1)?;
            at = scan::skip_space(self.bytes, end);
            if self.bytes.get(at) != Some(&b':') {
                return None;
            }
            at = scan::skip_space(self.bytes, at + 1);
            match self.bytes.get(at)? {
                b'[' if matches!(key, b"Records" | b"Events" | b"events") => return Some(at),
                // An event holds an object, and a container's other members are scalars: stop looking early.
                b'{' | b'[' => return None,
                b'"' => at = scan::string_end(self.bytes, at).ok()?,
                _ => at += self.bytes.get(at..)?.iter().position(|byte| matches!(byte, b',' | b'}'))?,
            }
            at = scan::skip_space(self.bytes, at);
            if self.bytes.get(at) != Some(&b',') {
                return None;
            }
            at = scan::skip_space(self.bytes, at + 1);
        }
    }

    /// Hands over the elements of the list that starts at `start`; returns where it ends.
    fn list(&mut self, start: usize) -> usize {
        let mut at = start + 1;
        loop {
            at = scan::skip_space(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'{') => at = self.element(at, true),
                Some(b',') => at += 1,
                Some(b']') => return at + 1,
                Some(_) => {
                    if !self.recovering {
                        self.problem(at, "expected an object in this list");
                    }
                    self.recovering = true;
                    at = match scan::next_element(self.bytes, at) {
                        Some(next) => next,
                        None => return scan::next_line(self.bytes, at),
                    };
                }
                None => {
                    if !self.recovering {
                        self.problem(at, "the input ends inside a list (truncated?)");
                    }
                    return at;
                }
            }
            if self.budget == 0 {
                return at;
            }
        }
    }

    /// After the list of a container: the end of its object.
    fn after_list(&mut self, mut at: usize) -> usize {
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'"' => match scan::string_end(self.bytes, at) {
                    Ok(end) => at = end,
                    Err(broken) => {
                        self.problem(broken.at, broken.why);
                        return scan::next_line(self.bytes, at);
                    }
                },
                b'}' => return at + 1,
                b'\n' if self.bytes.get(at + 1) == Some(&b'{') => return at + 1,
                b'[' | b'{' => match scan::value_end(self.bytes, at) {
                    Ok(end) => at = end,
                    Err(broken) => {
                        self.problem(broken.at, broken.why);
                        return scan::next_line(self.bytes, at);
                    }
                },
                _ => at += 1,
            }
        }
        at
    }

    /// Hands over the object at `start`; returns where to go on.
    fn element(&mut self, start: usize, in_list: bool) -> usize {
        let end = match scan::value_end(self.bytes, start) {
            Ok(end) => end,
            Err(broken) => return self.recover(start, broken, in_list),
        };
        let slice = self.bytes.get(start..end).unwrap_or_default();
        match str::from_utf8(slice) {
            Ok(text) => self.classify(start, text),
            Err(error) => self.problem(start + error.valid_up_to(), "not UTF-8"),
        }
        end
    }

    fn recover(&mut self, start: usize, broken: Broken, in_list: bool) -> usize {
        if !self.recovering || !in_list {
            self.problem(start, format!("{} at byte {}", broken.why, broken.at));
        }
        self.recovering = true;
        let next = if in_list { scan::next_element(self.bytes, start + 1) } else { None };
        let next = next.unwrap_or_else(|| scan::next_line(self.bytes, start));
        // Bytes that will be looked at again.
        self.budget = self.budget.saturating_sub(broken.at.saturating_sub(next));
        next
    }

    fn classify(&mut self, offset: usize, text: &'a str) {
        let head = match Head::read(text) {
            Ok(head) => head,
            Err(error) => return self.problem(offset + error.offset, format!("not JSON: {}", error.kind())),
        };
        match document(text, head, 0) {
            Some(text) => {
                self.recovering = false;
                (self.sink)(Ok(Document { offset, text }));
            }
            None if self.recovering => {}
            None => self.problem(
                offset,
                "an object that is neither an EventBridge event nor a CloudTrail record (neither `detail-type` nor `eventName`)",
            ),
        }
    }
}

/// The EventBridge event in an object, or `None`. Text in text (SQS, then SNS) is opened twice at the most.
fn document(text: &str, head: Head, depth: usize) -> Option<Cow<'_, str>> {
    if head.is_event {
        return Some(Cow::Borrowed(text));
    }
    if head.is_record {
        return Some(Cow::Owned(wrap(text, &head)));
    }
    let inner = head.inner?;
    let head = Head::read(&inner).ok()?;
    let found = (depth < 2).then(|| document(&inner, head, depth + 1)).flatten()?;
    Some(Cow::Owned(found.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    const EVENT: &str = r#"{"detail-type":"x","source":"aws.s","detail":{"eventID":"e"}}"#;
    const RECORD: &str =
        r#"{"eventName":"GetSecretValue","eventSource":"secretsmanager.amazonaws.com","eventID":"r"}"#;

    /// How many events and at which offsets problems.
    fn found(input: &str) -> (usize, Vec<usize>) {
        found_bytes(input.as_bytes())
    }

    fn found_bytes(input: &[u8]) -> (usize, Vec<usize>) {
        let (mut events, mut problems) = (0, Vec::new());
        read(input, &mut |next| match next {
            Ok(_) => events += 1,
            Err(problem) => problems.push(problem.offset),
        });
        (events, problems)
    }

    #[test]
    fn every_form_of_input_is_understood() {
        let quoted = serde_json::to_string(RECORD).unwrap();
        let body = serde_json::to_string(EVENT).unwrap();
        let forms = [
            (EVENT.to_owned(), 1),
            (format!("{EVENT}\n{EVENT}\n\n{RECORD}"), 3),
            (format!("\u{feff}{EVENT}{EVENT}"), 2),
            (format!(r#"{{"Records":[{RECORD},{RECORD}]}}"#), 2),
            (format!("{{\"Records\": [\n{RECORD},\n{RECORD}\n]\n}}\n"), 2),
            (r#"{"Records":[]}"#.to_owned(), 0),
            (format!(r#"{{"NextToken":"t","Events":[{{"EventId":"r","CloudTrailEvent":{quoted}}}]}}"#), 1),
            (
                format!(
                    r#"{{"Events":[{{"CloudTrailEvent":{quoted}}}],"NextToken":"t","a":{{"b":[1]}}}} {EVENT}"#
                ),
                2,
            ),
            (format!("[{EVENT},\n{RECORD}]"), 2),
            (format!(r#"{{"Records":[{{"messageId":"m","body":{body}}}]}}"#), 1),
            (serde_json::to_string_pretty(&serde_json::from_str::<Value>(EVENT).unwrap()).unwrap(), 1),
        ];
        for (input, events) in forms {
            assert_eq!(found(&input), (events, vec![]), "{input}");
        }
    }

    #[test]
    fn a_broken_line_costs_itself_only() {
        for broken in [
            r#"{"detail-type":"x","#,
            r#"{"detail-type":"x"#,
            r#"{"detail":[}}"#,
            "garbage",
            r#"{"a":1}"#,
            "{a:1}",
        ] {
            let input = format!("{EVENT}\n{broken}\n{EVENT}\n");
            let (events, problems) = found(&input);
            assert_eq!((events, problems.len()), (2, 1), "{broken}: {problems:?}");
            assert!(
                problems[0] > EVENT.len() && problems[0] <= EVENT.len() + 1 + broken.len(),
                "{broken}: {problems:?}"
            );
        }
    }

    #[test]
    fn a_broken_record_in_a_trail_file_costs_itself_only() {
        let input = format!(r#"{{"Records":[{RECORD},{{"eventName":["x"}},"y":{{"z":1}}}},{RECORD}]}}"#);
        assert_eq!(found(&input), (2, vec![13 + RECORD.len()]));
        let truncated = format!(r#"{{"Records":[{RECORD},{RECORD},{{"eventNa"#);
        assert_eq!(found(&truncated).0, 2);
    }

    #[test]
    fn empty_and_strange_input_is_one_problem() {
        for input in ["", "  \n ", "5", "null", "[1]", r#"{"Records":5}"#] {
            let (events, problems) = found(input);
            assert_eq!((events, problems.len()), (0, 1), "{input:?}");
        }
    }

    #[test]
    fn invalid_utf8_is_named_and_passed() {
        let mut input = format!("{EVENT}\n").into_bytes();
        input.extend_from_slice(b"{\"detail-type\":\"\xff\xfe\"}\n");
        input.extend_from_slice(EVENT.as_bytes());
        assert_eq!(found_bytes(&input), (2, vec![EVENT.len() + 1 + 16]));
    }

    #[test]
    fn deep_nesting_neither_overflows_nor_hides_what_follows() {
        let deep = format!(r#"{{"detail-type":"x","detail":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(found(&format!("{deep}\n{EVENT}")).0, 1);
        assert_eq!(found(&format!(r#"{{"Records":[{deep},{RECORD}]}}"#)).0, 1);
        assert_eq!(found(&"{\"a\":[\n".repeat(20_000)).0, 0);
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            found_bytes(&bytes);
        }

        #[test]
        fn no_json_like_input_panics(input in "[\\[\\]{}\",:a\\\\\n \u{e9}1]{0,80}") {
            found(&input);
        }
    }
}
