//! After a failed rotation: does the password that applications use still work?

use crate::incident::Incident;
use crate::text::Untrusted;

/// What a failure means for AWSCURRENT, and what to do about that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PasswordAdvice {
    /// The answer, first.
    pub(super) safe: &'static str,
    /// Why, and until when.
    pub(super) why: &'static str,
    /// What to do, and what not to do.
    pub(super) then: &'static str,
}

/// What the failure that an incident is about means; `None` of incidents about anything else.
///
/// A rotation function is called for four steps ("Rotation by Lambda function", Secrets Manager's guide): `createSecret` makes the version
/// AWSPENDING, `setSecret` puts its password into the database, `testSecret` logs in with it, and `finishSecret` makes it AWSCURRENT. With a
/// single user the old password ends at `setSecret`; with alternating users AWSCURRENT is another user's, and works throughout. A test
/// rotation calls `testSecret` alone (`RotateImmediately` of `API_RotateSecret`).
pub(super) fn after(incident: &Incident) -> Option<PasswordAdvice> {
    let step = incident.detail("failed step").map(Untrusted::raw);
    match (incident.detail("event")?.raw(), step) {
        ("TestRotationFailed", _) => Some(TEST),
        ("RotationAbandoned", _) => Some(ABANDONED),
        ("RotationFailed", Some("createSecret")) => Some(CREATE),
        ("RotationFailed", Some("setSecret")) => Some(SET),
        ("RotationFailed", Some("testSecret")) => Some(CHECK),
        ("RotationFailed", Some("finishSecret")) => Some(FINISH),
        ("RotationFailed", _) => Some(UNKNOWN),
        _ => None,
    }
}

const CREATE: PasswordAdvice = PasswordAdvice {
    safe: "yes. Nothing has changed.",
    why: "The first step failed, before the database was touched. Applications go on with the password that they have.",
    then: "There is time: repair the function before the password has to change.",
};

const SET: PasswordAdvice = PasswordAdvice {
    safe: "perhaps not. AWSCURRENT is still the old password, and the database may already have the new one.",
    why: "With a single user, new logins then fail until the rotation is finished. With alternating users AWSCURRENT still works.",
    then: "Keep the version AWSPENDING: it may be the only copy of the new password. Try AWSCURRENT first, then AWSPENDING.",
};

const CHECK: PasswordAdvice = PasswordAdvice {
    safe: "perhaps not. AWSCURRENT is still the old password, and the database has most likely the new one.",
    why: "The new password was set, and then did not pass its test. With a single user, new logins fail if the database took it. With alternating users AWSCURRENT still works.",
    then: "Keep the version AWSPENDING: it may be the only copy of the new password. Try AWSCURRENT first, then AWSPENDING.",
};

const FINISH: PasswordAdvice = PasswordAdvice {
    safe: "not for a single user. The new password is set and works, and AWSCURRENT is still the old one.",
    why: "The new version is AWSPENDING and passed its test; only the label was not moved. With alternating users AWSCURRENT still works.",
    then: "What is missing is the label. The next try moves it; by hand, move AWSCURRENT to the version that is AWSPENDING.",
};

const UNKNOWN: PasswordAdvice = PasswordAdvice {
    safe: "not known. The event names no step.",
    why: "AWSCURRENT was not moved: that is the last step. The database may already have the new password. Managed rotations have no function and no log of it.",
    then: "Keep the version AWSPENDING: it may be the only copy of the new password. Try AWSCURRENT first, then AWSPENDING.",
};

const ABANDONED: PasswordAdvice = PasswordAdvice {
    safe: "not known. Somebody wrote another version while the rotation was under way.",
    why: "Secrets Manager gave the rotation up and took AWSPENDING off. If its password was already set in the database, the version that works has no label now.",
    then: "Try AWSCURRENT. If it fails, look for the version without a label before Secrets Manager removes it.",
};

const TEST: PasswordAdvice = PasswordAdvice {
    safe: "yes. It was only a test, and nothing has changed.",
    why: "Secrets Manager tries a rotation out when it is configured without rotating at once. The first real one will fail, too.",
    then: "Repair the function before the first rotation is due.",
};
