//! Where and when an event happened, and what a record lacks to be decided about.

use super::object_head::ObjectHead;

/// Where and when an event happened, as its text says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventOrigin {
    /// The account that received the event; empty if the event does not say.
    pub account: String,
    /// The Region; empty if the event does not say.
    pub region: String,
    /// The time as it is written; empty if the event does not say.
    pub time: String,
    /// The type of the record, such as `AwsApiCall`; empty for events that CloudTrail did not write.
    pub record_type: String,
    /// What a bare record lacks, so that no decision about it can be trusted.
    pub missing: Option<MissingMember>,
}

/// A member that a bare record lacks although every record of CloudTrail has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissingMember {
    /// `eventSource`: no rule can match.
    Source,
    /// `userIdentity` of a call of Secrets Manager: nobody knows who called.
    Caller,
    /// `requestParameters` of a read of a secret: nobody knows which.
    Parameters,
}

impl MissingMember {
    /// The name of the member.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "eventSource",
            Self::Caller => "userIdentity",
            Self::Parameters => "requestParameters",
        }
    }

    /// What that means for the answer.
    pub fn describe_effect(self) -> &'static str {
        match self {
            Self::Source => "no rule can match them",
            Self::Caller => "their callers are unknown",
            Self::Parameters => "the secrets that they read are unknown",
        }
    }
}

impl EventOrigin {
    /// The origin of a bare record with this head.
    pub(super) fn of_record(head: ObjectHead) -> Self {
        let missing = find_missing_member(&head);
        Self { missing, ..Self::of_event(head) }
    }

    /// The origin of an event with this head.
    pub(super) fn of_event(head: ObjectHead) -> Self {
        let account = head.account.unwrap_or_default();
        Self {
            account: account.trim_matches('"').to_owned(),
            region: head.region,
            time: head.event_time,
            record_type: head.event_type,
            missing: None,
        }
    }
}

/// Checks run in this order: the source, the caller, the parameters. A call that was refused has no parameters.
fn find_missing_member(head: &ObjectHead) -> Option<MissingMember> {
    if head.event_source.is_empty() {
        return Some(MissingMember::Source);
    }
    if head.event_source != "secretsmanager.amazonaws.com" || head.event_type == "AwsServiceEvent" {
        return None;
    }
    if !head.parties.caller {
        return Some(MissingMember::Caller);
    }
    let is_read = matches!(head.event_name.as_str(), "GetSecretValue" | "BatchGetSecretValue");
    if is_read && !head.parties.parameters && !head.parties.error {
        return Some(MissingMember::Parameters);
    }
    None
}
