//! Who read one secret: every call that did and every call that may have, as a function of a set of events.

mod call;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use responder_core::aws::secret_ref::{SecretRef, resolve_spellings};
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::memory_store::launches;
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

use call::{AccessCall, concerns, observe};
pub use call::{CallerKind, UndatedRead};

/// The secret that is asked for. A name means the secrets of that name of every account; an ARN means that account's, in
/// every Region, because a replica's ARN differs in its Region only (Secrets Manager user guide, "Replicate secrets").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretQuery {
    spelled: SecretRef,
}

impl SecretQuery {
    /// Reads a name, or a partial or full ARN; `None` for the empty string and for an ARN that is not a secret's.
    pub fn parse(text: &str) -> Option<Self> {
        SecretRef::typed(text, "", "").map(|spelled| Self { spelled })
    }

    /// As it would be spelled where `other` is; `None` if that is another account's.
    fn beside(&self, other: &SecretRef) -> Option<SecretRef> {
        self.is_of(&other.account).then(|| SecretRef {
            account: other.account.clone(),
            region: other.region.clone(),
            ..self.spelled.clone()
        })
    }

    fn is_of(&self, account: &str) -> bool {
        !self.spelled.from_arn || self.spelled.account == account
    }
}

/// Everything that was observed of one secret; copies of an event count once.
#[derive(Clone, Debug)]
pub struct AccessHistory {
    requested: SecretQuery,
    facts: Facts,
    /// What is looked at: from the first, inclusive, to the second, exclusive.
    period: (Option<Timestamp>, Option<Timestamp>),
    /// By the event's key; of several copies the one that tells most.
    calls: BTreeMap<String, (Reverse<(bool, usize)>, AccessCall)>,
    /// Every spelling of any secret: they tell which ARN is of which name.
    spellings: BTreeSet<SecretRef>,
    copies: usize,
    covered: Option<(Timestamp, Timestamp)>,
}

impl AccessHistory {
    /// Nothing yet. The services of `facts` tell which reads are launches of tasks, its settings who is a person.
    pub fn new(
        requested: SecretQuery,
        mut facts: Facts,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Self {
        let roles = facts.services.iter().flatten().flat_map(|service| &service.execution_roles);
        let roles: BTreeSet<String> = roles.map(|role| role.raw().to_owned()).collect();
        for role in roles {
            let secrets = launches(&facts, &role);
            facts.launch_secrets.insert(role, secrets);
        }
        let (calls, spellings) = (BTreeMap::new(), BTreeSet::new());
        Self { requested, facts, period: (since, until), calls, spellings, copies: 0, covered: None }
    }

    /// Takes an event; most tell nothing.
    ///
    /// # Errors
    /// When it tells of a read that may be one of the secret, but not when.
    pub fn add(&mut self, event: &Event) -> Result<(), UndatedRead> {
        for secret in &event.secrets {
            if !self.spellings.contains(secret) {
                self.spellings.insert(secret.clone());
            }
        }
        let found = observe(event, &self.requested, &self.facts);
        if !event.time_known {
            return if found.is_some() { Err(UndatedRead) } else { Ok(()) };
        }
        let (first, last) = self.covered.unwrap_or((event.time, event.time));
        self.covered = Some((first.min(event.time), last.max(event.time)));
        let (since, until) = self.period;
        let inside =
            since.is_none_or(|since| event.time >= since) && until.is_none_or(|until| event.time < until);
        let Some(call) = found.filter(|_| inside) else { return Ok(()) };
        let found = (Reverse((!call.secrets.is_empty(), event.richness())), call);
        if let Some(known) = self.calls.get_mut(event.key()) {
            self.copies += 1;
            if found < *known {
                *known = found;
            }
        } else {
            self.calls.insert(event.key().to_owned(), found);
        }
        Ok(())
    }

    /// Who read it, and who may have.
    pub fn report(&self) -> AccessReport {
        let requested = self.spellings.iter().filter_map(|other| self.requested.beside(other));
        let group: BTreeSet<SecretRef> = self.spellings.iter().cloned().chain(requested).collect();
        let resolve_spellings = resolve_spellings(&group);
        let is_asked = |secret: &SecretRef| {
            let own = self.requested.beside(secret).and_then(|own| resolve_spellings.get(&own).cloned());
            own.is_some() && own.as_ref() == resolve_spellings.get(secret)
        };
        let (mut single, mut listed, mut hidden, mut others) = (vec![], vec![], vec![], vec![]);
        for (_, call) in self.calls.values() {
            match call.secrets.iter().find(|secret| is_asked(secret)) {
                Some(secret) if call.is_batch => listed.push(call.of(secret)),
                Some(secret) => single.push(call.of(secret)),
                None if call.secrets.iter().any(|secret| concerns(&self.requested, secret)) => {
                    others.push(call.clone());
                }
                None => hidden.push(call.clone()),
            }
        }
        // What certainly asked for the secret takes its record before what may have.
        let (listed, rest) = with_children(listed, single);
        let (batches, unread): (Vec<AccessCall>, Vec<AccessCall>) =
            hidden.into_iter().partition(|call| call.is_batch);
        let (explained, rest) = with_children(batches, rest);
        let (explained, unexplained): (Vec<_>, Vec<_>) = explained.into_iter().partition(|(_, found)| *found);
        let calls = |found: Vec<(AccessCall, bool)>| found.into_iter().map(|(call, _)| call);
        let mut read = AccessRows::default();
        for call in calls(listed).chain(calls(explained)).chain(rest) {
            read.add(&call, None);
        }
        let mut may = AccessRows::default();
        let doubtful = [
            (AccessDoubt::Spelling, others),
            (AccessDoubt::Filter, calls(unexplained).collect()),
            (AccessDoubt::Unnamed, unread),
        ];
        for (doubt, calls) in doubtful {
            for call in calls {
                may.add(&call, Some(doubt));
            }
        }
        AccessReport { readers: read.sorted(), may: may.sorted(), copies: self.copies, covered: self.covered }
    }
}

/// What is known in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessReport {
    /// Who read it, or tried; whom nobody expects first.
    pub readers: Vec<AccessRow>,
    /// Whose calls do not say which secret they read.
    pub may: Vec<AccessRow>,
    /// Further copies of those calls, which were not counted.
    pub copies: usize,
    /// When the first and the last event of the input were, whatever they are about.
    pub covered: Option<(Timestamp, Timestamp)>,
}

/// The calls of one principal that came from one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessRow {
    /// The role, user or service; as pages name it.
    pub principal: Untrusted,
    /// What it is.
    pub caller: CallerKind,
    /// The service that called for it, or by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<Untrusted>,
    /// The principal's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_account: Option<String>,
    /// The secret's account.
    pub account: String,
    /// The secret's Region, or that of its replica.
    pub region: String,
    /// Where the calls came from: one address, but for launches and services.
    pub addresses: BTreeSet<Untrusted>,
    /// The access key ids. Each session has one.
    pub access_keys: BTreeSet<Untrusted>,
    /// The names of the sessions.
    pub sessions: BTreeSet<Untrusted>,
    /// Calls that were answered, each once, however many secrets it read.
    pub reads: usize,
    /// How many of all calls were `BatchGetSecretValue`.
    pub batches: usize,
    /// Calls that were refused or failed.
    pub refused: usize,
    /// The first call.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// Why it is not certain that the secret was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<AccessDoubt>,
}

/// Why a call may have read the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessDoubt {
    /// A batch by filter, and no record of a read of this secret beside it.
    Filter,
    /// The spelling can mean the secret, and another one.
    Spelling,
    /// The record names no secret.
    Unnamed,
}

/// How far apart a batch and the records of its reads are at the most: seconds are what `CloudTrail` tells.
const APART: Span = Span::from_secs(5);

/// Each batch as one call with one of its children, if there is one; and the reads that are no child of them.
///
/// `BatchGetSecretValue` is recorded itself, and so is a `GetSecretValue` for each of its secrets
/// (`API_BatchGetSecretValue`); nothing is known to tie them but who called, where and when.
fn with_children(
    mut batches: Vec<AccessCall>,
    mut reads: Vec<AccessCall>,
) -> (Vec<(AccessCall, bool)>, Vec<AccessCall>) {
    batches.sort();
    reads.sort();
    let mut by_caller: BTreeMap<_, Vec<AccessCall>> = BTreeMap::new();
    for read in reads {
        by_caller.entry(read.place()).or_default().push(read);
    }
    let mut found = Vec::new();
    for mut batch in batches {
        let reads = by_caller.get_mut(&batch.place());
        let near = |read: &AccessCall| batch.at <= read.at.plus(APART) && read.at <= batch.at.plus(APART);
        let child = reads.and_then(|reads| reads.iter().position(near).map(|at| reads.remove(at)));
        if let Some(child) = &child {
            batch.refused |= child.refused;
        }
        found.push((batch, child.is_some()));
    }
    (found, by_caller.into_values().flatten().collect())
}

#[derive(Default)]
struct AccessRows(BTreeMap<AccessRowKey, AccessRow>);

/// Caller, principal, service, accounts, Region, address, doubt.
type AccessRowKey = (
    CallerKind,
    Untrusted,
    Option<Untrusted>,
    Option<String>,
    String,
    String,
    Option<Untrusted>,
    Option<AccessDoubt>,
);

impl AccessRows {
    fn add(&mut self, call: &AccessCall, doubt: Option<AccessDoubt>) {
        // Every task and every host of a service has an address of its own.
        let address = if call.caller.is_expected_anywhere() {
            None
        } else {
            call.address.clone().or_else(|| Some(Untrusted::default()))
        };
        let key = (
            call.caller,
            call.principal.clone(),
            call.invoked_by.clone(),
            call.caller_account.clone(),
            call.account.clone(),
            call.region.clone(),
            address,
            doubt,
        );
        let row = self.0.entry(key).or_insert_with(|| AccessRow {
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
        });
        row.addresses.extend(call.address.clone());
        row.access_keys.extend(call.access_key.clone());
        row.sessions.extend(call.session.clone());
        row.batches += usize::from(call.is_batch);
        row.reads += usize::from(!call.refused);
        row.refused += usize::from(call.refused);
        (row.first, row.last) = (row.first.min(call.at), row.last.max(call.at));
    }

    fn sorted(self) -> Vec<AccessRow> {
        let mut rows: Vec<AccessRow> = self.0.into_values().collect();
        // Stable: what is equal here stays in the order of its key.
        rows.sort_by_key(|row| (row.caller, row.first, row.last));
        rows
    }
}
