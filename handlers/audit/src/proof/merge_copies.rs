//! Merges the copies of a record that several exports of the ledger hold.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::rotation_proof::RotationProof;

/// Returns one record for each change and service, by time. The result is a function of the set of records.
///
/// Of several copies the one with the newest decision counts. Links that only another copy of the same deployment has
/// are added to it.
pub fn merge_copies(proofs: impl IntoIterator<Item = RotationProof>) -> Vec<RotationProof> {
    let mut copies_by_key: BTreeMap<_, Vec<RotationProof>> = BTreeMap::new();
    for proof in proofs {
        let key = (proof.changed_at, proof.secret.key(), proof.service.clone());
        copies_by_key.entry(key).or_default().push(proof);
    }
    let mut merged = Vec::new();
    for mut copies in copies_by_key.into_values() {
        copies.sort();
        // The sort is stable: equally new and complete copies stay in their own order.
        copies.sort_by_key(|copy| (Reverse(copy.decided_at), Reverse(count_links(copy))));
        let mut copies = copies.into_iter();
        let Some(mut newest) = copies.next() else { continue };
        for older in copies {
            add_links(&mut newest, older);
        }
        merged.push(newest);
    }
    merged
}

/// How many links of the chain are known.
fn count_links(proof: &RotationProof) -> usize {
    [proof.deployed_at, proof.completed_at, proof.failed_at, proof.fetched_at].iter().flatten().count()
}

/// Adds what an older copy knows of the same deployment.
fn add_links(newest: &mut RotationProof, older: RotationProof) {
    if newest.deployment != older.deployment || newest.deployed_at != older.deployed_at {
        return;
    }
    newest.version = newest.version.take().or(older.version);
    newest.completed_at = newest.completed_at.or(older.completed_at);
    newest.failed_at = newest.failed_at.or(older.failed_at);
    newest.superseded_at = newest.superseded_at.or(older.superseded_at);
    newest.fetched_at = newest.fetched_at.or(older.fetched_at);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::rotation_proof::tests::{at, whole_proof};

    #[test]
    fn several_exports_of_one_record_are_one_in_any_order() {
        let early = RotationProof { completed_at: None, fetched_at: Some(at(52)), ..whole_proof() };
        let late = RotationProof { completed_at: Some(at(110)), fetched_at: None, ..whole_proof() };
        let other = RotationProof { service: "other".into(), ..whole_proof() };
        let found = merge_copies([early.clone(), other.clone(), late.clone()]);
        assert_eq!(found, merge_copies([late, early, other.clone()]));
        assert_eq!(found, [whole_proof(), other]);
    }

    #[test]
    fn links_of_an_earlier_deployment_are_not_taken_for_those_of_the_newer_one() {
        let failed = RotationProof {
            failed_at: Some(at(60)),
            completed_at: None,
            fetched_at: Some(at(50)),
            ..whole_proof()
        };
        let again = RotationProof {
            decided_at: Some(at(400)),
            deployment: Some("ecs-svc/2".to_owned()),
            deployed_at: Some(at(401)),
            completed_at: None,
            fetched_at: None,
            ..whole_proof()
        };
        assert_eq!(merge_copies([failed, again.clone()]), [again]);
    }
}
