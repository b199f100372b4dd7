//! Advice after a failed rotation: whether the password that applications use still works.

use crate::detail_kind::DetailKind;
use crate::incident::Incident;
use crate::text::Untrusted;

/// The consequences of a failed rotation for AWSCURRENT, and what to do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PasswordAdvice {
    /// Whether AWSCURRENT still works.
    pub(super) answer: &'static str,
    /// Why, and until when.
    pub(super) reason: &'static str,
    /// The things to do, and not to do.
    pub(super) action: &'static str,
}

/// Finds the advice for the failure that an incident is about; `None` for incidents about anything else.
///
/// A rotation function is called for four steps ("Rotation by Lambda function", Secrets Manager's guide): `createSecret` makes the version
/// AWSPENDING, `setSecret` puts its password into the database, `testSecret` logs in with it, and `finishSecret` makes it AWSCURRENT. With a
/// single user the old password ends at `setSecret`; with alternating users AWSCURRENT is another user's, and works throughout. A test
/// rotation calls `testSecret` alone (`RotateImmediately` of `API_RotateSecret`).
pub(super) fn find_password_advice(incident: &Incident) -> Option<PasswordAdvice> {
    let step = incident.detail(DetailKind::FailedStep).map(Untrusted::raw);
    let message = incident.detail(DetailKind::ErrorMessage).map_or("", Untrusted::raw);
    match (incident.detail(DetailKind::Event)?.raw(), step) {
        ("TestRotationFailed", _) => Some(TEST_ROTATION_FAILED),
        ("RotationAbandoned", _) => Some(ROTATION_ABANDONED),
        ("RotationFailed", Some("createSecret")) => Some(CREATE_STEP_FAILED),
        ("RotationFailed", Some("setSecret")) => Some(SET_STEP_FAILED),
        ("RotationFailed", Some("testSecret")) => Some(TEST_STEP_FAILED),
        ("RotationFailed", Some("finishSecret")) => Some(FINISH_STEP_FAILED),
        ("RotationFailed", None) if message.contains(REMOVE_PENDING_TEXT) => Some(PENDING_OF_ANOTHER),
        ("RotationFailed", _) if incident.detail(DetailKind::RotationFunction).is_none() => {
            Some(MANAGED_ROTATION_FAILED)
        }
        ("RotationFailed", _) => Some(UNKNOWN_STEP_FAILED),
        _ => None,
    }
}

/// In the message about a pending version that the rotation function did not create: cross-account rotation without
/// `RotationToken` ("AWS Lambda secret rotation with `PutSecretValue` failed", Secrets Manager's troubleshooting page).
const REMOVE_PENDING_TEXT: &str = "Remove the AWSPENDING staging label";

const PENDING_OF_ANOTHER: PasswordAdvice = PasswordAdvice {
    answer: "yes. The first step refused to go on, before the database was touched.",
    reason: "A pending version is in the way that the function did not create: a function that calls PutSecretValue from another account has to pass the RotationToken.",
    action: "Do what the message says: remove AWSPENDING from that version, and rotate again. If it comes back, repair the function first.",
};

const MANAGED_ROTATION_FAILED: PasswordAdvice = PasswordAdvice {
    answer: "most likely. AWSCURRENT was not moved.",
    reason: "The event names no step and no function, as of a rotation that AWS or a partner does: of a database of RDS, or of an account at Salesforce, Snowflake and others. The message is all that is told.",
    action: "Try AWSCURRENT where it is used. Do not remove AWSPENDING before you know whether its value is set.",
};

const CREATE_STEP_FAILED: PasswordAdvice = PasswordAdvice {
    answer: "yes. Nothing has changed.",
    reason: "The first step failed, before the database was touched. Applications go on with the password that they have.",
    action: "There is time: repair the function before the password has to change.",
};

const SET_STEP_FAILED: PasswordAdvice = PasswordAdvice {
    answer: "perhaps not. AWSCURRENT is still the old password, and the database may already have the new one.",
    reason: "With a single user, new logins then fail until the rotation is finished. With alternating users AWSCURRENT still works.",
    action: "Keep the version AWSPENDING: it may be the only copy of the new password. Try AWSCURRENT first, then AWSPENDING.",
};

const TEST_STEP_FAILED: PasswordAdvice = PasswordAdvice {
    answer: "perhaps not. AWSCURRENT is still the old password, and the database has most likely the new one.",
    reason: "The new password was set, and then did not pass its test. With a single user, new logins fail if the database took it. With alternating users AWSCURRENT still works.",
    action: "Keep the version AWSPENDING: it may be the only copy of the new password. Try AWSCURRENT first, then AWSPENDING.",
};

const FINISH_STEP_FAILED: PasswordAdvice = PasswordAdvice {
    answer: "not for a single user. The new password is set and works, and AWSCURRENT is still the old one.",
    reason: "The new version is AWSPENDING and passed its test; only the label was not moved. With alternating users AWSCURRENT still works.",
    action: "What is missing is the label. The next try moves it; by hand, move AWSCURRENT to the version that is AWSPENDING.",
};

const UNKNOWN_STEP_FAILED: PasswordAdvice = PasswordAdvice {
    answer: "not known. The event names no step.",
    reason: "AWSCURRENT was not moved: that is the last step. The database may already have the new password.",
    action: "Keep the version AWSPENDING: it may be the only copy of the new password. Try AWSCURRENT first, then AWSPENDING.",
};

const ROTATION_ABANDONED: PasswordAdvice = PasswordAdvice {
    answer: "not known. Somebody wrote another version while the rotation was under way.",
    reason: "Secrets Manager gave the rotation up and took AWSPENDING off. If its password was already set in the database, the version that works has no label now.",
    action: "Try AWSCURRENT. If it fails, look for the version without a label before Secrets Manager removes it.",
};

const TEST_ROTATION_FAILED: PasswordAdvice = PasswordAdvice {
    answer: "yes. It was only a test, and nothing has changed.",
    reason: "Secrets Manager tries a rotation out when it is configured without rotating at once. The first real one will fail, too.",
    action: "Repair the function before the first rotation is due.",
};
