//! Guesses facts from events: whose accounts, Regions and roles they show, which of them may be production, people or
//! automation. An auditor without access to AWS edits them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use responder_core::enrichment::enrich_event;
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::settings::ProductionScope;
use responder_core::text::Untrusted;
use serde_json::{Value, json};

/// How many characters of a name a line shows.
const NAME_LENGTH_MAX: usize = 120;
/// How many roles the explanation lists.
const LISTED_ROLES_MAX: usize = 40;
/// The words in names of secrets that mean production.
const PRODUCTION_WORDS: [&str; 4] = ["prod", "production", "prd", "live"];
/// The words in names of roles and users that mean automation.
const AUTOMATION_WORDS: [&str; 13] = [
    "ci",
    "cd",
    "cicd",
    "terraform",
    "pulumi",
    "deploy",
    "deployer",
    "deployment",
    "pipeline",
    "github",
    "gitlab",
    "jenkins",
    "automation",
];

/// What the events of Secrets Manager show.
#[derive(Debug, Default)]
pub(crate) struct SeenParties {
    /// How many of the events there are.
    events: usize,
    accounts: BTreeMap<String, AccountSightings>,
    regions: BTreeMap<String, usize>,
    callers: BTreeMap<String, CallerSightings>,
    production_patterns: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct AccountSightings {
    events: usize,
    /// The names of its secrets, and whether each is production.
    secrets: BTreeMap<String, bool>,
}

#[derive(Debug, Default)]
struct CallerSightings {
    events: usize,
    human_reason: Option<&'static str>,
    automation_reason: Option<&'static str>,
}

impl SeenParties {
    /// Adds an event. Those of other services are left out: they say nothing about secrets.
    pub(crate) fn see(&mut self, event: &Event) {
        let source = event.find_text("/source").unwrap_or_default();
        if source.raw() != "aws.secretsmanager" {
            return;
        }
        self.events += 1;
        if is_account(&event.account) {
            self.accounts.entry(event.account.clone()).or_default().events += 1;
        }
        if is_region(&event.region) {
            *self.regions.entry(event.region.clone()).or_default() += 1;
        }
        for secret in &event.secrets {
            let name = secret.friendly_name().raw().to_owned();
            let pattern = guess_production_pattern(&name);
            if is_account(&secret.account) {
                let account = self.accounts.entry(secret.account.clone()).or_default();
                account.secrets.insert(name, pattern.is_some());
            }
            self.production_patterns.extend(pattern);
        }
        self.see_caller(event);
    }

    fn see_caller(&mut self, event: &Event) {
        let arn = event.principal.id.raw();
        if !is_plain_arn(arn) {
            return;
        }
        let caller = self.callers.entry(arn.to_owned()).or_default();
        caller.events += 1;
        caller.human_reason = caller.human_reason.or_else(|| guess_human(event));
        caller.automation_reason = caller.automation_reason.or_else(|| guess_automation(event, arn));
    }

    /// The facts, as JSON over several lines.
    pub(crate) fn to_json(&self) -> String {
        let mut regions: Vec<(&String, &usize)> = self.regions.iter().collect();
        regions.sort_by_key(|(_, events)| Reverse(**events));
        let regions: Vec<&String> = regions.into_iter().map(|(region, _)| region).collect();
        let mut production = json!(ProductionScope::default());
        production["accounts"] = json!(self.guess_production_accounts());
        if let Some(patterns) = production["secrets"].as_array_mut() {
            for pattern in &self.production_patterns {
                if !patterns.contains(&json!(pattern)) {
                    patterns.push(json!(pattern));
                }
            }
        }
        let mut settings = json!({
            "production": production,
            "humans": self.guess_human_roles(),
            "automation": self.guess_automation_arns(),
        });
        if let [home, further @ ..] = &regions[..] {
            settings["home"] = json!(home);
            settings["regions"] = json!(further);
        }
        format!("{:#}", json!({ "settings": settings }))
    }

    /// What the facts mean and where they come from, one thing a line.
    pub(crate) fn explain(&self) -> String {
        let mut lines = vec![
            format!("guessed from {} events of Secrets Manager. Check each value before you use it.", self.events),
            "settings.home, settings.regions: every Region that was seen, the busiest first. Remove those that are not"
                .to_owned(),
            "  yours: reads there become incidents.".to_owned(),
            "settings.production.accounts: accounts of which at least half of the secrets are named like production."
                .to_owned(),
            "settings.production.secrets: names with the words prod, production, prd or live.".to_owned(),
            "settings.humans: roles with sessions named like an e-mail address, or with MFA.".to_owned(),
            "settings.automation: callers that are named like automation, or whose user agent claims it. An intruder"
                .to_owned(),
            "  can do both, and what automation does alarms less: keep only those that you know.".to_owned(),
            "services: not guessed. Without them, a rotation says that its services are unknown.".to_owned(),
        ];
        for (account, sightings) in &self.accounts {
            let production = sightings.secrets.values().filter(|is_production| **is_production).count();
            let AccountSightings { events, secrets } = sightings;
            lines.push(format!(
                "account {account}: {events} events, {} secrets, {production} named like production",
                secrets.len()
            ));
        }
        let mut callers: Vec<(&String, &CallerSightings)> = self.callers.iter().collect();
        callers.sort_by_key(|(_, sightings)| Reverse(sightings.events));
        for (arn, sightings) in callers.iter().take(LISTED_ROLES_MAX) {
            let reason = sightings.human_reason.or(sightings.automation_reason).unwrap_or("no guess");
            let arn = Untrusted::new(arn.as_str()).show(NAME_LENGTH_MAX);
            lines.push(format!("caller {arn}: {} events, {reason}", sightings.events));
        }
        if callers.len() > LISTED_ROLES_MAX {
            lines.push(format!("and {} more callers", callers.len() - LISTED_ROLES_MAX));
        }
        lines.join("\n")
    }

    fn guess_production_accounts(&self) -> Vec<&String> {
        let mut accounts = Vec::new();
        for (account, sightings) in &self.accounts {
            let production = sightings.secrets.values().filter(|is_production| **is_production).count();
            if production > 0 && production * 2 >= sightings.secrets.len() {
                accounts.push(account);
            }
        }
        accounts
    }

    fn guess_human_roles(&self) -> BTreeSet<&str> {
        let mut roles = BTreeSet::new();
        for (arn, sightings) in &self.callers {
            // Roles of IAM Identity Center are known to be people's.
            if let Some(role) = find_role_name(arn)
                && sightings.human_reason.is_some()
                && !role.starts_with("AWSReservedSSO_")
            {
                roles.insert(role);
            }
        }
        roles
    }

    fn guess_automation_arns(&self) -> Vec<&String> {
        let mut arns = Vec::new();
        for (arn, sightings) in &self.callers {
            if sightings.human_reason.is_none() && sightings.automation_reason.is_some() {
                arns.push(arn);
            }
        }
        arns
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    !text.is_empty() && is_plain
}

/// Whether a text is an ARN without characters that mean something in a pattern. IAM allows no others in names.
fn is_plain_arn(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/+=,.@_-".contains(&byte);
    text.starts_with("arn:") && text.bytes().all(is_plain)
}

/// The pattern of names like this one, if a word of it means production: `prod-*` for `prod-db`, `*/prod/*` for
/// `billing/prod/db`.
fn guess_production_pattern(name: &str) -> Option<String> {
    let mut start = 0;
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let end = start + word.len();
        if PRODUCTION_WORDS.contains(&word.to_ascii_lowercase().as_str()) {
            let before = find_separator(name[..start].chars().next_back())?;
            let after = find_separator(name[end..].chars().next())?;
            let prefix = if before.is_empty() { String::new() } else { format!("*{before}") };
            let suffix = if after.is_empty() { String::new() } else { format!("{after}*") };
            return Some(format!("{prefix}{word}{suffix}"));
        }
        start = end + name[end..].chars().next().map_or(0, char::len_utf8);
    }
    None
}

/// The character beside a word as a text: empty where the name ends, nothing for one that names of secrets do not have.
fn find_separator(beside: Option<char>) -> Option<String> {
    match beside {
        None => Some(String::new()),
        Some(c) if "/_+=.@-".contains(c) => Some(c.to_string()),
        Some(_) => None,
    }
}

fn find_role_name(arn: &str) -> Option<&str> {
    let (_, path) = arn.split_once(":role/")?;
    path.rsplit('/').next()
}

fn guess_human(event: &Event) -> Option<&'static str> {
    let session = event.principal.session_name.as_ref();
    if session.is_some_and(|session| session.raw().contains('@')) {
        return Some("its sessions are named like people");
    }
    let mfa = event.find_value("/detail/userIdentity/sessionContext/attributes/mfaAuthenticated");
    let has_mfa = mfa.is_some_and(|mfa| mfa == "true" || *mfa == Value::Bool(true));
    has_mfa.then_some("it signed in with MFA")
}

fn guess_automation(event: &Event, arn: &str) -> Option<&'static str> {
    let name = arn.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    if words.any(|word| AUTOMATION_WORDS.contains(&word)) {
        return Some("it is named like automation");
    }
    let enrichment = enrich_event(event, &Facts::default());
    let tool = enrichment.pointer("/caller/tool").and_then(Value::as_str);
    matches!(tool, Some("ci" | "terraform")).then_some("its user agent claims automation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_between_separators_means_production_and_a_part_of_a_word_does_not() {
        for (name, pattern) in [
            ("prod/billing/db", Some("prod/*")),
            ("billing/prod/db", Some("*/prod/*")),
            ("billing-PROD", Some("*-PROD")),
            ("live", Some("live")),
            ("product/db", None),
            ("reprod/db", None),
            ("nonprod/db", None),
            ("prod*/db", None),
            ("é/prod/ü", Some("*/prod/*")),
            ("", None),
        ] {
            assert_eq!(guess_production_pattern(name).as_deref(), pattern, "{name}");
        }
    }
}
