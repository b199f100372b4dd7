//! Collects the calls that may have read the secret, one for each event, however many copies of the event there are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::access_call::{AccessCall, CountedCall, UndatedRead};
use super::access_report::{AccessReport, tabulate_calls};
use super::call_evidence::{find_meant_secrets, weigh_calls};
use super::each_read::list_each_read;
use super::nearest_names::find_nearest_names;
use crate::query::{EventFilter, SecretQuery};
use responder_core::aws::secret_ref::SecretRef;
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::memory_store::launch_secrets;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// Everything that the events show about reads of one secret. Copies of an event count once.
#[derive(Clone, Debug)]
pub struct AccessHistory {
    query: SecretQuery,
    facts: Facts,
    /// Calls that do not fit are left out.
    filter: EventFilter,
    /// Whether each read is listed with its records.
    is_each_listed: bool,
    /// The file of the last call, which most calls share with the next one.
    last_file: Arc<str>,
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
        Self {
            query,
            facts,
            filter,
            is_each_listed: false,
            last_file: Arc::from(""),
            calls: BTreeMap::new(),
            spellings: BTreeSet::new(),
            covered: None,
        }
    }

    /// Lists each read in the report, with the records that show it.
    #[must_use]
    pub fn list_each(self) -> Self {
        Self { is_each_listed: true, ..self }
    }

    /// Adds an event of a file, if it matters. Most events do not.
    ///
    /// # Errors
    /// When the event is a read that may be one of the secret, and has no time.
    pub fn add_event(&mut self, event: &Event, file: &str) -> Result<(), UndatedRead> {
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
        if let Some(mut call) = call {
            if self.is_each_listed {
                call.records.push(CountedCall { event_id: event.id(), file: self.share_file(file) });
            }
            let rank = Reverse((!call.secrets.is_empty(), event.count_known_parties()));
            self.add_call(event.key(), (rank, call));
        }
        Ok(())
    }

    fn share_file(&mut self, file: &str) -> Arc<str> {
        if *self.last_file != *file {
            self.last_file = Arc::from(file);
        }
        Arc::clone(&self.last_file)
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

    /// The names of the secrets in the input that the query means, read or not.
    pub fn meant_names(&self) -> BTreeSet<Untrusted> {
        let meant = find_meant_secrets(&self.query, &self.spellings);
        meant.into_values().map(Untrusted::new).collect()
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
            each: if self.is_each_listed { list_each_read(&evidence) } else { Vec::new() },
            copies,
            covered: self.covered,
            shown,
            hidden: self.calls.len() - shown,
        }
    }
}
