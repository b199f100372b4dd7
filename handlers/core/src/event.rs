//! Events: what arrived, tolerantly typed. Unknown and missing fields never lose an event.

mod secrets;

use eventbridge_pattern::{EventFormatError, json};
use serde_json::Value;

use crate::aws::principal::Principal;
use crate::aws::secret_ref::SecretRef;
use crate::hash;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// One event, in the envelope that EventBridge gives it.
#[derive(Clone, Debug)]
pub struct Event {
    root: Value,
    /// What makes it the same event as another copy: `sharedEventID`, else `eventID`, else (for native events) what
    /// it says, else the envelope's `id`. See [`Event::key`].
    key: String,
    /// When it happened: `detail.eventTime`, else the envelope's `time`; the epoch if it says neither.
    pub time: Timestamp,
    /// Whether it says when.
    pub time_known: bool,
    /// The account it concerns.
    pub account: String,
    /// The Region of the endpoint that was called.
    pub region: String,
    /// Who called.
    pub principal: Principal,
    /// Which secrets it concerns, as they were spelled.
    pub secrets: Vec<SecretRef>,
    /// Whether `secrets` is all of them: a batch read by filter, or a denial that names no resource, hides them.
    pub secrets_known: bool,
}

impl Event {
    /// Reads one EventBridge event.
    ///
    /// # Errors
    /// When the text is not JSON as EventBridge reads it, or not an object.
    pub fn parse(text: &str) -> Result<Self, EventError> {
        let root = json::parse_value(text).map_err(|error| EventError::unread(&error))?;
        if !root.is_object() {
            return Err(EventError::NotAnObject);
        }
        let detail = root.get("detail").unwrap_or(&Value::Null);
        let account = digits(detail.get("recipientAccountId"))
            .or_else(|| digits(root.get("account")))
            .or_else(|| digits(detail.pointer("/userIdentity/accountId")))
            .unwrap_or_default();
        let region =
            string(detail.get("awsRegion")).or_else(|| string(root.get("region"))).unwrap_or_default();
        let time = [detail.get("eventTime"), root.get("time")]
            .into_iter()
            .find_map(|at| at.and_then(Value::as_str)?.parse().ok());
        let principal = Principal::from_identity(detail.get("userIdentity").unwrap_or(&Value::Null));
        let (secrets, secrets_known) = secrets::find_secrets(&root, &account, &region);
        Ok(Self {
            key: key_of(&root),
            time: time.unwrap_or_default(),
            time_known: time.is_some(),
            account,
            region,
            principal,
            secrets,
            secrets_known,
            root,
        })
    }

    /// Equal for copies of one event: deliveries twice, files that overlap, the caller's and the owner's record of a
    /// cross-account call. Safe to print: a hash.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The id by which a person finds it: `eventID` of the `CloudTrail` record, else the envelope's `id`.
    pub fn id(&self) -> Untrusted {
        let id = self.text("/detail/eventID").or_else(|| self.text("/id"));
        id.unwrap_or_else(|| Untrusted::new(self.key.clone()))
    }

    /// The API or service event's name; for other events the detail type.
    pub fn name(&self) -> Untrusted {
        self.text("/detail/eventName").or_else(|| self.text("/detail-type")).unwrap_or_default()
    }

    /// The string at a JSON pointer; `None` if it is absent, empty or not a string.
    pub fn text(&self, pointer: &str) -> Option<Untrusted> {
        string(self.root.pointer(pointer)).map(Untrusted::new)
    }

    /// Whether the call was refused or failed.
    pub fn is_error(&self) -> bool {
        self.root.pointer("/detail/errorCode").is_some_and(|code| !code.is_null())
    }

    /// The value at a JSON pointer.
    pub fn value(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer)
    }

    /// The whole event as JSON with another value of this name at its top: in place of its own, however that is spelled
    /// (`{"a.b": 1}` is the path `a.b` to a pattern, too).
    pub(crate) fn with(&self, name: &str, value: Value) -> String {
        let mut root = self.root.clone();
        if let Value::Object(fields) = &mut root {
            fields.retain(|field, _| field.split('.').next() != Some(name));
            fields.insert(name.to_owned(), value);
        }
        root.to_string()
    }

    /// How much the record tells, to choose between copies of one event: the caller's copy of a cross-account call
    /// names the identity, the owner's only the account.
    pub fn richness(&self) -> usize {
        usize::from(self.text("/detail/userIdentity/arn").is_some()) + usize::from(!self.secrets.is_empty())
    }

    /// The whole event as compact JSON with sorted keys: breaks ties between copies that differ.
    pub(crate) fn canonical(&self) -> String {
        self.root.to_string()
    }
}

fn key_of(root: &Value) -> String {
    let at = |pointer: &str| string(root.pointer(pointer));
    if let Some(shared) = at("/detail/sharedEventID") {
        return hash::id(&["event", &shared]);
    }
    // A record that CloudTrail delivers again with corrections names the first one.
    if let Some(id) = at("/detail/addendum/originalEventID").or_else(|| at("/detail/eventID")) {
        return hash::id(&["event", &id]);
    }
    let native = (at("/resources/0"), at("/detail/versionId"), at("/detail/labelUpdated"));
    if let (Some(arn), Some(version), Some(label)) = native {
        // The label may come back to a version later (a rollback): the time tells those apart.
        return hash::id(&["label", &arn, &version, &label, &at("/time").unwrap_or_default()]);
    }
    match at("/id") {
        Some(id) => hash::id(&["id", &id]),
        None => hash::id(&["text", &root.to_string()]),
    }
}

fn string(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An account id; tools that take it for a number lose its leading zeros.
fn digits(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => number.as_u64().map(|id| format!("{id:012}")),
        _ => None,
    }
}

impl EventError {
    /// From what the pattern engine says.
    pub(crate) fn unmatched(error: &EventFormatError) -> Self {
        match error {
            EventFormatError::NotAnObject => Self::NotAnObject,
            EventFormatError::NotJson(error) => Self::unread(error),
        }
    }

    fn unread(error: &json::JsonError) -> Self {
        Self::NotJson { offset: error.offset(), kind: error.kind() }
    }
}

/// Why a text is no event. Holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not JSON.
    #[error("not JSON: {kind} at byte {offset}")]
    NotJson {
        /// Where, in bytes from the start of the text.
        offset: usize,
        /// What is wrong, in words that hold nothing of the text.
        kind: &'static str,
    },
    /// JSON, but not an object.
    #[error("an event must be a JSON object")]
    NotAnObject,
    /// An object that EventBridge cannot have sent.
    #[error("an event must have a source and a detail type")]
    NoEnvelope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_types_lose_nothing() {
        let event = Event::parse(
            r#"{"account":12345678901,"time":5,"region":[],"detail":{"userIdentity":"x","requestParameters":7,"eventID":null,
                "readOnly":"true","errorCode":null,"eventTime":{"a":1},"resources":{"b":2}},"resources":"r"}"#,
        )
        .unwrap();
        assert_eq!((event.account.as_str(), event.region.as_str()), ("012345678901", ""));
        assert!(event.secrets.is_empty() && !event.is_error());
        for bare in ["{}", r#"{"detail":[]}"#, r#"{"detail":{"userIdentity":{"type":null}}}"#] {
            assert!(Event::parse(bare).is_ok(), "{bare}");
        }
    }

    #[test]
    fn copies_have_one_key_and_other_events_another() {
        let key = |text: &str| Event::parse(text).unwrap().key().to_owned();
        let shared = key(r#"{"id":"1","detail":{"eventID":"a","sharedEventID":"s"}}"#);
        assert_eq!(shared, key(r#"{"id":"2","detail":{"eventID":"b","sharedEventID":"s"}}"#));
        assert_eq!(
            key(r#"{"id":"1","detail":{"eventID":"a"}}"#),
            key(r#"{"id":"9","detail":{"eventID":"a"}}"#)
        );
        assert_ne!(key(r#"{"detail":{"eventID":"a"}}"#), key(r#"{"detail":{"eventID":"b"}}"#));
        assert_ne!(key("{}"), key(r#"{"a":1}"#));
    }

    #[test]
    fn an_error_says_where_but_not_what() {
        let error = Event::parse(r#"{"secret": hunter2}"#).unwrap_err();
        assert!(matches!(error, EventError::NotJson { .. }));
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
