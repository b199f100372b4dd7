//! The ledger: without it every event pages anew.

use infra::invariants::LEDGER_TTL_ATTRIBUTE;

use crate::finding::RegionFindings;
use crate::snapshot::RegionSnapshot;

/// Checks the table.
pub(super) fn check_ledger(name: &str, observed: &RegionSnapshot, findings: &mut RegionFindings<'_>) {
    let Some(table) = findings.require_seen("ledger", name, &observed.table) else { return };
    let Some(table) = table else {
        return findings.fail(
            "ledger",
            name,
            "it does not exist",
            "nothing is counted, and each event pages anew",
            "deploy the stack again",
        );
    };
    if table.status == "ACTIVE" {
        findings.ok("ledger", name, "active");
    } else {
        findings.fail(
            "ledger",
            name,
            format!("its status is {}", table.status),
            "it cannot be written",
            "wait, or look at the table's events",
        );
    }
    if table.ttl.as_deref() != Some(LEDGER_TTL_ATTRIBUTE) {
        findings.fail(
            "ledger-ttl",
            name,
            format!("its items do not expire by `{LEDGER_TTL_ATTRIBUTE}`"),
            "it grows for ever",
            format!("aws dynamodb update-time-to-live --table-name {name} --time-to-live-specification Enabled=true,AttributeName={LEDGER_TTL_ATTRIBUTE}"),
        );
    }
    if !table.recovery {
        findings.warn(
            "ledger-recovery",
            name,
            "it has no point-in-time recovery",
            "the proofs of rotations can be lost",
            "deploy the stack again",
        );
    }
    if !table.protected {
        findings.warn(
            "ledger-protection",
            name,
            "it has no deletion protection",
            "one call can delete it",
            "deploy the stack again",
        );
    }
}
