//! Marks in the ledger: written first, then read, so that of two functions that count at once at least one sees both.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::facts::{CHUNK, CHUNK_MARKS, Facts};
use responder_core::mark::Mark;
use responder_core::time::{Span, Timestamp};

use super::{Ledger, expiry};
use crate::error::Error;
use crate::parallel::parallel;
use crate::port::Condition::{Absent, Any, SizeLess};
use crate::port::{Aws, Item, Key, Range, Update, Written};

/// How many marks go into one write.
const WRITTEN_AT_ONCE: usize = 100;
/// What the key of a chunk's second item ends with: it sorts after the first and before the next chunk.
const BESIDE: &str = "+";
/// How many writes or reads run at the same time.
const PARALLEL: usize = 8;

/// A mark to add to a stream, and which of its marks are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) stream: String,
    pub(crate) mark: Mark,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// The answer.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// The marks, by stream; the ones of the asks are always among them.
    pub(crate) streams: BTreeMap<String, BTreeSet<Mark>>,
    /// The streams that could not be written or read.
    pub(crate) unanswered: BTreeSet<String>,
    /// How many marks found their item full.
    pub(crate) dropped: usize,
}

impl<A: Aws> Ledger<'_, A> {
    /// Adds all marks and then reads their streams.
    pub(crate) async fn exchange(&self, asks: Vec<Ask>) -> Marks {
        let mut answer = Marks::default();
        let written = writes(&asks, self.aws.now()).into_iter().map(|write| async move {
            let stream = write.stream.clone();
            (self.add(write).await, stream)
        });
        for (added, stream) in parallel(written, PARALLEL).await {
            match added {
                Ok(dropped) => answer.dropped += dropped,
                Err(_) => {
                    answer.unanswered.insert(stream);
                }
            }
        }
        let read = ranges(&asks)
            .into_iter()
            .map(|(stream, (from, to))| async move { (self.read(&stream, from, to).await, stream) });
        let mut answered = BTreeSet::new();
        for (marks, stream) in parallel(read, PARALLEL).await {
            if let Ok(marks) = marks {
                answered.insert(stream.clone());
                answer.streams.entry(stream).or_default().extend(marks);
            }
        }
        for ask in asks {
            if !answered.contains(&ask.stream) {
                answer.unanswered.insert(ask.stream.clone());
            }
            answer.streams.entry(ask.stream).or_default().insert(ask.mark);
        }
        answer
    }

    /// Adds marks; returns how many the chunk would not take. An item may have 400 KB: what a full one still takes, as
    /// the core would, goes into a second one beside it.
    async fn add(&self, write: Write) -> Result<usize, Error> {
        if self.put(Key::marks(&write.stream, &write.chunk.to_string()), &write.marks, write.ttl).await? {
            return Ok(0);
        }
        let (from, to) = (write.chunk, Timestamp::from_millis(write.chunk.plus(CHUNK).millis() - 1));
        let known = self.read(&write.stream, from, to).await?.into_iter().collect();
        let (news, left) = sift(&write.stream, known, write.marks);
        let beside = Key::marks(&write.stream, &format!("{}{BESIDE}", write.chunk));
        if news.is_empty() || self.put(beside, &news, write.ttl).await? {
            return Ok(left);
        }
        Ok(left + news.len())
    }

    /// Whether the item had room.
    async fn put(&self, key: Key, marks: &BTreeSet<Mark>, ttl: i64) -> Result<bool, Error> {
        let set = marks.iter().filter_map(|mark| serde_json::to_string(mark).ok()).collect();
        let update = Update::of(key)
            .add("marks", set)
            .number("ttl", ttl)
            .only_if(Any(vec![Absent("marks"), SizeLess("marks", CHUNK_MARKS)]));
        match self.write(&update).await {
            Ok(Written::Yes) => Ok(true),
            Ok(Written::No(_)) => Ok(false),
            // Fewer marks than that, but long ones: the item would pass 400 KB.
            Err(Error::Call { failure, .. }) if failure.is("ValidationException") => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn read(&self, stream: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Mark>, Error> {
        let mut marks = Vec::new();
        let mut range = Range {
            pk: Key::marks(stream, "").pk,
            from: chunk(from).to_string(),
            to: format!("{}{BESIDE}", chunk(to)),
            after: None,
        };
        loop {
            let page = self.call(self.aws.query(&range, self.deadline.at())).await?;
            let found = page.items.iter().flat_map(read_marks);
            marks.extend(found.filter(|mark| mark.at >= from && mark.at <= to));
            range.after = page.next;
            if range.after.is_none() {
                return Ok(marks);
            }
        }
    }
}

/// Marks of one stream and stretch of time.
#[derive(Debug, PartialEq, Eq)]
struct Write {
    stream: String,
    chunk: Timestamp,
    marks: BTreeSet<Mark>,
    ttl: i64,
}

fn writes(asks: &[Ask], now: Timestamp) -> Vec<Write> {
    let mut grouped: BTreeMap<(&str, Timestamp), (BTreeSet<Mark>, i64)> = BTreeMap::new();
    for ask in asks {
        // As long as an event that is delivered now may ask for it.
        let reach = Span::from_millis(ask.to.millis().saturating_sub(ask.mark.at.millis()));
        let (marks, ttl) = grouped.entry((&ask.stream, chunk(ask.mark.at))).or_default();
        marks.insert(ask.mark.clone());
        *ttl = (*ttl).max(expiry(now, ask.to, reach));
    }
    let mut writes = Vec::new();
    for ((stream, chunk), (marks, ttl)) in grouped {
        let mut marks = marks.into_iter().peekable();
        while marks.peek().is_some() {
            let some = marks.by_ref().take(WRITTEN_AT_ONCE).collect();
            writes.push(Write { stream: stream.to_owned(), chunk, marks: some, ttl });
        }
    }
    writes
}

/// Each stream once, with all that is wanted of it.
fn ranges(asks: &[Ask]) -> BTreeMap<String, (Timestamp, Timestamp)> {
    let mut ranges: BTreeMap<String, (Timestamp, Timestamp)> = BTreeMap::new();
    for ask in asks {
        let range = ranges.entry(ask.stream.clone()).or_insert((ask.from, ask.to));
        *range = (range.0.min(ask.from), range.1.max(ask.to));
    }
    ranges
}

/// What a full chunk takes all the same, and how many it does not.
fn sift(stream: &str, known: BTreeSet<Mark>, marks: BTreeSet<Mark>) -> (BTreeSet<Mark>, usize) {
    let mut facts = Facts { streams: BTreeMap::from([(stream.to_owned(), known)]), ..Facts::default() };
    for mark in &marks {
        facts.add_mark(stream, mark.clone());
    }
    let taken = facts.streams.remove(stream).unwrap_or_default();
    let count = marks.len();
    let news: BTreeSet<Mark> = marks.into_iter().filter(|mark| taken.contains(mark)).collect();
    let left = count - news.len();
    (news, left)
}

/// The start of the chunk around an instant; as text it sorts as it does as time.
fn chunk(at: Timestamp) -> Timestamp {
    let millis = at.millis();
    Timestamp::from_millis(millis.saturating_sub(millis.rem_euclid(CHUNK.millis())))
}

/// A mark that cannot be read was written by another release and counts no more.
fn read_marks(item: &Item) -> Vec<Mark> {
    let set = item.set("marks").into_iter().flatten();
    set.filter_map(|mark| serde_json::from_str(mark).ok()).collect()
}

#[cfg(test)]
mod tests {
    use responder_core::text::Untrusted;

    use super::*;
    use crate::port::Value;

    /// A year after the asks.
    fn now() -> Timestamp {
        "2027-01-02T03:04:05Z".parse().unwrap()
    }

    fn ask(stream: &str, key: &str, at: &str) -> Ask {
        let at: Timestamp = at.parse().unwrap();
        let reach = Span::from_secs(600);
        let mark = Mark {
            at,
            key: key.to_owned(),
            resolves: false,
            id: Untrusted::new("id"),
            account: "111122223333".to_owned(),
            region: "us-west-2".to_owned(),
            principal: Untrusted::new("p"),
            secrets: Vec::new(),
            secrets_known: true,
            error: false,
            opens: false,
            suppressed: None,
            eased: None,
        };
        Ask { stream: stream.to_owned(), mark, from: at.minus(reach), to: at.plus(reach) }
    }

    #[test]
    fn marks_of_one_stream_and_stretch_are_one_write() {
        let asks = [
            ask("s", "a", "2026-01-02T03:04:05Z"),
            ask("s", "b", "2026-01-02T03:09:59.999Z"),
            ask("s", "b", "2026-01-02T03:09:59.999Z"),
            ask("s", "c", "2026-01-02T03:10:00Z"),
            ask("t", "a", "2026-01-02T03:04:05Z"),
        ];
        let writes = writes(&asks, now());
        let shape: Vec<(&str, String, usize)> =
            writes.iter().map(|w| (w.stream.as_str(), w.chunk.to_string(), w.marks.len())).collect();
        let expected = [
            ("s", "2026-01-02T03:00:00Z", 2),
            ("s", "2026-01-02T03:10:00Z", 1),
            ("t", "2026-01-02T03:00:00Z", 1),
        ];
        assert_eq!(shape, expected.map(|(stream, chunk, count)| (stream, chunk.to_owned(), count)));
        // Kept for longer than an event of the present may ask for it.
        assert!(writes.iter().all(|write| write.ttl > now().millis() / 1_000 + 600));
        let range = ranges(&asks)["s"];
        assert_eq!(range.0.to_string(), "2026-01-02T02:54:05Z");
        assert_eq!(range.1.to_string(), "2026-01-02T03:20:00Z");
    }

    #[test]
    fn many_marks_are_several_writes() {
        let asks: Vec<Ask> = (0..250).map(|n| ask("s", &format!("{n}"), "2026-01-02T03:04:05Z")).collect();
        assert_eq!(
            writes(&asks, now()).iter().map(|write| write.marks.len()).collect::<Vec<_>>(),
            [100, 100, 50]
        );
    }

    #[test]
    fn what_is_written_reads_back_and_what_cannot_be_read_costs_nothing() {
        let asks = [ask("s", "a", "2026-01-02T03:04:05Z")];
        let known = serde_json::to_string(&asks[0].mark).unwrap();
        let set = BTreeSet::from([known, "{\"from\":\"the future\"}".to_owned()]);
        let item =
            Item { values: BTreeMap::from([("marks".to_owned(), Value::Set(set))]), ..Item::default() };
        assert_eq!(read_marks(&item), [asks[0].mark.clone()]);
    }

    #[test]
    fn stretches_sort_as_time_does() {
        let text = |at: &str| chunk(at.parse().unwrap()).to_string();
        assert_eq!(text("1970-01-01T00:09:59.999Z"), "1970-01-01T00:00:00Z");
        let beside = format!("{}{BESIDE}", text("2026-01-02T03:09:59Z"));
        assert!(text("2026-01-02T03:09:59Z") < beside && beside < text("2026-01-02T03:10:00Z"));
    }

    #[test]
    fn a_full_chunk_takes_only_what_is_new() {
        let mark = |n: usize, region: &str| {
            let mut mark = ask("s", &format!("{n:05}"), "2026-01-02T03:04:05Z").mark;
            mark.region = region.to_owned();
            mark
        };
        let known: BTreeSet<Mark> = (0..CHUNK_MARKS).map(|n| mark(n, "us-west-2")).collect();
        let more =
            BTreeSet::from([mark(5_000, "us-west-2"), mark(5_001, "eu-west-1"), mark(5_002, "eu-west-1")]);
        let (news, left) = sift("s", known, more);
        assert_eq!((news, left), (BTreeSet::from([mark(5_001, "eu-west-1")]), 2));
    }
}
