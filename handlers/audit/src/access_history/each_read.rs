//! The list of each read: its time, its caller, and the records that show it.

use serde::Serialize;

use super::access_call::{AccessCall, CallerKind, CountedCall};
use super::call_evidence::{AccessDoubt, CallEvidence};
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// One call that read the secret, tried to, or may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EachRead {
    /// The time of the call.
    pub at: Timestamp,
    /// The name of the secret; absent if the record does not say which one was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Untrusted>,
    /// The role, user or service, as notifications name it.
    pub principal: Untrusted,
    /// The kind of the caller.
    pub caller: CallerKind,
    /// The name of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Untrusted>,
    /// The access key id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<Untrusted>,
    /// The address that the call came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Untrusted>,
    /// The account of the secret.
    pub account: String,
    /// The Region of the secret, or of its replica.
    pub region: String,
    /// Whether the call is a `BatchGetSecretValue`.
    pub batch: bool,
    /// Whether the call was refused or failed.
    pub refused: bool,
    /// Why it is not certain that the secret was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<AccessDoubt>,
    /// The records of the call: its own, and of a batch also that of its read, if the input has it.
    pub records: Vec<CountedCall>,
}

impl EachRead {
    fn from_call(call: &AccessCall, doubt: Option<AccessDoubt>) -> Self {
        Self {
            at: call.at,
            secret: call.secret.clone(),
            principal: call.principal.clone(),
            caller: call.caller,
            session: call.session.clone(),
            access_key: call.access_key.clone(),
            address: call.address.clone(),
            account: call.account.clone(),
            region: call.region.clone(),
            batch: call.is_batch,
            refused: call.refused,
            doubt,
            records: call.records.clone(),
        }
    }
}

/// Lists each call, by time.
pub(super) fn list_each_read(evidence: &CallEvidence) -> Vec<EachRead> {
    let mut each = Vec::new();
    for call in &evidence.certain {
        each.push(EachRead::from_call(call, None));
    }
    for (doubt, call) in &evidence.doubtful {
        each.push(EachRead::from_call(call, Some(*doubt)));
    }
    each.sort();
    each
}
