//! Moves of AWSCURRENT to another version: the evidence for changes of a secret.

use serde_json::Value;

use responder_core::aws::secret_ref::SecretRef;
use responder_core::event::Event;
use responder_core::time::Timestamp;

/// Version ids have at most this many characters (`API_DescribeSecret`): a longer text is none.
const VERSION_ID_LENGTH_MAX: usize = 64;

const CURRENT_LABEL: &str = "AWSCURRENT";

/// An event that shows that AWSCURRENT is on another version. The derived order is by time first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LabelMove {
    pub(crate) at: Timestamp,
    pub(crate) secret: SecretRef,
    pub(crate) version: Option<String>,
    /// Whether the event only reports a move that came before it, as `RotationSucceeded` does.
    pub(crate) is_report: bool,
}

impl LabelMove {
    /// Reads an event of Secrets Manager. Returns `None` if it moves no AWSCURRENT. These do:
    ///
    /// 1. `RotationSucceeded`, which reports a move and names no version;
    /// 2. the native event `Secret Label Updated` with AWSCURRENT;
    /// 3. `PutSecretValue` without stages, or with AWSCURRENT among them (`API_PutSecretValue`; a rotation begins with
    ///    AWSPENDING);
    /// 4. `UpdateSecret` with a new value (`API_UpdateSecret`; a change of the description brings no version);
    /// 5. `UpdateSecretVersionStage` that moves AWSCURRENT to a version.
    pub(super) fn from_event(event: &Event) -> Option<Self> {
        let answered_version = read_text(event, "/detail/responseElements/versionId");
        match event.event_name().raw() {
            // 1. The report of a rotation.
            "RotationSucceeded" => Self::of_first_secret(event, None, true),
            // 2. The native event, which has no name of its own.
            "Secret Label Updated" if names_current_label(event, "/detail/labelUpdated") => {
                Self::of_first_secret(event, read_text(event, "/detail/versionId"), false)
            }
            // 3. A new version that becomes AWSCURRENT.
            "PutSecretValue" if puts_current_value(event) => {
                let requested = read_text(event, "/detail/requestParameters/clientRequestToken");
                Self::of_first_secret(event, answered_version.or(requested), false)
            }
            // 4. A new value.
            "UpdateSecret" if answered_version.is_some() || has_new_value(event) => {
                Self::of_first_secret(event, answered_version, false)
            }
            // 5. A move by hand.
            "UpdateSecretVersionStage"
                if names_current_label(event, "/detail/requestParameters/versionStage") =>
            {
                let version = read_text(event, "/detail/requestParameters/moveToVersionId")?;
                Self::of_first_secret(event, Some(version), false)
            }
            _ => None,
        }
    }

    fn of_first_secret(event: &Event, version: Option<String>, is_report: bool) -> Option<Self> {
        Some(Self {
            at: event.time,
            secret: event.secrets.first()?.clone(),
            version: version.filter(|version| version.len() <= VERSION_ID_LENGTH_MAX),
            is_report,
        })
    }
}

fn read_text(event: &Event, pointer: &str) -> Option<String> {
    event.find_text(pointer).map(|text| text.raw().to_owned())
}

fn names_current_label(event: &Event, pointer: &str) -> bool {
    event.find_value(pointer).and_then(Value::as_str) == Some(CURRENT_LABEL)
}

/// Whether the version that `PutSecretValue` creates becomes AWSCURRENT.
fn puts_current_value(event: &Event) -> bool {
    match event.find_value("/detail/requestParameters/versionStages") {
        Some(Value::Array(stages)) => stages.contains(&Value::from(CURRENT_LABEL)),
        _ => true,
    }
}

/// Whether `UpdateSecret` brings a new value. The record holds a placeholder in its place.
fn has_new_value(event: &Event) -> bool {
    ["secretString", "secretBinary"].iter().any(|member| {
        let value = event.find_value(&format!("/detail/requestParameters/{member}"));
        value.is_some_and(|value| !value.is_null())
    })
}
