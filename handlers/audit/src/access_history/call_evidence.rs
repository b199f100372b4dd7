//! Decides of each collected call whether it read the secret, may have, or read another one.

use std::collections::{BTreeMap, BTreeSet};

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
/// 1. A call that names the secret read it; of a query with wildcards, each secret that it names. If it is a batch by name, the record of its read of the secret is a part of
///    the same call.
/// 2. A call whose spelling can mean the secret, and means another one here, is doubtful: `spelling`. With wildcards only
///    an ARN that may be partial can: the random end of a full one is no part of a name.
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
    let meant = find_meant_secrets(query, spellings);
    let mut evidence = CallEvidence::default();
    let mut reads = Vec::new();
    let mut batches_by_name = Vec::new();
    let mut batches_by_filter = Vec::new();
    for call in calls {
        // 1. It names the secret, or several that the query means.
        let named = find_named_secrets(call, &meant);
        for (secret, name) in &named {
            let read = call.as_read_of(secret, name);
            if call.is_batch {
                batches_by_name.push(read);
            } else {
                reads.push(read);
            }
        }
        if !named.is_empty() {
            continue;
        }
        match call.secrets.first() {
            // 2. It names a secret that is spelled alike.
            Some(secret) if query.has_wildcards() && !secret.may_be_partial_arn() => {}
            Some(_) => evidence.doubtful.push((AccessDoubt::Spelling, call.clone())),
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

/// Returns those of the spellings that mean the secret, once all spellings of the input are compared, with its name.
///
/// For example, the partial ARN `…:secret:stripe-apikey` can mean the secret `stripe`. If the input also has the full
/// ARN `…:secret:stripe-apikey-a1B2c3`, it means the secret `stripe-apikey`.
pub(super) fn find_meant_secrets<'s>(
    query: &SecretQuery,
    spellings: &'s BTreeSet<SecretRef>,
) -> BTreeMap<&'s SecretRef, String> {
    let mut group = spellings.clone();
    if !query.has_wildcards() {
        for spelled in spellings {
            group.extend(query.spell_beside(spelled));
        }
    }
    let keys = resolve_spellings(&group);
    let mut meant = BTreeMap::new();
    for spelled in spellings {
        let Some(own) = query.spell_beside(spelled) else { continue };
        let Some(key) = keys.get(spelled) else { continue };
        let name = name_in_key(key);
        if keys.get(&own) == Some(key) || query.fits_wildcards(name) {
            meant.insert(spelled, name.to_owned());
        }
    }
    meant
}

/// Returns the name in `account/region/name`.
fn name_in_key(key: &str) -> &str {
    key.splitn(3, '/').nth(2).unwrap_or_default()
}

/// Returns the secrets that a call names and the query means, one spelling and the name of each.
fn find_named_secrets<'c>(
    call: &'c AccessCall,
    meant: &'c BTreeMap<&SecretRef, String>,
) -> Vec<(&'c SecretRef, &'c str)> {
    let mut seen = BTreeSet::new();
    let mut named = Vec::new();
    for secret in &call.secrets {
        if let Some(name) = meant.get(secret)
            && seen.insert((&secret.account, &secret.region, name))
        {
            named.push((secret, name.as_str()));
        }
    }
    named
}
