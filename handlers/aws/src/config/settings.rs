//! The settings that decide what is redeployed, when, when a human is told, and what is ordinary here.

use std::collections::BTreeMap;

use eventbridge_pattern::Wildcard;
use eventbridge_pattern::json::find_duplicate_key;
use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
use responder_core::aws::service_tags::Window;
use responder_core::settings::{
    DeploymentRisk, ParsedText, ProductionScope, ResponseMode, RiskPolicy, Settings,
};
use responder_core::text::Untrusted;
use responder_engine::port::Region;

use super::reader::VariableReader;

/// Reads them; what is not set is as [`Settings::default`] says.
pub(super) fn read(read: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> Settings {
    let defaults = Settings::default();
    let in_flight = read.number("IN_FLIGHT", i64::from(defaults.in_flight), 1..=100, "a whole number");
    let summary_hour = read.number("SUMMARY_HOUR", i64::from(defaults.summary_hour), 0..=23, "an hour");
    let settings = Settings {
        mode: mode(read),
        settle: read.seconds("SETTLE_SECONDS", defaults.settle, 0..=300),
        margin: read.seconds("MARGIN_SECONDS", defaults.margin, 0..=300),
        cooldown: read.seconds("COOLDOWN_SECONDS", defaults.cooldown, 0..=86_400),
        in_flight: u32::try_from(in_flight).unwrap_or(defaults.in_flight),
        rollout: read.seconds("ROLLOUT_SECONDS", defaults.rollout, 60..=86_400),
        answer: read.seconds("ANSWER_SECONDS", defaults.answer, 60..=604_800),
        overdue: read.seconds("OVERDUE_SECONDS", defaults.overdue, 60..=604_800),
        findings: findings(read),
        readers: readers(read),
        home: read.optional("AWS_REGION"),
        regions: regions(read),
        runbooks: read.base_url("RUNBOOK_BASE_URL"),
        production: ProductionScope {
            accounts: words(read, "PRODUCTION_ACCOUNTS", ACCOUNT, |word| {
                is_account(word).then_some(word.to_owned())
            }),
            secrets: wildcards(read, "PRODUCTION_SECRETS").unwrap_or(defaults.production.secrets),
        },
        decoys: words(read, "DECOYS", SECRET, |word| means_a_secret(word).then(|| Untrusted::new(word))),
        humans: wildcards(read, "HUMAN_ROLES").unwrap_or_default(),
        automation: wildcards(read, "AUTOMATION_PRINCIPALS").unwrap_or_default(),
        business_hours: business_hours(read),
        first_reads: first_reads(read),
        summary_hour: u8::try_from(summary_hour).unwrap_or(defaults.summary_hour),
    };
    if settings.propagation_margin > settings.settle_delay && read.optional("MARGIN_SECONDS").is_some() {
        read.problem("MARGIN_SECONDS", "is longer than SETTLE_SECONDS; make it shorter or equal");
    }
    settings
}

fn mode(read: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> ResponseMode {
    match read.optional("MODE").as_deref() {
        None | Some("enforce") => ResponseMode::Enforce,
        Some("notify") => ResponseMode::Notify,
        Some(_) => {
            read.problem("MODE", "must be `enforce` or `notify`");
            ResponseMode::Enforce
        }
    }
}

fn first_reads(read: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> bool {
    match read.optional("FIRST_READS").as_deref() {
        None | Some("off") => false,
        Some("on") => true,
        Some(_) => {
            read.problem("FIRST_READS", "must be `on` or `off`");
            false
        }
    }
}

/// `finding=policy`, as many as wanted.
fn findings(
    read: &mut VariableReader<impl Fn(&str) -> Option<String>>,
) -> BTreeMap<DeploymentRisk, RiskPolicy> {
    let text = read.optional("FINDINGS").unwrap_or_default();
    let mut findings = BTreeMap::new();
    for word in text.split_whitespace() {
        let pair =
            word.split_once('=').and_then(|(name, policy)| Some((finding(name)?, self::policy(policy)?)));
        match pair {
            None => {
                let names = DeploymentRisk::ALL.map(DeploymentRisk::as_str).join("`, `");
                let what = "must be words such as `mutable-image=notify`, each one of";
                read.problem("FINDINGS", &format!("{what} `{names}` with `go`, `wait` or `notify`"));
                break;
            }
            Some((finding, policy)) => {
                if findings.insert(finding, policy).is_some() {
                    read.problem("FINDINGS", &format!("says twice what to do about `{}`", finding.name()));
                }
            }
        }
    }
    findings
}

fn finding(name: &str) -> Option<DeploymentRisk> {
    DeploymentRisk::ALL.into_iter().find(|finding| finding.name() == name)
}

fn policy(name: &str) -> Option<RiskPolicy> {
    [("go", RiskPolicy::Go), ("wait", RiskPolicy::Wait), ("notify", RiskPolicy::Notify)]
        .into_iter()
        .find_map(|(known, policy)| (known == name).then_some(policy))
}

/// A JSON object: a service's ARN or `cluster/service`, and a list of secrets by name or ARN.
fn readers(read: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> BTreeMap<String, Vec<Untrusted>> {
    let Some(text) = read.optional("READERS") else { return BTreeMap::new() };
    let Ok(readers) = serde_json::from_str::<BTreeMap<String, Vec<String>>>(&text) else {
        let what = "must be a JSON object such as {\"cluster/service\": [\"name-or-arn-of-a-secret\"]}";
        read.problem("READERS", what);
        return BTreeMap::new();
    };
    if find_duplicate_key(&text).is_some() {
        read.problem("READERS", "names a service twice; put all its secrets into one list");
    }
    if !readers.keys().all(|service| is_service(service)) {
        read.problem("READERS", "has a key that is neither `cluster/service` nor the ARN of an ECS service");
    }
    let all_mean_secrets = |secrets: &Vec<String>| secrets.iter().all(|secret| means_a_secret(secret));
    if !readers.values().all(|secrets| !secrets.is_empty() && all_mean_secrets(secrets)) {
        read.problem(
            "READERS",
            "has a list that is empty, or holds what is neither a secret's name nor its ARN",
        );
    }
    let untrusted = |secrets: Vec<String>| secrets.into_iter().map(Untrusted::new).collect();
    readers.into_iter().map(|(service, secrets)| (service, untrusted(secrets))).collect()
}

fn means_a_secret(value: &str) -> bool {
    let reference = SecretReference { kind: ReferenceKind::Declared, value: Untrusted::new(value) };
    reference.parse("111122223333", "us-west-2").is_some()
}

fn is_service(text: &str) -> bool {
    let path = if text.starts_with("arn:") {
        let arn = responder_core::aws::arn::Arn::parse_for_service("ecs", text);
        arn.and_then(|arn| arn.resource.strip_prefix("service/"))
    } else {
        Some(text)
    };
    path.and_then(|path| path.split_once('/'))
        .is_some_and(|(cluster, name)| !cluster.is_empty() && !name.is_empty() && !name.contains('/'))
}

const ACCOUNT: &str = "must be account ids of 12 digits with spaces between";
const SECRET: &str = "must be names or ARNs of secrets with spaces between";
const WILDCARD: &str =
    "must be names or ARNs with spaces between, in which `*` stands for anything; `**` has no meaning";

fn is_account(word: &str) -> bool {
    word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Words with spaces between.
fn words<T>(
    read: &mut VariableReader<impl Fn(&str) -> Option<String>>,
    name: &str,
    what: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let text = read.optional(name).unwrap_or_default();
    let all: Option<Vec<T>> = text.split_whitespace().map(parse).collect();
    all.unwrap_or_else(|| {
        read.problem(name, what);
        Vec::new()
    })
}

/// Wildcards with spaces between; `None` if nobody said any.
fn wildcards(
    read: &mut VariableReader<impl Fn(&str) -> Option<String>>,
    name: &str,
) -> Option<Vec<ParsedText<Wildcard>>> {
    read.optional(name)?;
    Some(words(read, name, WILDCARD, |word| word.parse().ok()))
}

/// The same grammar as that of a service's window.
fn business_hours(read: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> Option<ParsedText<Window>> {
    let text = read.optional("BUSINESS_HOURS")?;
    let hours = text.parse().ok();
    if hours.is_none() {
        let what = "must be days, times and a time zone, such as `Mon-Fri 08:00-19:00 Europe/Berlin`";
        read.problem("BUSINESS_HOURS", what);
    }
    hours
}

/// Names of Regions, each once.
fn regions(read: &mut VariableReader<impl Fn(&str) -> Option<String>>) -> Vec<String> {
    let text = read.optional("REGIONS").unwrap_or_default();
    let mut regions: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if regions.iter().any(|region| Region::of(region).is_none()) {
        read.problem(
            "REGIONS",
            "must be names of Regions with spaces between, such as `eu-west-1 eu-west-2`",
        );
    }
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
        let mut reader = VariableReader { variable, problems: Vec::new() };
        let settings = read(&mut reader);
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
            ("FINDINGS", " mutable-image=notify  in-progress=wait unconfirmed=go"),
            ("READERS", &readers),
            ("AWS_REGION", "us-west-2"),
            ("REGIONS", "eu-west-1 us-east-1 eu-west-1"),
            ("RUNBOOK_BASE_URL", "https://runbooks.example"),
            ("PRODUCTION_ACCOUNTS", "111122223333 444455556666"),
            ("PRODUCTION_SECRETS", "live/* *-live"),
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
            settle: Span::from_secs(30),
            margin: Span::from_secs(7),
            cooldown: Span::from_secs(0),
            in_flight: 2,
            rollout: Span::from_secs(600),
            answer: Span::from_secs(1_200),
            overdue: Span::from_secs(3_600),
            findings: BTreeMap::from([
                (DeploymentRisk::MutableImage, RiskPolicy::Notify),
                (DeploymentRisk::InProgress, RiskPolicy::Wait),
                (DeploymentRisk::Unconfirmed, RiskPolicy::Go),
            ]),
            readers: BTreeMap::from([
                ("shop/cart".to_owned(), secrets(&["db", "prod/cache"])),
                (arn.to_owned(), secrets(&[secret])),
            ]),
            home: Some("us-west-2".to_owned()),
            regions: vec!["eu-west-1".to_owned(), "us-east-1".to_owned()],
            runbooks: "https://runbooks.example/".to_owned(),
            production: ProductionScope {
                accounts: vec!["111122223333".to_owned(), "444455556666".to_owned()],
                secrets: ["live/*", "*-live"].map(|text| text.parse().unwrap()).into(),
            },
            decoys: secrets(&[secret]),
            humans: vec!["breakglass-*".parse().unwrap()],
            automation: vec!["arn:aws:iam::*:role/ci/*".parse().unwrap()],
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
                let (settings, problems) = parse(&[("FINDINGS", &format!("{}={word}", finding.name()))]);
                assert_eq!((settings.risk_policy(finding), problems.len()), (policy, 0));
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_by_name_and_never_repeated() {
        for (name, value) in [
            ("MODE", "ENFORCE-evil"),
            ("COOLDOWN_SECONDS", "evil"),
            ("IN_FLIGHT", "0"),
            ("ROLLOUT_SECONDS", "59"),
            ("ANSWER_SECONDS", "-1"),
            ("OVERDUE_SECONDS", "1h"),
            ("FINDINGS", "evil=go"),
            ("FINDINGS", "mutable-image=evil"),
            ("FINDINGS", "mutable-image"),
            ("FINDINGS", "mutable-image=go mutable-image=notify"),
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
