//! Confirmation: whether Secrets Manager says what the event of a change says, and since when.

use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
use crate::event::Event;
use crate::facts::Facts;
use crate::state::deployment::{KnownChange, SecretChange};
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// How much earlier than its event a change may have been written: an event gives whole seconds, and that of a rotation
/// comes after its last step.
const EVENT_DELAY_MAX: Span = Span::from_secs(60);

const VERSION_ID_MAX_BYTES: usize = 64;

/// What Secrets Manager says about the change that an event reports.
pub(super) enum ChangeConfirmation {
    /// The change, as Secrets Manager confirms it.
    Confirmed(SecretChange),
    /// The change as the event reports it: Secrets Manager says nothing.
    Unconfirmed(SecretChange),
    /// The new version is not AWSCURRENT yet, with the reason for this conclusion.
    NotYet(String),
}

/// Compares the secret's AWSCURRENT with the version that the event reports. Secrets Manager is the source of the time,
/// except that a change keeps the time under which it became known: its `LastChangedDate` also moves with its tags.
///
/// The checks run in this order:
///
/// 1. Secrets Manager says nothing of the secret: unconfirmed, or not yet where it is a replica;
/// 2. the change is known already: confirmed, with the known time;
/// 3. the version of the event is AWSCURRENT, and the secret was modified when the event says: confirmed;
/// 4. the secret is a replica that does not have the version: not yet;
/// 5. another version became AWSCURRENT after the one of the event: confirmed, as the change to that version;
/// 6. the event names a version: not yet;
/// 7. the event names none: unconfirmed.
pub(super) fn confirm_change(
    event: &Event,
    facts: &Facts,
    secret: &SecretRef,
    is_replica: bool,
) -> ChangeConfirmation {
    let version = find_event_version(event);
    let reported = SecretChange { secret: secret.clone(), at: event.time, version: version.clone() };
    let metadata = facts.secrets.get(&secret.key()).filter(|metadata| metadata.is_readable());
    let current = metadata.and_then(SecretMetadata::current_version);
    let (Some(metadata), Some(current)) = (metadata, current) else {
        // 1. The event is about the secret that it names: of a replica only Secrets Manager knows.
        return if is_replica {
            not_replicated_yet(secret)
        } else {
            ChangeConfirmation::Unconfirmed(reported)
        };
    };
    let named = NamedVersion { version: version.as_deref(), event_time: event.time };
    if let Some(known) = facts.changes.get(&secret.key())
        && known.version.as_deref() == Some(current)
        && !named.is_current_again(known, metadata, current)
    {
        // 2. An older event of a version that was AWSCURRENT before, or another event about this change.
        return ChangeConfirmation::Confirmed(SecretChange {
            secret: secret.clone(),
            at: known.at,
            version: known.version.clone(),
        });
    }
    let confirmed = ChangeConfirmation::Confirmed(SecretChange {
        secret: secret.clone(),
        at: metadata.modified_at.map_or(event.time, |at| at.max(event.time)),
        version: Some(current.to_owned()),
    });
    if named.is_confirmed_by(metadata, current) {
        // 3. The version of the event is AWSCURRENT.
        confirmed
    } else if is_replica {
        // 4. The replica does not have the version.
        not_replicated_yet(secret)
    } else if named.is_superseded(metadata, facts.settings.freshness_margin()) {
        // 5. Another version became AWSCURRENT after it.
        confirmed
    } else if version.is_some() {
        // 6. The event names a version.
        let why = "Secrets Manager does not say yet that the new version is AWSCURRENT";
        ChangeConfirmation::NotYet(why.to_owned())
    } else {
        // 7. The event names none.
        ChangeConfirmation::Unconfirmed(reported)
    }
}

fn not_replicated_yet(secret: &SecretRef) -> ChangeConfirmation {
    let region = Untrusted::new(&*secret.region).show(32);
    ChangeConfirmation::NotYet(format!("the new version has not reached {region} yet"))
}

/// The version that an event reports to be AWSCURRENT.
struct NamedVersion<'e> {
    /// Absent in events that name no version, such as `RotationSucceeded`.
    version: Option<&'e str>,
    event_time: Timestamp,
}

impl NamedVersion<'_> {
    /// Whether a version that was AWSCURRENT before has become so again: its event is newer than what is known of it.
    fn is_current_again(&self, known: &KnownChange, metadata: &SecretMetadata, current: &str) -> bool {
        let later = known.at.plus(EVENT_DELAY_MAX);
        self.version == Some(current)
            && self.event_time > later
            && metadata.modified_at.is_none_or(|at| at > later)
    }

    /// Whether the version is AWSCURRENT, and the secret was modified when the event says.
    fn is_confirmed_by(&self, metadata: &SecretMetadata, current: &str) -> bool {
        let earliest = self.event_time.minus(EVENT_DELAY_MAX);
        self.version.is_none_or(|version| version == current)
            && metadata.modified_at.is_none_or(|at| at >= earliest)
    }

    /// Whether another version became AWSCURRENT after this one: the secret was modified after the event, and the version
    /// does not wait for its turn as AWSPENDING.
    fn is_superseded(&self, metadata: &SecretMetadata, margin: Span) -> bool {
        let labels = self.version.and_then(|version| metadata.versions.get(version));
        let is_pending = labels.is_some_and(|labels| labels.contains("AWSPENDING"));
        !is_pending && metadata.modified_at.is_some_and(|at| at > self.event_time.plus(margin))
    }
}

/// The id of the version that an event names. Ids are at most 64 characters long (`API_DescribeSecret`): a longer text is
/// none.
pub(super) fn find_event_version(event: &Event) -> Option<String> {
    let version = event.find_text("/detail/versionId")?.raw().to_owned();
    if version.len() > VERSION_ID_MAX_BYTES {
        return None;
    }
    Some(version)
}
