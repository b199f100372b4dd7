//! The home Region's bus: whose events it takes.

use infra::resource_policy::{list_statements, names_everybody};

use super::fault::WiringFault;
use super::region_check::RegionCheck;

/// Checks the bus's policy. A bus that takes events of other accounts needs rules that pin the account; one that takes everybody's
/// is open to forgery.
pub(super) fn check_bus(check: &mut RegionCheck<'_>) {
    let Some(policy) = check.require_seen("bus", "default", &check.observed.bus) else { return };
    // Events of other Regions of the same account need no policy.
    let Some(policy) = policy else {
        return check.ok("bus", "default", "takes events of this account only");
    };
    for statement in list_statements(policy) {
        let has_condition = statement.get("Condition").is_some();
        if statement["Effect"] == "Allow" && names_everybody(statement) && !has_condition {
            return check.report(WiringFault::BusOpen, "default", &[]);
        }
    }
    let text = policy.to_string();
    let names_others = text.contains("aws:PrincipalOrgID")
        || (text.contains("arn:aws") && !text.contains(&check.snapshot.account));
    let whose = if names_others { "other accounts that it names" } else { "this account" };
    check.ok("bus", "default", format!("takes events of {whose}"));
}
