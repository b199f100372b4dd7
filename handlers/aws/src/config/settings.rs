//! The operator's settings: what is redeployed and when, when on-call is notified, and what is ordinary here.

use std::collections::BTreeMap;

use eventbridge_pattern::Wildcard;
use eventbridge_pattern::json::find_duplicate_key;
use responder_core::aws::arn::Arn;
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::settings::{
    DeploymentRisk, ParsedText, ProductionScope, ResponseMode, RiskPolicy, Settings,
};
use responder_core::text::Untrusted;
use responder_core::time_window::TimeWindow;
use responder_engine::port::Region;

use super::variable_reader::VariableReader;

const ACCOUNTS_PROBLEM: &str = "must be account ids of 12 digits, separated by spaces";
const SECRETS_PROBLEM: &str = "must be names or ARNs of secrets, separated by spaces";
const WILDCARDS_PROBLEM: &str =
    "must be names or ARNs, separated by spaces; `*` matches any text, and `**` is not allowed";
const REGIONS_PROBLEM: &str = "must be names of Regions, separated by spaces, such as `eu-west-1 eu-west-2`";

/// Reads the settings. A setting that no variable states is as [`Settings::default`] says.
pub(super) fn read_settings(reader: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> Settings {
    let defaults = Settings::default();
    let rollout_limit =
        reader.read_number("IN_FLIGHT", i64::from(defaults.rollout_limit), 1..=100, "a whole number");
    let summary_hour =
        reader.read_number("SUMMARY_HOUR", i64::from(defaults.summary_hour), 0..=23, "an hour");
    let settings = Settings {
        mode: read_mode(reader),
        settle_delay: reader.read_seconds("SETTLE_SECONDS", defaults.settle_delay, 0..=300),
        propagation_margin: reader.read_seconds("MARGIN_SECONDS", defaults.propagation_margin, 0..=300),
        cooldown: reader.read_seconds("COOLDOWN_SECONDS", defaults.cooldown, 0..=86_400),
        rollout_limit: u32::try_from(rollout_limit).unwrap_or(defaults.rollout_limit),
        rollout_timeout: reader.read_seconds("ROLLOUT_SECONDS", defaults.rollout_timeout, 60..=86_400),
        answer_deadline: reader.read_seconds("ANSWER_SECONDS", defaults.answer_deadline, 60..=604_800),
        overdue_grace_period: reader.read_seconds(
            "OVERDUE_SECONDS",
            defaults.overdue_grace_period,
            60..=604_800,
        ),
        deployment_risks: read_deployment_risks(reader),
        declared_secrets: read_declared_secrets(reader),
        home_account: None,
        home_region: reader.read_optional("AWS_REGION"),
        further_regions: read_regions(reader),
        runbook_base_url: reader.read_base_url("RUNBOOK_BASE_URL"),
        production: ProductionScope {
            accounts: reader.read_words("PRODUCTION_ACCOUNTS", ACCOUNTS_PROBLEM, parse_account),
            secrets: read_wildcards(reader, "PRODUCTION_SECRETS").unwrap_or(defaults.production.secrets),
        },
        organization: read_organization(reader),
        decoys: reader.read_words("DECOYS", SECRETS_PROBLEM, parse_secret_name),
        human_roles: read_wildcards(reader, "HUMAN_ROLES").unwrap_or_default(),
        automation_principals: read_wildcards(reader, "AUTOMATION_PRINCIPALS").unwrap_or_default(),
        business_hours: read_business_hours(reader),
        first_reads: read_first_reads(reader),
        summary_hour: u8::try_from(summary_hour).unwrap_or(defaults.summary_hour),
    };
    if settings.propagation_margin > settings.settle_delay && reader.read_optional("MARGIN_SECONDS").is_some()
    {
        reader.add_problem("MARGIN_SECONDS", "must not be longer than SETTLE_SECONDS");
    }
    settings
}

/// Reads the identifier of the operator's organisation: `o-` and 10 to 32 letters and digits (`CreateOrganization`, API reference).
fn read_organization(reader: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> Option<String> {
    let id = reader.read_optional("ORGANIZATION_ID")?;
    let is_valid = id.strip_prefix("o-").is_some_and(|unique| {
        (10..=32).contains(&unique.len())
            && unique.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    if !is_valid {
        reader.add_problem("ORGANIZATION_ID", "must be `o-` and 10 to 32 lower-case letters or digits");
        return None;
    }
    Some(id)
}

fn read_mode(reader: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> ResponseMode {
    match reader.read_optional("MODE").as_deref() {
        None | Some("enforce") => ResponseMode::Enforce,
        Some("notify") => ResponseMode::Notify,
        Some(_) => {
            reader.add_problem("MODE", "must be `enforce` or `notify`");
            ResponseMode::Enforce
        }
    }
}

fn read_first_reads(reader: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> bool {
    match reader.read_optional("FIRST_READS").as_deref() {
        None | Some("off") => false,
        Some("on") => true,
        Some(_) => {
            reader.add_problem("FIRST_READS", "must be `on` or `off`");
            false
        }
    }
}

/// Reads `risk=policy` words.
fn read_deployment_risks(
    reader: &mut VariableReader<impl Fn(&str) -> Option<String>>,
) -> BTreeMap<DeploymentRisk, RiskPolicy> {
    const NAME: &str = "DEPLOYMENT_RISKS";
    let risks = DeploymentRisk::ALL.map(DeploymentRisk::as_str).join("`, `");
    let problem = format!(
        "must be words such as `mutable-image=notify`, separated by spaces; the risks are `{risks}`, and the policies \
        `go`, `wait` and `notify`"
    );
    let mut policies = BTreeMap::new();
    for (risk, policy) in reader.read_words(NAME, &problem, parse_risk_policy) {
        if policies.insert(risk, policy).is_some() {
            reader.add_problem(NAME, &format!("gives `{}` two policies: keep one", risk.as_str()));
        }
    }
    policies
}

fn parse_risk_policy(word: &str) -> Option<(DeploymentRisk, RiskPolicy)> {
    let (risk_name, policy_name) = word.split_once('=')?;
    let policy = match policy_name {
        "go" => RiskPolicy::Go,
        "wait" => RiskPolicy::Wait,
        "notify" => RiskPolicy::Notify,
        _ => return None,
    };
    let risk = DeploymentRisk::ALL.into_iter().find(|risk| risk.as_str() == risk_name)?;
    Some((risk, policy))
}

/// Reads the secrets that services read by themselves. The JSON object has a service's ARN or `cluster/service` as a key, and
/// a list of secrets by name or ARN as a value.
fn read_declared_secrets(
    reader: &mut VariableReader<impl Fn(&str) -> Option<String>>,
) -> BTreeMap<String, Vec<Untrusted>> {
    const NAME: &str = "READERS";
    let mut declared = BTreeMap::new();
    let Some(text) = reader.read_optional(NAME) else { return declared };
    let Ok(services) = serde_json::from_str::<BTreeMap<String, Vec<String>>>(&text) else {
        let problem = "must be a JSON object such as {\"cluster/service\": [\"name-or-arn-of-a-secret\"]}";
        reader.add_problem(NAME, problem);
        return declared;
    };
    if find_duplicate_key(&text).is_some() {
        reader.add_problem(NAME, "names a service twice: put all its secrets into one list");
    }
    let mut are_services_valid = true;
    let mut are_secrets_valid = true;
    for (service, names) in services {
        are_services_valid &= is_service_name(&service);
        let mut secrets = Vec::new();
        for name in &names {
            secrets.extend(parse_secret_name(name));
        }
        are_secrets_valid &= !names.is_empty() && secrets.len() == names.len();
        declared.insert(service, secrets);
    }
    if !are_services_valid {
        reader.add_problem(NAME, "has a key that is neither `cluster/service` nor the ARN of an ECS service");
    }
    if !are_secrets_valid {
        let problem = "has an empty list, or an entry that is neither the name nor the ARN of a secret";
        reader.add_problem(NAME, problem);
    }
    declared
}

/// Parses the name or ARN of a secret.
fn parse_secret_name(text: &str) -> Option<Untrusted> {
    let reference = SecretReference { kind: ReferenceKind::Declared, value: Untrusted::new(text) };
    // The account and the Region only complete a name, so any do.
    reference.resolve_secret("111122223333", "us-west-2")?;
    Some(reference.value)
}

fn is_service_name(text: &str) -> bool {
    let path = if text.starts_with("arn:") {
        Arn::parse_for_service("ecs", text).and_then(|arn| arn.resource.strip_prefix("service/"))
    } else {
        Some(text)
    };
    let Some((cluster, name)) = path.and_then(|path| path.split_once('/')) else { return false };
    !cluster.is_empty() && !name.is_empty() && !name.contains('/')
}

fn parse_account(word: &str) -> Option<String> {
    let is_account = word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then(|| word.to_owned())
}

/// Reads wildcards; `None` if the variable is not set.
fn read_wildcards(
    reader: &mut VariableReader<impl Fn(&str) -> Option<String>>,
    name: &str,
) -> Option<Vec<ParsedText<Wildcard>>> {
    reader.read_optional(name)?;
    Some(reader.read_words(name, WILDCARDS_PROBLEM, |word| word.parse().ok()))
}

/// Reads business hours, in the grammar of a service's time window.
fn read_business_hours(
    reader: &mut VariableReader<impl Fn(&str) -> Option<String>>,
) -> Option<ParsedText<TimeWindow>> {
    let text = reader.read_optional("BUSINESS_HOURS")?;
    let hours = text.parse().ok();
    if hours.is_none() {
        let problem = "must be days, times and a time zone, such as `Mon-Fri 08:00-19:00 Europe/Berlin`";
        reader.add_problem("BUSINESS_HOURS", problem);
    }
    hours
}

/// Reads names of Regions, each once.
fn read_regions(reader: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> Vec<String> {
    let mut regions = reader.read_words("REGIONS", REGIONS_PROBLEM, |word| {
        Region::parse(word).map(|region| region.as_str().to_owned())
    });
    regions.sort_unstable();
    regions.dedup();
    regions
}

#[cfg(test)]
mod tests {
    use responder_core::time::Span;

    use super::*;

    fn parse(variables: &[(&str, &str)]) -> (Settings, Vec<String>) {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        let variable = |name: &str| find(name).map(|(_, value)| (*value).to_owned());
        let mut reader = VariableReader::new(variable);
        let settings = read_settings(&mut reader);
        (settings, reader.problems)
    }

    #[test]
    fn nothing_is_required() {
        assert_eq!(parse(&[]), (Settings::default(), Vec::new()));
    }

    #[test]
    fn everything_can_be_set() {
        let arn = "arn:aws:ecs:us-west-2:111122223333:service/shop/web";
        let secret = "arn:aws:secretsmanager:us-west-2:111122223333:secret:db-a1B2c3";
        let readers = format!(r#"{{"shop/cart": ["db", "prod/cache"], "{arn}": ["{secret}"]}}"#);
        let (settings, problems) = parse(&[
            ("MODE", "notify"),
            ("SETTLE_SECONDS", "30"),
            ("MARGIN_SECONDS", "7"),
            ("COOLDOWN_SECONDS", "0"),
            ("IN_FLIGHT", "2"),
            ("ROLLOUT_SECONDS", "600"),
            ("ANSWER_SECONDS", "1200"),
            ("OVERDUE_SECONDS", "3600"),
            ("DEPLOYMENT_RISKS", " mutable-image=notify  in-progress=wait unconfirmed=go"),
            ("READERS", &readers),
            ("AWS_REGION", "us-west-2"),
            ("REGIONS", "eu-west-1 us-east-1 eu-west-1"),
            ("RUNBOOK_BASE_URL", "https://runbooks.example"),
            ("PRODUCTION_ACCOUNTS", "111122223333 444455556666"),
            ("PRODUCTION_SECRETS", "live/* *-live"),
            ("ORGANIZATION_ID", "o-a1b2c3d4e5"),
            ("DECOYS", secret),
            ("HUMAN_ROLES", "breakglass-*"),
            ("AUTOMATION_PRINCIPALS", "arn:aws:iam::*:role/ci/*"),
            ("BUSINESS_HOURS", "Mon-Fri 08:00-19:00 Europe/Berlin"),
            ("FIRST_READS", "on"),
            ("SUMMARY_HOUR", "0"),
        ]);
        let secrets = |names: &[&str]| names.iter().map(|name| Untrusted::new(*name)).collect::<Vec<_>>();
        let expected = Settings {
            mode: ResponseMode::Notify,
            settle_delay: Span::from_secs(30),
            propagation_margin: Span::from_secs(7),
            cooldown: Span::from_secs(0),
            rollout_limit: 2,
            rollout_timeout: Span::from_secs(600),
            answer_deadline: Span::from_secs(1_200),
            overdue_grace_period: Span::from_secs(3_600),
            deployment_risks: BTreeMap::from([
                (DeploymentRisk::MutableImage, RiskPolicy::Notify),
                (DeploymentRisk::InProgress, RiskPolicy::Wait),
                (DeploymentRisk::Unconfirmed, RiskPolicy::Go),
            ]),
            declared_secrets: BTreeMap::from([
                ("shop/cart".to_owned(), secrets(&["db", "prod/cache"])),
                (arn.to_owned(), secrets(&[secret])),
            ]),
            home_account: None,
            home_region: Some("us-west-2".to_owned()),
            further_regions: vec!["eu-west-1".to_owned(), "us-east-1".to_owned()],
            runbook_base_url: "https://runbooks.example/".to_owned(),
            production: ProductionScope {
                accounts: vec!["111122223333".to_owned(), "444455556666".to_owned()],
                secrets: ["live/*", "*-live"].map(|text| text.parse().unwrap()).into(),
            },
            organization: Some("o-a1b2c3d4e5".to_owned()),
            decoys: secrets(&[secret]),
            human_roles: vec!["breakglass-*".parse().unwrap()],
            automation_principals: vec!["arn:aws:iam::*:role/ci/*".parse().unwrap()],
            business_hours: Some("Mon-Fri 08:00-19:00 Europe/Berlin".parse().unwrap()),
            first_reads: true,
            summary_hour: 0,
        };
        assert_eq!((settings, problems), (expected, Vec::new()));
    }

    #[test]
    fn every_finding_and_policy_has_a_word() {
        for finding in DeploymentRisk::ALL {
            for (word, policy) in
                [("go", RiskPolicy::Go), ("wait", RiskPolicy::Wait), ("notify", RiskPolicy::Notify)]
            {
                let (settings, problems) =
                    parse(&[("DEPLOYMENT_RISKS", &format!("{}={word}", finding.as_str()))]);
                assert_eq!((settings.risk_policy(finding), problems.len()), (policy, 0));
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_by_name_and_never_repeated() {
        for (name, value) in [
            ("MODE", "ENFORCE-evil"),
            ("ORGANIZATION_ID", "o-A1"),
            ("COOLDOWN_SECONDS", "evil"),
            ("IN_FLIGHT", "0"),
            ("ROLLOUT_SECONDS", "59"),
            ("ANSWER_SECONDS", "-1"),
            ("OVERDUE_SECONDS", "1h"),
            ("DEPLOYMENT_RISKS", "evil=go"),
            ("DEPLOYMENT_RISKS", "mutable-image=evil"),
            ("DEPLOYMENT_RISKS", "mutable-image"),
            ("DEPLOYMENT_RISKS", "mutable-image=go mutable-image=notify"),
            ("READERS", "evil"),
            ("READERS", r#"{"evil": ["db"]}"#),
            ("READERS", r#"{"a/b/c": ["db"]}"#),
            ("READERS", r#"{"arn:aws:ecs:us-west-2:111122223333:cluster/evil": ["db"]}"#),
            ("READERS", r#"{"a/b": []}"#),
            ("READERS", r#"{"a/b": [""]}"#),
            ("READERS", r#"{"a/b": "db"}"#),
            ("READERS", r#"{"a/b": ["arn:aws:iam::111122223333:role/evil"]}"#),
            ("READERS", r#"{"a/b": ["db"], "a/b": ["cache"]}"#),
            ("REGIONS", "eu-west-1,evil"),
            ("PRODUCTION_ACCOUNTS", "111122223333,evil"),
            ("PRODUCTION_SECRETS", "evil**"),
            ("DECOYS", "db arn:aws:iam::111122223333:role/evil"),
            ("HUMAN_ROLES", "evil\\x"),
            ("AUTOMATION_PRINCIPALS", "* **evil"),
            ("BUSINESS_HOURS", "evil"),
            ("FIRST_READS", "evil"),
            ("SUMMARY_HOUR", "24"),
        ] {
            let (_, problems) = parse(&[(name, value)]);
            assert_eq!(problems.len(), 1, "{name}={value}: {problems:?}");
            assert!(problems[0].starts_with(name) && !problems[0].contains("evil"), "{problems:?}");
        }
    }
}
