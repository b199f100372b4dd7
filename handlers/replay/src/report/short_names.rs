//! Short names of services, for people.

use responder_core::text::Untrusted;

/// Shows the part of a service's or daemon's ARN that people know it by: `cluster/service`, in at most `max` characters.
pub(super) fn show_service(arn: &str, max: usize) -> String {
    let parts = arn.split_once(":service/").or_else(|| arn.split_once(":daemon/"));
    let path = parts.map_or(arn, |(_, path)| path);
    Untrusted::new(path).show(max)
}
