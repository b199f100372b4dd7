//! Pairs each batch read with the record of a read that it caused.
//!
//! `BatchGetSecretValue` is recorded itself, and so is a `GetSecretValue` for each of its secrets
//! (`API_BatchGetSecretValue`). Nothing ties the records but the caller, the place and the time.

use std::collections::BTreeMap;

use super::access_call::{AccessCall, CallOrigin};
use responder_core::time::Span;

/// How far apart the times of a batch and of the records of its reads may be. CloudTrail records whole seconds.
const BATCH_READ_DISTANCE_MAX: Span = Span::from_secs(5);

/// Batches and reads after the pairing.
#[derive(Default)]
pub(super) struct PairedBatches {
    /// The batches that have the record of a read, each as one call. It is refused if the batch or the read was.
    pub(super) explained: Vec<AccessCall>,
    /// The batches without one.
    pub(super) unexplained: Vec<AccessCall>,
    /// The reads that belong to no batch.
    pub(super) other_reads: Vec<AccessCall>,
}

/// Pairs each batch with the first read by the same caller, in the same place and at about the same time. Each read is
/// the child of at most one batch.
pub(super) fn pair_batches(mut batches: Vec<AccessCall>, mut reads: Vec<AccessCall>) -> PairedBatches {
    batches.sort();
    reads.sort();
    let mut reads_by_origin: BTreeMap<CallOrigin, Vec<AccessCall>> = BTreeMap::new();
    for read in reads {
        reads_by_origin.entry(read.origin()).or_default().push(read);
    }
    let mut paired = PairedBatches::default();
    for mut batch in batches {
        match take_child(&mut reads_by_origin, &batch) {
            Some(child) => {
                batch.refused |= child.refused;
                batch.secret = child.secret;
                batch.records.extend(child.records);
                paired.explained.push(batch);
            }
            None => paired.unexplained.push(batch),
        }
    }
    for reads in reads_by_origin.into_values() {
        paired.other_reads.extend(reads);
    }
    paired
}

/// Takes out the first read that may be a child of the batch.
fn take_child(
    reads_by_origin: &mut BTreeMap<CallOrigin, Vec<AccessCall>>,
    batch: &AccessCall,
) -> Option<AccessCall> {
    let reads = reads_by_origin.get_mut(&batch.origin())?;
    let index = reads.iter().position(|read| is_near(batch, read) && may_be_same_secret(batch, read))?;
    Some(reads.remove(index))
}

/// Whether the secret of the read is that of the batch; a batch by filter does not name it.
fn may_be_same_secret(batch: &AccessCall, read: &AccessCall) -> bool {
    batch.secret.is_none() || batch.secret == read.secret
}

fn is_near(batch: &AccessCall, read: &AccessCall) -> bool {
    batch.at <= read.at.plus(BATCH_READ_DISTANCE_MAX) && read.at <= batch.at.plus(BATCH_READ_DISTANCE_MAX)
}
