//! Generates the templates: source fragments with what the rules say in the places for it.

use std::fmt;

use responder_core::rules::{EventRule, Handler, RuleSet};

use crate::metrics;
use crate::permissions;
use crate::rules::{Accounts, Forward, MAX_PATTERN, State, deployed, forwards, pinned};
use crate::settings::SETTINGS;

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its file in `infra/`, without `.yaml`.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// Why there is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// A name is longer than `EventBridge` allows.
    #[error(
        "rules/{handler}/{id}.json: the rule's name has up to {length} characters, and EventBridge takes 64: shorten the id"
    )]
    Name {
        /// The folder.
        handler: Handler,
        /// The rule.
        id: String,
        /// The length with the longest prefix.
        length: usize,
    },
    /// A pattern is longer than `EventBridge` allows.
    #[error(
        "`{id}`: the pattern has {length} characters with its account, and EventBridge takes {MAX_PATTERN} by default"
    )]
    Pattern {
        /// The rule.
        id: String,
        /// The length with one account.
        length: usize,
    },
    /// The pattern names accounts itself.
    #[error("rules/{handler}/{id}.json names `account`: the template does that")]
    Account {
        /// The folder.
        handler: Handler,
        /// The rule.
        id: String,
    },
    /// A fragment has a place that nothing fills.
    #[error("{template}: nothing fills `{place}`")]
    Unfilled {
        /// The template.
        template: &'static str,
        /// What is left.
        place: String,
    },
}

/// The longest prefix that the parameter `Prefix` allows.
const LONGEST_PREFIX: usize = 20;

/// The generated templates.
///
/// # Errors
/// When a rule cannot be deployed.
pub fn templates(rules: &RuleSet) -> Result<Vec<Template>, GenerateError> {
    let all = vec![
        Template { name: "responder", text: responder(rules)? },
        Template { name: "forwarder", text: forwarder(rules)? },
        Template { name: "dashboard", text: crate::dashboard::text() },
    ];
    for template in &all {
        if let Some(place) = unfilled(&template.text) {
            return Err(GenerateError::Unfilled { template: template.name, place });
        }
    }
    Ok(all)
}

/// What a handler's resources differ in.
struct Spec {
    handler: Handler,
    /// How much is done at the same time, and reserved.
    concurrency: u32,
    /// Seconds that Lambda may wait for a full batch.
    window: u32,
    /// Seconds after which a waiting message is too old.
    age: u32,
    delay: &'static str,
    what: &'static str,
}

/// Reads come in bursts: they are worth waiting for. What else comes is worth being answered at once.
const SPECS: [Spec; 4] = [
    Spec {
        handler: Handler::Rotation,
        concurrency: 5,
        window: 0,
        age: 600,
        delay: "!Ref SettleSeconds",
        what: "the active value of a secret changed",
    },
    Spec {
        handler: Handler::Access,
        concurrency: 10,
        window: 5,
        age: 600,
        delay: "0",
        what: "secrets are read, or their protection is changed",
    },
    Spec {
        handler: Handler::Failure,
        concurrency: 2,
        window: 0,
        age: 600,
        delay: "0",
        what: "a rotation failed",
    },
    Spec {
        handler: Handler::Sweep,
        concurrency: 2,
        window: 0,
        age: 300,
        delay: "0",
        what: "a minute has passed",
    },
];

fn responder(rules: &RuleSet) -> Result<String, GenerateError> {
    let mut text = format!("{}{}", GENERATED, include_str!("../source/responder/head.yaml"));
    let targets: Vec<String> = SPECS
        .iter()
        .filter(|spec| spec.handler != Handler::Sweep)
        .map(|spec| {
            fill(
                include_str!("../source/responder/heartbeat-target.yaml"),
                &[("handler", spec.handler.as_str()), ("Handler", &camel(spec.handler.as_str()))],
            )
        })
        .collect();
    text = fill(&text, &[("heartbeat-targets", targets.concat().trim_end())]);
    for (rule, name) in [
        ("SweepSchedule", "sweep-schedule"),
        ("HeartbeatSchedule", "heartbeat-schedule"),
        ("CanaryRule", "canary"),
        ("ForwarderAlarmRule", "forwarder-alarm"),
        ("RegionEnabledRule", "region-enabled"),
    ] {
        text.push_str(&rule_alarms(rule, &format!("${{Prefix}}-{name}")));
    }
    for spec in &SPECS {
        text.push_str(&handler(rules, spec));
        for rule in deployed(rules).filter(|rule| rule.handler == spec.handler) {
            text.push_str(&rule_text(rule)?);
        }
    }
    text.push_str(include_str!("../source/responder/tail.yaml"));
    Ok(with_actions(&text))
}

fn handler(rules: &RuleSet, spec: &Spec) -> String {
    let Spec { handler, .. } = spec;
    let (name, logical) = (handler.as_str(), camel(handler.as_str()));
    let statements = permissions::statements(rules, *handler);
    let variable = |(name, parameter): &(&str, &str)| format!("          {name}: !Ref {parameter}");
    let settings: Vec<String> = SETTINGS.iter().map(variable).collect();
    let patterns = format!("{name}-*");
    let sources: Vec<String> = match handler {
        Handler::Sweep => vec!["sweep-schedule".to_owned()],
        _ => vec![patterns, "heartbeat-schedule".to_owned()],
    };
    let source = |name: &String| {
        let arn = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${Prefix}";
        format!("                  - !Sub \"{arn}-{name}\"")
    };
    let sources: Vec<String> = sources.iter().map(source).collect();
    fill(
        include_str!("../source/responder/handler.yaml"),
        &[
            ("statements", &statements),
            ("settings", &settings.join("\n")),
            ("sources", &sources.join("\n")),
            ("Handler", &logical),
            ("handler", name),
            ("what", spec.what),
            ("description", &format!("secrets-responder, when {}", spec.what)),
            ("delay", spec.delay),
            ("window", &spec.window.to_string()),
            ("concurrency", &spec.concurrency.to_string()),
            ("age", &spec.age.to_string()),
            ("namespace", metrics::NAMESPACE),
            ("received", metrics::RECEIVED),
        ],
    )
}

fn rule_text(rule: &EventRule) -> Result<String, GenerateError> {
    let (handler, id) = (rule.handler, rule.id.clone());
    let name = LONGEST_PREFIX + 1 + handler.as_str().len() + 1 + id.len();
    if name > 64 {
        return Err(GenerateError::Name { handler, id, length: name });
    }
    let minified = rule.pattern.minified();
    let pattern: serde_json::Value = serde_json::from_str(minified).unwrap_or_default();
    if pattern.get("account").is_some() {
        return Err(GenerateError::Account { handler, id });
    }
    let text = pattern_text(&id, minified, Accounts::of(handler), 6)?;
    let logical = format!("{}{}Rule", camel(handler.as_str()), camel(&id));
    Ok(fill(
        include_str!("../source/responder/rule.yaml"),
        &[
            ("rule-alarms", rule_alarms(&logical, &format!("${{Prefix}}-{handler}-{id}")).trim_end()),
            ("Rule", &logical),
            ("Handler", &camel(handler.as_str())),
            ("handler", handler.as_str()),
            ("id", &id),
            ("state", State::of(&pattern).name()),
            ("pattern", &text),
        ],
    ))
}

/// A pattern as the property's value: an `Fn::Sub`, with the accounts as another where they are a list.
fn pattern_text(id: &str, minified: &str, accounts: Accounts, depth: usize) -> Result<String, GenerateError> {
    let pinned = pinned(minified, accounts);
    let length = minified.chars().count() + "\"account\":[\"111122223333\"],".len();
    if length > MAX_PATTERN {
        return Err(GenerateError::Pattern { id: id.to_owned(), length });
    }
    let quoted = format!("'{}'", pinned.replace('\'', "''"));
    Ok(match accounts {
        Accounts::Own => format!("!Sub {quoted}"),
        Accounts::Trusted => {
            let indent = " ".repeat(depth + 2);
            format!("!Sub\n{indent}- {quoted}\n{indent}- Accounts: {ACCOUNTS}")
        }
    })
}

const ACCOUNTS: &str = "!If [TrustsOthers, !Join ['\",\"', [!Ref AWS::AccountId, !Join ['\",\"', !Split [\",\", !Ref TrustedAccounts]]]], !Ref AWS::AccountId]";

fn rule_alarms(logical: &str, name: &str) -> String {
    fill(include_str!("../source/responder/rule-alarms.yaml"), &[("Rule", logical), ("rule-name", name)])
}

fn forwarder(rules: &RuleSet) -> Result<String, GenerateError> {
    let mut text = format!("{}{}", GENERATED, include_str!("../source/forwarder/head.yaml"));
    for Forward { id, pattern, state } in forwards(rules) {
        let length = LONGEST_PREFIX + "-forward-".len() + id.len();
        if length > 64 {
            return Err(GenerateError::Name { handler: Handler::Access, id, length });
        }
        let sub = pattern_text(&id, &pattern, Accounts::Own, 6)?;
        let logical = format!("{}Rule", camel(&id));
        let alarms = rule_alarms(&logical, &format!("${{Prefix}}-forward-{id}"));
        let fields = [
            ("rule-alarms", alarms.trim_end()),
            ("Rule", &logical),
            ("id", &id),
            ("state", state.name()),
            ("pattern", &sub),
        ];
        text.push_str(&fill(include_str!("../source/forwarder/rule.yaml"), &fields));
    }
    for (rule, name) in [
        ("CanaryRule", "canary"),
        ("AlarmRule", "forward-alarm"),
        ("RegionEnabledRule", "forward-region-enabled"),
    ] {
        text.push_str(&rule_alarms(rule, &format!("${{Prefix}}-{name}")));
    }
    text.push_str(include_str!("../source/forwarder/tail.yaml"));
    let home = include_str!("../source/forwarder/home.yaml").trim_end();
    Ok(fill(&text, &[("home", home), ("actions", FORWARDER_ACTIONS)]))
}

const GENERATED: &str =
    "# Generated by `cargo run -p infra -- generate` from rules/ and infra/source/. Do not edit.\n\n";

const FORWARDER_ACTIONS: &str = "      AlarmActions: [!Ref AlarmTopic]\n      OKActions: [!Ref AlarmTopic]";

/// Alarms tell the pages' topic, and chat; those about the pages and about silence tell somebody else as well.
fn with_actions(text: &str) -> String {
    let chat = "!If [HasChat, !Ref ChatTopic, !Ref AWS::NoValue]";
    let backup = "!If [HasBackupTopic, !Ref BackupTopicArn, !Ref AWS::NoValue]";
    let both = |topics: &str| format!("      AlarmActions: [{topics}]\n      OKActions: [{topics}]");
    let normal = both(&format!("!Ref PageTopic, {chat}"));
    let watchdog = both(&format!("!Ref PageTopic, {chat}, {backup}"));
    fill(text, &[("watchdog-actions", &watchdog), ("actions", &normal)])
}

fn fill(fragment: &str, fields: &[(&str, &str)]) -> String {
    let fill = |text: String, (name, value): &(&str, &str)| text.replace(&format!("@{name}@"), value);
    fields.iter().fold(fragment.to_owned(), fill)
}

/// The first place that is left.
fn unfilled(text: &str) -> Option<String> {
    let is_name =
        |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    text.split('@').skip(1).find(is_name).map(|name| format!("@{name}@"))
}

/// `secret-read` is `SecretRead`.
pub(crate) fn camel(id: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    id.split('-').map(word).collect()
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "infra/{}.yaml", self.name)
    }
}
