//! The ledger: without it every event pages anew.

use infra::invariants::LEDGER_TTL_ATTRIBUTE;

use super::fault::WiringFault;
use super::region_check::RegionCheck;

/// Checks the table.
pub(super) fn check_ledger(check: &mut RegionCheck<'_>) {
    let name = check.expected.table.as_str();
    let Some(table) = check.require_seen("ledger", name, &check.observed.table) else { return };
    let Some(table) = table else {
        return check.report(WiringFault::LedgerMissing, name, &[]);
    };
    if table.status == "ACTIVE" {
        check.ok("ledger", name, "active");
    } else {
        check.report(WiringFault::LedgerInactive, name, &[("status", &table.status)]);
    }
    if table.ttl.as_deref() != Some(LEDGER_TTL_ATTRIBUTE) {
        let values = [("table", name), ("attribute", LEDGER_TTL_ATTRIBUTE)];
        check.report(WiringFault::LedgerWithoutTtl, name, &values);
    }
    if !table.recovery {
        check.report(WiringFault::LedgerWithoutRecovery, name, &[]);
    }
    if !table.protected {
        check.report(WiringFault::LedgerUnprotected, name, &[]);
    }
}
