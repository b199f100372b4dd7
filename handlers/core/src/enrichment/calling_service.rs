//! AWS services as callers: for themselves, or for a caller to whom the answer goes.

use crate::aws::arn::Arn;
use crate::event::Event;

/// Whether an AWS service calls for itself. Checks run in this order:
///
/// 1. the identity of a service;
/// 2. a call from a client, or from another host than a service's, is none;
/// 3. a service-linked role, which only its service can use;
/// 4. an identity without an access key, for which the service of the record calls.
///
/// The reads that Secrets Manager makes for a batch belong to whoever asked for the batch.
pub(super) fn is_service_itself(event: &Event) -> bool {
    let Some(host) = find_calling_host(event) else {
        // 1. The identity of a service; 2. another host.
        return is_service_identity(event) && !is_batch(event);
    };
    let is_own = is_service_identity(event) || is_service_linked_role(event.principal.id.raw());
    // 3. A service-linked role; 4. no access key.
    !is_batch(event) && (is_own || (event.principal.access_key_id.is_none() && is_invoked_by(event, &host)))
}

/// The service that calls for a caller, such as `ssm` or `cloudformation`: the record has the caller's identity and key, and
/// the service's host. The answer goes to the caller.
pub(super) fn find_service_between(event: &Event) -> Option<String> {
    let host = find_calling_host(event)?;
    if is_batch(event) || is_service_itself(event) || !is_invoked_by(event, &host) {
        return None;
    }
    find_service_name(&host).map(str::to_owned)
}

fn is_service_identity(event: &Event) -> bool {
    event.find_text("/detail/userIdentity/type").is_some_and(|kind| kind.raw() == "AWSService")
}

fn is_batch(event: &Event) -> bool {
    is_invoked_by(event, "secretsmanager.amazonaws.com")
}

fn is_invoked_by(event: &Event, host: &str) -> bool {
    event.principal.invoked_by.as_ref().is_some_and(|invoked_by| invoked_by.raw() == host)
}

/// The service's host from which a call came. A caller cannot choose the source of a record, and there is no TLS of a client
/// (`CloudTrail`'s `userIdentity` reference).
fn find_calling_host(event: &Event) -> Option<String> {
    let source = event.find_text("/detail/sourceIPAddress")?;
    let has_client_tls = event.find_value("/detail/tlsDetails").is_some_and(|details| !details.is_null());
    find_service_name(source.raw())?;
    if has_client_tls { None } else { Some(source.raw().to_owned()) }
}

/// `ssm` of `ssm.amazonaws.com`.
fn find_service_name(host: &str) -> Option<&str> {
    let name = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let has_host_characters =
        name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
    if has_host_characters && !name.is_empty() { Some(name) } else { None }
}

/// `arn:aws:iam::111122223333:role/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka`.
fn is_service_linked_role(arn: &str) -> bool {
    Arn::parse_for_service("iam", arn).is_some_and(|arn| arn.resource.starts_with("role/aws-service-role/"))
}
