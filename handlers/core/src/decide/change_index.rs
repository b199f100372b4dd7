//! An index of changed secrets, in which a secret is found by any of its spellings.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::secret_ref::SecretRef;
use crate::state::deployment::SecretChange;

/// An account, a Region, and a name or the text of an ARN.
type LocatedName = (String, String, String);

/// Changes of secrets, indexed by the spellings of each secret: an account has thousands of secrets and of references.
#[derive(Debug)]
pub struct ChangeIndex {
    changes: Vec<SecretChange>,
    /// The positions in `changes`.
    positions_by_name: BTreeMap<LocatedName, Vec<usize>>,
}

impl ChangeIndex {
    /// An index of these changes.
    pub fn new(changes: Vec<SecretChange>) -> Self {
        let mut positions_by_name: BTreeMap<LocatedName, Vec<usize>> = BTreeMap::new();
        for (position, change) in changes.iter().enumerate() {
            for name in list_spellings(&change.secret) {
                positions_by_name.entry(name).or_default().push(position);
            }
        }
        Self { changes, positions_by_name }
    }

    /// The change at a position that [`ChangeIndex::find_positions`] returned.
    pub(super) fn get(&self, position: usize) -> Option<&SecretChange> {
        self.changes.get(position)
    }

    /// The positions of the changes of every secret that may be this one.
    pub(super) fn find_positions(&self, secret: &SecretRef) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for name in list_spellings(secret) {
            for position in self.positions_by_name.get(&name).into_iter().flatten() {
                let Some(change) = self.changes.get(*position) else { continue };
                if change.secret.may_be_same_secret(secret) {
                    found.insert(*position);
                }
            }
        }
        found
    }
}

/// The text of the reference, and the text without what may be the random suffix of an ARN.
fn list_spellings(secret: &SecretRef) -> BTreeSet<LocatedName> {
    let mut spellings = BTreeSet::new();
    for name in [secret.text.raw(), secret.friendly_name().raw()] {
        spellings.insert((secret.account.clone(), secret.region.clone(), name.to_owned()));
    }
    spellings
}
