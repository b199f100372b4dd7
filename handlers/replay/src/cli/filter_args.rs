//! The arguments that choose what a report shows, and how people write times.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use responder_audit::query::{EventFilter, PrincipalQuery, SecretQuery};
use responder_core::severity::Severity;
use responder_core::time::{Date, Span, Timestamp};

use crate::command_outcome::CommandError;

/// The filters of every report. Each value that is given twice means one or the other.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Show only what happened at this time or later: a day, which begins at 00:00 in UTC, an instant in RFC 3339, or how
    /// long ago: `90d`, `12h`, `30m`.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) since: Option<Timestamp>,
    /// Show only what happened before this time.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) until: Option<Timestamp>,
    /// Show only this account: that of the event, or that of its secret. May be repeated.
    #[arg(long = "account", value_name = "ID", value_parser = parse_account)]
    pub(crate) accounts: Vec<String>,
    /// Show only this Region: that of the event, or that of its secret. May be repeated.
    #[arg(long = "region", value_name = "REGION")]
    pub(crate) regions: Vec<String>,
    /// Show only this principal: its ARN, the end of its ARN (`role/app`, `app`) or the name of its session. `*` and `?`
    /// are wildcards. May be repeated.
    #[arg(long = "principal", value_name = "ARN|NAME", value_parser = parse_principal)]
    pub(crate) principals: Vec<PrincipalQuery>,
}

/// The filter by secret, of the commands that do not need a secret.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct SecretFilterArgs {
    /// Show only this secret: its name, or its partial or full ARN. `*` and `?` are wildcards. What happened to secrets
    /// that the records do not name is shown too. May be repeated.
    #[arg(long = "secret", value_name = "NAME|ARN", value_parser = parse_secret)]
    pub(crate) secrets: Vec<SecretQuery>,
}

/// The filter by severity.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct SeverityArgs {
    /// Show only incidents of this severity or a higher one (info, low, medium, high, critical), and the decisions about
    /// their events.
    #[arg(long, value_name = "SEVERITY", value_parser = parse_severity)]
    pub(crate) severity: Option<Severity>,
}

impl FilterArgs {
    /// Returns the filter.
    ///
    /// # Errors
    /// When the window can hold nothing, which is a mistake.
    pub(crate) fn to_filter(&self, secrets: &[SecretQuery]) -> Result<EventFilter, CommandError> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since >= until
        {
            let reason = format!("the window is empty: it begins at {since} and ends at {until}");
            return Err(CommandError::UnusableContent { file: "--since".to_owned(), reason });
        }
        Ok(EventFilter {
            since: self.since,
            until: self.until,
            accounts: self.accounts.iter().cloned().collect(),
            regions: self.regions.iter().cloned().collect(),
            secrets: secrets.to_vec(),
            principals: self.principals.clone(),
        })
    }
}

/// Parses the secret of a query.
pub(super) fn parse_secret(text: &str) -> Result<SecretQuery, &'static str> {
    SecretQuery::parse(text).ok_or("expected a secret's name or ARN")
}

fn parse_principal(text: &str) -> Result<PrincipalQuery, &'static str> {
    PrincipalQuery::parse(text).ok_or("expected a principal's ARN or name")
}

/// How many digits the id of an account has.
const ACCOUNT_DIGITS: usize = 12;

fn parse_account(text: &str) -> Result<String, &'static str> {
    let is_id = text.len() == ACCOUNT_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_id { Ok(text.to_owned()) } else { Err("an account id has 12 digits") }
}

fn parse_severity(text: &str) -> Result<Severity, &'static str> {
    for severity in [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical] {
        if text == severity.as_str() {
            return Ok(severity);
        }
    }
    Err("expected info, low, medium, high or critical")
}

fn parse_time(text: &str) -> Result<Timestamp, &'static str> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
    parse_time_at(text, Timestamp::from_millis(now))
}

/// The units of a time before now, in milliseconds.
const AGO_UNITS: [(char, i64); 3] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000)];

/// Parses a day, an instant, or how long before `now`.
fn parse_time_at(text: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    if let Ok(day) = text.parse::<Date>() {
        return Ok(day.start());
    }
    for (unit, unit_millis) in AGO_UNITS {
        if let Some(Ok(count)) = text.strip_suffix(unit).map(str::parse::<u32>) {
            return Ok(now.minus(Span::from_millis(i64::from(count) * unit_millis)));
        }
    }
    text.parse().or(Err("expected `2026-01-31`, `2026-01-31T12:00:00Z` or `90d`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_day_an_instant_or_how_long_ago() {
        let now = "2026-03-31T12:00:00Z".parse().unwrap();
        for (typed, meant) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
            ("90d", "2025-12-31T12:00:00Z"),
            ("365d", "2025-03-31T12:00:00Z"),
            ("12h", "2026-03-31T00:00:00Z"),
            ("30m", "2026-03-31T11:30:00Z"),
        ] {
            assert_eq!(parse_time_at(typed, now), Ok(meant.parse().unwrap()), "{typed}");
        }
        for typed in ["", "d", "-1d", "90", "soon", "2026-13-01", "1.5d", "99999999999d"] {
            assert!(parse_time_at(typed, now).is_err(), "{typed}");
        }
    }
}
