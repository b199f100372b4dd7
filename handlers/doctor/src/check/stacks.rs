//! Stacks: whether the resources are what the template says.

use crate::expected::find_stack;
use crate::finding::RegionFindings;
use crate::snapshot::RegionSnapshot;

/// Checks the stack of a Region.
pub(super) fn check_stack(name: &str, observed: &RegionSnapshot, findings: &mut RegionFindings<'_>) {
    let Some(stacks) = findings.require_seen("stack", name, &observed.stacks) else { return };
    let Some((name, stack)) = find_stack(stacks, name) else {
        return findings.warn(
            "stack",
            name,
            "there is no stack of this name",
            "deployed under another name or by other means: its parameters and drift are not known",
            "deploy infra/ under this name, or read the other findings as if all parameters were the defaults",
        );
    };
    if !stack.status.ends_with("_COMPLETE") || stack.status.contains("ROLLBACK") {
        return findings.fail(
            "stack",
            name,
            format!("its status is {}", stack.status),
            "what is deployed is not what the template says",
            "aws cloudformation describe-stack-events names the reason",
        );
    }
    match stack.drift.as_str() {
        "DRIFTED" => findings.fail(
            "stack-drift",
            name,
            "resources differ from the template",
            "somebody changed them by hand",
            "aws cloudformation describe-stack-resource-drifts says which; deploy the stack again",
        ),
        "IN_SYNC" => findings.ok("stack", name, format!("{}, in sync", stack.status)),
        // The other checks compare most of it.
        _ => {
            let detect = format!("aws cloudformation detect-stack-drift --stack-name {name}");
            findings.ok("stack", name, format!("{}; drift was never looked for: {detect}", stack.status));
        }
    }
}
