//! The report about a secret: one row for the calls of one principal from one place.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::access_call::{AccessCall, CallerKind};
use super::call_evidence::{AccessDoubt, CallEvidence};
use super::each_read::EachRead;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// Everything that the events show about reads of one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessReport {
    /// Callers that read the secret, or tried to. The least expected kind of caller comes first.
    pub readers: Vec<AccessRow>,
    /// Callers that may have read it, each with the reason for the doubt.
    pub possible_readers: Vec<AccessRow>,
    /// Each of these calls, by time, if they are to be listed.
    pub each: Vec<EachRead>,
    /// How many further copies of these calls there were. They were not counted.
    pub copies: usize,
    /// The times of the first and the last event of the input, whatever they are about.
    pub covered: Option<(Timestamp, Timestamp)>,
    /// How many of the records of calls fit the filter, copies not included.
    pub shown: usize,
    /// How many do not, and were left out.
    pub hidden: usize,
}

/// Puts calls into rows: those of the readers, and those of the possible readers.
pub(super) fn tabulate_calls(evidence: &CallEvidence) -> (Vec<AccessRow>, Vec<AccessRow>) {
    let mut readers = AccessRowTable::default();
    for call in &evidence.certain {
        readers.add_call(call, None);
    }
    let mut possible_readers = AccessRowTable::default();
    for (doubt, call) in &evidence.doubtful {
        possible_readers.add_call(call, Some(*doubt));
    }
    (readers.into_sorted_rows(), possible_readers.into_sorted_rows())
}

/// The calls of one principal that came from one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessRow {
    /// The name of the secret; absent if the record does not say which one was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Untrusted>,
    /// The role, user or service, as notifications name it.
    pub principal: Untrusted,
    /// The kind of the caller.
    pub caller: CallerKind,
    /// The service that called for the principal, or by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<Untrusted>,
    /// The account of the principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_account: Option<String>,
    /// The account of the secret.
    pub account: String,
    /// The Region of the secret, or of its replica.
    pub region: String,
    /// The addresses that the calls came from: one, except for launches and services.
    pub addresses: BTreeSet<Untrusted>,
    /// The access key ids. Each session has one.
    pub access_keys: BTreeSet<Untrusted>,
    /// The names of the sessions.
    pub sessions: BTreeSet<Untrusted>,
    /// How many calls were answered. A call counts once for each secret that it read.
    pub reads: usize,
    /// How many of all calls were `BatchGetSecretValue`.
    pub batches: usize,
    /// How many calls were refused or failed.
    pub refused: usize,
    /// The time of the first call.
    pub first: Timestamp,
    /// The time of the last call.
    pub last: Timestamp,
    /// Why it is not certain that the secret was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<AccessDoubt>,
}

impl AccessRow {
    /// A row without calls, for the caller of this call.
    fn for_caller_of(call: &AccessCall, doubt: Option<AccessDoubt>) -> Self {
        Self {
            secret: call.secret.clone(),
            principal: call.principal.clone(),
            caller: call.caller,
            invoked_by: call.invoked_by.clone(),
            caller_account: call.caller_account.clone(),
            account: call.account.clone(),
            region: call.region.clone(),
            addresses: BTreeSet::new(),
            access_keys: BTreeSet::new(),
            sessions: BTreeSet::new(),
            reads: 0,
            batches: 0,
            refused: 0,
            first: call.at,
            last: call.at,
            doubt,
        }
    }

    fn add_call(&mut self, call: &AccessCall) {
        self.addresses.extend(call.address.clone());
        self.access_keys.extend(call.access_key.clone());
        self.sessions.extend(call.session.clone());
        self.batches += usize::from(call.is_batch);
        self.reads += usize::from(!call.refused);
        self.refused += usize::from(call.refused);
        self.first = self.first.min(call.at);
        self.last = self.last.max(call.at);
    }
}

/// The rows, by their keys.
#[derive(Default)]
struct AccessRowTable(BTreeMap<AccessRowKey, AccessRow>);

/// Two rows differ in at least one of these. The derived order breaks ties between rows in the report.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct AccessRowKey {
    caller: CallerKind,
    principal: Untrusted,
    invoked_by: Option<Untrusted>,
    caller_account: Option<String>,
    account: String,
    region: String,
    secret: Option<Untrusted>,
    /// Absent for callers that have many addresses; the empty text for a call without an address.
    address: Option<Untrusted>,
    doubt: Option<AccessDoubt>,
}

impl AccessRowTable {
    fn add_call(&mut self, call: &AccessCall, doubt: Option<AccessDoubt>) {
        let address = if call.caller.has_many_addresses() {
            None
        } else {
            Some(call.address.clone().unwrap_or_default())
        };
        let key = AccessRowKey {
            caller: call.caller,
            principal: call.principal.clone(),
            invoked_by: call.invoked_by.clone(),
            caller_account: call.caller_account.clone(),
            account: call.account.clone(),
            region: call.region.clone(),
            secret: call.secret.clone(),
            address,
            doubt,
        };
        let row = self.0.entry(key).or_insert_with(|| AccessRow::for_caller_of(call, doubt));
        row.add_call(call);
    }

    /// The rows by kind of caller and by time. The sort is stable: equal rows stay in the order of their keys.
    fn into_sorted_rows(self) -> Vec<AccessRow> {
        let mut rows: Vec<AccessRow> = self.0.into_values().collect();
        rows.sort_by_key(|row| (row.caller, row.first, row.last));
        rows
    }
}
