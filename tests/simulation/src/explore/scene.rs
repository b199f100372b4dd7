//! Scenes: messages, bounds and times that are explored together.

use responder_core::rules::{RuleFile, RuleSet, RulesError, parse_rules};
use responder_core::severity::Severity;
use responder_core::time::Span;

use super::protocol_bug::ProtocolBug;

/// A scene that is explored.
#[derive(Clone, Debug)]
pub struct ExploredScene {
    /// Its name.
    pub name: &'static str,
    /// The messages, at most two, each with its name.
    pub messages: Vec<(&'static str, String)>,
    /// How urgently a human must have been notified in the end.
    pub severity: Severity,
    /// How urgent a page SNS itself must have taken, when nothing but four deaths at most happened.
    pub despite_deaths: Severity,
    /// How many distinct secrets a human must have been notified of in the end, by their step.
    pub secrets: usize,
    /// How many of them a page must have named, when nothing but four deaths at most happened.
    pub secrets_despite_deaths: usize,
    /// Whether a second failure raises the severity.
    pub escalates: bool,
    /// How many states are visited before that is too many: each takes some 80 bytes.
    pub max_states: usize,
    /// The bounds of what may go wrong.
    pub bounds: ExplorationBounds,
    /// The times.
    pub timing: FunctionTiming,
    /// A bug that is planted.
    pub bug: Option<ProtocolBug>,
}

/// How often something may go wrong on one path.
#[derive(Clone, Copy, Debug)]
pub struct ExplorationBounds {
    /// Process deaths.
    pub deaths: u8,
    /// Calls that fail, lose their answer, are repeated, are late or hang.
    pub faults: u8,
    /// Messages that are delivered although they are hidden or deleted.
    pub copies: u8,
}

/// The times of a function, its claims and its queue.
#[derive(Clone, Copy, Debug)]
pub struct FunctionTiming {
    /// The function's timeout.
    pub timeout: Span,
    /// How long a claim is held.
    pub lease: Span,
    /// The queue's visibility timeout.
    pub visibility: Span,
    /// `maxReceiveCount`.
    pub receives: u8,
}

impl Default for FunctionTiming {
    /// `timeout <= lease` and `lease + timeout <= visibility`, just so.
    fn default() -> Self {
        Self {
            timeout: Span::from_secs(60),
            lease: Span::from_secs(60),
            visibility: Span::from_secs(120),
            receives: 5,
        }
    }
}

/// How many states are too many, unless a test says otherwise.
const MAX_STATES: usize = 50_000_000;

impl ExploredScene {
    /// One failed rotation.
    pub fn one_failure(bounds: ExplorationBounds) -> Self {
        let failure = ("failure", write_event("RotationFailed", "03:00:00"));
        Self::new("one message", vec![failure], bounds)
    }

    /// Two failed rotations of one secret, as urgent as one.
    pub fn two_failures(bounds: ExplorationBounds) -> Self {
        let first = ("failure", write_event("RotationFailed", "03:00:00"));
        let second = ("second failure", write_event("RotationFailed", "02:59:30"));
        Self::new("two of one incident", vec![first, second], bounds)
    }

    /// Two failed rotations of one secret, more urgent than one. A delivery that meets the claim of the less urgent page is used up: the more urgent one may be left to the
    /// dead-letter queue.
    pub fn rising_severity(bounds: ExplorationBounds) -> Self {
        let scene = Self::two_failures(bounds);
        Self { name: "severity rises", severity: Severity::High, escalates: true, ..scene }
    }

    /// Two batch reads of one principal: each names twelve secrets, and both together page again without being more severe.
    pub fn growing_incident(bounds: ExplorationBounds) -> Self {
        let first = ("batch read", write_batch_read("03:00:00", 0..12));
        let second = ("second batch read", write_batch_read("02:59:30", 12..24));
        let scene = Self::new("an incident grows", vec![first, second], bounds);
        Self { secrets: 24, secrets_despite_deaths: 12, ..scene }
    }

    /// A failed rotation, and one that succeeds later.
    pub fn failure_and_success(bounds: ExplorationBounds) -> Self {
        let failure = ("failure", write_event("RotationFailed", "03:00:00"));
        let success = ("success", write_event("RotationSucceeded", "03:00:10"));
        Self::new("failure and resolution", vec![failure, success], bounds)
    }

    /// A message that is no event.
    pub fn poison(bounds: ExplorationBounds) -> Self {
        let scene = Self::new("poison", vec![("poison", "not JSON".to_owned())], bounds);
        Self { severity: Severity::High, despite_deaths: Severity::High, ..scene }
    }

    fn new(name: &'static str, messages: Vec<(&'static str, String)>, bounds: ExplorationBounds) -> Self {
        Self {
            name,
            messages,
            severity: Severity::Medium,
            despite_deaths: Severity::Medium,
            secrets: 0,
            secrets_despite_deaths: 0,
            escalates: false,
            max_states: MAX_STATES,
            bounds,
            timing: FunctionTiming::default(),
            bug: None,
        }
    }

    /// Rules of its own, so that an exploration does not change with the catalogue.
    pub(super) fn load_rules(&self) -> Result<RuleSet, RulesError> {
        let escalate = if self.escalates { r#"{"at_least": 2, "severity": "high"}"# } else { "" };
        let responses = format!(
            r#"{{"rotation-failed": {{"on": ["rotation-failed"], "severity": "medium", "title": "A rotation failed", "runbook": "x",
                "when": {{"distinct": "event", "at_least": 1, "within": "24h", "per": "secret", "escalate": [{escalate}]}},
                "quiet": "7d", "resolved_by": ["rotation-succeeded"]}},
              "batch-read": {{"on": ["batch-read"], "severity": "medium", "title": "Secrets were read", "runbook": "x",
                "when": {{"distinct": "secret", "at_least": 5, "within": "24h", "per": "principal"}}, "quiet": "7d"}},
              "event-parked": {{"do": "park", "severity": "high", "title": "Not understood", "runbook": "x", "quiet": "1h"}}}}"#
        );
        parse_rules(&[
            make_rule_file("failure/rotation-failed.json", write_pattern("RotationFailed")),
            make_rule_file("failure/rotation-succeeded.json", write_pattern("RotationSucceeded")),
            make_rule_file("failure/batch-read.json", write_pattern("BatchGetSecretValue")),
            make_rule_file("responses.json", responses),
        ])
    }
}

fn make_rule_file(path: &str, text: String) -> RuleFile {
    RuleFile { path: path.to_owned(), text }
}

fn write_pattern(event_name: &str) -> String {
    format!(r#"{{"source": ["aws.secretsmanager"], "detail": {{"eventName": ["{event_name}"]}}}}"#)
}

fn write_batch_read(time: &str, secrets: std::ops::Range<u8>) -> String {
    let names: Vec<String> = secrets.map(|secret| format!(r#""prod/{secret}""#)).collect();
    format!(
        r#"{{"source": "aws.secretsmanager", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
            "region": "us-west-2", "time": "2026-05-04T{time}Z", "detail": {{
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "BatchGetSecretValue", "awsRegion": "us-west-2",
            "eventTime": "2026-05-04T{time}Z", "eventType": "AwsApiCall", "recipientAccountId": "111122223333",
            "userIdentity": {{"type": "IAMUser", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:user/u"}},
            "requestParameters": {{"secretIdList": [{}]}}}}}}"#,
        names.join(", ")
    )
}

fn write_event(name: &str, time: &str) -> String {
    format!(
        r#"{{"source": "aws.secretsmanager", "detail-type": "AWS Service Event via CloudTrail", "account": "111122223333",
            "region": "us-west-2", "time": "2026-05-04T{time}Z", "detail": {{
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "{name}", "awsRegion": "us-west-2",
            "eventTime": "2026-05-04T{time}Z", "eventType": "AwsServiceEvent", "recipientAccountId": "111122223333",
            "additionalEventData": {{"SecretId": "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3"}}}}}}"#
    )
}
