//! How a page puts things: counts, spans, places, in plain words.

use crate::aws::principal::UNKNOWN;
use crate::incident::Incident;
use crate::rules::{Handler, Response};
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// The account as a subject, a filter or a link may show it.
pub(super) fn account(incident: &Incident) -> String {
    account_id(&incident.account).unwrap_or("unknown").to_owned()
}

/// Who it was: one principal, or how many. ECS's own events name nobody, and Secrets Manager's only itself.
pub(super) fn who(incident: &Incident, show: impl Fn(&Untrusted) -> String) -> Option<String> {
    match &incident.principal {
        Some(principal) => {
            let nobody = [UNKNOWN, "secretsmanager.amazonaws.com"].contains(&principal.raw());
            (!nobody).then(|| show(principal))
        }
        None => (incident.principals > 1).then(|| several(incident.principals, "principal")),
    }
}

/// Where it happened, likewise: the Region, or how many.
pub(super) fn place(incident: &Incident) -> String {
    match incident.regions.as_slice() {
        [] => "unknown".to_owned(),
        [region] => region_name(region).unwrap_or("unknown").to_owned(),
        regions => format!("{} Regions", regions.len()),
    }
}

/// An account's id: twelve digits. An event may say anything.
pub(super) fn account_id(text: &str) -> Option<&str> {
    (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// A Region's name, by its alphabet.
pub(super) fn region_name(text: &str) -> Option<&str> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    ((1..=32).contains(&text.len()) && text.bytes().all(fits)).then_some(text)
}

/// What it was done to, or how much of what was done how fast; nothing, where nobody knows.
pub(super) fn what(incident: &Incident, response: &Response, show: impl Fn(&Untrusted) -> String) -> String {
    let [few @ .., _] = incident.secret_refs.as_slice() else {
        let counted = incident.handler == Handler::Access && incident.reads > 0;
        return if counted { format!(": {}", counts(incident, response)) } else { String::new() };
    };
    match incident.secret_refs.first().filter(|_| few.is_empty()) {
        Some(secret) if incident.reads <= 1 || incident.handler != Handler::Access => {
            format!(": {}", show(&secret.name()))
        }
        None if incident.handler != Handler::Access => format!(": {} secrets", incident.secret_refs.len()),
        _ => format!(": {}", counts(incident, response)),
    }
}

/// How much of what, how fast.
fn counts(incident: &Incident, response: &Response) -> String {
    let count = incident.reads;
    let span = Span::from_millis(incident.last.millis().saturating_sub(incident.first.millis()));
    let within = if span.millis() > 0 { format!(" within {}", spelled(span)) } else { String::new() };
    let refused = match incident.errors {
        0 => String::new(),
        errors if errors == count && count == 1 => ", refused".to_owned(),
        errors if errors == count => ", all refused".to_owned(),
        errors => format!(", {errors} of them refused"),
    };
    // Of other calls it is no news.
    let reads = incident.detail("event").is_none_or(|event| event.raw().ends_with("SecretValue"));
    let secrets = match incident.distinct_secrets {
        None if !reads => String::new(),
        None if count == 1 => "; the log does not say for which secrets".to_owned(),
        None => "; of some the log does not say for which secrets".to_owned(),
        Some(0) => String::new(),
        Some(1) if count == 1 || !response.counted => " for one secret".to_owned(),
        Some(1) => " for the same secret".to_owned(),
        Some(many) => format!(" for {many} different secrets"),
    };
    format!("{}{secrets}{within}{refused}", several(count, "call"))
}

/// `one call`, `20 calls`.
pub(super) fn several(count: usize, noun: &str) -> String {
    if count == 1 { format!("one {noun}") } else { format!("{count} {noun}s") }
}

/// A length of time as people say it, rounded down.
fn spelled(span: Span) -> String {
    const UNITS: [(&str, i64); 4] =
        [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000)];
    // `90 seconds` says more than `one minute`.
    let unit = UNITS.into_iter().find(|(_, millis)| span.millis() >= 2 * millis);
    match unit {
        Some((noun, millis)) => format!("{} {noun}s", span.millis() / millis),
        None => "one second".to_owned(),
    }
}

/// An instant, or a stretch of time.
pub(super) fn stretch(first: Timestamp, last: Timestamp) -> String {
    let (from, to) = (first.to_string(), last.to_string());
    let (from, to) = (from.trim_end_matches('Z'), to.trim_end_matches('Z'));
    match (from.split_once('T'), to.split_once('T')) {
        (Some((day, at)), _) if from == to => format!("{day} {at} UTC"),
        (Some((day, at)), Some((same, until))) if day == same => format!("{day} {at} to {until} UTC"),
        (Some((day, at)), Some((later, until))) => format!("{day} {at} to {later} {until} UTC"),
        // Beyond the calendar.
        _ => format!("{from} to {to}"),
    }
}

/// `a, b and c`.
pub(super) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_stretches_read_like_speech() {
        let spans =
            [(999, "one second"), (4_000, "4 seconds"), (90_000, "90 seconds"), (600_000, "10 minutes")];
        for (millis, text) in spans {
            assert_eq!(spelled(Span::from_millis(millis)), text);
        }
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (first, last, later) =
            (at("2026-03-01T12:00:00Z"), at("2026-03-01T12:00:04Z"), at("2026-03-02T01:00:00Z"));
        assert_eq!(stretch(first, first), "2026-03-01 12:00:00 UTC");
        assert_eq!(stretch(first, last), "2026-03-01 12:00:00 to 12:00:04 UTC");
        assert_eq!(stretch(first, later), "2026-03-01 12:00:00 to 2026-03-02 01:00:00 UTC");
    }

    #[test]
    fn accounts_and_regions_are_what_they_look_like_or_nothing() {
        assert_eq!((account_id("111122223333"), account_id("1111\n2222333")), (Some("111122223333"), None));
        assert_eq!(
            (region_name("eu-west-1"), region_name("evil.example"), region_name("")),
            (Some("eu-west-1"), None, None)
        );
    }

    #[test]
    fn lists_end_with_and() {
        let parts: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        assert_eq!(
            (listed(&parts), listed(&parts[..1]), listed(&[])),
            ("a, b and c".to_owned(), "a".to_owned(), String::new())
        );
    }
}
