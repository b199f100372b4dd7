//! The rules as they are deployed: names, patterns, and the state in which `EventBridge` gives them read-only events.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::rules::{EventRule, Handler, RuleSet};
use serde_json::{Map, Value, json};

use crate::json::list_items;

/// How many characters a pattern may have by default.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const MAX_PATTERN_CHARACTERS: usize = 2_048;

/// Which events `EventBridge` gives a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleState {
    /// Everything but read-only management events.
    Enabled,
    /// Everything.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html>
    AllManagementEvents,
}

impl RuleState {
    /// The value of the property `State`.
    pub fn property_value(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::AllManagementEvents => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        }
    }

    /// The state that a rule with this pattern needs. `ENABLED` is enough in three cases:
    ///
    /// 1. The events do not come through `CloudTrail`: only those that do can be read-only.
    /// 2. The pattern takes events that are not read-only, and no others.
    /// 3. The pattern names its events, and all of them are writes.
    ///
    /// In doubt, the rule needs all events: a pattern that names its events matches no more for it.
    pub fn needed_for(pattern: &Value) -> Self {
        // 1. The events do not come through CloudTrail.
        if let Some(detail_types) = list_plain_strings(&pattern["detail-type"])
            && !detail_types.iter().any(|detail_type| detail_type.ends_with("via CloudTrail"))
        {
            return Self::Enabled;
        }
        // 2. The pattern takes no read-only events.
        if pattern["detail"]["readOnly"] == json!([false]) {
            return Self::Enabled;
        }
        // 3. All events that the pattern names are writes.
        match list_plain_strings(&pattern["detail"]["eventName"]) {
            Some(names) if names.iter().all(|name| is_write(name)) => Self::Enabled,
            _ => Self::AllManagementEvents,
        }
    }
}

/// The strings of a field; nothing where the field is absent or has other matchers than strings.
fn list_plain_strings(field: &Value) -> Option<Vec<&str>> {
    field.as_array()?.iter().map(Value::as_str).collect()
}

/// Verbs that begin the names of events which surely change something. Some events are read-only although they do not sound so:
/// `BatchGetSecretValue`, `ValidateResourcePolicy`, `Decrypt`, `GenerateDataKey`, `AssumeRole`.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-management-event-list.html>
#[rustfmt::skip]
const WRITE_VERBS: [&str; 31] = [
    "Add", "Attach", "Cancel", "Create", "Delete", "Deregister", "Detach", "Disable", "Enable", "End",
    "Import", "Modify", "Put", "Register", "Remove", "Replicate", "Replication", "Restore", "Retire",
    "Revoke", "Rotate", "Rotation", "Schedule", "SecretVersionDeletion", "Set", "Start", "Stop", "Tag",
    "TestRotation", "Untag", "Update",
];

/// Whether an event of this name surely changes something: `Put` begins `PutSecretValue`, but not `Putting`.
fn is_write(name: &str) -> bool {
    for verb in WRITE_VERBS {
        if let Some(rest) = name.strip_prefix(verb)
            && (rest.is_empty() || rest.starts_with(|letter: char| letter.is_ascii_uppercase()))
        {
            return true;
        }
    }
    false
}

/// Which accounts' events a handler takes. `EventBridge` keeps the originating account in a forwarded event's envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAccounts {
    /// The responder's own account: services of other accounts are out of reach, and so their rotations cannot be answered here.
    Own,
    /// The trusted accounts as well: the same people are paged about a read in one of them.
    Trusted,
}

impl EventAccounts {
    /// The accounts whose events a handler takes.
    pub fn for_handler(handler: Handler) -> Self {
        match handler {
            Handler::Rotation | Handler::Sweep => Self::Own,
            Handler::Access | Handler::Failure => Self::Trusted,
        }
    }

    /// The placeholder that stands for them in a pattern.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Own => "${AWS::AccountId}",
            Self::Trusted => "${Accounts}",
        }
    }
}

/// The pattern files that become rules: all but the sweep's, whose events come from a schedule.
pub fn deployed_rules(rules: &RuleSet) -> impl Iterator<Item = &EventRule> {
    rules.rules.iter().filter(|rule| rule.handler != Handler::Sweep)
}

/// A minified pattern with the accounts pinned, as the text of an `Fn::Sub`.
pub fn pin_accounts(minified: &str, accounts: EventAccounts) -> String {
    let rest = minified.trim_start_matches('{').replace("${", "${!");
    format!("{{\"account\":[\"{}\"],{rest}", accounts.placeholder())
}

/// A rule of a forwarder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardingRule {
    /// The part of its name that says what it forwards.
    pub id: String,
    /// Minified JSON, without accounts.
    pub pattern: String,
    /// The state that it needs.
    pub state: RuleState,
}

/// A few rules that let everything through that some rule at home takes, and each event once as far as that is possible.
///
/// Patterns of one source and detail type become one rule, by the names of their events; the rules at home narrow the rest. A
/// pattern that names no events is forwarded as it is.
pub fn forwarding_rules(rules: &RuleSet) -> Vec<ForwardingRule> {
    let mut events_by_kind: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut unmerged = Vec::new();
    for rule in deployed_rules(rules) {
        let minified = rule.pattern.minified();
        let pattern: Value = serde_json::from_str(minified).unwrap_or_default();
        let sources = list_plain_strings(&pattern["source"]);
        let detail_types = list_plain_strings(&pattern["detail-type"]);
        let names_events = pattern["detail"]["eventName"].is_array();
        let (Some(sources), Some(detail_types), true) = (sources, detail_types, names_events) else {
            let state = RuleState::needed_for(&pattern);
            unmerged.push(ForwardingRule { id: rule.id.clone(), state, pattern: minified.to_owned() });
            continue;
        };
        for source in sources {
            for detail_type in &detail_types {
                let kind = (source.to_owned(), (*detail_type).to_owned());
                let events = events_by_kind.entry(kind).or_default();
                // As JSON text: a matcher of an event's name need not be a string, and matchers have no order.
                events.extend(list_items(&pattern["detail"]["eventName"]).iter().map(Value::to_string));
            }
        }
    }
    let mut forwarding = Vec::new();
    for ((source, detail_type), events) in events_by_kind {
        let events: Vec<Value> = events.iter().flat_map(|event| serde_json::from_str(event)).collect();
        let pattern =
            json!({"source": [source], "detail-type": [detail_type], "detail": {"eventName": events}});
        let id = format!("{}-{}", slugify(source.trim_start_matches("aws.")), slugify(&detail_type));
        let state = RuleState::needed_for(&pattern);
        forwarding.push(ForwardingRule { id, state, pattern: pattern.to_string() });
    }
    forwarding.append(&mut unmerged);
    forwarding
}

/// `AWS API Call via CloudTrail` becomes `api-call`.
fn slugify(text: &str) -> String {
    let text = text.trim_start_matches("AWS ").trim_end_matches(" via CloudTrail").to_lowercase();
    text.replace(' ', "-")
}

/// A pattern as JSON, to compare what patterns mean: objects have no order.
pub fn parse_pattern(pattern: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(pattern).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(RuleState::needed_for(&pattern), RuleState::AllManagementEvents, "{pattern}");
        }
    }

    #[test]
    fn a_rule_that_cannot_match_a_read_gets_none() {
        let (api, service) = ("AWS API Call via CloudTrail", "AWS Service Event via CloudTrail");
        for pattern in [
            json!({"detail-type": [api], "detail": {"eventName": ["DeleteSecret", "PutResourcePolicy"]}}),
            json!({"detail-type": [api], "detail": {"readOnly": [false]}}),
            json!({"detail-type": [service], "detail": {"eventName": ["RotationSucceeded", "TestRotationFailed"]}}),
            json!({"detail-type": ["Secret Label Updated"]}),
        ] {
            assert_eq!(RuleState::needed_for(&pattern), RuleState::Enabled, "{pattern}");
        }
    }

    #[test]
    fn a_pinned_pattern_means_the_file_and_the_account() {
        let rules = responder_core::rules::builtin().unwrap();
        for rule in deployed_rules(&rules) {
            let text = pin_accounts(rule.pattern.minified(), EventAccounts::Own)
                .replace("${AWS::AccountId}", "111122223333");
            let mut got = parse_pattern(&text).unwrap();
            assert_eq!(got.remove("account"), Some(json!(["111122223333"])), "{text}");
            assert_eq!(got, parse_pattern(rule.pattern.minified()).unwrap());
        }
    }
}
