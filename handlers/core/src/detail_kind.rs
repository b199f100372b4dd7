//! The kinds of details that an incident has beyond its counts.

use serde::{Serialize, Serializer};

/// A kind of detail of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DetailKind {
    /// The name of the event.
    Event,
    /// The id of the drill that sent the event.
    Drill,
    /// The session of the caller's role.
    SessionName,
    /// The person behind the session, as the identity provider names them.
    SourceIdentity,
    /// The caller's access key.
    AccessKeyId,
    /// The AWS service that made the call.
    CallingService,
    /// The address from which the call came.
    SourceAddress,
    /// The program that the caller claims to use.
    UserAgent,
    /// The resource that the call was about, where it is no secret.
    CallTarget,
    /// The step in which a rotation function failed.
    FailedStep,
    /// What Secrets Manager says about a failed rotation.
    ErrorMessage,
    /// The ARN of the rotation function.
    RotationFunction,
    /// An exception that would have applied if it had not expired.
    ExpiredException,
    /// Why the incident is over.
    ClosingReason,
    /// When the principal last read the secret.
    LastRead,
    /// A service with tags that cannot be understood.
    UnclearTags,
    /// A remark that helps to judge the rest.
    Note,
    /// What is wrong with a rollout or a rotation.
    Problem,
    /// A secret that is concerned.
    Secret,
    /// When the secret was last rotated.
    LastRotation,
    /// The function that could not understand a message.
    Function,
    /// The queue from which that function gets its messages.
    Queue,
    /// Why a message cannot be understood.
    MessageProblem,
    /// The beginning of the hash of a message.
    MessageHash,
    /// A consumer that a human has to redeploy.
    NotRedeployed,
    /// A consumer that waits for its redeployment for too long.
    NotRedeployedYet,
    /// A consumer with references that a redeployment does not change.
    RedeployedInPart,
    /// A consumer that ECS refused to redeploy.
    RefusedByEcs,
    /// A change for which no consumer was redeployed.
    NothingRedeployed,
    /// Something that discovery could not find out.
    DiscoveryFailure,
    /// A Region that no sweep examines.
    NotSwept,
    /// A service, and the secret to which it refers and whose changes do not reach us.
    UnreachedSecret,
    /// The ARN of a service.
    Service,
    /// The id of a deployment.
    Deployment,
    /// Why ECS ended a deployment.
    Reason,
}

impl DetailKind {
    /// All kinds.
    pub const ALL: [Self; 35] = [
        Self::Event,
        Self::Drill,
        Self::SessionName,
        Self::SourceIdentity,
        Self::AccessKeyId,
        Self::CallingService,
        Self::SourceAddress,
        Self::UserAgent,
        Self::CallTarget,
        Self::FailedStep,
        Self::ErrorMessage,
        Self::RotationFunction,
        Self::ExpiredException,
        Self::ClosingReason,
        Self::LastRead,
        Self::UnclearTags,
        Self::Note,
        Self::Problem,
        Self::Secret,
        Self::LastRotation,
        Self::Function,
        Self::Queue,
        Self::MessageProblem,
        Self::MessageHash,
        Self::NotRedeployed,
        Self::NotRedeployedYet,
        Self::RedeployedInPart,
        Self::RefusedByEcs,
        Self::NothingRedeployed,
        Self::DiscoveryFailure,
        Self::NotSwept,
        Self::UnreachedSecret,
        Self::Service,
        Self::Deployment,
        Self::Reason,
    ];

    /// The label in pages and in JSON, in our own words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Drill => "drill",
            Self::SessionName => "session",
            Self::SourceIdentity => "source identity",
            Self::AccessKeyId => "access key id",
            Self::CallingService => "called by service",
            Self::SourceAddress => "source address",
            Self::UserAgent => "user agent",
            Self::CallTarget => "acted on",
            Self::FailedStep => "failed step",
            Self::ErrorMessage => "error message",
            Self::RotationFunction => "rotation function",
            Self::ExpiredException => "expired exception",
            Self::ClosingReason => "why it is closed",
            Self::LastRead => "last read before",
            Self::UnclearTags => "tags not understood",
            Self::Note => "note",
            Self::Problem => "what",
            Self::Secret => "secret",
            Self::LastRotation => "last rotation",
            Self::Function => "function",
            Self::Queue => "queue",
            Self::MessageProblem => "what is wrong",
            Self::MessageHash => "SHA-256 of the message begins",
            Self::NotRedeployed => "not redeployed",
            Self::NotRedeployedYet => "not redeployed yet",
            Self::RedeployedInPart => "redeployed in part",
            Self::RefusedByEcs => "not redeployed, ECS refused",
            Self::NothingRedeployed => "nothing was redeployed",
            Self::DiscoveryFailure => "could not be learned",
            Self::NotSwept => "not swept",
            Self::UnreachedSecret => "its changes do not reach us",
            Self::Service => "service",
            Self::Deployment => "deployment",
            Self::Reason => "reason",
        }
    }
}

impl Serialize for DetailKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::DetailKind;

    #[test]
    fn every_kind_has_a_label_of_its_own() {
        let labels: BTreeSet<&str> = DetailKind::ALL.into_iter().map(DetailKind::label).collect();
        assert_eq!(labels.len(), DetailKind::ALL.len());
    }
}
