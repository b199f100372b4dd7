//! The rules as they are deployed: names, patterns, and the state in which `EventBridge` gives them read-only events.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::rules::{EventRule, Handler, RuleSet};
use serde_json::{Map, Value, json};

/// What `EventBridge` takes as a pattern by default, in characters.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const MAX_PATTERN: usize = 2_048;

/// When a rule gets events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything but read-only management events.
    Enabled,
    /// Everything. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html>
    AllManagementEvents,
}

impl State {
    /// The value of the property `State`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::AllManagementEvents => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        }
    }

    /// The state that a rule with this pattern needs: with any doubt, the one that gets more. A pattern that names its events
    /// matches no more for it.
    pub fn of(pattern: &Value) -> Self {
        let comes_by_trail = words(&pattern["detail-type"])
            .is_none_or(|types| types.iter().any(|detail_type| detail_type.ends_with("via CloudTrail")));
        let says_write = pattern.pointer("/detail/readOnly").is_some_and(|only| *only == json!([false]));
        let names = words(pattern.pointer("/detail/eventName").unwrap_or(&Value::Null));
        let only_writes = names.is_some_and(|names| names.iter().all(|name| is_write(name)));
        if !comes_by_trail || says_write || only_writes { Self::Enabled } else { Self::AllManagementEvents }
    }
}

/// The strings of a field, if it names nothing but strings.
fn words(field: &Value) -> Option<Vec<&str>> {
    field.as_array()?.iter().map(Value::as_str).collect()
}

/// Whether an event of this name surely changes something. Read-only are also some that do not sound so: `BatchGetSecretValue`,
/// `ValidateResourcePolicy`, `Decrypt`, `GenerateDataKey`, `AssumeRole`.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-management-event-list.html>
fn is_write(name: &str) -> bool {
    let verbs = [
        "Add",
        "Attach",
        "Cancel",
        "Create",
        "Delete",
        "Deregister",
        "Detach",
        "Disable",
        "Enable",
        "End",
        "Import",
        "Modify",
        "Put",
        "Register",
        "Remove",
        "Replicate",
        "Replication",
        "Restore",
        "Retire",
        "Revoke",
        "Rotate",
        "Rotation",
        "Schedule",
        "SecretVersionDeletion",
        "Set",
        "Start",
        "Stop",
        "Tag",
        "TestRotation",
        "Untag",
        "Update",
    ];
    verbs.iter().any(|verb| {
        name.strip_prefix(verb)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_uppercase()))
    })
}

/// Which accounts' events a handler takes. `EventBridge` keeps the originating account in a forwarded event's envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// Services of other accounts are out of reach: their rotations are not ours to answer.
    Own,
    /// What is read elsewhere concerns the same people.
    Trusted,
}

impl Accounts {
    /// Whose events a handler takes.
    pub fn of(handler: Handler) -> Self {
        match handler {
            Handler::Rotation | Handler::Sweep => Self::Own,
            Handler::Access | Handler::Failure => Self::Trusted,
        }
    }

    /// What stands in the pattern for them.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Own => "${AWS::AccountId}",
            Self::Trusted => "${Accounts}",
        }
    }
}

/// The pattern files that become rules: all but the sweep's, whose events come from a schedule.
pub fn deployed(rules: &RuleSet) -> impl Iterator<Item = &EventRule> {
    rules.rules.iter().filter(|rule| rule.handler != Handler::Sweep)
}

/// A pattern with the accounts pinned, as the text of an `Fn::Sub`.
pub fn pinned(minified: &str, accounts: Accounts) -> String {
    let rest = minified.trim_start_matches('{').replace("${", "${!");
    format!("{{\"account\":[\"{}\"],{rest}", accounts.placeholder())
}

/// A rule of a forwarder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// What it forwards, for its name.
    pub id: String,
    /// Minified JSON, without accounts.
    pub pattern: String,
    /// Its state.
    pub state: State,
}

/// Few rules that let everything through that some rule at home takes, and each event once as far as it can be: patterns of one
/// source and detail type are one, by the names of their events. What they narrow beyond that, the rules at home narrow.
pub fn forwards(rules: &RuleSet) -> Vec<Forward> {
    let (mut by_kind, mut whole) = (BTreeMap::<(String, String), BTreeSet<String>>::new(), Vec::new());
    for rule in deployed(rules) {
        let pattern: Value = serde_json::from_str(rule.pattern.minified()).unwrap_or_default();
        let events = pattern.pointer("/detail/eventName").and_then(Value::as_array);
        if let (Some(sources), Some(types), Some(events)) =
            (words(&pattern["source"]), words(&pattern["detail-type"]), events)
        {
            for source in sources {
                for detail_type in &types {
                    let merged = by_kind.entry((source.to_owned(), (*detail_type).to_owned())).or_default();
                    merged.extend(events.iter().map(Value::to_string));
                }
            }
        } else {
            let (id, state) = (rule.id.clone(), State::of(&pattern));
            whole.push(Forward { id, state, pattern: rule.pattern.minified().to_owned() });
        }
    }
    let merged = by_kind.into_iter().map(|((source, detail_type), events)| {
        let events: Vec<Value> = events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
        let pattern =
            json!({ "source": [source], "detail-type": [detail_type], "detail": { "eventName": events } });
        let id = format!("{}-{}", slug(source.trim_start_matches("aws.")), slug(&detail_type));
        Forward { id, state: State::of(&pattern), pattern: pattern.to_string() }
    });
    merged.chain(whole).collect()
}

/// `AWS API Call via CloudTrail` is `api-call`.
fn slug(text: &str) -> String {
    let text = text.trim_start_matches("AWS ").trim_end_matches(" via CloudTrail").to_lowercase();
    text.replace(' ', "-")
}

/// The rule as JSON for comparing meanings: objects without order.
pub fn meaning(pattern: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(pattern).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(pattern: &Value) -> State {
        State::of(pattern)
    }

    #[test]
    fn a_rule_that_can_match_a_read_gets_reads() {
        let api = "AWS API Call via CloudTrail";
        for pattern in [
            json!({"detail-type": [api], "detail": {"eventName": ["GetSecretValue"]}}),
            json!({"detail-type": [api], "detail": {"eventName": ["DeleteSecret", "BatchGetSecretValue"]}}),
            json!({"detail-type": [api], "detail": {"eventName": [{"prefix": "Put"}]}}),
            json!({"detail-type": [api], "detail": {"eventName": ["Decrypt"]}}),
            json!({"detail-type": [api], "detail": {"readOnly": [true, false]}}),
            json!({"detail-type": [api]}),
            json!({"detail-type": [{"suffix": "CloudTrail"}], "detail": {"eventName": ["Getting"]}}),
            json!({"detail": {"errorCode": ["AccessDenied"]}}),
        ] {
            assert_eq!(state(&pattern), State::AllManagementEvents, "{pattern}");
        }
    }

    #[test]
    fn a_rule_that_cannot_does_not() {
        let (api, service) = ("AWS API Call via CloudTrail", "AWS Service Event via CloudTrail");
        for pattern in [
            json!({"detail-type": [api], "detail": {"eventName": ["DeleteSecret", "PutResourcePolicy"]}}),
            json!({"detail-type": [api], "detail": {"readOnly": [false]}}),
            json!({"detail-type": [service], "detail": {"eventName": ["RotationSucceeded", "TestRotationFailed"]}}),
            json!({"detail-type": ["Secret Label Updated"]}),
        ] {
            assert_eq!(state(&pattern), State::Enabled, "{pattern}");
        }
    }

    #[test]
    fn a_pinned_pattern_means_the_file_and_the_account() {
        let rules = responder_core::rules::builtin().unwrap();
        for rule in deployed(&rules) {
            let text =
                pinned(rule.pattern.minified(), Accounts::Own).replace("${AWS::AccountId}", "111122223333");
            let mut got = meaning(&text).unwrap();
            assert_eq!(got.remove("account"), Some(json!(["111122223333"])), "{text}");
            assert_eq!(got, meaning(rule.pattern.minified()).unwrap());
        }
    }
}
