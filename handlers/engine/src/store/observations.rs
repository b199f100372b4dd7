//! Observations in the ledger: they are written first and read then, so that of two functions that count at the same time at
//! least one sees both.
//!
//! All that one invocation adds to ten minutes of a group is one item, which is never changed. So functions do not wait for
//! each other, and a batch that is delivered again finds its observations and writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::facts::{CHUNK_OBSERVATIONS_MAX, Facts, OBSERVATION_CHUNK};
use responder_core::state::observation::Observation;
use responder_core::time::{Span, Timestamp};

use super::ledger::{Ledger, MAX_PARALLEL_WRITES};
use super::observation_codec::{pack_observations, unpack_observations};
use super::schema::{self, OBSERVATIONS, TTL, expiry_seconds};
use crate::error::EngineError;
use crate::port::{AwsPort, ItemUpdate, SortKeyRange};
use crate::run_parallel::run_parallel;

/// How many groups are asked for at the same time.
const MAX_PARALLEL_GROUPS: usize = 8;
/// How many observations of a chunk are read. There are more only if many functions wrote at the same time, each before it
/// could see that the chunk was full.
const MAX_READ_PER_CHUNK: usize = 10 * CHUNK_OBSERVATIONS_MAX;

/// An observation to add to a group, and the time of the group's observations that are wanted.
#[derive(Clone, Debug)]
pub(crate) struct ObservationQuery {
    pub(crate) group: String,
    pub(crate) observation: Observation,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// The answer to all queries of a batch.
#[derive(Debug, Default)]
pub(crate) struct ObservationAnswer {
    /// The observations, by group. Those of the queries are always among them.
    pub(crate) groups: BTreeMap<String, BTreeSet<Observation>>,
    /// The groups that could not be written or read.
    pub(crate) unanswered: BTreeSet<String>,
    /// How many observations found no room.
    pub(crate) dropped: usize,
}

/// Observations, each with its `ttl`.
type StoredObservations = BTreeMap<Observation, i64>;

impl<A: AwsPort> Ledger<'_, A> {
    /// Adds the observations of all queries, and reads their groups.
    pub(crate) async fn exchange_observations(&self, queries: Vec<ObservationQuery>) -> ObservationAnswer {
        let exchanges = merge_queries(queries).into_iter().map(|(group, wanted)| async move {
            let exchange = self.exchange_group(&group, &wanted).await;
            (group, wanted, exchange)
        });
        let mut answer = ObservationAnswer::default();
        for (group, wanted, exchange) in run_parallel(exchanges, MAX_PARALLEL_GROUPS).await {
            answer.dropped += exchange.dropped;
            let observations = answer.groups.entry(group.clone()).or_default();
            observations.extend(exchange.observations);
            observations.extend(wanted.observations);
            if !exchange.answered {
                answer.unanswered.insert(group);
            }
        }
        answer
    }

    /// Reads the group, writes the observations that are not there yet, and reads again.
    ///
    /// The first read finds out what need not be written, and whether there is room. It never counts alone once something
    /// is written: with a threshold of two, functions A and B could both read nothing, then both write, and neither would
    /// see two. After its own write A reads again, and so does B: whichever reads last sees both. If nothing is to be
    /// written, the observations were in the table before the first read, which is then enough.
    async fn exchange_group(&self, group: &str, wanted: &WantedGroup) -> GroupExchange {
        let first_read = self.read_observations(group, &wanted.ranges).await;
        let is_read = first_read.is_ok();
        let stored = first_read.unwrap_or_default();
        let needed_until = self.aws.now().plus(wanted.reach);
        let NewObservations { accepted, dropped } =
            select_new_observations(group, &stored, &wanted.observations, needed_until);
        if is_read && accepted.is_empty() {
            return GroupExchange { observations: stored.into_keys().collect(), answered: true, dropped };
        }
        let ttl = expiry_seconds(self.aws.now(), wanted.last, wanted.reach);
        let updates = build_updates(group, &accepted, ttl);
        let writes = updates.iter().map(|update| self.write_or_skip(update));
        let written = run_parallel(writes, MAX_PARALLEL_WRITES).await;
        let second_read = self.read_observations(group, &wanted.ranges).await;
        let answered = second_read.is_ok() && written.iter().all(Result::is_ok);
        let observations = second_read.unwrap_or(stored).into_keys().collect();
        GroupExchange { observations, answered, dropped }
    }

    /// Reads the observations of groups between two instants each. Groups that could not be read are left out.
    pub(crate) async fn read_group_windows(
        &self,
        windows: &BTreeMap<String, (Timestamp, Timestamp)>,
    ) -> BTreeMap<String, BTreeSet<Observation>> {
        let reads = windows.iter().map(|(group, range)| async move {
            (group, self.read_observations(group, std::slice::from_ref(range)).await)
        });
        let mut observations = BTreeMap::new();
        for (group, read) in run_parallel(reads, MAX_PARALLEL_GROUPS).await {
            if let Ok(stored) = read {
                observations.insert(group.clone(), stored.into_keys().collect());
            }
        }
        observations
    }

    /// Reads all observations of the chunks that the ranges touch.
    async fn read_observations(
        &self,
        group: &str,
        ranges: &[(Timestamp, Timestamp)],
    ) -> Result<StoredObservations, EngineError> {
        let mut stored = StoredObservations::new();
        for (from, to) in ranges {
            self.read_observation_range(group, *from, *to, &mut stored).await?;
        }
        Ok(stored)
    }

    /// Reads the chunks of one range, each until it has given [`MAX_READ_PER_CHUNK`] observations: the rest of it is skipped.
    async fn read_observation_range(
        &self,
        group: &str,
        from: Timestamp,
        to: Timestamp,
        stored: &mut StoredObservations,
    ) -> Result<(), EngineError> {
        let mut range = SortKeyRange {
            pk: schema::observation_partition(group),
            from: schema::first_sort_key_of_chunk(&chunk_start(from).to_string()),
            to: schema::last_sort_key_of_chunk(&chunk_start(to).to_string()),
            after: None,
        };
        let mut weight_read: BTreeMap<String, usize> = BTreeMap::new();
        while range.from <= range.to {
            let page = self.query_items(&range).await?;
            for item in &page.items {
                let ttl = item.number(TTL).unwrap_or_default();
                let weight = weight_read.entry(schema::chunk_start_of(&item.key).to_owned()).or_default();
                for observation in unpack_observations(item.text(OBSERVATIONS).unwrap_or_default()) {
                    *weight += observation.weight();
                    let latest_ttl = stored.entry(observation).or_default();
                    *latest_ttl = ttl.max(*latest_ttl);
                }
            }
            let Some(next_key) = page.next_key else { break };
            let next_chunk = schema::chunk_start_of(&next_key);
            if weight_read.get(next_chunk).copied().unwrap_or_default() >= MAX_READ_PER_CHUNK {
                range.from = schema::last_sort_key_of_chunk(next_chunk);
                range.after = None;
            } else {
                range.after = Some(next_key);
            }
        }
        Ok(())
    }
}

/// All that a batch wants of a group.
#[derive(Debug, Default)]
struct WantedGroup {
    observations: BTreeSet<Observation>,
    /// The wanted ranges, in order; no two of them touch the same chunk.
    ranges: Vec<(Timestamp, Timestamp)>,
    /// The latest instant of the ranges.
    last: Timestamp,
    /// For how long after an event its observation may be asked for.
    reach: Span,
}

/// The result of an exchange with one group.
struct GroupExchange {
    observations: BTreeSet<Observation>,
    answered: bool,
    dropped: usize,
}

fn merge_queries(queries: Vec<ObservationQuery>) -> BTreeMap<String, WantedGroup> {
    let mut groups: BTreeMap<String, WantedGroup> = BTreeMap::new();
    for query in queries {
        let wanted = groups.entry(query.group).or_default();
        let reach = query.to.millis().saturating_sub(query.observation.at.millis());
        wanted.reach = wanted.reach.max(Span::from_millis(reach));
        wanted.last = wanted.last.max(query.to);
        wanted.ranges.push((query.from, query.to));
        wanted.observations.insert(query.observation);
    }
    for wanted in groups.values_mut() {
        wanted.ranges = join_ranges(std::mem::take(&mut wanted.ranges));
    }
    groups
}

/// Joins the ranges that touch the same chunk. Ranges of a late event stay apart, so that the time between is not read.
fn join_ranges(mut ranges: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    ranges.sort();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in ranges {
        match joined.last_mut() {
            Some((_, end)) if chunk_start(from) <= chunk_start(*end) => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// The observations that are to be written.
struct NewObservations {
    accepted: BTreeSet<Observation>,
    /// How many find no room.
    dropped: usize,
}

/// Selects the observations that are not stored, or are stored for less than `needed_until`. The core says which of them
/// find room: it bounds a group in memory by the same function.
fn select_new_observations(
    group: &str,
    stored: &StoredObservations,
    observations: &BTreeSet<Observation>,
    needed_until: Timestamp,
) -> NewObservations {
    let mut facts = Facts::default();
    facts.observations.insert(group.to_owned(), stored.keys().cloned().collect());
    let mut new = NewObservations { accepted: BTreeSet::new(), dropped: 0 };
    for observation in observations {
        if let Some(ttl) = stored.get(observation)
            && *ttl > needed_until.millis() / 1_000
        {
            continue;
        }
        if facts.add_observation(group, observation.clone()) {
            new.accepted.insert(observation.clone());
        } else {
            new.dropped += 1;
        }
    }
    new
}

/// One write for each chunk, or more where the observations do not fit into one item. The same observations make the same
/// item.
fn build_updates(group: &str, observations: &BTreeSet<Observation>, ttl: i64) -> Vec<ItemUpdate> {
    let mut chunks: BTreeMap<Timestamp, Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        chunks.entry(chunk_start(observation.at)).or_default().push(observation);
    }
    let mut updates = Vec::new();
    for (start, observations) in chunks {
        for text in pack_observations(start, &observations) {
            let key = schema::observation_key(group, start, &text);
            updates.push(ItemUpdate::new(key).set_text(OBSERVATIONS, &text).set_number(TTL, ttl));
        }
    }
    updates
}

/// The start of the chunk around an instant. As text it sorts as it does as time.
fn chunk_start(at: Timestamp) -> Timestamp {
    let millis = at.millis();
    Timestamp::from_millis(millis.saturating_sub(millis.rem_euclid(OBSERVATION_CHUNK.millis())))
}

#[cfg(test)]
mod tests;
