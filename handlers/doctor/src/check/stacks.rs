//! Stacks: whether what is there is what a template says.

use crate::finding::Findings;
use crate::snapshot::{Look, Observed};
use crate::wiring::find;

/// The stack of a Region.
pub(super) fn check(name: &str, observed: &Observed, found: &mut Findings<'_>) {
    let stacks = match &observed.stacks {
        Look::Seen(stacks) => stacks,
        Look::Unseen(why) => return found.unseen("stack", name, why),
    };
    let Some((name, stack)) = find(stacks, name) else {
        return found.warn(
            "stack",
            name,
            "there is no stack of this name",
            "deployed under another name or by other means: its parameters and drift are not known",
            "deploy infra/ under this name, or read the other findings as if all parameters were the defaults",
        );
    };
    if !stack.status.ends_with("_COMPLETE") || stack.status.contains("ROLLBACK") {
        found.fail(
            "stack",
            name,
            format!("its status is {}", stack.status),
            "what is deployed is not what the template says",
            "aws cloudformation describe-stack-events names the reason",
        );
        return;
    }
    let detect = || format!("aws cloudformation detect-stack-drift --stack-name {name}");
    match stack.drift.as_str() {
        "DRIFTED" => found.fail(
            "stack-drift",
            name,
            "resources differ from the template",
            "somebody changed them by hand",
            "aws cloudformation describe-stack-resource-drifts says which; deploy the stack again",
        ),
        "IN_SYNC" => found.ok("stack", name, format!("{}, in sync", stack.status)),
        // The other checks compare most of it.
        _ => found.ok("stack", name, format!("{}; drift was never looked for: {}", stack.status, detect())),
    }
}
