//! Invariants of every installation. The template checks require them of the templates, the doctor of a live account.

use std::ops::RangeInclusive;

/// After how many receives a message goes to the dead-letter queue. Below 5 pages can be lost, because a receive that meets the claim
/// of another invocation is used up; above 20 it takes an hour until an alarm says that a message fails.
pub const MAX_RECEIVE_COUNT: RangeInclusive<i64> = 5..=20;

/// The attribute by which the ledger's items expire. `lint/properties.json` requires it of the template.
pub const LEDGER_TTL_ATTRIBUTE: &str = "ttl";

/// The actions that a publisher needs on the key of an encrypted topic, as the template writes them.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>
pub const TOPIC_KEY_ACTIONS: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey*"];

/// The times, in seconds, that decide whether a claim outlives its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimTiming {
    /// How long the function may run.
    pub timeout: i64,
    /// How long a claim is held: the function's `LEASE_SECONDS`.
    pub lease: i64,
    /// How long the queue hides a message that was received.
    pub visibility: i64,
    /// How long Lambda may wait for a full batch.
    pub batching_window: i64,
}

/// Why the times of a function do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimTimingFault {
    /// The function may still work when its claim is free again: two pages for one incident.
    OutlivesClaim,
    /// The message is seen again while its claim is still held, and is given up too early.
    ReturnsWhileClaimed,
}

impl ClaimTiming {
    /// The first of the two rules that these times break: `timeout <= lease`, and `lease + timeout + batching window <= visibility`.
    pub fn find_fault(self) -> Option<ClaimTimingFault> {
        if self.timeout > self.lease {
            return Some(ClaimTimingFault::OutlivesClaim);
        }
        let seen_again_after = self.lease + self.timeout + self.batching_window;
        (seen_again_after > self.visibility).then_some(ClaimTimingFault::ReturnsWhileClaimed)
    }
}

/// A service that publishes to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicPublisher {
    /// The `Sid` of its statement in the topic's policy.
    pub sid: &'static str,
    /// The service.
    pub service: &'static str,
    /// Whether it says for which account it publishes. That `EventBridge` does so is not documented for topics.
    pub states_account: bool,
}

/// `CloudWatch`, with the alarms.
const ALARM_PUBLISHER: TopicPublisher =
    TopicPublisher { sid: "Alarms", service: "cloudwatch.amazonaws.com", states_account: true };

/// `EventBridge`, with the pages that no function sends.
const EVENT_PUBLISHER: TopicPublisher =
    TopicPublisher { sid: "Events", service: "events.amazonaws.com", states_account: false };

/// The services that publish to a topic, by its name: rules send pages to the page topic, and every topic gets alarms.
pub fn topic_publishers(topic: &str) -> &'static [TopicPublisher] {
    if topic.ends_with("-pages") { &[ALARM_PUBLISHER, EVENT_PUBLISHER] } else { &[ALARM_PUBLISHER] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_free_before_its_message_is_seen_again() {
        let fits = ClaimTiming { timeout: 60, lease: 60, visibility: 125, batching_window: 5 };
        assert_eq!(fits.find_fault(), None);
        let outlives = ClaimTiming { timeout: 61, ..fits };
        assert_eq!(outlives.find_fault(), Some(ClaimTimingFault::OutlivesClaim));
        let returns = ClaimTiming { visibility: 124, ..fits };
        assert_eq!(returns.find_fault(), Some(ClaimTimingFault::ReturnsWhileClaimed));
    }
}
