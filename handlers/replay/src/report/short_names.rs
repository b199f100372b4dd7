//! Short names of services, for people.

use responder_core::text::Untrusted;

/// Shows the part of a service's ARN that people know it by: `cluster/service`, in at most `max` characters.
pub(super) fn show_service(arn: &str, max: usize) -> String {
    let path = arn.split_once(":service/").map_or(arn, |(_, path)| path);
    Untrusted::new(path).show(max)
}
