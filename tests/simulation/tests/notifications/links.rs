//! The addresses that a notification may link to.

/// The hosts of the console and of the runbooks.
const OUR_HOSTS: [&str; 4] =
    ["console.aws.amazon.com", "console.amazonaws.cn", "console.amazonaws-us-gov.com", "runbooks.example"];

/// Whether every address is one of ours, by `https`.
pub(crate) fn has_only_our_links(text: &str) -> bool {
    let mut parts = text.split("://");
    let Some(mut before) = parts.next() else { return true };
    for after in parts {
        let host = after.split('/').next().unwrap_or_default();
        if !before.ends_with("https") || !is_our_host(host) {
            return false;
        }
        before = after;
    }
    true
}

fn is_our_host(host: &str) -> bool {
    OUR_HOSTS.iter().any(|known| match host.strip_suffix(known) {
        Some(region) => region.is_empty() || region.ends_with('.'),
        None => false,
    })
}
