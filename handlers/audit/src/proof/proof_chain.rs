//! The proof chain: from a change of a secret to the read of its new value, judged.

use serde::Serialize;

use super::missing_link::{ChainState, ProofLink, find_missing_link};
use super::proof_scope::ProofScope;
use super::rotation_proof::RotationProof;
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
    /// One sentence about why it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
    /// The time from the change to the read of the new value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_consume: Option<Span>,
    /// The time from the change to the end of the rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_complete: Option<Span>,
    /// By how much the answer came later than a change may go unanswered: the end of the rollout, or the read where that is all
    /// that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_by: Option<Span>,
    /// Whether the end of the rollout would be known. `CloudTrail` alone does not record it.
    pub ends_known: bool,
    /// The execution roles of the service, as `111122223333:role/app`: a filter looks at them. The ledger holds none.
    #[serde(skip)]
    pub execution_roles: Vec<Untrusted>,
}

impl ProofChain {
    /// Judges a record by what can be known at the place that it comes from.
    pub fn judge(proof: RotationProof, scope: &ProofScope) -> Self {
        let to_consume = measure_span(proof.changed_at, proof.fetched_at);
        let to_complete = measure_span(proof.changed_at, proof.completed_at);
        let ends_known = scope.ends_known;
        let (state, link, reason) = match find_missing_link(&proof, scope) {
            None => (ChainState::Complete, None, None),
            Some(missing) => (missing.state, Some(missing.link), Some(missing.reason)),
        };
        let mut chain = Self {
            proof,
            state,
            link,
            reason,
            to_consume,
            to_complete,
            late_by: None,
            ends_known,
            execution_roles: Vec::new(),
        };
        chain.judge_delay(scope.answer);
        chain
    }

    /// Marks a chain late whose service got the new value, but not within `answer` of the change.
    ///
    /// A decision may find a deployment that had completed before: the first sweep of an installation does, for every secret. Then
    /// the ledger knows only when somebody saw the end. What counts is when that deployment began.
    fn judge_delay(&mut self, answer: Span) {
        if !matches!(self.state, ChainState::Complete | ChainState::Read) {
            return;
        }
        let was_complete = match (self.proof.completed_at, self.proof.decided_at) {
            (Some(completed_at), Some(decided_at)) => completed_at <= decided_at,
            _ => false,
        };
        let began = measure_span(self.proof.changed_at, self.proof.deployed_at);
        let to_complete = if was_complete { began.or(self.to_complete) } else { self.to_complete };
        let Some(took) = to_complete.or(self.to_consume) else { return };
        let late_by = Span::from_millis(took.millis().saturating_sub(answer.millis()));
        if late_by.millis() <= 0 {
            return;
        }
        self.state = ChainState::Late;
        self.late_by = Some(late_by);
        let sentence = "it was answered, but not in time";
        let reason = match &self.reason {
            Some(reason) => format!("{sentence}; {}", reason.raw()),
            None => sentence.to_owned(),
        };
        self.reason = Some(Untrusted::new(reason));
        self.link.get_or_insert(ProofLink::Completed);
    }
}

/// Returns the time from `start` to `end`; `None` if the end is unknown or earlier.
fn measure_span(start: Timestamp, end: Option<Timestamp>) -> Option<Span> {
    let millis = end?.millis().checked_sub(start.millis())?;
    if millis < 0 { None } else { Some(Span::from_millis(millis)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::rotation_proof::RecordedDecision;
    use crate::proof::rotation_proof::tests::{at, whole_proof};

    fn judge_state(proof: RotationProof, scope: &ProofScope) -> (ChainState, Option<ProofLink>) {
        let chain = ProofChain::judge(proof, scope);
        assert_eq!(chain.reason.is_none(), chain.state == ChainState::Complete);
        (chain.state, chain.link)
    }

    fn judge_in_ledger(proof: RotationProof) -> (ChainState, Option<ProofLink>) {
        judge_state(proof, &ProofScope::LEDGER)
    }

    #[test]
    fn a_whole_chain_is_complete_and_says_how_long_it_took() {
        let chain = ProofChain::judge(whole_proof(), &ProofScope::LEDGER);
        assert_eq!((chain.state, chain.link), (ChainState::Complete, None));
        assert_eq!(chain.to_consume, Some(Span::from_secs(52)));
        assert_eq!(chain.to_complete, Some(Span::from_secs(110)));
    }

    #[test]
    fn an_answer_after_the_deadline_is_late_and_says_by_how_much() {
        for (completed, fetched, state, late_seconds) in [
            (Some(900), 52, ChainState::Complete, None),
            (Some(901), 52, ChainState::Late, Some(1)),
            (Some(2_592_900), 2_592_052, ChainState::Late, Some(2_592_000)),
            (None, 900, ChainState::Read, None),
            (None, 960, ChainState::Late, Some(60)),
        ] {
            let proof = RotationProof {
                completed_at: completed.map(at),
                fetched_at: Some(at(fetched)),
                ..whole_proof()
            };
            let scope = ProofScope { ends_known: false, ..ProofScope::LEDGER };
            let chain = ProofChain::judge(proof, &scope);
            assert_eq!((chain.state, chain.late_by), (state, late_seconds.map(Span::from_secs)));
        }
        // The decision came a day later, and found a deployment that had completed.
        for (deployed, state, late_seconds) in
            [(60, ChainState::Complete, None), (960, ChainState::Late, Some(60))]
        {
            let proof = RotationProof {
                decided_at: Some(at(86_400)),
                deployed_at: Some(at(deployed)),
                completed_at: Some(at(86_400)),
                fetched_at: Some(at(deployed + 30)),
                ..whole_proof()
            };
            let chain = ProofChain::judge(proof, &ProofScope::LEDGER);
            assert_eq!((chain.state, chain.late_by), (state, late_seconds.map(Span::from_secs)));
        }
        let failed = RotationProof { failed_at: Some(at(2_000)), completed_at: None, ..whole_proof() };
        assert_eq!(ProofChain::judge(failed, &ProofScope::LEDGER).late_by, None);
    }

    #[test]
    fn each_link_that_is_missing_is_named() {
        let notified = RotationProof { decision: Some(RecordedDecision::Notified), ..whole_proof() };
        assert_eq!(judge_in_ledger(notified), (ChainState::Broken, Some(ProofLink::Decided)));
        let deferred =
            RotationProof { decision: Some(RecordedDecision::Deferred), deployed_at: None, ..whole_proof() };
        assert_eq!(judge_in_ledger(deferred), (ChainState::Open, Some(ProofLink::Decided)));
        let requested = RotationProof { deployed_at: None, ..whole_proof() };
        assert_eq!(judge_in_ledger(requested), (ChainState::Open, Some(ProofLink::Deployed)));
        let failed = RotationProof { failed_at: Some(at(60)), completed_at: None, ..whole_proof() };
        assert_eq!(judge_in_ledger(failed), (ChainState::Broken, Some(ProofLink::Completed)));
        let rolling = RotationProof { completed_at: None, ..whole_proof() };
        assert_eq!(judge_in_ledger(rolling), (ChainState::Open, Some(ProofLink::Completed)));
        let unread = RotationProof { fetched_at: None, ..whole_proof() };
        assert_eq!(judge_in_ledger(unread), (ChainState::Open, Some(ProofLink::Fetched)));
    }

    #[test]
    fn a_superseded_deployment_is_open_until_the_newer_one_is_known_and_hides_no_failure() {
        let superseded = RotationProof { superseded_at: Some(at(60)), completed_at: None, ..whole_proof() };
        let chain = ProofChain::judge(superseded.clone(), &ProofScope::LEDGER);
        assert_eq!((chain.state, chain.link), (ChainState::Open, Some(ProofLink::Completed)));
        assert!(chain.reason.unwrap().raw().starts_with("a newer deployment took its place"));
        let newer = RotationProof {
            decision: Some(RecordedDecision::Newer),
            deployed_at: Some(at(58)),
            ..superseded.clone()
        };
        assert_eq!(judge_in_ledger(newer.clone()), (ChainState::Open, Some(ProofLink::Completed)));
        assert_eq!(
            judge_in_ledger(RotationProof { completed_at: Some(at(130)), ..newer.clone() }),
            (ChainState::Complete, None)
        );
        for failed in [superseded, newer] {
            let failed = RotationProof { failed_at: Some(at(70)), ..failed };
            assert_eq!(judge_in_ledger(failed), (ChainState::Broken, Some(ProofLink::Completed)));
        }
    }

    #[test]
    fn a_newer_deployment_must_be_newer_and_a_read_must_be_later() {
        for decision in [RecordedDecision::Newer, RecordedDecision::Redeploy, RecordedDecision::Deferred] {
            let same = RotationProof { decision: Some(decision), deployed_at: Some(at(0)), ..whole_proof() };
            assert_eq!(
                judge_in_ledger(same),
                (ChainState::Broken, Some(ProofLink::Deployed)),
                "{decision:?}"
            );
            let newer = RotationProof { decision: Some(decision), ..whole_proof() };
            assert_eq!(judge_in_ledger(newer), (ChainState::Complete, None), "{decision:?}");
        }
        let unknown =
            RotationProof { decision: Some(RecordedDecision::Newer), deployed_at: None, ..whole_proof() };
        assert_eq!(judge_in_ledger(unknown), (ChainState::Broken, Some(ProofLink::Deployed)));
        let early = RotationProof { fetched_at: Some(at(15)), ..whole_proof() };
        assert_eq!(judge_in_ledger(early), (ChainState::Open, Some(ProofLink::Fetched)));
        let at_once = RotationProof { fetched_at: Some(at(16)), ..whole_proof() };
        assert_eq!(judge_in_ledger(at_once), (ChainState::Complete, None));
    }

    #[test]
    fn a_rollout_that_was_given_up_and_then_completed_is_complete() {
        let proof = RotationProof { failed_at: Some(at(60)), ..whole_proof() };
        assert_eq!(judge_in_ledger(proof), (ChainState::Complete, None));
        let proof = RotationProof { failed_at: Some(at(120)), ..whole_proof() };
        assert_eq!(judge_in_ledger(proof), (ChainState::Broken, Some(ProofLink::Completed)));
    }

    #[test]
    fn somebody_elses_deployment_needs_a_read_where_reads_are_known() {
        for fetched_at in [None, Some(at(15))] {
            let newer =
                RotationProof { decision: Some(RecordedDecision::Newer), fetched_at, ..whole_proof() };
            assert_eq!(judge_in_ledger(newer.clone()), (ChainState::Complete, None));
            let events = ProofScope { reads_known: true, ..ProofScope::LEDGER };
            assert_eq!(judge_state(newer, &events), (ChainState::Open, Some(ProofLink::Fetched)));
        }
    }

    #[test]
    fn a_read_without_a_known_end_of_the_rollout_is_no_whole_proof() {
        let scope = ProofScope { ends_known: false, ..ProofScope::LEDGER };
        let unknown = RotationProof { completed_at: None, ..whole_proof() };
        assert_eq!(judge_state(unknown.clone(), &scope), (ChainState::Read, Some(ProofLink::Completed)));
        let overdue = ProofScope { until: Some(at(9_000)), ..scope.clone() };
        assert_eq!(judge_state(unknown.clone(), &overdue).0, ChainState::Read, "nothing can tell more");
        let shared = RotationProof { shared: true, ..unknown };
        assert_eq!(judge_state(shared, &scope), (ChainState::Open, Some(ProofLink::Fetched)));
        let completed = RotationProof { shared: true, ..whole_proof() };
        assert_eq!(judge_state(completed, &scope), (ChainState::Complete, None));
    }

    #[test]
    fn a_missing_link_is_open_until_it_is_overdue() {
        let scope = |second| ProofScope { until: Some(at(second)), ..ProofScope::LEDGER };
        let nothing = RotationProof { decision: None, deployed_at: None, ..whole_proof() };
        assert_eq!(judge_state(nothing.clone(), &scope(900)).0, ChainState::Open);
        assert_eq!(judge_state(nothing, &scope(901)).0, ChainState::Broken);
        let unread = RotationProof { fetched_at: None, ..whole_proof() };
        assert_eq!(judge_state(unread.clone(), &scope(1_816)).0, ChainState::Open);
        assert_eq!(judge_state(unread, &scope(1_817)).0, ChainState::Broken);
    }
}
