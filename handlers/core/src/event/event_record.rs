//! One event, in the envelope that EventBridge gives it.

use eventbridge_pattern::json::parse_value;
use serde_json::Value;

use super::copy_key::find_copy_key;
use super::event_error::EventError;
use super::find_secrets::find_secrets;
use crate::aws::principal::Principal;
use crate::aws::secret_ref::SecretRef;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// One event, in the envelope that EventBridge gives it.
#[derive(Clone, Debug)]
pub struct Event {
    root: Value,
    key: String,
    /// When it happened: `detail.eventTime`, else the envelope's `time`; the epoch if it has neither.
    pub time: Timestamp,
    /// Whether it has a time.
    pub time_known: bool,
    /// The account it concerns.
    pub account: String,
    /// The Region of the endpoint that was called.
    pub region: String,
    /// The caller.
    pub principal: Principal,
    /// The secrets it concerns, as they were spelled.
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
        let root = parse_value(text).map_err(|error| EventError::from(&error))?;
        if !root.is_object() {
            return Err(EventError::NotAnObject);
        }
        let detail = root.get("detail").unwrap_or(&Value::Null);
        let account = find_account(&root, detail).unwrap_or_default();
        let region = find_region(&root, detail).unwrap_or_default();
        let time = find_time(&root, detail);
        let found = find_secrets(&root, &account, &region);
        Ok(Self {
            key: find_copy_key(&root),
            time: time.unwrap_or_default(),
            time_known: time.is_some(),
            account,
            region,
            principal: Principal::from_identity(detail.get("userIdentity").unwrap_or(&Value::Null)),
            secrets: found.secrets,
            secrets_known: found.are_all_known,
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
        let id = self.find_text("/detail/eventID").or_else(|| self.find_text("/id"));
        id.unwrap_or_else(|| Untrusted::new(self.key.clone()))
    }

    /// The name of the API call or service event; for other events the detail type.
    pub fn event_name(&self) -> Untrusted {
        let name = self.find_text("/detail/eventName");
        name.or_else(|| self.find_text("/detail-type")).unwrap_or_default()
    }

    /// The account of the secret, else the account that the event concerns.
    pub fn owner_account(&self) -> &str {
        match self.secrets.first() {
            Some(secret) => &secret.account,
            None => &self.account,
        }
    }

    /// The string at a JSON pointer; `None` if it is absent, empty or not a string.
    pub fn find_text(&self, pointer: &str) -> Option<Untrusted> {
        non_empty_text(self.root.pointer(pointer)).map(Untrusted::new)
    }

    /// The value at a JSON pointer.
    pub fn find_value(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer)
    }

    /// Whether the call was refused or failed.
    pub fn is_error(&self) -> bool {
        self.root.pointer("/detail/errorCode").is_some_and(|code| !code.is_null() && code != "")
    }

    /// The whole event as JSON with a field of this name at its top. It replaces the event's own field, however that is
    /// spelled (to a pattern `{"a.b": 1}` is the path `a.b`, too).
    pub(crate) fn to_json_with_field(&self, name: &str, value: Value) -> String {
        let mut root = self.root.clone();
        if let Value::Object(fields) = &mut root {
            fields.retain(|field, _| field.split('.').next() != Some(name));
            fields.insert(name.to_owned(), value);
        }
        root.to_string()
    }

    /// How many of two facts the record holds, to choose between copies of one event: the caller's ARN, which the owner's
    /// copy of a cross-account call lacks, and a secret.
    pub fn count_known_parties(&self) -> usize {
        let names_caller = self.find_text("/detail/userIdentity/arn").is_some();
        usize::from(names_caller) + usize::from(!self.secrets.is_empty())
    }

    /// The whole event as compact JSON with sorted keys: breaks ties between copies that differ.
    pub(crate) fn to_canonical_json(&self) -> String {
        self.root.to_string()
    }
}

/// The account that the event concerns: the recipient of the record, else the envelope's, else the caller's.
fn find_account(root: &Value, detail: &Value) -> Option<String> {
    let candidates =
        [detail.get("recipientAccountId"), root.get("account"), detail.pointer("/userIdentity/accountId")];
    candidates.into_iter().find_map(parse_account_id)
}

/// An account id; tools that take it for a number lose its leading zeros.
fn parse_account_id(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => {
            let id = number.as_u64()?;
            Some(format!("{id:012}"))
        }
        _ => None,
    }
}

/// The Region of the endpoint that was called, else the Region in which the event was published.
fn find_region(root: &Value, detail: &Value) -> Option<String> {
    non_empty_text(detail.get("awsRegion")).or_else(|| non_empty_text(root.get("region")))
}

/// The time of the call, else the time in the envelope.
fn find_time(root: &Value, detail: &Value) -> Option<Timestamp> {
    for value in [detail.get("eventTime"), root.get("time")] {
        if let Some(text) = value.and_then(Value::as_str)
            && let Ok(time) = text.parse()
        {
            return Some(time);
        }
    }
    None
}

fn non_empty_text(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    if text.is_empty() { None } else { Some(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_strange_types_lose_no_event() {
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
    fn copies_have_one_key_and_other_events_have_others() {
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
    fn an_error_holds_the_offset_and_nothing_of_the_text() {
        let error = Event::parse(r#"{"secret": hunter2}"#).unwrap_err();
        assert!(matches!(error, EventError::NotJson { .. }));
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
