//! Asks the ledger the questions of one round.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join;
use responder_core::aws::location::Location;
use responder_core::facts::Facts;
use responder_core::state::observation::Observation;

use super::question_batch::LedgerQuestions;
use crate::port::AwsPort;
use crate::store::{Ledger, ObservationAnswer, StoredFactKeys, StoredFacts};

/// The name of the index of open incidents among the unanswered names.
pub(super) const OPEN_INCIDENTS_NAME: &str = "open";

/// The answers of the ledger.
pub(super) struct LedgerAnswers {
    pub(super) observations: ObservationAnswer,
    /// The observations of the windows that could be read, by group.
    pub(super) windows: BTreeMap<String, BTreeSet<Observation>>,
    pub(super) stored: StoredFacts,
    /// Last reads, open incidents, digests and rotation states.
    pub(super) facts: Facts,
    /// The names of last reads, open incidents and digests for which there is no answer.
    pub(super) unanswered: BTreeSet<String>,
    /// The accounts and Regions whose rotation state could not be read.
    pub(super) unanswered_locations: Vec<Location>,
}

/// Adds the observations and reads by key at the same time; then reads the rest, one after the other.
pub(super) async fn ask_ledger<A: AwsPort>(
    wanted: LedgerQuestions,
    stored_keys: StoredFactKeys,
    ledger: &Ledger<'_, A>,
) -> LedgerAnswers {
    let (observations, stored) =
        join(ledger.exchange_observations(wanted.observations), ledger.read_stored_facts(&stored_keys)).await;
    let windows = ledger.read_group_windows(&wanted.windows).await;
    let mut facts = Facts::default();
    let mut unanswered = ledger.read_last_seen(&wanted.last_seen, &mut facts).await;
    if wanted.open_incidents && ledger.read_open_incidents(&mut facts).await.is_err() {
        unanswered.insert(OPEN_INCIDENTS_NAME.to_owned());
    }
    for date in wanted.digest_days {
        if ledger.read_digest_day(date, &mut facts).await.is_err() {
            unanswered.insert(date.to_string());
        }
    }
    let mut unanswered_locations = Vec::new();
    for (account, region) in &wanted.rotation_states {
        if ledger.read_rotation_state(account, region, &mut facts).await.is_err() {
            unanswered_locations.push(Location::new(account, region));
        }
    }
    LedgerAnswers { observations, windows, stored, facts, unanswered, unanswered_locations }
}
