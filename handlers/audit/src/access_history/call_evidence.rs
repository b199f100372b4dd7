//! Decides of each collected call whether it read the secret, may have, or read another one.

use std::collections::BTreeSet;

use serde::Serialize;

use super::access_call::AccessCall;
use super::batch_reads::pair_batches;
use crate::query::SecretQuery;
use responder_core::aws::secret_ref::{SecretRef, resolve_spellings};

/// Why a call may have read the secret, without certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessDoubt {
    /// The call is a batch by filter, and the input has no record of a read of this secret by it.
    Filter,
    /// The spelling can mean the secret, and another one.
    Spelling,
    /// The record names no secret.
    Unnamed,
}

/// The calls, by what they prove.
#[derive(Default)]
pub(super) struct CallEvidence {
    /// Calls that read the secret, or tried to.
    pub(super) certain: Vec<AccessCall>,
    /// Calls that may have, each with the reason for the doubt.
    pub(super) doubtful: Vec<(AccessDoubt, AccessCall)>,
}

/// Decides about every call. `spellings` are all spellings of any secret in the input: they show which ARN belongs to
/// which name. Checks run in this order:
///
/// 1. A call that names the secret read it. If it is a batch by name, the record of its read of the secret is a part of
///    the same call.
/// 2. A call whose spelling can mean the secret, and means another one here, is doubtful: `spelling`.
/// 3. A batch by filter with the record of a read of the secret beside it read the secret. The record is a part of the
///    same call.
/// 4. A batch by filter without such a record is doubtful: `filter`.
/// 5. Any other call that names no secret is doubtful: `unnamed`.
///
/// Batches by name take their records before batches by filter do, because they certainly have one.
pub(super) fn weigh_calls<'c>(
    calls: impl Iterator<Item = &'c AccessCall>,
    query: &SecretQuery,
    spellings: &BTreeSet<SecretRef>,
) -> CallEvidence {
    let meant = meant_spellings(query, spellings);
    let mut evidence = CallEvidence::default();
    let mut reads = Vec::new();
    let mut batches_by_name = Vec::new();
    let mut batches_by_filter = Vec::new();
    for call in calls {
        match call.secrets.iter().find(|secret| meant.contains(secret)) {
            // 1. It names the secret.
            Some(secret) if call.is_batch => batches_by_name.push(call.as_read_of(secret)),
            Some(secret) => reads.push(call.as_read_of(secret)),
            // 2. It names a secret that is spelled alike.
            None if !call.secrets.is_empty() => {
                evidence.doubtful.push((AccessDoubt::Spelling, call.clone()));
            }
            // 3. and 4. It is a batch that names none.
            None if call.is_batch => batches_by_filter.push(call.clone()),
            // 5. It names none.
            None => evidence.doubtful.push((AccessDoubt::Unnamed, call.clone())),
        }
    }
    let by_name = pair_batches(batches_by_name, reads);
    let by_filter = pair_batches(batches_by_filter, by_name.other_reads);
    for calls in [by_name.explained, by_name.unexplained, by_filter.explained, by_filter.other_reads] {
        evidence.certain.extend(calls);
    }
    for call in by_filter.unexplained {
        evidence.doubtful.push((AccessDoubt::Filter, call));
    }
    evidence
}

/// Returns those of the spellings that mean the secret, once all spellings of the input are compared.
///
/// For example, the partial ARN `…:secret:stripe-apikey` can mean the secret `stripe`. If the input also has the full
/// ARN `…:secret:stripe-apikey-a1B2c3`, it means the secret `stripe-apikey`.
fn meant_spellings<'s>(query: &SecretQuery, spellings: &'s BTreeSet<SecretRef>) -> BTreeSet<&'s SecretRef> {
    let mut group = spellings.clone();
    for spelled in spellings {
        group.extend(query.spell_beside(spelled));
    }
    let names = resolve_spellings(&group);
    let mut meant = BTreeSet::new();
    for spelled in spellings {
        let Some(own) = query.spell_beside(spelled) else { continue };
        if names.get(&own) == names.get(spelled) {
            meant.insert(spelled);
        }
    }
    meant
}
