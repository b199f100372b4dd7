//! The ledger: without it every event pages anew.

use infra::invariants::LEDGER_TTL_ATTRIBUTE;

use super::fault::Fault;
use super::region_check::RegionCheck;

/// Checks the table.
pub(super) fn check_ledger(check: &mut RegionCheck<'_>) {
    let name = check.expected.table.as_str();
    let Some(table) = check.require_seen("ledger", name, &check.observed.table) else { return };
    let Some(table) = table else {
        return check.report(Fault::LedgerMissing, name, &[]);
    };
    if table.status == "ACTIVE" {
        check.ok("ledger", name, "active");
    } else {
        check.report(Fault::LedgerInactive, name, &[("status", &table.status)]);
    }
    if table.ttl.as_deref() != Some(LEDGER_TTL_ATTRIBUTE) {
        let values = [("table", name), ("attribute", LEDGER_TTL_ATTRIBUTE)];
        check.report(Fault::LedgerWithoutTtl, name, &values);
    }
    if !table.recovery {
        check.report(Fault::LedgerWithoutRecovery, name, &[]);
    }
    if !table.protected {
        check.report(Fault::LedgerUnprotected, name, &[]);
    }
}
