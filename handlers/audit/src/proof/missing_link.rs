//! Finds the link at which a proof chain ends.

use serde::Serialize;

use super::proof_scope::ProofScope;
use super::rotation_proof::{RecordedDecision, RotationProof};
use responder_core::text::Untrusted;

/// How far a chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChainState {
    /// Every link holds, and the change was answered in time.
    Complete,
    /// The service runs the new value, as far as the links show, but it took longer than a change may go unanswered.
    Late,
    /// A new task read the new value, and nothing shows how its rollout ended.
    Read,
    /// The chain may yet be completed.
    Open,
    /// The chain will not be completed by itself.
    Broken,
}

/// A link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofLink {
    /// There is a decision about the service.
    Decided,
    /// The service has a deployment that is newer than the change.
    Deployed,
    /// The rollout of that deployment completed.
    Completed,
    /// One of its new tasks read the secret.
    Fetched,
}

impl ProofLink {
    /// The word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Deployed => "deployed",
            Self::Completed => "completed",
            Self::Fetched => "fetched",
        }
    }
}

/// The end of a chain that is not complete.
#[derive(Debug)]
pub(super) struct MissingLink {
    pub(super) state: ChainState,
    pub(super) link: ProofLink,
    pub(super) reason: Untrusted,
}

impl MissingLink {
    /// `sentence` says why the link is missing. `detail` follows it after a colon, if there is one.
    fn new(state: ChainState, link: ProofLink, sentence: &str, detail: Option<&Untrusted>) -> Self {
        let reason = match detail {
            Some(detail) if !detail.is_empty() => format!("{sentence}: {}", detail.raw()),
            _ => sentence.to_owned(),
        };
        Self { state, link, reason: Untrusted::new(reason) }
    }
}

/// Finds the link at which the chain ends; `None` if every link holds. Checks run in this order:
///
/// 1. The service asks for another version than AWSCURRENT: broken at *decided*.
/// 2. A person was notified instead: broken at *decided*.
/// 3. No deployment is known:
///    1. the redeployment is deferred: open at *decided*;
///    2. a deployment was decided, and nothing shows that it began: open at *deployed*, broken when it is overdue;
///    3. nothing was decided: open at *deployed*, broken when it is overdue;
///    4. anything else: broken at *deployed*.
/// 4. The deployment is not newer than the change: broken at *deployed*.
/// 5. The rollout failed and did not complete after that: broken at *completed*.
/// 6. The rollout has not completed, and its end would be known: open at *completed*, broken when it is overdue.
/// 7. Somebody else's deployment completed, and its reads would not be known: complete.
/// 8. No new task was seen reading the secret: open at *fetched*, broken when the rollout is overdue.
/// 9. The read is older than the deployment: as 8.
/// 10. The rollout is not known to have completed, and another service has the same role: open at *fetched*.
/// 11. The rollout is not known to have completed: read, and open at *completed*.
/// 12. Every link holds: complete.
pub(super) fn find_missing_link(proof: &RotationProof, scope: &ProofScope) -> Option<MissingLink> {
    let why = proof.why.as_ref();
    let note = scope.note.as_ref();
    // 1. Another version.
    if let Some(excluded) = scope.excluded {
        return Some(MissingLink::new(ChainState::Broken, ProofLink::Decided, excluded, None));
    }
    // 2. A person was notified. Later links do not help: the reason may be a reference to another version.
    if proof.decision == Some(RecordedDecision::Notified) {
        let sentence = "a person was notified";
        return Some(MissingLink::new(ChainState::Broken, ProofLink::Decided, sentence, why));
    }
    // 3. No deployment is known.
    let Some(deployed_at) = proof.deployed_at else {
        return Some(explain_missing_deployment(proof, scope));
    };
    // 4. The deployment is too old.
    if deployed_at <= proof.changed_at {
        let sentence = "its deployment is not newer than the change";
        return Some(MissingLink::new(ChainState::Broken, ProofLink::Deployed, sentence, note));
    }
    // 5. The rollout failed. One that was given up may complete after all.
    if has_failed(proof) {
        let sentence = "its rollout failed";
        return Some(MissingLink::new(ChainState::Broken, ProofLink::Completed, sentence, note));
    }
    // From here on, a link that is missing is overdue once the rollout may have ended.
    let awaited =
        if scope.is_overdue(deployed_at, scope.rollout) { ChainState::Broken } else { ChainState::Open };
    // 6. The rollout has not completed.
    if proof.completed_at.is_none() && scope.ends_known {
        // If the newer deployment were known to bring the new value, it would stand in the record.
        let is_superseded =
            proof.superseded_at.is_some() && proof.decision == Some(RecordedDecision::Redeploy);
        let sentence = if is_superseded {
            "a newer deployment took its place, and nothing shows yet that it brings the new value"
        } else {
            "its rollout has not completed"
        };
        return Some(MissingLink::new(awaited, ProofLink::Completed, sentence, note));
    }
    // 7. Somebody else's deployment. Its end shows that its tasks are new. A read in the record may be older, by a
    // deployment of the functions of which it took the place.
    if !scope.reads_known && proof.decision == Some(RecordedDecision::Newer) && proof.completed_at.is_some() {
        return None;
    }
    // 8. No read.
    let Some(fetched_at) = proof.fetched_at else {
        let sentence = "no new task was seen reading the secret";
        return Some(MissingLink::new(awaited, ProofLink::Fetched, sentence, note));
    };
    // 9. The read is too old. Events have whole seconds.
    if fetched_at < deployed_at.truncate_to_second() {
        let sentence = "the read of the secret is older than the deployment";
        return Some(MissingLink::new(awaited, ProofLink::Fetched, sentence, note));
    }
    if proof.completed_at.is_none() {
        // 10. The read may be another service's.
        if proof.shared {
            let sentence = "a task read the secret, but other services have its role, and nothing shows that the rollout completed";
            return Some(MissingLink::new(ChainState::Open, ProofLink::Fetched, sentence, note));
        }
        // 11. One new task is not all of them: the rollout may have failed since, and the old tasks may have stayed.
        let sentence = "a new task read the secret, but nothing in this input shows how its rollout ended";
        return Some(MissingLink::new(ChainState::Read, ProofLink::Completed, sentence, note));
    }
    // 12. Every link holds.
    None
}

/// The cases of gate 3.
fn explain_missing_deployment(proof: &RotationProof, scope: &ProofScope) -> MissingLink {
    let note = scope.note.as_ref();
    let is_overdue = scope.is_overdue(proof.changed_at, scope.answer);
    let awaited = if is_overdue { ChainState::Broken } else { ChainState::Open };
    match proof.decision {
        // 3.1
        Some(RecordedDecision::Deferred) => {
            MissingLink::new(ChainState::Open, ProofLink::Decided, "it is deferred", proof.why.as_ref())
        }
        // 3.2
        Some(RecordedDecision::Redeploy) if proof.failed_at.is_none() => {
            let sentence = "a deployment was decided, but nothing shows that it began";
            MissingLink::new(awaited, ProofLink::Deployed, sentence, note)
        }
        // 3.3
        None => {
            let sentence = "it has no deployment that is newer than the change";
            MissingLink::new(awaited, ProofLink::Deployed, sentence, note)
        }
        // 3.4
        Some(_) => {
            let sentence = "no newer deployment of it is known";
            MissingLink::new(ChainState::Broken, ProofLink::Deployed, sentence, note)
        }
    }
}

/// Whether the rollout failed, and did not complete after that.
fn has_failed(proof: &RotationProof) -> bool {
    proof.failed_at.is_some_and(|failed| proof.completed_at.is_none_or(|completed| completed < failed))
}
