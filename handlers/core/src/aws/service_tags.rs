//! What the tags of an ECS service ask for.

use std::collections::BTreeMap;

use crate::aws::ecs_service::{ReferenceKind, SecretReference};
use crate::text::Untrusted;
use crate::time::Span;
use crate::time_window::{TimeWindow, TimeWindowError};

/// What a service's tags ask for.
///
/// Every tag that begins with `secrets-responder:` is ours, also one that we do not know: who writes it expects
/// something of us. Values are trimmed, and their case does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceTags {
    /// `secrets-responder:redeploy`: whether the service is redeployed.
    pub redeploy: RedeployTag,
    /// `secrets-responder:window`: when it may be redeployed; at any time without one.
    pub window: Option<TimeWindow>,
    /// `secrets-responder:cooldown`: how long after a redeployment the next one waits; up to 24 hours.
    pub cooldown: Option<Span>,
    /// `secrets-responder:secrets`: secrets that it reads by itself, as ARNs or names ([`ReferenceKind::Declared`]).
    pub secrets: Vec<Untrusted>,
    /// What could not be understood, a sentence for each tag: fit to be shown. Where there is one, the service must not be
    /// redeployed and a human be told, whatever the other fields say.
    pub problems: Vec<String>,
}

/// Whether a service is redeployed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedeployTag {
    /// Redeploy it.
    #[default]
    Auto,
    /// Tell a human instead.
    Notify,
    /// Leave it alone.
    Off,
}

const PREFIX: &str = "secrets-responder:";
const UNKNOWN: &str = "nobody knows this tag; expected `redeploy`, `window`, `cooldown` or `secrets` after `secrets-responder:`";
/// The most characters that the value of a tag has (API reference of ECS: `Tag`). Facts given to a replay may have more, and
/// a list takes time and room.
const MAX_VALUE: usize = 256;
/// The longest cooldown: a longer one is a slip rather than a wish, and leaves a dead password in use for days.
const MAX_COOLDOWN: Span = Span::from_secs(86_400);

impl ServiceTags {
    /// Reads the tags; others than ours are none of our business.
    pub fn of(tags: &BTreeMap<String, String>) -> Self {
        let mut control = Self::default();
        for (tag, value) in tags {
            // The case of a key counts for ECS, and hardly for who writes one.
            let key = tag.trim().to_ascii_lowercase();
            if !key.starts_with(PREFIX) {
                continue;
            }
            if let Err(why) = control.read(tag.strip_prefix(PREFIX).unwrap_or_default(), value) {
                let (tag, value) = (Untrusted::new(tag).show(60), Untrusted::new(value).show(40));
                control.problems.push(format!("its tag `{tag}` is `{value}`; {why}"));
            }
        }
        control
    }

    fn read(&mut self, name: &str, value: &str) -> Result<(), String> {
        if name == "redeploy" {
            // Until it is understood: no redeployment.
            self.redeploy = RedeployTag::Notify;
        }
        let value = value.trim();
        match name {
            "redeploy" => self.redeploy = mode(value)?,
            "window" => self.window = Some(window(value)?),
            "cooldown" => self.cooldown = Some(cooldown(value)?),
            "secrets" => self.secrets = secrets(value)?,
            _ => return Err(UNKNOWN.to_owned()),
        }
        Ok(())
    }
}

fn mode(value: &str) -> Result<RedeployTag, String> {
    match value.to_ascii_lowercase().as_str() {
        "auto" => Ok(RedeployTag::Auto),
        "notify" => Ok(RedeployTag::Notify),
        "off" => Ok(RedeployTag::Off),
        _ => Err("expected `auto`, `notify` or `off`".to_owned()),
    }
}

fn window(value: &str) -> Result<TimeWindow, String> {
    bounded(value)?.parse().map_err(|error: TimeWindowError| {
        format!("{error}; expected such as `Mon-Fri 09:00-17:00 Europe/Berlin`, several joined by ` + `")
    })
}

fn cooldown(value: &str) -> Result<Span, String> {
    let span: Option<Span> = value.to_ascii_lowercase().parse().ok();
    span.filter(|span| *span <= MAX_COOLDOWN)
        .ok_or_else(|| "expected a length of time from `0s` to `24h`, such as `15m`".to_owned())
}

/// All or none: half a list would look like a whole one.
fn secrets(value: &str) -> Result<Vec<Untrusted>, String> {
    let secrets: Vec<Untrusted> = bounded(value)?.split_whitespace().map(Untrusted::new).collect();
    let bad = secrets.iter().find(|secret| !is_secret(secret));
    if let Some(bad) = bad {
        return Err(format!(
            "`{}` is no secret; expected ARNs or names of secrets, separated by spaces",
            bad.show(40)
        ));
    }
    if secrets.is_empty() {
        return Err("expected ARNs or names of secrets, separated by spaces".to_owned());
    }
    Ok(secrets)
}

fn bounded(value: &str) -> Result<&str, String> {
    let fits = value.chars().count() <= MAX_VALUE;
    fits.then_some(value).ok_or_else(|| format!("expected at most {MAX_VALUE} characters"))
}

/// Names hold letters, digits and `/_+=.@-` (API reference of Secrets Manager: `CreateSecret`), and `!` where another
/// service of AWS manages the secret; no tag can hold that one.
fn is_secret(text: &Untrusted) -> bool {
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&b);
    let reference = SecretReference { kind: ReferenceKind::Declared, value: text.clone() };
    // The place matters to names only, and whether it is one does not depend on it.
    let parsed = reference.parse("", "");
    parsed.is_some_and(|(secret, _)| secret.text.raw().bytes().all(in_name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";

    fn control(tags: &[(&str, &str)]) -> ServiceTags {
        ServiceTags::of(&tags.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect())
    }

    fn problem(tag: &str, value: &str) -> String {
        let control = control(&[(tag, value)]);
        assert_eq!(control.problems.len(), 1, "{tag} {value}");
        control.problems[0].clone()
    }

    #[test]
    fn a_service_without_our_tags_is_redeployed_at_once() {
        let others = [("Name", "web"), ("team", "off"), ("secrets-responder", "off"), ("redeploy", "?")];
        assert_eq!(control(&others), ServiceTags::default());
        assert_eq!(ServiceTags::default().redeploy, RedeployTag::Auto);
    }

    #[test]
    fn every_tag_is_read_whatever_its_case_and_the_spaces_around_it() {
        for (value, mode) in
            [("auto", RedeployTag::Auto), (" Notify", RedeployTag::Notify), ("OFF ", RedeployTag::Off)]
        {
            let control = control(&[("secrets-responder:redeploy", value)]);
            assert_eq!((control.redeploy, control.problems), (mode, Vec::<String>::new()), "{value}");
        }
        for (value, secs) in [("0s", 0), ("15m", 900), (" 1H ", 3_600), ("24h", 86_400), ("1d", 86_400)] {
            let control = control(&[("secrets-responder:cooldown", value)]);
            assert_eq!(control.cooldown, Some(Span::from_secs(secs)), "{value}");
            assert_eq!(control.problems, Vec::<String>::new(), "{value}");
        }
        let window = "mon-FRI 09:00-17:00 europe/berlin";
        let control = control(&[
            ("secrets-responder:secrets", &format!(" prod/api  {ARN} ")),
            ("secrets-responder:window", window),
        ]);
        assert_eq!(control.problems, Vec::<String>::new());
        assert_eq!(control.secrets, [Untrusted::new("prod/api"), Untrusted::new(ARN)]);
        assert_eq!(control.window, Some("Mon-Fri 09:00-17:00 Europe/Berlin".parse().unwrap()));
    }

    #[test]
    fn a_value_that_nobody_understands_is_told_with_its_tag_and_what_is_expected() {
        assert_eq!(
            problem("secrets-responder:redeploy", "yes please"),
            "its tag `secrets-responder:redeploy` is `yes please`; expected `auto`, `notify` or `off`"
        );
        for (name, value, words) in [
            ("redeploy", "", "expected `auto`"),
            ("redeploy", "autο", "expected `auto`"),
            ("cooldown", "", "such as `15m`"),
            ("cooldown", "15", "such as `15m`"),
            ("cooldown", "-1s", "such as `15m`"),
            ("cooldown", "25h", "from `0s` to `24h`"),
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
            let tag = format!("{PREFIX}{name}");
            let problem = problem(&tag, value);
            assert!(problem.starts_with(&format!("its tag `{tag}` is `")), "{problem}");
            assert!(problem.contains(words), "{problem}");
        }
    }

    #[test]
    fn a_tag_that_looks_like_ours_is_never_ignored() {
        for tag in ["secrets-responder:windows", "secrets-responder:", "Secrets-Responder:redeploy"] {
            let problem = problem(tag, "off");
            let start = format!("its tag `{tag}` is `off`; nobody knows this tag; expected");
            assert!(problem.starts_with(&start), "{problem}");
        }
        assert!(problem(" secrets-responder:Window", "off").contains("nobody knows"));
    }

    #[test]
    fn an_unclear_mode_never_redeploys_and_one_problem_hides_no_other() {
        let control = control(&[
            ("secrets-responder:cooldown", "soon"),
            ("secrets-responder:redeploy", "of"),
            ("secrets-responder:secrets", "prod/db a,b"),
        ]);
        assert_eq!((control.redeploy, control.problems.len()), (RedeployTag::Notify, 3));
        assert_eq!((control.cooldown, control.secrets), (None, Vec::new()));
    }

    #[test]
    fn a_long_list_is_refused_before_it_is_read() {
        let fits = format!("{}d", "prod/api/".repeat(28));
        assert_eq!(control(&[("secrets-responder:secrets", &format!("{fits} db"))]).secrets.len(), 2);
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
            let tags = BTreeMap::from([(format!("{PREFIX}{name}"), value.repeat(times))]);
            for problem in ServiceTags::of(&tags).problems {
                prop_assert!(problem.chars().count() < 300, "{}", problem);
                prop_assert!(problem.chars().all(|c| (' '..='~').contains(&c) || c.is_alphanumeric()));
                prop_assert!(!problem.contains("://") && !problem.contains('<'));
            }
        }
    }
}
