//! The reads of tasks, by the secret as it was spelled.

use std::collections::BTreeMap;

use super::secret_changes::ObservedChange;
use crate::proof::evidence::TaskRead;
use responder_core::aws::reference_match::match_reference;
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::aws::secret_ref::SecretRef;

/// The reads of tasks, by the secret as it was spelled, each by time.
pub(super) struct ReadIndex<'e> {
    by_spelling: BTreeMap<&'e SecretRef, Vec<&'e TaskRead>>,
}

impl<'e> ReadIndex<'e> {
    /// Indexes reads, which come by time.
    pub(super) fn new(reads: &[&'e TaskRead]) -> Self {
        let mut by_spelling: BTreeMap<_, Vec<&TaskRead>> = BTreeMap::new();
        for read in reads {
            by_spelling.entry(&read.secret).or_default().push(read);
        }
        Self { by_spelling }
    }

    /// Returns the reads of the secret that got AWSCURRENT, or the version of this change, by time. They may have come
    /// before the change. `known` is what Secrets Manager says, by the key of a secret.
    pub(super) fn find_reads(
        &self,
        change: &ObservedChange,
        known: &BTreeMap<String, SecretMetadata>,
    ) -> Vec<&'e TaskRead> {
        let mut found = Vec::new();
        for (spelled, reads) in &self.by_spelling {
            if match_reference(spelled, &change.secret, known).is_none() {
                continue;
            }
            for read in reads {
                if read.version.is_none() || read.version == change.version {
                    found.push(*read);
                }
            }
        }
        found.sort();
        found
    }
}
