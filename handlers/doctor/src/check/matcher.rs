//! The matcher: whether AWS's own says of the fixtures what ours says.

use crate::finding::RegionFindings;
use crate::snapshot::AccountSnapshot;

/// Compares what both matchers say of every pair of rule and event.
pub(super) fn check_matcher(snapshot: &AccountSnapshot, findings: &mut RegionFindings<'_>) {
    let Some(comparisons) = findings.require_seen("matcher", "patterns", &snapshot.matched) else { return };
    let mut agree = true;
    for comparison in comparisons {
        if comparison.ours == comparison.theirs {
            continue;
        }
        agree = false;
        let say = |matches: bool| if matches { "matches" } else { "does not match" };
        findings.fail(
            "matcher",
            &comparison.rule,
            format!(
                "of `{}` AWS says that it {}, we that it {}",
                comparison.case,
                say(comparison.theirs),
                say(comparison.ours)
            ),
            "the replay and the deployed rule decide differently",
            "report it, with pattern and event: this is a fault of ours",
        );
    }
    if agree && !comparisons.is_empty() {
        let what = format!("AWS agrees on {} pairs of rule and event", comparisons.len());
        findings.ok("matcher", "patterns", what);
    }
}
