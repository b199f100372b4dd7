//! The reads of tasks, by the secret as it was spelled.

use std::collections::BTreeMap;

use super::secret_changes::ObservedChange;
use crate::proof::evidence::TaskRead;
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
    /// before the change.
    pub(super) fn find_reads(&self, change: &ObservedChange) -> Vec<&'e TaskRead> {
        let mut found = Vec::new();
        for (spelled, reads) in &self.by_spelling {
            if !spelled.may_be_same_secret(&change.secret) {
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
