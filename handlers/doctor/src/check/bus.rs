//! The home Region's bus: whose events it takes.

use serde_json::Value;

use super::policy::{statements, texts};
use crate::finding::Findings;
use crate::snapshot::{Look, Observed, Snapshot};

/// A bus that takes events of others needs rules that pin the account; one that takes everybody's is open to forgery.
pub(super) fn check(snapshot: &Snapshot, home: &Observed, found: &mut Findings<'_>) {
    let policy = match &home.bus {
        Look::Seen(Some(policy)) => policy,
        // Events of other Regions of the same account need no policy.
        Look::Seen(None) => return found.ok("bus", "default", "takes events of this account only"),
        Look::Unseen(why) => return found.unseen("bus", "default", why),
    };
    let open = statements(policy).into_iter().any(|statement| {
        let principal = statement.get("Principal");
        let everybody = principal == Some(&Value::from("*"))
            || texts(principal.and_then(|kinds| kinds.get("AWS"))).iter().any(|one| one == "*");
        everybody
            && statement.get("Effect") == Some(&Value::from("Allow"))
            && statement.get("Condition").is_none()
    });
    if open {
        found.fail(
            "bus",
            "default",
            "its policy lets everybody put events",
            "anybody with an AWS account can forge a rotation or flood the on-call",
            "restrict it to your accounts or organization (aws events put-permission), and pin `account` in the rules",
        );
        return;
    }
    let foreign = policy.to_string().contains("arn:aws") && !policy.to_string().contains(&snapshot.account)
        || policy.to_string().contains("aws:PrincipalOrgID");
    let what =
        if foreign { "takes events of other accounts that it names" } else { "takes events of this account" };
    found.ok("bus", "default", what);
}
