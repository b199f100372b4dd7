//! Scenes: which messages, which bounds, which times.

use responder_core::rules::{RuleFile, RuleSet, RulesError, parse_rules};
use responder_core::severity::Severity;
use responder_core::time::Span;

use super::plant::Plant;

/// What is explored.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What it is called.
    pub name: &'static str,
    /// The messages, at most two, each with what it is called.
    pub messages: Vec<(&'static str, String)>,
    /// How urgently a human must have been told in the end.
    pub severity: Severity,
    /// How urgently SNS itself must have told, when nothing but four deaths at most happened.
    pub despite_deaths: Severity,
    /// Whether a second failure raises the severity.
    pub escalates: bool,
    /// How many states are visited before that is too many: each takes some 80 bytes.
    pub most: usize,
    /// What may go wrong, and how often.
    pub bounds: Bounds,
    /// The times.
    pub timing: Timing,
    /// A bug that is planted.
    pub plant: Option<Plant>,
}

/// How often something may go wrong on one path.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Process deaths.
    pub deaths: u8,
    /// Calls that fail, lose their answer, are repeated, are late or hang.
    pub faults: u8,
    /// Messages that are delivered although they are hidden or deleted.
    pub copies: u8,
}

/// The times of a deployment.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The function's timeout.
    pub timeout: Span,
    /// How long a claim is held.
    pub lease: Span,
    /// The queue's visibility timeout.
    pub visibility: Span,
    /// `maxReceiveCount`.
    pub receives: u8,
}

impl Default for Timing {
    /// `timeout <= lease` and `lease + timeout <= visibility`, just so.
    fn default() -> Self {
        let seconds = Span::from_secs;
        Self { timeout: seconds(60), lease: seconds(60), visibility: seconds(120), receives: 5 }
    }
}

/// When the world begins: 2026-05-04T03:01:00Z.
pub(super) const START: i64 = 1_777_863_660_000;

impl Scene {
    /// One failed rotation.
    pub fn one(bounds: Bounds) -> Self {
        Self::of("one message", vec![("failure", event("RotationFailed", "03:00:00"))], bounds)
    }

    /// Two failed rotations of one secret, as urgent as one.
    pub fn two(bounds: Bounds) -> Self {
        let second = ("second failure", event("RotationFailed", "02:59:30"));
        Self::of(
            "two of one incident",
            vec![("failure", event("RotationFailed", "03:00:00")), second],
            bounds,
        )
    }

    /// Two failed rotations of one secret, more urgent than one. A delivery that meets the claim of the less urgent page is used up: the more urgent one may be left to the
    /// dead-letter queue.
    pub fn rising(bounds: Bounds) -> Self {
        let scene = Self::two(bounds);
        Self { name: "severity rises", severity: Severity::High, escalates: true, ..scene }
    }

    /// A failed rotation, and one that succeeds later.
    pub fn resolved(bounds: Bounds) -> Self {
        let success = ("success", event("RotationSucceeded", "03:00:10"));
        let failure = ("failure", event("RotationFailed", "03:00:00"));
        Self::of("failure and resolution", vec![failure, success], bounds)
    }

    /// What is no event.
    pub fn quarantined(bounds: Bounds) -> Self {
        let scene = Self::of("poison", vec![("poison", "not JSON".to_owned())], bounds);
        Self { severity: Severity::High, despite_deaths: Severity::High, ..scene }
    }

    fn of(name: &'static str, messages: Vec<(&'static str, String)>, bounds: Bounds) -> Self {
        Self {
            name,
            messages,
            severity: Severity::Medium,
            despite_deaths: Severity::Medium,
            escalates: false,
            most: 50_000_000,
            bounds,
            timing: Timing::default(),
            plant: None,
        }
    }

    /// Rules of its own, so that what is explored does not change with the catalogue.
    pub(super) fn rules(&self) -> Result<RuleSet, RulesError> {
        let pattern = |name: &str| {
            format!(r#"{{"source": ["aws.secretsmanager"], "detail": {{"eventName": ["{name}"]}}}}"#)
        };
        let escalate = if self.escalates { r#"{"at_least": 2, "severity": "high"}"# } else { "" };
        let responses = format!(
            r#"{{"rotation-failed": {{"on": ["rotation-failed"], "severity": "medium", "title": "A rotation failed", "runbook": "x",
                "when": {{"distinct": "event", "at_least": 1, "within": "24h", "per": "secret", "escalate": [{escalate}]}},
                "quiet": "7d", "resolved_by": ["rotation-succeeded"]}},
              "event-parked": {{"do": "park", "severity": "high", "title": "Not understood", "runbook": "x", "quiet": "1h"}}}}"#
        );
        parse_rules(
            &[
                ("failure/rotation-failed.json", pattern("RotationFailed")),
                ("failure/rotation-succeeded.json", pattern("RotationSucceeded")),
                ("responses.json", responses),
            ]
            .map(|(path, text)| RuleFile { path: path.to_owned(), text }),
        )
    }
}

fn event(name: &str, time: &str) -> String {
    format!(
        r#"{{"source": "aws.secretsmanager", "detail-type": "AWS Service Event via CloudTrail", "account": "111122223333",
            "region": "us-west-2", "time": "2026-05-04T{time}Z", "detail": {{
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "{name}", "awsRegion": "us-west-2",
            "eventTime": "2026-05-04T{time}Z", "eventType": "AwsServiceEvent", "recipientAccountId": "111122223333",
            "additionalEventData": {{"SecretId": "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3"}}}}}}"#
    )
}
