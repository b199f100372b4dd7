//! The home Region's bus: whose events it takes.

use infra::resource_policy::{list_statements, names_everybody};

use crate::finding::RegionFindings;
use crate::snapshot::{AccountSnapshot, RegionSnapshot};

/// Checks the bus's policy. A bus that takes events of other accounts needs rules that pin the account; one that takes everybody's
/// is open to forgery.
pub(super) fn check_bus(
    snapshot: &AccountSnapshot,
    home: &RegionSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    let Some(policy) = findings.require_seen("bus", "default", &home.bus) else { return };
    // Events of other Regions of the same account need no policy.
    let Some(policy) = policy else {
        return findings.ok("bus", "default", "takes events of this account only");
    };
    for statement in list_statements(policy) {
        let is_open = statement["Effect"] == "Allow"
            && names_everybody(statement)
            && statement.get("Condition").is_none();
        if is_open {
            return findings.fail(
                "bus",
                "default",
                "its policy lets everybody put events",
                "anybody with an AWS account can forge a rotation or flood the on-call",
                "restrict it to your accounts or organization (aws events put-permission), and pin `account` in the rules",
            );
        }
    }
    let text = policy.to_string();
    let names_others = text.contains("aws:PrincipalOrgID")
        || (text.contains("arn:aws") && !text.contains(&snapshot.account));
    let what = if names_others {
        "takes events of other accounts that it names"
    } else {
        "takes events of this account"
    };
    findings.ok("bus", "default", what);
}
