//! The limits of a notification.

use crate::detail_kind::DetailKind;

/// How many secrets a body names.
pub(crate) const SECRETS_MAX: usize = 20;

/// How many details a body holds.
pub(crate) const DETAILS_MAX: usize = 40;

/// The longest value from outside in a page, in characters: a phone shows less than SNS takes.
pub(super) const VALUE_MAX_CHARS: usize = 300;

/// The longest reason for which a service is not redeployed: the command for a managed daemon has three ARNs.
const SERVICE_REASON_MAX_CHARS: usize = 512;

/// The longest value of a detail, in characters.
pub(super) fn detail_max_chars(kind: DetailKind) -> usize {
    match kind {
        DetailKind::NotRedeployed => SERVICE_REASON_MAX_CHARS,
        _ => VALUE_MAX_CHARS,
    }
}

/// The longest body in bytes. A message holds it twice, and four times an alert of half as much; JSON writes a byte of
/// either as two at most: together below the 256 KiB that SNS takes.
pub(super) const BODY_MAX_BYTES: usize = 32 * 1024;

/// The longest alert in bytes: half of a body.
pub(super) const ALERT_MAX_BYTES: usize = BODY_MAX_BYTES / 2;
