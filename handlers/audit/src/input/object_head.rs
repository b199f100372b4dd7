//! The members of an object that show what it is: enough to tell an event, a bare record and a message apart.

use responder_core::time::Timestamp;
use serde_json::Value;

use eventbridge_pattern::json::{JsonError, JsonReader, JsonToken};

/// The members of an object that show what it is. Only strings at the top level count; the reader steps over what is
/// nested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ObjectHead {
    /// The members of EventBridge's envelope that it has.
    pub(super) envelope: EnvelopeMembers,
    /// Whether it has an `eventName` or an `eventVersion`, as CloudTrail records do.
    pub(super) has_event_name: bool,
    /// A string that may hold events as text: `CloudTrailEvent` of `LookupEvents`, `body` of SQS or `Message` of SNS.
    pub(super) message_text: Option<String>,
    /// `eventType` of a CloudTrail record.
    pub(super) event_type: String,
    /// `eventCategory` of a CloudTrail record.
    pub(super) event_category: String,
    /// `eventSource` of a CloudTrail record, such as `secretsmanager.amazonaws.com`.
    pub(super) event_source: String,
    /// `eventID` of a CloudTrail record.
    pub(super) event_id: String,
    /// `eventTime` of a CloudTrail record.
    pub(super) event_time: String,
    /// `time` of the envelope.
    pub(super) envelope_time: String,
    /// `awsRegion` of a CloudTrail record.
    pub(super) region: String,
    /// `recipientAccountId` as it is spelled, with its quotes: some tools write a number.
    pub(super) account: Option<String>,
}

/// The members of EventBridge's envelope that an object has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EnvelopeMembers {
    pub(super) detail_type: bool,
    pub(super) source: bool,
    pub(super) detail: bool,
}

impl ObjectHead {
    /// Reads the top level of an object. A text that is another JSON value has an empty head.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub(super) fn parse(text: &str) -> Result<Self, JsonError> {
        let mut head = Self::default();
        let mut reader = JsonReader::new(text);
        if reader.next_token()? != JsonToken::StartObject {
            return Ok(head);
        }
        while reader.next_token()? == JsonToken::FieldName {
            let name = reader.field_name().decode_lossy('\u{fffd}');
            let token = reader.next_token()?;
            let string = if token == JsonToken::String {
                Some(reader.string_text()?.decode_lossy('\u{fffd}'))
            } else {
                None
            };
            if name == "recipientAccountId" && matches!(token, JsonToken::String | JsonToken::Number) {
                head.account = Some(reader.spelling().to_owned());
            } else {
                head.take_member(&name, string);
            }
            reader.skip_value(token)?;
        }
        Ok(head)
    }

    /// Whether the event or record with this head and text has a time that can be read, in one of two places:
    ///
    /// 1. at its top;
    /// 2. in the record that an event holds.
    pub(super) fn has_time(&self, text: &str) -> bool {
        // 1. At its top.
        for time in [&self.event_time, &self.envelope_time] {
            if time.parse::<Timestamp>().is_ok() {
                return true;
            }
        }
        // 2. In its record.
        let event: Value = serde_json::from_str(text).unwrap_or_default();
        let time = event.pointer("/detail/eventTime").and_then(Value::as_str);
        time.is_some_and(|time| time.parse::<Timestamp>().is_ok())
    }

    fn take_member(&mut self, name: &str, string: Option<String>) {
        match (name, string) {
            ("detail-type", _) => self.envelope.detail_type = true,
            ("source", _) => self.envelope.source = true,
            ("detail", _) => self.envelope.detail = true,
            ("eventName" | "eventVersion", _) => self.has_event_name = true,
            ("CloudTrailEvent" | "body" | "Body" | "Message", Some(text)) => self.message_text = Some(text),
            ("eventType", Some(text)) => self.event_type = text,
            ("eventCategory", Some(text)) => self.event_category = text,
            ("time", Some(text)) => self.envelope_time = text,
            ("eventSource", Some(text)) => self.event_source = text,
            ("eventID", Some(text)) => self.event_id = text,
            ("eventTime", Some(text)) => self.event_time = text,
            ("awsRegion", Some(text)) => self.region = text,
            _ => {}
        }
    }
}
