//! The sources of facts.

use crate::deadline::Deadline;
use crate::discovery::ProcessCache;
use crate::store::Ledger;

/// The sources that an invocation asks.
pub(crate) struct FactSources<'s, A> {
    pub(crate) aws: &'s A,
    pub(crate) ledger: &'s Ledger<'s, A>,
    pub(crate) cache: &'s ProcessCache,
    /// The function's own account, or empty if it is unknown. Services and secrets of other accounts are out of its reach.
    pub(crate) account: &'s str,
    /// By this instant the gathering ends, with what it knows then.
    pub(crate) deadline: Deadline,
}

impl<A> FactSources<'_, A> {
    /// Whether services and secrets of an account can be seen from here.
    pub(super) fn can_see_account(&self, account: &str) -> bool {
        self.account.is_empty() || account == self.account
    }
}
