//! The limits of a notification.

/// How many secrets a body names.
pub(crate) const SECRETS_MAX: usize = 20;

/// How many details a body holds.
pub(crate) const DETAILS_MAX: usize = 40;

/// The longest value from outside in a page, in characters: a phone shows less than SNS takes.
pub(super) const VALUE_MAX_CHARS: usize = 300;

/// The longest body in bytes. A message holds it twice, and four times an alert of half as much; JSON writes a byte of
/// either as two at most: together below the 256 KiB that SNS takes.
pub(super) const BODY_MAX_BYTES: usize = 32 * 1024;

/// The longest alert in bytes: half of a body.
pub(super) const ALERT_MAX_BYTES: usize = BODY_MAX_BYTES / 2;
