//! The matcher: whether AWS's own agrees with ours about the fixtures.

use super::fault::WiringFault;
use super::region_check::RegionCheck;

/// Compares the answers of both matchers for every pair of rule and event.
pub(super) fn check_matcher(check: &mut RegionCheck<'_>) {
    let matched = &check.snapshot.matched;
    let Some(comparisons) = check.require_seen("matcher", "patterns", matched) else { return };
    let mut agree = true;
    for comparison in comparisons {
        if comparison.ours != comparison.theirs {
            agree = false;
            let say = |matches: bool| if matches { "matches" } else { "does not match" };
            let values = [
                ("case", &*comparison.case),
                ("theirs", say(comparison.theirs)),
                ("ours", say(comparison.ours)),
            ];
            check.report(WiringFault::MatcherDiffers, &comparison.rule, &values);
        }
    }
    if agree && !comparisons.is_empty() {
        let what = format!("AWS agrees on {} pairs of rule and event", comparisons.len());
        check.ok("matcher", "patterns", what);
    }
}
