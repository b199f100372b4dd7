//! The name in a subject: the secret, the service or the caller that a page is about, so that ten failures are ten subjects.

use std::net::{IpAddr, Ipv6Addr};

use super::incident_subject::IncidentSubject;
use super::phrases::format_count;
use crate::aws::principal::UNKNOWN_PRINCIPAL;
use crate::detail_kind::DetailKind;
use crate::hash;
use crate::incident::Incident;

/// The longest name in a subject. With the severity, the account, the Region and the id of a rule it fits a subject.
const NAME_MAX_CHARS: usize = 32;
/// How many characters of a longer name stand at its beginning.
const HEAD_CHARS: usize = 14;
/// How many stand at its end, where names of one family differ.
const TAIL_CHARS: usize = 12;
/// How many hexadecimal digits of the hash of a name stand between them.
const HASH_CHARS: usize = 4;

/// The characters beside letters and digits that names of AWS have: of secrets (`API_CreateSecret`), roles and users (`API_CreateRole`),
/// source identities and services of ECS. None has a colon, which an address of a web page needs.
const NAME_PUNCTUATION: &str = "/_+=.@-,";

/// The name of what an incident is about. In this order:
///
/// 1. the service of a rollout: ten services of one secret are ten subjects;
/// 2. one secret;
/// 3. one service;
/// 4. the caller: its role or user, or the person or the address behind several principals;
/// 5. the function that could not understand a message;
/// 6. how many secrets.
pub(super) fn find_subject_name(incident: &Incident) -> Option<String> {
    let service = match (incident.services.as_slice(), IncidentSubject::from_incident(incident).service) {
        ([_], Some(service)) => Some(shorten_name(&format!("{}/{}", service.cluster, service.name))),
        _ => None,
    };
    // 1. The service of a rollout.
    if service.is_some() && incident.detail(DetailKind::Service).is_some() {
        return service;
    }
    // 2. A secret.
    if let [secret] = incident.secret_refs.as_slice() {
        return Some(shorten_name(secret.display_name().raw()));
    }
    // 3. A service.
    if let Some(service) = service {
        return Some(service);
    }
    // 4. The caller; 5. the function.
    if let Some(caller) = find_caller_name(incident) {
        return Some(caller);
    }
    if let Some(function) = incident.detail(DetailKind::Function) {
        return Some(shorten_name(function.raw()));
    }
    // 6. The number of secrets.
    match incident.secret_refs.len() {
        0 => None,
        count => Some(format_count(count, "secret")),
    }
}

fn find_caller_name(incident: &Incident) -> Option<String> {
    if incident.principals > 1 {
        if let Some(person) = incident.detail(DetailKind::SourceIdentity) {
            return Some(shorten_name(person.raw()));
        }
        let address = incident.detail(DetailKind::SourceAddress)?;
        return Some(show_address(address.raw()).unwrap_or_else(|| shorten_name(address.raw())));
    }
    let principal = incident.principal.as_ref()?.raw();
    if principal == UNKNOWN_PRINCIPAL || principal == "secretsmanager.amazonaws.com" {
        return None;
    }
    // The name of a role or a user stands behind its path; that of the root user behind its account.
    principal.rsplit(['/', ':']).next().map(shorten_name)
}

/// An address, of IPv6 its network of 64 bits. It is written anew, so it holds nothing else.
fn show_address(text: &str) -> Option<String> {
    match text.parse().ok()? {
        IpAddr::V4(address) => Some(address.to_string()),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Some(format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
        }
    }
}

/// A name of printable ASCII without a space. One that is too long, or that holds another character, has some digits of its
/// hash: two names are two subjects.
fn shorten_name(raw: &str) -> String {
    let mut cleaned = String::new();
    for character in raw.chars() {
        let is_plain = character.is_ascii_alphanumeric() || NAME_PUNCTUATION.contains(character);
        cleaned.push(if is_plain { character } else { '?' });
    }
    if cleaned == raw && cleaned.len() <= NAME_MAX_CHARS {
        return cleaned;
    }
    let hash = hash::hash_parts(&["subject", raw]);
    let digits = hash.get(..HASH_CHARS).unwrap_or_default();
    let head = cleaned.get(..HEAD_CHARS.min(cleaned.len())).unwrap_or_default();
    let tail_from = cleaned.len().saturating_sub(TAIL_CHARS).max(head.len());
    let tail = cleaned.get(tail_from..).unwrap_or_default();
    if tail.is_empty() { format!("{head}~{digits}") } else { format!("{head}~{digits}~{tail}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{NAME_MAX_CHARS, shorten_name, show_address};

    #[test]
    fn names_of_aws_stay_as_they_are() {
        for name in ["prod/billing/db", "shop/web", "ci-deploy", "jane.doe@example.com", "203.0.113.9"] {
            assert_eq!(shorten_name(name), name);
        }
    }

    #[test]
    fn two_long_or_strange_names_are_two_subjects() {
        let middle: Vec<String> = (0..50)
            .map(|n| format!("production/a-very-long-family/{n:02}/of-names/database-password"))
            .collect();
        let strange: Vec<String> =
            (0..50).map(|n| format!("sch\u{f6}n{}", char::from_u32(0x400 + n).unwrap())).collect();
        for names in [middle, strange] {
            let shown: BTreeSet<String> = names.iter().map(|name| shorten_name(name)).collect();
            assert_eq!(shown.len(), names.len());
            assert!(shown.iter().all(|name| name.len() <= NAME_MAX_CHARS && name.is_ascii()), "{shown:?}");
        }
    }

    #[test]
    fn addresses_are_written_anew() {
        assert_eq!(show_address("203.0.113.9").as_deref(), Some("203.0.113.9"));
        assert_eq!(show_address("2001:db8:1:2:ffff::9").as_deref(), Some("2001:db8:1:2::/64"));
        assert_eq!(show_address("AWS Internal"), None);
    }

    #[test]
    fn hostile_names_bring_no_line_no_link_and_no_other_status() {
        let shown = shorten_name("x\r\n[RESOLVED] all well https://evil.example/\u{202e}");
        assert!(!shown.contains(['\r', '\n', ' ', ':', '[']), "{shown}");
        assert_eq!(shorten_name("").len(), 0);
    }
}
