//! Marks in the ledger: written first, then read, so that of two functions that count at once at least one sees both.
//!
//! What one invocation adds to ten minutes of a stream is one item, and is never changed: functions do not wait for each
//! other, and a batch that is delivered again finds its marks and writes nothing.

mod observation_codec;

use std::collections::{BTreeMap, BTreeSet};

use responder_core::facts::{CHUNK_OBSERVATIONS_MAX, Facts, OBSERVATION_CHUNK};
use responder_core::hash;
use responder_core::state::observation::Observation;
use responder_core::time::{Span, Timestamp};

use super::{Ledger, expiry};
use crate::error::EngineError;
use crate::parallel::parallel;
use crate::port::{AwsPort, ItemKey, ItemUpdate, SortKeyRange};

/// How many streams are asked for at the same time.
const PARALLEL: usize = 8;
/// How many marks of ten minutes are read. More than that are there only if many functions wrote at once, each before
/// it could see that there is no more room.
const READ_MOST: usize = 10 * CHUNK_OBSERVATIONS_MAX;

/// A mark to add to a stream, and which of its marks are wanted.
#[derive(Clone, Debug)]
pub(crate) struct ObservationQuery {
    pub(crate) group: String,
    pub(crate) observation: Observation,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// The answer.
#[derive(Debug, Default)]
pub(crate) struct ObservationAnswer {
    /// The marks, by stream; the ones of the asks are always among them.
    pub(crate) groups: BTreeMap<String, BTreeSet<Observation>>,
    /// The streams that could not be written or read.
    pub(crate) unanswered: BTreeSet<String>,
    /// How many marks found no room.
    pub(crate) dropped: usize,
}

impl<A: AwsPort> Ledger<'_, A> {
    /// Adds all marks and then reads their streams.
    pub(crate) async fn exchange(&self, asks: Vec<ObservationQuery>) -> ObservationAnswer {
        let mut answer = ObservationAnswer::default();
        let turns = wants(asks).into_iter().map(|(group, want)| async move {
            let turn = self.turn(&group, &want).await;
            (group, want, turn)
        });
        for (group, want, turn) in parallel(turns, PARALLEL).await {
            answer.dropped += turn.dropped;
            let observations = answer.groups.entry(group.clone()).or_default();
            observations.extend(turn.observations);
            observations.extend(want.observations);
            if !turn.answered {
                answer.unanswered.insert(group);
            }
        }
        answer
    }

    /// Looks for room, writes, and reads. What is known before the write never counts alone, unless there was nothing
    /// to write: then the marks were there before it was read.
    async fn turn(&self, group: &str, want: &GroupRange) -> GroupExchange {
        let before = self.read(group, &want.ranges).await;
        let looked = before.is_ok();
        let known = before.unwrap_or_default();
        let NewObservations { news, dropped } =
            sift(group, &known, &want.observations, self.aws.now().plus(want.reach));
        if looked && news.is_empty() {
            return GroupExchange { observations: known.into_keys().collect(), answered: true, dropped };
        }
        let ttl = expiry(self.aws.now(), want.last, want.reach);
        let writes = updates(group, &news, ttl);
        let written = parallel(writes.iter().map(|update| self.write(update)), PARALLEL).await;
        let after = self.read(group, &want.ranges).await;
        let answered = after.is_ok() && written.iter().all(Result::is_ok);
        GroupExchange { observations: after.unwrap_or(known).into_keys().collect(), answered, dropped }
    }

    /// What streams hold between two instants; those that could not be read are left out.
    pub(crate) async fn windows(
        &self,
        windows: &BTreeMap<String, (Timestamp, Timestamp)>,
    ) -> BTreeMap<String, BTreeSet<Observation>> {
        let read = windows.iter().map(|(group, range)| async move {
            (group, self.read(group, std::slice::from_ref(range)).await)
        });
        let read = parallel(read, PARALLEL).await.into_iter();
        read.filter_map(|(group, observations)| {
            Some((group.clone(), observations.ok()?.into_keys().collect()))
        })
        .collect()
    }

    /// All marks of the chunks that the ranges touch, and until when each is kept, in seconds since 1970.
    async fn read(
        &self,
        group: &str,
        ranges: &[(Timestamp, Timestamp)],
    ) -> Result<BTreeMap<Observation, i64>, EngineError> {
        let mut observations: BTreeMap<Observation, i64> = BTreeMap::new();
        for (from, to) in ranges {
            let pk = ItemKey::observations(group, "").pk;
            let (from, to) = (begin(&chunk(*from).to_string()), end(&chunk(*to).to_string()));
            let mut range = SortKeyRange { pk, from, to, after: None };
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            while range.from <= range.to {
                let page = self.call(self.aws.query(&range, self.deadline.at())).await?;
                for item in &page.items {
                    let (ttl, found) = (item.number("ttl").unwrap_or_default(), item.text("marks"));
                    let found = found.map(observation_codec::unpack).unwrap_or_default();
                    *counts.entry(chunk_of(&item.key).to_owned()).or_default() +=
                        found.iter().map(Observation::weight).sum::<usize>();
                    for observation in found {
                        let kept = observations.entry(observation).or_default();
                        *kept = (*kept).max(ttl);
                    }
                }
                let Some(next) = page.next else { break };
                if counts.get(chunk_of(&next)).is_some_and(|count| *count >= READ_MOST) {
                    (range.from, range.after) = (end(chunk_of(&next)), None);
                } else {
                    range.after = Some(next);
                }
            }
        }
        Ok(observations)
    }
}

/// What is wanted of a stream.
#[derive(Debug, Default)]
struct GroupRange {
    observations: BTreeSet<Observation>,
    /// Apart from each other, in order.
    ranges: Vec<(Timestamp, Timestamp)>,
    /// The latest instant of the ranges.
    last: Timestamp,
    /// For how long after an event its mark may be asked for.
    reach: Span,
}

/// How it went with a stream.
struct GroupExchange {
    observations: BTreeSet<Observation>,
    answered: bool,
    dropped: usize,
}

fn wants(asks: Vec<ObservationQuery>) -> BTreeMap<String, GroupRange> {
    let mut wants: BTreeMap<String, GroupRange> = BTreeMap::new();
    for ask in asks {
        let want = wants.entry(ask.group).or_default();
        let reach = Span::from_millis(ask.to.millis().saturating_sub(ask.observation.at.millis()));
        want.reach = want.reach.max(reach);
        want.last = want.last.max(ask.to);
        want.ranges.push((ask.from, ask.to));
        want.observations.insert(ask.observation);
    }
    for want in wants.values_mut() {
        want.ranges = joined(std::mem::take(&mut want.ranges));
    }
    wants
}

/// The same ranges, joined where they touch the same chunks: of a batch with a late event, what lies between is not read.
fn joined(mut ranges: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    ranges.sort();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in ranges {
        match joined.last_mut().filter(|last| chunk(from) <= chunk(last.1)) {
            Some(last) => last.1 = last.1.max(to),
            None => joined.push((from, to)),
        }
    }
    joined
}

/// What is to be written.
struct NewObservations {
    news: BTreeSet<Observation>,
    /// How many find no room.
    dropped: usize,
}

/// Takes as the core does; what is there and is kept until `needed` is not written again.
fn sift(
    group: &str,
    known: &BTreeMap<Observation, i64>,
    observations: &BTreeSet<Observation>,
    needed: Timestamp,
) -> NewObservations {
    let there = known.keys().cloned().collect();
    let mut facts = Facts { observations: BTreeMap::from([(group.to_owned(), there)]), ..Facts::default() };
    let mut sifted = NewObservations { news: BTreeSet::new(), dropped: 0 };
    for observation in observations {
        if known.get(observation).is_some_and(|kept| *kept > needed.millis() / 1_000) {
            continue;
        }
        if facts.add_observation(group, observation.clone()) {
            sifted.news.insert(observation.clone());
        } else {
            sifted.dropped += 1;
        }
    }
    sifted
}

/// One write for each chunk, and more where they would not fit. The same marks are the same item.
fn updates(group: &str, observations: &BTreeSet<Observation>, ttl: i64) -> Vec<ItemUpdate> {
    let mut chunks: BTreeMap<Timestamp, Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        chunks.entry(chunk(observation.at)).or_default().push(observation);
    }
    let write = |(chunk, observations): (Timestamp, Vec<&Observation>)| {
        let begin = begin(&chunk.to_string());
        observation_codec::pack(chunk, &observations).into_iter().map(move |text| {
            let key = ItemKey::observations(group, &format!("{begin}{}", hash::hash_bytes(text.as_bytes())));
            ItemUpdate::of(key).text("marks", &text).number("ttl", ttl)
        })
    };
    chunks.into_iter().flat_map(write).collect()
}

/// The start of the chunk around an instant; as text it sorts as it does as time.
fn chunk(at: Timestamp) -> Timestamp {
    let millis = at.millis();
    Timestamp::from_millis(millis.saturating_sub(millis.rem_euclid(OBSERVATION_CHUNK.millis())))
}

/// What the sort keys of a chunk's items begin with.
fn begin(chunk: &str) -> String {
    format!("{chunk}#")
}

/// What sorts after the items of a chunk and before those of the next.
fn end(chunk: &str) -> String {
    format!("{chunk}$")
}

fn chunk_of(key: &ItemKey) -> &str {
    key.sk.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
