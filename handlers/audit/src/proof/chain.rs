//! The chain from a change to the read of the new value, and the link at which it ends.

use serde::Serialize;

use super::{Decision, Proof};
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

/// A record, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// The record.
    #[serde(flatten)]
    pub proof: Proof,
    /// Whether the service is proved to run the new value.
    pub state: State,
    /// The first link that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Why it is missing: one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
    /// From the change to the read of the new value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_consume: Option<Span>,
    /// From the change to the end of the rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_complete: Option<Span>,
    /// Whether the end of the rollout would be known; `CloudTrail` alone does not tell it.
    pub ends_known: bool,
}

/// How far a chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Every link holds.
    Complete,
    /// A new task read the new value; how its rollout ended is told by nothing.
    Read,
    /// It may yet be completed.
    Open,
    /// It will not be completed by itself.
    Broken,
}

/// A link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// Something was decided about the service.
    Decided,
    /// It has a deployment that is newer than the change.
    Deployed,
    /// Its rollout completed.
    Completed,
    /// One of its new tasks read the secret.
    Fetched,
}

impl Link {
    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Deployed => "deployed",
            Self::Completed => "completed",
            Self::Fetched => "fetched",
        }
    }
}

/// What can be seen from where a record comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Whether the end of its rollout would be known.
    pub ends_known: bool,
    /// Whether the reads of a deployment that is not ours would be known: the ledger waits for those of its own.
    pub reads_known: bool,
    /// Until when everything is known: what has not happened by then and is overdue is missing for good.
    pub until: Option<Timestamp>,
    /// How long after the change a deployment may begin.
    pub answer: Span,
    /// How long a rollout may take.
    pub rollout: Span,
    /// Why the new value cannot reach the service at all.
    pub excluded: Option<&'static str>,
    /// What else is known of the end of the chain.
    pub note: Option<Untrusted>,
}

impl View {
    /// The ledger: it is told how rollouts end, and does not say until when.
    pub const LEDGER: Self = Self {
        ends_known: true,
        reads_known: false,
        until: None,
        answer: Span::from_secs(900),
        rollout: Span::from_secs(1_800),
        excluded: None,
        note: None,
    };

    fn is_over(&self, since: Timestamp, limit: Span) -> bool {
        self.until.is_some_and(|until| until > since.plus(limit))
    }
}

impl Chain {
    /// Judges a record.
    pub fn of(proof: Proof, view: &View) -> Self {
        let gap = gap(&proof, view);
        let since = |at: Option<Timestamp>| {
            let millis = at?.millis().checked_sub(proof.changed_at.millis())?;
            (millis >= 0).then(|| Span::from_millis(millis))
        };
        Self {
            state: gap.as_ref().map_or(State::Complete, |gap| gap.state),
            link: gap.as_ref().map(|gap| gap.link),
            to_consume: since(proof.fetched_at),
            to_complete: since(proof.completed_at),
            reason: gap.map(|gap| gap.reason),
            ends_known: view.ends_known,
            proof,
        }
    }
}

/// Where a chain ends.
struct Gap {
    state: State,
    link: Link,
    reason: Untrusted,
}

fn broken(link: Link, what: &str, detail: Option<&Untrusted>) -> Gap {
    let reason = match detail.filter(|detail| !detail.is_empty()) {
        Some(detail) => Untrusted::new(format!("{what}: {}", detail.raw())),
        None => Untrusted::new(what),
    };
    Gap { state: State::Broken, link, reason }
}

fn open(link: Link, what: &str, detail: Option<&Untrusted>) -> Gap {
    Gap { state: State::Open, ..broken(link, what, detail) }
}

/// What has not happened: broken if it should have by now.
fn waits(over: bool, link: Link, what: &str, detail: Option<&Untrusted>) -> Gap {
    if over { broken(link, what, detail) } else { open(link, what, detail) }
}

fn gap(proof: &Proof, view: &View) -> Option<Gap> {
    let (why, note) = (proof.why.as_ref(), view.note.as_ref());
    if let Some(excluded) = view.excluded {
        return Some(broken(Link::Decided, excluded, None));
    }
    // Evidence that comes later does not help here: what is told may be a reference to another version.
    if proof.decision == Some(Decision::Told) {
        return Some(broken(Link::Decided, "a human was told", why));
    }
    let Some(deployed) = proof.deployed_at else {
        let over = view.is_over(proof.changed_at, view.answer);
        return Some(match proof.decision {
            Some(Decision::Held) => open(Link::Decided, "it is held", why),
            Some(Decision::Redeploy) if proof.failed_at.is_none() => {
                waits(over, Link::Deployed, "a deployment was decided, but nothing says that it began", note)
            }
            Some(_) => broken(Link::Deployed, "no newer deployment of it is known", note),
            None => waits(over, Link::Deployed, "it has no deployment that is newer than the change", note),
        });
    };
    if deployed <= proof.changed_at {
        return Some(broken(Link::Deployed, "its deployment is not newer than the change", note));
    }
    // A deployment that was given up can complete after all.
    if proof.failed_at.is_some_and(|failed| proof.completed_at.is_none_or(|completed| completed < failed)) {
        return Some(broken(Link::Completed, "its rollout failed", note));
    }
    let over = view.is_over(deployed, view.rollout);
    if proof.completed_at.is_none() && view.ends_known {
        // A newer one that is known to answer the change has taken the place of this one in the record.
        let superseded = proof.superseded_at.is_some() && proof.decision == Some(Decision::Redeploy);
        let what = if superseded {
            "a newer deployment took its place, and nothing says yet that it brings the new value"
        } else {
            "its rollout has not completed"
        };
        return Some(waits(over, Link::Completed, what, note));
    }
    // Nobody waited for the reads of a deployment that is not ours: its end says that its tasks are new. What was read may be
    // older: by one of ours, of which it took the place.
    if !view.reads_known && proof.decision == Some(Decision::Newer) && proof.completed_at.is_some() {
        return None;
    }
    let Some(fetched) = proof.fetched_at else {
        return Some(waits(over, Link::Fetched, "no new task was seen reading the secret", note));
    };
    if fetched < deployed.whole_second() {
        let what = "the read of the secret is older than the deployment";
        return Some(waits(over, Link::Fetched, what, note));
    }
    // A completed rollout has new tasks, and those have read the secret, whoever else did.
    if proof.shared && proof.completed_at.is_none() {
        let what = "a task read the secret, but other services have its role, and nothing says that the rollout completed";
        return Some(open(Link::Fetched, what, note));
    }
    // One new task is not all of them: the rollout may have failed since, and the old ones have gone on.
    if proof.completed_at.is_none() {
        let what = "a new task read the secret, but nothing in this input tells how its rollout ended";
        return Some(Gap { state: State::Read, ..open(Link::Completed, what, note) });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, whole};
    use super::*;

    fn judged(proof: Proof, view: &View) -> (State, Option<Link>) {
        let chain = Chain::of(proof, view);
        assert_eq!(chain.reason.is_none(), chain.state == State::Complete);
        (chain.state, chain.link)
    }

    fn ledger(proof: Proof) -> (State, Option<Link>) {
        judged(proof, &View::LEDGER)
    }

    #[test]
    fn a_whole_chain_is_complete_and_says_how_long_it_took() {
        let chain = Chain::of(whole(), &View::LEDGER);
        assert_eq!((chain.state, chain.link), (State::Complete, None));
        assert_eq!(chain.to_consume, Some(Span::from_secs(52)));
        assert_eq!(chain.to_complete, Some(Span::from_secs(110)));
    }

    #[test]
    fn each_link_that_is_missing_is_named() {
        let told = Proof { decision: Some(Decision::Told), ..whole() };
        assert_eq!(ledger(told), (State::Broken, Some(Link::Decided)));
        let held = Proof { decision: Some(Decision::Held), deployed_at: None, ..whole() };
        assert_eq!(ledger(held), (State::Open, Some(Link::Decided)));
        let asked = Proof { deployed_at: None, ..whole() };
        assert_eq!(ledger(asked), (State::Open, Some(Link::Deployed)));
        let failed = Proof { failed_at: Some(at(60)), completed_at: None, ..whole() };
        assert_eq!(ledger(failed), (State::Broken, Some(Link::Completed)));
        let rolling = Proof { completed_at: None, ..whole() };
        assert_eq!(ledger(rolling), (State::Open, Some(Link::Completed)));
        let unread = Proof { fetched_at: None, ..whole() };
        assert_eq!(ledger(unread), (State::Open, Some(Link::Fetched)));
    }

    #[test]
    fn what_was_superseded_says_so_until_the_newer_one_is_known_and_hides_no_failure() {
        let superseded = Proof { superseded_at: Some(at(60)), completed_at: None, ..whole() };
        let chain = Chain::of(superseded.clone(), &View::LEDGER);
        assert_eq!((chain.state, chain.link), (State::Open, Some(Link::Completed)));
        assert!(chain.reason.unwrap().raw().starts_with("a newer deployment took its place"));
        let newer =
            Proof { decision: Some(Decision::Newer), deployed_at: Some(at(58)), ..superseded.clone() };
        assert_eq!(ledger(newer.clone()), (State::Open, Some(Link::Completed)));
        assert_eq!(ledger(Proof { completed_at: Some(at(130)), ..newer.clone() }), (State::Complete, None));
        for failed in [superseded, newer] {
            let failed = Proof { failed_at: Some(at(70)), ..failed };
            assert_eq!(ledger(failed), (State::Broken, Some(Link::Completed)));
        }
    }

    #[test]
    fn a_newer_deployment_must_be_newer_and_a_read_must_be_later() {
        for decision in [Decision::Newer, Decision::Redeploy, Decision::Held] {
            let same = Proof { decision: Some(decision), deployed_at: Some(at(0)), ..whole() };
            assert_eq!(ledger(same), (State::Broken, Some(Link::Deployed)), "{decision:?}");
            let newer = Proof { decision: Some(decision), ..whole() };
            assert_eq!(ledger(newer), (State::Complete, None), "{decision:?}");
        }
        let unknown = Proof { decision: Some(Decision::Newer), deployed_at: None, ..whole() };
        assert_eq!(ledger(unknown), (State::Broken, Some(Link::Deployed)));
        let early = Proof { fetched_at: Some(at(15)), ..whole() };
        assert_eq!(ledger(early), (State::Open, Some(Link::Fetched)));
        let at_once = Proof { fetched_at: Some(at(16)), ..whole() };
        assert_eq!(ledger(at_once), (State::Complete, None));
    }

    #[test]
    fn a_rollout_that_was_given_up_and_then_completed_is_complete() {
        let proof = Proof { failed_at: Some(at(60)), ..whole() };
        assert_eq!(ledger(proof), (State::Complete, None));
        let proof = Proof { failed_at: Some(at(120)), ..whole() };
        assert_eq!(ledger(proof), (State::Broken, Some(Link::Completed)));
    }

    #[test]
    fn a_newer_deployment_needs_a_read_of_its_own_where_that_would_be_known() {
        for fetched_at in [None, Some(at(15))] {
            let newer = Proof { decision: Some(Decision::Newer), fetched_at, ..whole() };
            assert_eq!(ledger(newer.clone()), (State::Complete, None));
            let events = View { reads_known: true, ..View::LEDGER };
            assert_eq!(judged(newer, &events), (State::Open, Some(Link::Fetched)));
        }
    }

    #[test]
    fn without_ends_a_read_of_an_own_role_says_so_and_is_no_whole_proof() {
        let view = View { ends_known: false, ..View::LEDGER };
        let unknown = Proof { completed_at: None, ..whole() };
        assert_eq!(judged(unknown.clone(), &view), (State::Read, Some(Link::Completed)));
        let overdue = View { until: Some(at(9_000)), ..view.clone() };
        assert_eq!(judged(unknown.clone(), &overdue).0, State::Read, "nothing can tell more");
        let shared = Proof { shared: true, ..unknown };
        assert_eq!(judged(shared, &view), (State::Open, Some(Link::Fetched)));
        let completed = Proof { shared: true, ..whole() };
        assert_eq!(judged(completed, &view), (State::Complete, None));
    }

    #[test]
    fn what_is_missing_is_open_until_it_is_overdue() {
        let view = |second| View { until: Some(at(second)), ..View::LEDGER };
        let nothing = Proof { decision: None, deployed_at: None, ..whole() };
        assert_eq!(judged(nothing.clone(), &view(900)).0, State::Open);
        assert_eq!(judged(nothing, &view(901)).0, State::Broken);
        let unread = Proof { fetched_at: None, ..whole() };
        assert_eq!(judged(unread.clone(), &view(1_816)).0, State::Open);
        assert_eq!(judged(unread, &view(1_817)).0, State::Broken);
    }
}
