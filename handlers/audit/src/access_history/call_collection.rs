//! Collects the calls that may have read the secret, one for each event, however many copies of the event there are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::access_call::{AccessCall, UndatedRead};
use super::access_report::{AccessReport, tabulate_calls};
use super::call_evidence::weigh_calls;
use super::nearest_names::find_nearest_names;
use crate::query::{EventFilter, SecretQuery};
use responder_core::aws::secret_ref::SecretRef;
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::memory_store::launch_secrets;
use responder_core::time::Timestamp;

/// Everything that the events show about reads of one secret. Copies of an event count once.
#[derive(Clone, Debug)]
pub struct AccessHistory {
    query: SecretQuery,
    facts: Facts,
    /// Calls that do not fit are left out.
    filter: EventFilter,
    /// The calls, by the key of the event.
    calls: BTreeMap<String, CollectedCall>,
    /// Every spelling of any secret: they show which ARN belongs to which name.
    spellings: BTreeSet<SecretRef>,
    /// The times of the first and the last event.
    covered: Option<(Timestamp, Timestamp)>,
}

/// A call, after its rank among the copies of its event: the smallest one says most.
type RankedCall = (Reverse<(bool, usize)>, AccessCall);

/// The calls of all copies of an event.
#[derive(Clone, Debug)]
struct CollectedCall {
    /// The one that says most.
    best: RankedCall,
    /// How many further copies there were.
    copies: usize,
}

impl AccessHistory {
    /// An empty history. The services of `facts` show which reads are launches of tasks, its settings which callers are
    /// persons. Calls that do not fit the filter are left out.
    pub fn new(query: SecretQuery, mut facts: Facts, filter: EventFilter) -> Self {
        let mut roles = BTreeSet::new();
        for service in facts.services.iter().flatten() {
            for role in &service.execution_roles {
                roles.insert(role.raw().to_owned());
            }
        }
        for role in roles {
            let secrets = launch_secrets(&facts, &role);
            facts.launch_secrets.insert(role, secrets);
        }
        Self { query, facts, filter, calls: BTreeMap::new(), spellings: BTreeSet::new(), covered: None }
    }

    /// Adds an event, if it matters. Most events do not.
    ///
    /// # Errors
    /// When the event is a read that may be one of the secret, and has no time.
    pub fn add_event(&mut self, event: &Event) -> Result<(), UndatedRead> {
        for secret in &event.secrets {
            if !self.spellings.contains(secret) {
                self.spellings.insert(secret.clone());
            }
        }
        let call = AccessCall::from_event(event, &self.query, &self.facts);
        if !event.time_known {
            return if call.is_some() { Err(UndatedRead) } else { Ok(()) };
        }
        let (first, last) = self.covered.unwrap_or((event.time, event.time));
        self.covered = Some((first.min(event.time), last.max(event.time)));
        if let Some(call) = call {
            let rank = Reverse((!call.secrets.is_empty(), event.count_known_parties()));
            self.add_call(event.key(), (rank, call));
        }
        Ok(())
    }

    fn add_call(&mut self, key: &str, found: RankedCall) {
        match self.calls.get_mut(key) {
            Some(known) => {
                known.copies += 1;
                if found < known.best {
                    known.best = found;
                }
            }
            None => {
                self.calls.insert(key.to_owned(), CollectedCall { best: found, copies: 0 });
            }
        }
    }

    /// Whether an event of the input names the secret, read or not.
    pub fn is_secret_named(&self) -> bool {
        self.spellings.iter().any(|spelled| self.query.may_mean(spelled))
    }

    /// The names of secrets in the input that are most like that of the query: somebody may have mistyped it.
    pub fn nearest_names(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        for spelled in &self.spellings {
            names.insert(spelled.friendly_name().raw().to_owned());
        }
        find_nearest_names(self.query.name().raw(), &names)
    }

    /// Reports who read the secret, and who may have. Place and principal are those of the copy that says most.
    pub fn report(&self) -> AccessReport {
        let mut copies = 0;
        let mut calls = Vec::new();
        for collected in self.calls.values() {
            let (_, call) = &collected.best;
            if call.fits(&self.filter) {
                copies += collected.copies;
                calls.push(call);
            }
        }
        let shown = calls.len();
        let evidence = weigh_calls(calls.into_iter(), &self.query, &self.spellings);
        let (readers, possible_readers) = tabulate_calls(&evidence);
        AccessReport {
            readers,
            possible_readers,
            copies,
            covered: self.covered,
            shown,
            hidden: self.calls.len() - shown,
        }
    }
}
