//! Phrases of a page: counts, periods, places and principals in plain words.

use crate::aws::principal::UNKNOWN_PRINCIPAL;
use crate::detail_kind::DetailKind;
use crate::incident::{Incident, IncidentStatus};
use crate::rules::{Handler, Response};
use crate::state::incident_state::IncidentState;
use crate::state::origin_set::Origin;
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// The word for an account or a Region that is not known.
pub(super) const UNKNOWN_TEXT: &str = "unknown";

/// The account as a subject, a filter or a link may show it.
pub(super) fn format_account(incident: &Incident) -> String {
    parse_account_id(&incident.account).unwrap_or(UNKNOWN_TEXT).to_owned()
}

/// The Region as a subject, a filter or a link may show it, or how many Regions.
pub(super) fn format_region(incident: &Incident) -> String {
    match incident.regions.as_slice() {
        [] => UNKNOWN_TEXT.to_owned(),
        [region] => parse_region_name(region).unwrap_or(UNKNOWN_TEXT).to_owned(),
        regions => format!("{} Regions", regions.len()),
    }
}

/// An account's id: twelve digits. An event may hold anything.
pub(super) fn parse_account_id(text: &str) -> Option<&str> {
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) { Some(text) } else { None }
}

/// A Region's name, by its alphabet.
pub(super) fn parse_region_name(text: &str) -> Option<&str> {
    let has_region_characters = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if has_region_characters && (1..=32).contains(&text.len()) { Some(text) } else { None }
}

/// The principal, or how many there are; `None` where the events name none. Events of ECS name no principal, and those of
/// Secrets Manager only itself.
pub(super) fn describe_principal(incident: &Incident, show: impl Fn(&Untrusted) -> String) -> Option<String> {
    match &incident.principal {
        Some(principal) => {
            let names_nobody = [UNKNOWN_PRINCIPAL, "secretsmanager.amazonaws.com"].contains(&principal.raw());
            if names_nobody { None } else { Some(show(principal)) }
        }
        None if incident.principals > 1 => Some(format_count(incident.principals, "principal")),
        None => None,
    }
}

/// The end of the sentence that a title begins: the secrets that the incident is about, or what was called how often. In
/// this order:
///
/// 1. one secret, unless it was accessed several times: its name;
/// 2. several secrets of an incident that is not about access: how many;
/// 3. no known secret and no access: nothing;
/// 4. accesses: how many calls for how many secrets, how fast.
pub(super) fn describe_target(
    incident: &Incident,
    response: &Response,
    show: impl Fn(&Untrusted) -> String,
) -> String {
    let is_access = incident.handler == Handler::Access;
    match incident.secret_refs.as_slice() {
        // 1. One secret.
        [secret] if !is_access || incident.reads <= 1 => format!(": {}", show(&secret.display_name())),
        // 2. Several secrets.
        [_, _, ..] if !is_access => format!(": {} secrets", incident.secret_refs.len()),
        // 3. Nothing.
        [] if !is_access || incident.reads == 0 => String::new(),
        // 4. Accesses.
        _ => format!(": {}", describe_calls(incident, response)),
    }
}

/// How many calls for how many secrets, in how much time, and how many of them were refused.
fn describe_calls(incident: &Incident, response: &Response) -> String {
    let calls = format_count(incident.reads, "call");
    let secrets = describe_called_secrets(incident, response);
    let duration = Span::from_millis(incident.last.millis().saturating_sub(incident.first.millis()));
    let within =
        if duration > Span::default() { format!(" within {}", format_span(duration)) } else { String::new() };
    let refused = match incident.errors {
        0 => String::new(),
        1 if incident.reads == 1 => ", refused".to_owned(),
        errors if errors == incident.reads => ", all refused".to_owned(),
        errors => format!(", {errors} of them refused"),
    };
    // More may come after the page: it counts what was known when it was decided.
    let goes_on = incident.state == IncidentStatus::Open && incident.settled_after.is_none();
    let so_far = if goes_on && incident.reads > 1 { " so far" } else { "" };
    format!("{calls}{secrets}{within}{so_far}{refused}")
}

/// The words about the last page of an open incident, and why this page follows it: the last figures, a reminder, or an address or an
/// access key that no page named.
pub(super) fn describe_page_before(
    incident: &Incident,
    show: impl Fn(&Untrusted) -> String,
) -> Option<String> {
    let IncidentState { severity, extent, .. } = incident.notified?;
    let mut sentences = Vec::new();
    if let Some(span) = incident.settled_after {
        sentences.push(format!("Nothing followed for {}: these are the last figures.", format_span(span)));
    }
    if incident.is_reminder {
        sentences
            .push(format!("It is still open: it began {}.", format_period(incident.first, incident.first)));
    }
    let address = incident.detail(DetailKind::SourceAddress);
    let key = incident.detail(DetailKind::AccessKeyId);
    let named = [
        ("address", address, address.map(|address| Origin::of_address(address.raw()))),
        ("access key", key, key.and_then(|key| Origin::of_access_key(key.raw()))),
    ];
    for (noun, value, origin) in named {
        if let (Some(value), Some(origin)) = (value, origin)
            && !extent.origins.is_empty()
            && !extent.origins.contains(origin)
        {
            sentences.push(format!("New since then: {noun} {}.", show(value)));
        }
    }
    let mut parts = vec![severity.as_str().to_owned()];
    if extent.secrets > 0 {
        parts.push(format_count(extent.secrets, "secret"));
    }
    if extent.regions > 0 {
        parts.push(format_count(extent.regions, "Region"));
    }
    sentences.insert(0, format!("The page before said: {}.", parts.join(", ")));
    Some(sentences.join(" "))
}

/// How an incident ended: an event undid it, or nothing followed. That nothing followed mends nothing.
pub(super) fn describe_end(
    incident: &Incident,
    at: Timestamp,
    show: impl Fn(&Untrusted) -> String,
) -> String {
    let at = format_period(at, at);
    if incident.state == IncidentStatus::Quiet {
        return format!(
            "It went quiet: nothing followed until {at}. What it left behind stays until somebody mends it."
        );
    }
    if incident.detail(DetailKind::ClosingReason).is_some() {
        return format!("It went quiet: nothing followed until {at}.");
    }
    match incident.detail(DetailKind::Event) {
        Some(event) => format!("Over since {at}: {} ended it.", show(event)),
        None => format!("Over since {at}."),
    }
}

fn describe_called_secrets(incident: &Incident, response: &Response) -> String {
    match incident.distinct_secrets {
        // Calls that do not read hide their secrets as a rule: no news.
        None if !is_about_reads(incident) => String::new(),
        None if incident.reads == 1 => "; the log does not say for which secrets".to_owned(),
        None => "; of some the log does not say for which secrets".to_owned(),
        Some(0) => String::new(),
        Some(1) if incident.reads == 1 || !response.counted => " for one secret".to_owned(),
        Some(1) => " for the same secret".to_owned(),
        Some(many) => format!(" for {many} different secrets"),
    }
}

fn is_about_reads(incident: &Incident) -> bool {
    match incident.detail(DetailKind::Event) {
        Some(event) => event.raw().ends_with("SecretValue"),
        None => true,
    }
}

/// `one call`, `20 calls`.
pub(super) fn format_count(count: usize, noun: &str) -> String {
    if count == 1 { format!("one {noun}") } else { format!("{count} {noun}s") }
}

/// A length of time as people say it, rounded down.
fn format_span(span: Span) -> String {
    const UNITS: [(&str, i64); 4] =
        [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000)];
    for (noun, unit_millis) in UNITS {
        // `90 seconds` says more than `one minute`.
        if span.millis() >= 2 * unit_millis {
            return format!("{} {noun}s", span.millis() / unit_millis);
        }
    }
    "one second".to_owned()
}

/// An instant, or a period of time.
pub(super) fn format_period(first: Timestamp, last: Timestamp) -> String {
    let start = first.to_string();
    let start = start.trim_end_matches('Z');
    let end = last.to_string();
    let end = end.trim_end_matches('Z');
    let (Some((start_day, start_time)), Some((end_day, end_time))) =
        (start.split_once('T'), end.split_once('T'))
    else {
        // Instants beyond the calendar are written as milliseconds.
        return format!("{start} to {end}");
    };
    if start == end {
        format!("{start_day} {start_time} UTC")
    } else if start_day == end_day {
        format!("{start_day} {start_time} to {end_time} UTC")
    } else {
        format!("{start_day} {start_time} to {end_day} {end_time} UTC")
    }
}

/// `a, b and c`.
pub(super) fn join_with_and(parts: &[String]) -> String {
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
    fn spans_and_periods_read_like_speech() {
        let spans =
            [(999, "one second"), (4_000, "4 seconds"), (90_000, "90 seconds"), (600_000, "10 minutes")];
        for (millis, text) in spans {
            assert_eq!(format_span(Span::from_millis(millis)), text);
        }
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (first, last, later) =
            (at("2026-03-01T12:00:00Z"), at("2026-03-01T12:00:04Z"), at("2026-03-02T01:00:00Z"));
        assert_eq!(format_period(first, first), "2026-03-01 12:00:00 UTC");
        assert_eq!(format_period(first, last), "2026-03-01 12:00:00 to 12:00:04 UTC");
        assert_eq!(format_period(first, later), "2026-03-01 12:00:00 to 2026-03-02 01:00:00 UTC");
    }

    #[test]
    fn a_text_that_is_no_account_or_region_is_refused() {
        assert_eq!(
            (parse_account_id("111122223333"), parse_account_id("1111\n2222333")),
            (Some("111122223333"), None)
        );
        assert_eq!(
            (parse_region_name("eu-west-1"), parse_region_name("evil.example"), parse_region_name("")),
            (Some("eu-west-1"), None, None)
        );
    }

    #[test]
    fn lists_end_with_and() {
        let parts: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        assert_eq!(
            (join_with_and(&parts), join_with_and(&parts[..1]), join_with_and(&[])),
            ("a, b and c".to_owned(), "a".to_owned(), String::new())
        );
    }
}
