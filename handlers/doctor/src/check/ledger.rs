//! The ledger: without it every event pages anew.

use crate::finding::Findings;
use crate::snapshot::{Look, Observed};

/// The table.
pub(super) fn check(name: &str, observed: &Observed, found: &mut Findings<'_>) {
    let table = match &observed.table {
        Look::Seen(Some(table)) => table,
        Look::Seen(None) => {
            return found.fail(
                "ledger",
                name,
                "it does not exist",
                "nothing is counted, and each event pages anew",
                "deploy the stack again",
            );
        }
        Look::Unseen(why) => return found.unseen("ledger", name, why),
    };
    if table.status == "ACTIVE" {
        found.ok("ledger", name, "active");
    } else {
        found.fail(
            "ledger",
            name,
            format!("its status is {}", table.status),
            "it cannot be written",
            "wait, or look at the table's events",
        );
    }
    if table.ttl.as_deref() != Some("ttl") {
        found.fail(
            "ledger-ttl",
            name,
            "its items do not expire by `ttl`",
            "it grows for ever",
            format!("aws dynamodb update-time-to-live --table-name {name} --time-to-live-specification Enabled=true,AttributeName=ttl"),
        );
    }
    if !table.recovery {
        found.warn(
            "ledger-recovery",
            name,
            "it has no point-in-time recovery",
            "the proofs of rotations can be lost",
            "deploy the stack again",
        );
    }
    if !table.protected {
        found.warn(
            "ledger-protection",
            name,
            "it has no deletion protection",
            "one call can delete it",
            "deploy the stack again",
        );
    }
}
