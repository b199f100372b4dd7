//! The pages of the AWS console that help with an incident.

use super::console_links::AwsConsole;
use super::incident_subject::{IncidentSubject, LocatedFunction, LocatedService};
use super::phrases::parse_region_name;
use crate::aws::secret_ref::SecretRef;

/// A page of the console.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ConsolePage {
    /// The name after `link:` in a placeholder.
    pub(super) name: &'static str,
    /// The title: what the page shows.
    pub(super) title: &'static str,
    /// The address.
    pub(super) url: String,
}

/// Finds the pages for an incident; none where its Region is not known, or has no public console.
pub(super) fn find_console_pages(subject: &IncidentSubject<'_>) -> Vec<ConsolePage> {
    let Some(console) = subject.region.and_then(AwsConsole::for_region) else { return Vec::new() };
    let period = (subject.start, subject.end);
    // The access key shows what one session did; the name of a session or a user may be used by others.
    let caller = if let Some(key) = subject.access_key_id {
        Some(("AccessKeyId", key))
    } else {
        subject.session_name.or(subject.user).map(|name| ("Username", name))
    };
    let pages = [
        (
            "cloudtrail",
            "What it did (CloudTrail)",
            caller.map(|(attribute, value)| console.events_url(attribute, value, period)),
        ),
        (
            "key",
            "What the key did (CloudTrail)",
            subject.access_key_id.map(|key| console.events_url("AccessKeyId", key, period)),
        ),
        ("secret", "Secret", subject.secret.and_then(|secret| find_secret_url(&console, secret))),
        ("role", "Role", subject.role.map(|role| console.role_url(role))),
        ("logs", "Log of the rotation function", subject.rotation_function.and_then(find_log_url)),
        ("service", "Service", subject.service.and_then(find_service_url)),
    ];
    let mut found = Vec::new();
    for (name, title, url) in pages {
        if let Some(url) = url {
            found.push(ConsolePage { name, title, url });
        }
    }
    found
}

/// The console takes a name, which an ARN that may be partial does not give for certain.
fn find_secret_url(console: &AwsConsole<'_>, secret: &SecretRef) -> Option<String> {
    if secret.may_be_partial_arn() {
        return None;
    }
    Some(console.secret_url(secret.friendly_name().raw()))
}

/// The function may be in another Region than the secret.
fn find_log_url(function: LocatedFunction<'_>) -> Option<String> {
    let console = AwsConsole::for_region(parse_region_name(function.region)?)?;
    Some(console.logs_url(&format!("/aws/lambda/{}", function.name)))
}

/// The service may be in another Region than the secret.
fn find_service_url(service: LocatedService<'_>) -> Option<String> {
    let console = AwsConsole::for_region(parse_region_name(service.region)?)?;
    Some(console.service_url(service.cluster, service.name))
}
