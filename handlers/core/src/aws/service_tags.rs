//! The tags of an ECS service that control its redeployments.

use std::collections::BTreeMap;

use crate::aws::secret_reference::{ReferenceKind, SecretReference};
use crate::text::Untrusted;
use crate::time::Span;
use crate::time_window::{TimeWindow, TimeWindowError};

/// The wishes that a service's tags express.
///
/// Every tag that begins with `secrets-responder:` is ours, also one with an unknown name: its author expects an
/// effect. Values are trimmed, and their case does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceTags {
    /// `secrets-responder:redeploy`: whether the service is redeployed.
    pub redeploy: RedeployTag,
    /// `secrets-responder:window`: when it may be redeployed; at any time without one.
    pub window: Option<TimeWindow>,
    /// `secrets-responder:cooldown`: how long after a redeployment the next one waits; up to 24 hours.
    pub cooldown: Option<Span>,
    /// `secrets-responder:rollout`: how long a healthy deployment of it may take; up to 30 days. It overrides the settings and
    /// the service's deployment configuration.
    pub rollout: Option<Span>,
    /// `secrets-responder:secrets`, and `secrets-responder:secrets-2` and so on: secrets that it reads by itself, as ARNs or
    /// names ([`ReferenceKind::Declared`]). `rds:cluster-1` stands for `rds!cluster-1`, because no tag holds a `!`.
    pub secrets: Vec<Untrusted>,
    /// The tags that cannot be understood, with a sentence for each that is fit to be shown. With one of them the service
    /// must not be redeployed, and a human must be notified, whatever the other fields say.
    pub problems: Vec<String>,
}

/// Whether a service is redeployed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedeployTag {
    /// Redeploy it.
    #[default]
    Auto,
    /// Redeploy it, also where a deployment of another service for the same change failed.
    Always,
    /// Notify a human instead.
    Notify,
    /// Leave it alone.
    Off,
}

/// The services that manage secrets, as the names of those begin before the `!` ("AWS services that use Secrets Manager secrets",
/// user guide). Any other text before a colon is a slip, such as a name with a JSON key.
const MANAGING_SERVICES: [&str; 12] = [
    "appflow",
    "databrew",
    "datasync",
    "directconnect",
    "ecs-sc",
    "events",
    "marketplace-deployment",
    "opsworks-cm",
    "pcs",
    "rds",
    "redshift",
    "sqlworkbench",
];
const TAG_PREFIX: &str = "secrets-responder:";
const UNKNOWN_TAG: &str = "nobody knows this tag; expected `redeploy`, `window`, `cooldown`, `rollout` or `secrets` after `secrets-responder:`";
/// The most characters that the value of a tag has (API reference of ECS: `Tag`). A file of facts may hold longer ones, and
/// a long list would take time and memory.
const TAG_VALUE_MAX_CHARS: usize = 256;
/// The longest cooldown. A longer one is a slip rather than a wish, and would leave a dead password in use for days.
const COOLDOWN_MAX: Span = Span::from_secs(86_400);
/// The longest rollout: two hooks that wait for 14 days each, and a bake time.
const ROLLOUT_MAX: Span = Span::from_secs(30 * 86_400);
const ROLLOUT_MIN: Span = Span::from_secs(60);

impl ServiceTags {
    /// Parses the tags of a service; passes over those without our prefix.
    pub fn parse(tags: &BTreeMap<String, String>) -> Self {
        let mut parsed = Self::default();
        for (tag, value) in tags {
            // ECS distinguishes the case of a key; people who write one hardly do. Such a key has our prefix, and is then
            // unknown: `Secrets-Responder:redeploy`.
            if !tag.trim().to_ascii_lowercase().starts_with(TAG_PREFIX) {
                continue;
            }
            let name = tag.strip_prefix(TAG_PREFIX).unwrap_or_default();
            if let Err(problem) = parsed.parse_tag(name, value) {
                let shown_tag = Untrusted::new(tag).show(60);
                let shown_value = Untrusted::new(value).show(40);
                parsed.problems.push(format!("its tag `{shown_tag}` is `{shown_value}`; {problem}"));
            }
        }
        parsed
    }

    fn parse_tag(&mut self, name: &str, value: &str) -> Result<(), String> {
        if name == "redeploy" {
            // Until its value is understood, the service is not redeployed.
            self.redeploy = RedeployTag::Notify;
        }
        let value = value.trim();
        match name {
            "redeploy" => self.redeploy = parse_redeploy(value)?,
            "window" => self.window = Some(parse_window(value)?),
            "cooldown" => self.cooldown = Some(parse_cooldown(value)?),
            "rollout" => self.rollout = Some(parse_rollout(value)?),
            _ if is_secrets_tag(name) => self.secrets.extend(parse_secrets(value)?),
            _ => return Err(UNKNOWN_TAG.to_owned()),
        }
        Ok(())
    }
}

/// `secrets`, or `secrets-2` and so on: one tag is too short for many names.
fn is_secrets_tag(name: &str) -> bool {
    let Some(number) = name.strip_prefix("secrets") else { return false };
    let Some(digits) = number.strip_prefix('-') else { return number.is_empty() };
    !digits.is_empty() && digits.len() <= 2 && digits.bytes().all(|b| b.is_ascii_digit())
}

fn parse_redeploy(value: &str) -> Result<RedeployTag, String> {
    match value.to_ascii_lowercase().as_str() {
        "auto" => Ok(RedeployTag::Auto),
        "always" => Ok(RedeployTag::Always),
        "notify" => Ok(RedeployTag::Notify),
        "off" => Ok(RedeployTag::Off),
        _ => Err("expected `auto`, `always`, `notify` or `off`".to_owned()),
    }
}

fn parse_window(value: &str) -> Result<TimeWindow, String> {
    check_length(value)?;
    value.parse().map_err(|error: TimeWindowError| {
        format!("{error}; expected such as `Mon-Fri 09:00-17:00 Europe/Berlin`, several joined by ` + `")
    })
}

fn parse_cooldown(value: &str) -> Result<Span, String> {
    match value.to_ascii_lowercase().parse::<Span>() {
        Ok(cooldown) if cooldown <= COOLDOWN_MAX => Ok(cooldown),
        _ => Err("expected a length of time from `0s` to `24h`, such as `15m`".to_owned()),
    }
}

fn parse_rollout(value: &str) -> Result<Span, String> {
    match value.to_ascii_lowercase().parse::<Span>() {
        Ok(rollout) if (ROLLOUT_MIN..=ROLLOUT_MAX).contains(&rollout) => Ok(rollout),
        _ => Err("expected a length of time from `1m` to `30d`, such as `90m`".to_owned()),
    }
}

/// Takes the whole list or nothing: half a list would look like a whole one.
fn parse_secrets(value: &str) -> Result<Vec<Untrusted>, String> {
    check_length(value)?;
    let mut secrets = Vec::new();
    for word in value.split_whitespace() {
        let secret = Untrusted::new(restore_managed_name(word));
        if !is_secret(&secret) {
            return Err(format!(
                "`{}` is no secret; expected ARNs or names of secrets, separated by spaces",
                secret.show(40)
            ));
        }
        secrets.push(secret);
    }
    if secrets.is_empty() {
        return Err("expected ARNs or names of secrets, separated by spaces".to_owned());
    }
    Ok(secrets)
}

/// Writes the `!` in the name of a secret that an AWS service manages, such as `rds!cluster-1`: the value of a tag cannot
/// hold it (API reference of ECS: `Tag`), and so has a colon in its place, which no name holds.
fn restore_managed_name(word: &str) -> String {
    let (prefix, name) = match word.split_once(":secret:") {
        Some((arn, name)) => (format!("{arn}:secret:"), name),
        None => (String::new(), word),
    };
    if prefix.is_empty() && word.starts_with("arn:") {
        return word.to_owned();
    }
    match name.split_once(':') {
        Some((service, rest))
            if MANAGING_SERVICES.contains(&service) && !rest.is_empty() && !rest.contains(':') =>
        {
            format!("{prefix}{service}!{rest}")
        }
        _ => word.to_owned(),
    }
}

fn check_length(value: &str) -> Result<(), String> {
    if value.chars().count() > TAG_VALUE_MAX_CHARS {
        return Err(format!("expected at most {TAG_VALUE_MAX_CHARS} characters"));
    }
    Ok(())
}

/// Names hold letters, digits and `/_+=.@-` (API reference of Secrets Manager: `CreateSecret`), and `!` where another
/// service of AWS manages the secret, though no tag can hold that one.
fn is_secret(text: &Untrusted) -> bool {
    let reference = SecretReference { kind: ReferenceKind::Declared, value: text.clone() };
    // Account and Region complete a bare name, but do not decide whether the text is a secret.
    let Some((secret, _)) = reference.resolve_secret("", "") else { return false };
    secret.text.raw().bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";

    fn parse_tags(tags: &[(&str, &str)]) -> ServiceTags {
        ServiceTags::parse(
            &tags.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect(),
        )
    }

    fn problem(tag: &str, value: &str) -> String {
        let parsed = parse_tags(&[(tag, value)]);
        assert_eq!(parsed.problems.len(), 1, "{tag} {value}");
        parsed.problems[0].clone()
    }

    #[test]
    fn a_service_without_our_tags_is_redeployed_at_once() {
        let others = [("Name", "web"), ("team", "off"), ("secrets-responder", "off"), ("redeploy", "?")];
        assert_eq!(parse_tags(&others), ServiceTags::default());
        assert_eq!(ServiceTags::default().redeploy, RedeployTag::Auto);
    }

    #[test]
    fn a_value_may_have_any_case_and_spaces_around_it() {
        for (value, mode) in
            [("auto", RedeployTag::Auto), (" Notify", RedeployTag::Notify), ("OFF ", RedeployTag::Off)]
        {
            let parsed = parse_tags(&[("secrets-responder:redeploy", value)]);
            assert_eq!((parsed.redeploy, parsed.problems), (mode, Vec::<String>::new()), "{value}");
        }
        for (value, secs) in [("0s", 0), ("15m", 900), (" 1H ", 3_600), ("24h", 86_400), ("1d", 86_400)] {
            let parsed = parse_tags(&[("secrets-responder:cooldown", value)]);
            assert_eq!(parsed.cooldown, Some(Span::from_secs(secs)), "{value}");
            assert_eq!(parsed.problems, Vec::<String>::new(), "{value}");
        }
        for (value, secs) in [("1m", 60), (" 90M", 5_400), ("30d", 2_592_000)] {
            let parsed = parse_tags(&[("secrets-responder:rollout", value)]);
            assert_eq!((parsed.rollout, parsed.problems.len()), (Some(Span::from_secs(secs)), 0), "{value}");
        }
        let window = "mon-FRI 09:00-17:00 europe/berlin";
        let parsed = parse_tags(&[
            ("secrets-responder:secrets", &format!(" prod/api  {ARN} ")),
            ("secrets-responder:window", window),
        ]);
        assert_eq!(parsed.problems, Vec::<String>::new());
        assert_eq!(parsed.secrets, [Untrusted::new("prod/api"), Untrusted::new(ARN)]);
        assert_eq!(parsed.window, Some("Mon-Fri 09:00-17:00 Europe/Berlin".parse().unwrap()));
    }

    #[test]
    fn a_problem_names_the_tag_its_value_and_what_is_expected() {
        assert_eq!(
            problem("secrets-responder:redeploy", "yes please"),
            "its tag `secrets-responder:redeploy` is `yes please`; expected `auto`, `always`, `notify` or `off`"
        );
        for (name, value, words) in [
            ("redeploy", "", "expected `auto`"),
            ("redeploy", "autο", "expected `auto`"),
            ("cooldown", "", "such as `15m`"),
            ("cooldown", "15", "such as `15m`"),
            ("cooldown", "-1s", "such as `15m`"),
            ("cooldown", "25h", "from `0s` to `24h`"),
            ("rollout", "59s", "such as `90m`"),
            ("rollout", "31d", "such as `90m`"),
            ("window", "", "a part needs days, times and a time zone"),
            ("window", "Mon 9-5 UTC", "`9-5` is not `HH:MM-HH:MM`"),
            ("secrets", " ", "expected ARNs or names"),
            ("secrets", "prod/db,prod/api", "`prod/db,prod/api` is no secret"),
            ("secrets", "prod/db arn:aws:s3:::prod", "`arn:aws:s3:::prod` is no secret"),
            (
                "secrets",
                "arn:aws:ssm:us-west-2:111122223333:parameter/prod/db",
                "is no secret; expected ARNs or names",
            ),
        ] {
            let tag = format!("{TAG_PREFIX}{name}");
            let problem = problem(&tag, value);
            assert!(problem.starts_with(&format!("its tag `{tag}` is `")), "{problem}");
            assert!(problem.contains(words), "{problem}");
        }
    }

    #[test]
    fn an_unknown_tag_with_our_prefix_is_a_problem() {
        for tag in ["secrets-responder:windows", "secrets-responder:", "Secrets-Responder:redeploy"] {
            let problem = problem(tag, "off");
            let start = format!("its tag `{tag}` is `off`; nobody knows this tag; expected");
            assert!(problem.starts_with(&start), "{problem}");
        }
        assert!(problem(" secrets-responder:Window", "off").contains("nobody knows"));
    }

    #[test]
    fn a_managed_secret_is_declared_with_a_colon_and_many_secrets_by_several_tags() {
        let arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:";
        for (word, expected) in [
            ("rds:cluster-0a1b", "rds!cluster-0a1b"),
            ("rds!cluster-0a1b", "rds!cluster-0a1b"),
            ("events:connection/x/1", "events!connection/x/1"),
            (&format!("{arn}rds:cluster-0a1b-a1B2c3"), &format!("{arn}rds!cluster-0a1b-a1B2c3")),
            (&format!("{arn}prod/db-a1B2c3"), &format!("{arn}prod/db-a1B2c3")),
            (&format!("{arn}prod/db-a1B2c3:password"), &format!("{arn}prod/db-a1B2c3:password")),
        ] {
            let parsed = parse_tags(&[("secrets-responder:secrets", word)]);
            assert_eq!(
                (parsed.secrets, parsed.problems),
                (vec![Untrusted::new(expected)], Vec::new()),
                "{word}"
            );
        }
        for word in ["rds:", ":x", "s2:password", "rds:a:b", "arn:aws:s3:::prod"] {
            assert!(problem("secrets-responder:secrets", word).contains("is no secret"), "{word}");
        }
        let many = parse_tags(&[
            ("secrets-responder:secrets", "a b"),
            ("secrets-responder:secrets-2", "rds:c"),
            ("secrets-responder:secrets-10", "d"),
        ]);
        assert_eq!((many.secrets.len(), many.problems), (4, Vec::new()));
        for tag in ["secrets-responder:secrets-", "secrets-responder:secrets-x", "secrets-responder:secrets2"]
        {
            assert!(problem(tag, "a").contains("nobody knows"), "{tag}");
        }
    }

    #[test]
    fn an_unclear_mode_never_redeploys_and_one_problem_hides_no_other() {
        let parsed = parse_tags(&[
            ("secrets-responder:cooldown", "soon"),
            ("secrets-responder:redeploy", "of"),
            ("secrets-responder:secrets", "prod/db a,b"),
        ]);
        assert_eq!((parsed.redeploy, parsed.problems.len()), (RedeployTag::Notify, 3));
        assert_eq!((parsed.cooldown, parsed.secrets), (None, Vec::new()));
    }

    #[test]
    fn a_long_list_is_refused_before_it_is_parsed() {
        let fits = format!("{}d", "prod/api/".repeat(28));
        assert_eq!(parse_tags(&[("secrets-responder:secrets", &format!("{fits} db"))]).secrets.len(), 2);
        for (tag, value) in [
            ("secrets-responder:secrets", format!("{fits} db2")),
            ("secrets-responder:secrets", "prod/db ".repeat(1_250)),
            ("secrets-responder:window", "daily 00:00-24:00 UTC + ".repeat(400)),
        ] {
            let problem = problem(tag, &value);
            assert!(
                problem.ends_with("; expected at most 256 characters") && problem.len() < 130,
                "{problem}"
            );
        }
    }

    proptest! {
        #[test]
        fn hostile_tags_end_as_short_and_harmless_problems(
            name in "redeploy|window|cooldown|secrets|.*",
            value in any::<String>(),
            times in 1_usize..500,
        ) {
            let tags = BTreeMap::from([(format!("{TAG_PREFIX}{name}"), value.repeat(times))]);
            for problem in ServiceTags::parse(&tags).problems {
                prop_assert!(problem.chars().count() < 300, "{}", problem);
                prop_assert!(problem.chars().all(|c| (' '..='~').contains(&c) || c.is_alphanumeric()));
                prop_assert!(!problem.contains("://") && !problem.contains('<'));
            }
        }
    }
}
