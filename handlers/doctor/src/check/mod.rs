//! The checks: what is wrong with an installation, from what was seen of it. Pure.

mod alarms;
mod bus;
mod ledger;
mod policy;
mod queues;
mod rules;
mod stacks;
mod topics;
mod trails;
mod workers;

use crate::finding::{Finding, Findings};
use crate::snapshot::{Look, Observed, Snapshot};
use crate::wiring::{self, Part, Wiring, find};

/// Everything that was found: the home Region first, then the others by name; within a Region in the order in which an event
/// travels.
pub(crate) fn check(wiring: &Wiring, snapshot: &Snapshot) -> Vec<Finding> {
    let mut all = Vec::new();
    let nothing = Observed::default();
    let home = snapshot.regions.get(&snapshot.home).unwrap_or(&nothing);
    let mut found = Findings::of(&snapshot.home, &mut all);
    trails::check(&snapshot.home, home, &mut found);
    if is_absent_at_home(&wiring.home, home) {
        absent_at_home(&wiring.home, snapshot, home, &mut found);
    } else {
        rules::check(&wiring.home, home, &mut found);
        bus::check(snapshot, home, &mut found);
        queues::check(&wiring.home, home, &mut found);
        workers::check(&wiring.home, home, &mut found);
        ledger::check(&wiring.home.table, home, &mut found);
        topics::check(&wiring.home, &snapshot.account, home, &mut found);
        alarms::check(&wiring.home, snapshot.at, home, &mut found);
        stacks::check(&wiring.home.stack, home, &mut found);
    }
    matched(snapshot, &mut found);
    for (region, part) in &wiring.others {
        let observed = snapshot.regions.get(region).unwrap_or(&nothing);
        let mut found = Findings::of(region, &mut all);
        trails::check(region, observed, &mut found);
        if is_absent(part, observed) {
            found.fail(
                "forwarder",
                &part.stack,
                "nothing of it is in this Region",
                "rules see only their own Region: whatever happens to secrets here is seen by nobody",
                format!("deploy infra/forwarder.yaml here, with HomeRegion={}", snapshot.home),
            );
            continue;
        }
        rules::check(part, observed, &mut found);
        queues::check(part, observed, &mut found);
        alarms::check(part, snapshot.at, observed, &mut found);
        stacks::check(&part.stack, observed, &mut found);
    }
    all
}

/// Whether none of the rules is there: one finding says more than thirty.
fn is_absent(part: &Part, observed: &Observed) -> bool {
    observed
        .rules
        .seen()
        .is_some_and(|rules| !part.rules.iter().any(|wanted| rules.contains_key(&wanted.name)))
}

/// Whether nothing of the responder works: no rule, queue or function of it is there. The ledger stays when its stack is deleted.
fn is_absent_at_home(part: &Part, home: &Observed) -> bool {
    let queues = |name| home.queues.seen().is_none_or(|queues| queues.contains_key(name));
    let functions = |name| home.functions.seen().is_none_or(|functions| functions.contains_key(name));
    is_absent(part, home)
        && !part.queues.keys().any(queues)
        && !part.workers.iter().any(|worker| functions(&worker.function))
}

/// What there is to say then: where it should be, how to get it there, and what is independent of it.
fn absent_at_home(part: &Part, snapshot: &Snapshot, home: &Observed, found: &mut Findings<'_>) {
    let what = match home.stacks.seen().and_then(|stacks| find(stacks, &part.stack)) {
        Some((_, stack)) => format!("the stack's status is {}, and nothing of it is here", stack.status),
        None => "there is no stack of this name, and nothing of it is here".to_owned(),
    };
    let named = if part.stack == wiring::PREFIX {
        String::new()
    } else {
        format!(" --stack {0} Prefix={0}", part.stack)
    };
    found.fail(
        "responder",
        &part.stack,
        what,
        "rotations are answered by nobody, and nobody is paged",
        format!(
            "in {}: infra/package; infra/deploy responder --bucket BUCKET{named} PageEmail=ADDRESS --execute. Is it elsewhere, or named otherwise? --region, --prefix",
            snapshot.home
        ),
    );
    alarms::dead(home, found);
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

#[cfg(test)]
mod tests;
