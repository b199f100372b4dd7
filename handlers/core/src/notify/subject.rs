//! The subject of a page: our own words, and the name of what it is about.

use super::phrases::{UNKNOWN_TEXT, format_account, format_region};
use super::subject_name::find_subject_name;
use crate::incident::{Incident, IncidentStatus};

/// The longest subject: fewer than 100 characters (`API_Publish` of SNS).
const SUBJECT_MAX_CHARS: usize = 99;

/// Formats the severity, the name of what the page is about, the title, the rule, the account and the Region: `[HIGH] prod/db: A rotation
/// failed (rotation-failed) 111122223333 us-west-2`. A phone shows the beginning. Where there is no room for all, the rule is
/// left out, or else the title.
pub(super) fn format_subject(incident: &Incident) -> String {
    let name = match find_subject_name(incident) {
        Some(name) if !name.is_empty() => format!("{name}: "),
        _ => String::new(),
    };
    format_with_name(incident, &name)
}

/// Formats the same without the name: chats give power to some characters of names, and show names as code elsewhere.
pub(super) fn format_chat_title(incident: &Incident) -> String {
    format_with_name(incident, "")
}

fn format_with_name(incident: &Incident, name: &str) -> String {
    let status = match incident.state {
        IncidentStatus::Open => incident.severity.as_str().to_uppercase(),
        IncidentStatus::Quiet => "QUIET".to_owned(),
        IncidentStatus::Resolved => "RESOLVED".to_owned(),
    };
    let mut location = vec![format_account(incident), format_region(incident)];
    location.retain(|part| part != UNKNOWN_TEXT);
    let location = location.join(" ");
    let Incident { title, rule, .. } = incident;
    let mut subject = String::new();
    for words in [format!("{title} ({rule})"), title.clone(), rule.clone()] {
        subject = format!("[{status}] {name}{words} {location}");
        if subject.trim_end().len() <= SUBJECT_MAX_CHARS {
            break;
        }
    }
    subject.retain(|c| (' '..='~').contains(&c));
    subject.truncate(SUBJECT_MAX_CHARS);
    subject.trim_end().to_owned()
}
