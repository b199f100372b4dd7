//! The chain from a change to the read of the new value, and the link at which it ends.

use serde::Serialize;

use super::{RecordedDecision, RotationProof};
use responder_core::text::Untrusted;
use responder_core::time::{Span, Timestamp};

/// A record, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProofChain {
    /// The record.
    #[serde(flatten)]
    pub proof: RotationProof,
    /// Whether the service is proved to run the new value.
    pub state: ChainState,
    /// The first link that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<ProofLink>,
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
pub enum ChainState {
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
pub enum ProofLink {
    /// Something was decided about the service.
    Decided,
    /// It has a deployment that is newer than the change.
    Deployed,
    /// Its rollout completed.
    Completed,
    /// One of its new tasks read the secret.
    Fetched,
}

impl ProofLink {
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
pub struct ProofScope {
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

impl ProofScope {
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

impl ProofChain {
    /// Judges a record.
    pub fn of(proof: RotationProof, view: &ProofScope) -> Self {
        let gap = gap(&proof, view);
        let since = |at: Option<Timestamp>| {
            let millis = at?.millis().checked_sub(proof.changed_at.millis())?;
            (millis >= 0).then(|| Span::from_millis(millis))
        };
        Self {
            state: gap.as_ref().map_or(ChainState::Complete, |gap| gap.state),
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
struct MissingLink {
    state: ChainState,
    link: ProofLink,
    reason: Untrusted,
}

fn broken(link: ProofLink, what: &str, detail: Option<&Untrusted>) -> MissingLink {
    let reason = match detail.filter(|detail| !detail.is_empty()) {
        Some(detail) => Untrusted::new(format!("{what}: {}", detail.raw())),
        None => Untrusted::new(what),
    };
    MissingLink { state: ChainState::Broken, link, reason }
}

fn open(link: ProofLink, what: &str, detail: Option<&Untrusted>) -> MissingLink {
    MissingLink { state: ChainState::Open, ..broken(link, what, detail) }
}

/// What has not happened: broken if it should have by now.
fn waits(over: bool, link: ProofLink, what: &str, detail: Option<&Untrusted>) -> MissingLink {
    if over { broken(link, what, detail) } else { open(link, what, detail) }
}

fn gap(proof: &RotationProof, view: &ProofScope) -> Option<MissingLink> {
    let (why, note) = (proof.why.as_ref(), view.note.as_ref());
    if let Some(excluded) = view.excluded {
        return Some(broken(ProofLink::Decided, excluded, None));
    }
    // Evidence that comes later does not help here: what is told may be a reference to another version.
    if proof.decision == Some(RecordedDecision::Told) {
        return Some(broken(ProofLink::Decided, "a human was told", why));
    }
    let Some(deployed) = proof.deployed_at else {
        let over = view.is_over(proof.changed_at, view.answer);
        return Some(match proof.decision {
            Some(RecordedDecision::Held) => open(ProofLink::Decided, "it is held", why),
            Some(RecordedDecision::Redeploy) if proof.failed_at.is_none() => waits(
                over,
                ProofLink::Deployed,
                "a deployment was decided, but nothing says that it began",
                note,
            ),
            Some(_) => broken(ProofLink::Deployed, "no newer deployment of it is known", note),
            None => {
                waits(over, ProofLink::Deployed, "it has no deployment that is newer than the change", note)
            }
        });
    };
    if deployed <= proof.changed_at {
        return Some(broken(ProofLink::Deployed, "its deployment is not newer than the change", note));
    }
    // A deployment that was given up can complete after all.
    if proof.failed_at.is_some_and(|failed| proof.completed_at.is_none_or(|completed| completed < failed)) {
        return Some(broken(ProofLink::Completed, "its rollout failed", note));
    }
    let over = view.is_over(deployed, view.rollout);
    if proof.completed_at.is_none() && view.ends_known {
        // A newer one that is known to answer the change has taken the place of this one in the record.
        let superseded = proof.superseded_at.is_some() && proof.decision == Some(RecordedDecision::Redeploy);
        let what = if superseded {
            "a newer deployment took its place, and nothing says yet that it brings the new value"
        } else {
            "its rollout has not completed"
        };
        return Some(waits(over, ProofLink::Completed, what, note));
    }
    // Nobody waited for the reads of a deployment that is not ours: its end says that its tasks are new. What was read may be
    // older: by one of ours, of which it took the place.
    if !view.reads_known && proof.decision == Some(RecordedDecision::Newer) && proof.completed_at.is_some() {
        return None;
    }
    let Some(fetched) = proof.fetched_at else {
        return Some(waits(over, ProofLink::Fetched, "no new task was seen reading the secret", note));
    };
    if fetched < deployed.whole_second() {
        let what = "the read of the secret is older than the deployment";
        return Some(waits(over, ProofLink::Fetched, what, note));
    }
    // A completed rollout has new tasks, and those have read the secret, whoever else did.
    if proof.shared && proof.completed_at.is_none() {
        let what = "a task read the secret, but other services have its role, and nothing says that the rollout completed";
        return Some(open(ProofLink::Fetched, what, note));
    }
    // One new task is not all of them: the rollout may have failed since, and the old ones have gone on.
    if proof.completed_at.is_none() {
        let what = "a new task read the secret, but nothing in this input tells how its rollout ended";
        return Some(MissingLink { state: ChainState::Read, ..open(ProofLink::Completed, what, note) });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, whole};
    use super::*;

    fn judged(proof: RotationProof, view: &ProofScope) -> (ChainState, Option<ProofLink>) {
        let chain = ProofChain::of(proof, view);
        assert_eq!(chain.reason.is_none(), chain.state == ChainState::Complete);
        (chain.state, chain.link)
    }

    fn ledger(proof: RotationProof) -> (ChainState, Option<ProofLink>) {
        judged(proof, &ProofScope::LEDGER)
    }

    #[test]
    fn a_whole_chain_is_complete_and_says_how_long_it_took() {
        let chain = ProofChain::of(whole(), &ProofScope::LEDGER);
        assert_eq!((chain.state, chain.link), (ChainState::Complete, None));
        assert_eq!(chain.to_consume, Some(Span::from_secs(52)));
        assert_eq!(chain.to_complete, Some(Span::from_secs(110)));
    }

    #[test]
    fn each_link_that_is_missing_is_named() {
        let notified = RotationProof { decision: Some(RecordedDecision::Told), ..whole() };
        assert_eq!(ledger(notified), (ChainState::Broken, Some(ProofLink::Decided)));
        let held = RotationProof { decision: Some(RecordedDecision::Held), deployed_at: None, ..whole() };
        assert_eq!(ledger(held), (ChainState::Open, Some(ProofLink::Decided)));
        let requested = RotationProof { deployed_at: None, ..whole() };
        assert_eq!(ledger(requested), (ChainState::Open, Some(ProofLink::Deployed)));
        let failed = RotationProof { failed_at: Some(at(60)), completed_at: None, ..whole() };
        assert_eq!(ledger(failed), (ChainState::Broken, Some(ProofLink::Completed)));
        let rolling = RotationProof { completed_at: None, ..whole() };
        assert_eq!(ledger(rolling), (ChainState::Open, Some(ProofLink::Completed)));
        let unread = RotationProof { fetched_at: None, ..whole() };
        assert_eq!(ledger(unread), (ChainState::Open, Some(ProofLink::Fetched)));
    }

    #[test]
    fn what_was_superseded_says_so_until_the_newer_one_is_known_and_hides_no_failure() {
        let superseded = RotationProof { superseded_at: Some(at(60)), completed_at: None, ..whole() };
        let chain = ProofChain::of(superseded.clone(), &ProofScope::LEDGER);
        assert_eq!((chain.state, chain.link), (ChainState::Open, Some(ProofLink::Completed)));
        assert!(chain.reason.unwrap().raw().starts_with("a newer deployment took its place"));
        let newer = RotationProof {
            decision: Some(RecordedDecision::Newer),
            deployed_at: Some(at(58)),
            ..superseded.clone()
        };
        assert_eq!(ledger(newer.clone()), (ChainState::Open, Some(ProofLink::Completed)));
        assert_eq!(
            ledger(RotationProof { completed_at: Some(at(130)), ..newer.clone() }),
            (ChainState::Complete, None)
        );
        for failed in [superseded, newer] {
            let failed = RotationProof { failed_at: Some(at(70)), ..failed };
            assert_eq!(ledger(failed), (ChainState::Broken, Some(ProofLink::Completed)));
        }
    }

    #[test]
    fn a_newer_deployment_must_be_newer_and_a_read_must_be_later() {
        for decision in [RecordedDecision::Newer, RecordedDecision::Redeploy, RecordedDecision::Held] {
            let same = RotationProof { decision: Some(decision), deployed_at: Some(at(0)), ..whole() };
            assert_eq!(ledger(same), (ChainState::Broken, Some(ProofLink::Deployed)), "{decision:?}");
            let newer = RotationProof { decision: Some(decision), ..whole() };
            assert_eq!(ledger(newer), (ChainState::Complete, None), "{decision:?}");
        }
        let unknown = RotationProof { decision: Some(RecordedDecision::Newer), deployed_at: None, ..whole() };
        assert_eq!(ledger(unknown), (ChainState::Broken, Some(ProofLink::Deployed)));
        let early = RotationProof { fetched_at: Some(at(15)), ..whole() };
        assert_eq!(ledger(early), (ChainState::Open, Some(ProofLink::Fetched)));
        let at_once = RotationProof { fetched_at: Some(at(16)), ..whole() };
        assert_eq!(ledger(at_once), (ChainState::Complete, None));
    }

    #[test]
    fn a_rollout_that_was_given_up_and_then_completed_is_complete() {
        let proof = RotationProof { failed_at: Some(at(60)), ..whole() };
        assert_eq!(ledger(proof), (ChainState::Complete, None));
        let proof = RotationProof { failed_at: Some(at(120)), ..whole() };
        assert_eq!(ledger(proof), (ChainState::Broken, Some(ProofLink::Completed)));
    }

    #[test]
    fn a_newer_deployment_needs_a_read_of_its_own_where_that_would_be_known() {
        for fetched_at in [None, Some(at(15))] {
            let newer = RotationProof { decision: Some(RecordedDecision::Newer), fetched_at, ..whole() };
            assert_eq!(ledger(newer.clone()), (ChainState::Complete, None));
            let events = ProofScope { reads_known: true, ..ProofScope::LEDGER };
            assert_eq!(judged(newer, &events), (ChainState::Open, Some(ProofLink::Fetched)));
        }
    }

    #[test]
    fn without_ends_a_read_of_an_own_role_says_so_and_is_no_whole_proof() {
        let view = ProofScope { ends_known: false, ..ProofScope::LEDGER };
        let unknown = RotationProof { completed_at: None, ..whole() };
        assert_eq!(judged(unknown.clone(), &view), (ChainState::Read, Some(ProofLink::Completed)));
        let overdue = ProofScope { until: Some(at(9_000)), ..view.clone() };
        assert_eq!(judged(unknown.clone(), &overdue).0, ChainState::Read, "nothing can tell more");
        let shared = RotationProof { shared: true, ..unknown };
        assert_eq!(judged(shared, &view), (ChainState::Open, Some(ProofLink::Fetched)));
        let completed = RotationProof { shared: true, ..whole() };
        assert_eq!(judged(completed, &view), (ChainState::Complete, None));
    }

    #[test]
    fn what_is_missing_is_open_until_it_is_overdue() {
        let view = |second| ProofScope { until: Some(at(second)), ..ProofScope::LEDGER };
        let nothing = RotationProof { decision: None, deployed_at: None, ..whole() };
        assert_eq!(judged(nothing.clone(), &view(900)).0, ChainState::Open);
        assert_eq!(judged(nothing, &view(901)).0, ChainState::Broken);
        let unread = RotationProof { fetched_at: None, ..whole() };
        assert_eq!(judged(unread.clone(), &view(1_816)).0, ChainState::Open);
        assert_eq!(judged(unread, &view(1_817)).0, ChainState::Broken);
    }
}
