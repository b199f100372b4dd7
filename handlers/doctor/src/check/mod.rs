//! The checks: what is wrong with an installation, from what was seen of it. Pure.

mod alarms;
mod bus;
mod ledger;
mod policy;
mod rules;
mod topics;
mod trails;
mod workers;

use crate::finding::{Finding, Findings};
use crate::snapshot::{Look, Observed, Snapshot};
use crate::wiring::Wiring;

/// Everything that was found: the home Region first, then the others by name; within a Region in the order in which an event
/// travels.
pub(crate) fn check(wiring: &Wiring, snapshot: &Snapshot) -> Vec<Finding> {
    let mut all = Vec::new();
    let nothing = Observed::default();
    let home = snapshot.regions.get(&snapshot.home).unwrap_or(&nothing);
    let mut found = Findings::of(&snapshot.home, &mut all);
    trails::check(&snapshot.home, home, &mut found);
    rules::check(wiring, home, &mut found);
    bus::check(snapshot, home, &mut found);
    workers::check(wiring, home, &mut found);
    ledger::check(wiring, home, &mut found);
    topics::check(wiring, home, &mut found);
    alarms::check(&wiring.alarms, home, &mut found);
    alarms::heartbeats(wiring, snapshot.at, home, &mut found);
    let [stack, forwarder] = &wiring.stacks;
    alarms::stack(stack, home, &mut found);
    matched(snapshot, &mut found);
    for (region, observed) in snapshot.regions.iter().filter(|(region, _)| **region != snapshot.home) {
        let mut found = Findings::of(region, &mut all);
        trails::check(region, observed, &mut found);
        rules::forwards(wiring, &snapshot.home, observed, &mut found);
        alarms::check(&wiring.forward_alarms, observed, &mut found);
        alarms::stack(forwarder, observed, &mut found);
    }
    all
}

/// Whether AWS's matcher says of the fixtures what ours says.
fn matched(snapshot: &Snapshot, found: &mut Findings<'_>) {
    let matched = match &snapshot.matched {
        Look::Seen(matched) => matched,
        Look::Unseen(why) => return found.unseen("matcher", "patterns", why),
    };
    let differ: Vec<_> = matched.iter().filter(|one| one.ours != one.theirs).collect();
    for one in &differ {
        let verdict = |matches| if matches { "matches" } else { "does not match" };
        found.fail(
            "matcher",
            &one.rule,
            format!(
                "of `{}` AWS says that it {}, we that it {}",
                one.case,
                verdict(one.theirs),
                verdict(one.ours)
            ),
            "the replay and the deployed rule decide differently",
            "report it, with pattern and event: this is a fault of ours",
        );
    }
    if differ.is_empty() && !matched.is_empty() {
        found.ok("matcher", "patterns", format!("AWS agrees on {} pairs of rule and event", matched.len()));
    }
}
