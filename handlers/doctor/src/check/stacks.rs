//! Stacks: whether the resources are those of the template.

use super::fault::WiringFault;
use super::region_check::RegionCheck;
use crate::expected::find_stack;

/// Checks the stack of the Region.
pub(super) fn check_stack(check: &mut RegionCheck<'_>) {
    let name = check.expected.stack.as_str();
    let Some(stacks) = check.require_seen("stack", name, &check.observed.stacks) else { return };
    let Some((name, stack)) = find_stack(stacks, name) else {
        return check.report(WiringFault::StackMissing, name, &[]);
    };
    let status = stack.status.as_str();
    if !status.ends_with("_COMPLETE") || status.contains("ROLLBACK") {
        return check.report(WiringFault::StackFailed, name, &[("status", status)]);
    }
    match stack.drift.as_str() {
        "DRIFTED" => check.report(WiringFault::StackDrifted, name, &[]),
        "IN_SYNC" => check.ok("stack", name, format!("{status}, in sync")),
        // The other checks compare most of the resources.
        _ => {
            let detect = format!("aws cloudformation detect-stack-drift --stack-name {name}");
            check.ok("stack", name, format!("{status}; drift was never detected: {detect}"));
        }
    }
}
