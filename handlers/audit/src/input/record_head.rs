//! What an object says at its top level: enough to tell an event, a bare record and something else apart.

use eventbridge_pattern::json::{JsonError, JsonReader, JsonToken};

/// The members of an object that tell what it is. Strings only; what nests is read over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordHead {
    /// Whether it is an EventBridge event: it has a detail type, or a source and a detail.
    pub(super) is_event: bool,
    /// Whether it is a bare CloudTrail record.
    pub(super) is_record: bool,
    /// Events as text in a string: of `LookupEvents`, or of a message of SQS or SNS.
    pub(super) inner: Option<String>,
    pub(super) event_type: String,
    pub(super) event_source: String,
    pub(super) event_id: String,
    pub(super) event_time: String,
    pub(super) region: String,
    /// As it is spelled, with its quotes: some tools write a number.
    pub(super) account: Option<String>,
}

impl RecordHead {
    /// Reads over the whole object.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub(super) fn read(text: &str) -> Result<Self, JsonError> {
        let mut head = Self::default();
        let mut reader = JsonReader::new(text);
        let (mut source, mut detail) = (false, false);
        if reader.next_token()? != JsonToken::StartObject {
            return Ok(head);
        }
        while reader.next_token()? == JsonToken::FieldName {
            let name = reader.field_name().decode_lossy('\u{fffd}');
            let token = reader.next_token()?;
            let value = if token == JsonToken::String {
                Some(reader.string_text()?.decode_lossy('\u{fffd}'))
            } else {
                None
            };
            match (name.as_str(), value) {
                ("detail-type", _) => head.is_event = true,
                ("source", _) => source = true,
                ("detail", _) => detail = true,
                ("eventName" | "eventVersion", _) => head.is_record = true,
                ("CloudTrailEvent" | "body" | "Body" | "Message", Some(value)) => head.inner = Some(value),
                ("eventType", Some(value)) => head.event_type = value,
                ("eventSource", Some(value)) => head.event_source = value,
                ("eventID", Some(value)) => head.event_id = value,
                ("eventTime", Some(value)) => head.event_time = value,
                ("awsRegion", Some(value)) => head.region = value,
                ("recipientAccountId", _) if matches!(token, JsonToken::String | JsonToken::Number) => {
                    head.account = Some(reader.spelling().to_owned());
                }
                _ => {}
            }
            reader.skip_value(token)?;
        }
        head.is_event |= source && detail;
        Ok(head)
    }
}
