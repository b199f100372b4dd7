//! The members of an object that show what it is: enough to tell an event, a bare record and a message apart.

use eventbridge_pattern::json::{JsonError, JsonReader, JsonToken};
use responder_core::time::Timestamp;

use super::member_names::{find_record_path, is_detail_type, is_event_name};
use super::opened_value::rank_text_member;
use super::record_repair::{holds_object, holds_text, is_absent_text};

/// The members of an object that show what it is. Only its top level counts, and the members of `detail` as far as they
/// show whether an export has reshaped the event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ObjectHead {
    /// The members of EventBridge's envelope that it has.
    pub(super) envelope: EnvelopeMembers,
    /// Whether it has an `eventName` or an `eventVersion`, as CloudTrail records do, in this or another spelling.
    pub(super) has_event_name: bool,
    /// Whether an export has reshaped it: names, objects as text, empty texts, numbers for times.
    pub(super) is_reshaped: bool,
    /// A string that may hold events as text, and its rank among such strings: the smallest is the surest.
    pub(super) message_text: Option<(usize, String)>,
    /// `eventType` of a CloudTrail record.
    pub(super) event_type: String,
    /// `eventName` of a CloudTrail record.
    pub(super) event_name: String,
    /// `eventSource` of a CloudTrail record, such as `secretsmanager.amazonaws.com`.
    pub(super) event_source: String,
    /// `eventID` of a CloudTrail record.
    pub(super) event_id: String,
    /// `eventTime` of a CloudTrail record, else `time` of the envelope.
    pub(super) event_time: String,
    /// `awsRegion` of a CloudTrail record, else `region` of the envelope.
    pub(super) region: String,
    /// `recipientAccountId` as it is spelled, with its quotes: some tools write a number. Else `account` of the envelope.
    pub(super) account: Option<String>,
    /// The names of the top level that a record needs to be decided about, as far as it has them.
    pub(super) parties: RecordParties,
    /// The mark of a file that lies beside events, or of another product's form.
    pub(super) mark: Option<ObjectMark>,
}

/// The members of EventBridge's envelope that an object has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EnvelopeMembers {
    pub(super) detail_type: bool,
    pub(super) source: bool,
    pub(super) detail: bool,
}

/// The members of a record that name the parties of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordParties {
    pub(super) caller: bool,
    pub(super) parameters: bool,
    pub(super) error: bool,
}

/// A member by which an object is known that holds no events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectMark {
    /// `digestStartTime`: a digest of trail files.
    Digest,
    /// `configurationItems`: a history or a snapshot of AWS Config.
    Config,
    /// `fileSchema`: a manifest of S3 Inventory.
    Inventory,
    /// `CONTROL_MESSAGE`: CloudWatch Logs tests whether a subscription can be reached.
    ControlMessage,
    /// `hashSignature`: the signature of a query's results.
    ResultSignature,
    /// `class_uid`: an event in OCSF.
    Ocsf,
    /// `_source`: a document of Elasticsearch.
    ElasticDocument,
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
            if name == "detail" && token == JsonToken::StartObject {
                head.envelope.detail = true;
                head.read_detail(&mut reader)?;
                continue;
            }
            let string = if token == JsonToken::String {
                Some(reader.string_text()?.decode_lossy('\u{fffd}'))
            } else {
                None
            };
            head.note_shape(&name, token, string.as_deref());
            head.note_party(&name, token);
            let is_account = match name.as_str() {
                "recipientAccountId" => matches!(token, JsonToken::String | JsonToken::Number),
                "account" => head.account.is_none() && token == JsonToken::String,
                _ => false,
            };
            if is_account {
                head.account = Some(reader.spelling().to_owned());
            } else {
                head.take_member(&name, string);
            }
            reader.skip_value(token)?;
        }
        Ok(head)
    }

    /// Steps over the members of `detail`, and looks only at their shape.
    fn read_detail(&mut self, reader: &mut JsonReader<'_>) -> Result<(), JsonError> {
        while reader.next_token()? == JsonToken::FieldName {
            let name = reader.field_name().decode_lossy('\u{fffd}');
            let token = reader.next_token()?;
            let string = if token == JsonToken::String {
                Some(reader.string_text()?.decode_lossy('\u{fffd}'))
            } else {
                None
            };
            self.note_shape(&name, token, string.as_deref());
            reader.skip_value(token)?;
        }
        Ok(())
    }

    /// Notes whether a member has another shape than AWS gives it.
    fn note_shape(&mut self, name: &str, token: JsonToken, string: Option<&str>) {
        let is_reshaped = match (name, string) {
            ("eventName" | "detail-type", _) => false,
            ("eventTime" | "time", Some(time)) => !is_time(time),
            ("eventTime" | "time", None) => token == JsonToken::Number,
            (_, Some(text)) if holds_text(name) => is_absent_text(text),
            (_, Some(_)) if holds_object(name) => true,
            _ => is_event_name(name) || is_detail_type(name) || is_dotted_member(name),
        };
        self.is_reshaped |= is_reshaped;
    }

    fn note_party(&mut self, name: &str, token: JsonToken) {
        match name {
            "userIdentity" => self.parties.caller = true,
            "requestParameters" => self.parties.parameters = true,
            "errorCode" => self.parties.error = token != JsonToken::Null,
            _ => {}
        }
    }

    fn take_member(&mut self, name: &str, string: Option<String>) {
        if let (Some(rank), Some(text)) = (rank_text_member(name), &string) {
            let is_surer = match &self.message_text {
                Some((known, _)) => rank < *known,
                None => true,
            };
            if is_surer {
                self.message_text = Some((rank, text.clone()));
            }
        }
        match (name, string) {
            ("detail-type", _) => self.envelope.detail_type = true,
            ("source", _) => self.envelope.source = true,
            ("detail", _) => self.envelope.detail = true,
            ("eventVersion", _) => self.has_event_name = true,
            ("eventName", string) => {
                self.has_event_name = true;
                self.event_name = string.unwrap_or_default();
            }
            ("eventType", Some(text)) => self.event_type = text,
            ("eventSource", Some(text)) => self.event_source = text,
            ("eventID", Some(text)) => self.event_id = text,
            ("eventTime", Some(text)) => self.event_time = text,
            ("awsRegion", Some(text)) => self.region = text,
            ("time", Some(text)) if self.event_time.is_empty() => self.event_time = text,
            ("region", Some(text)) if self.region.is_empty() => self.region = text,
            ("messageType", Some(text)) if text == "CONTROL_MESSAGE" => {
                self.mark = Some(ObjectMark::ControlMessage);
            }
            ("digestStartTime", _) => self.mark = Some(ObjectMark::Digest),
            ("configurationItems", _) => self.mark = Some(ObjectMark::Config),
            ("fileSchema", _) => self.mark = Some(ObjectMark::Inventory),
            ("hashSignature", _) => self.mark = Some(ObjectMark::ResultSignature),
            ("class_uid", _) => self.mark = Some(ObjectMark::Ocsf),
            ("_source", _) => self.mark = Some(ObjectMark::ElasticDocument),
            _ if is_detail_type(name) => self.envelope.detail_type = true,
            _ if is_event_name(name) => self.has_event_name = true,
            _ => {}
        }
    }
}

/// Whether a text is a time as AWS writes it, or another one that can be read.
fn is_time(text: &str) -> bool {
    let is_usual = text.len() == "2026-01-02T03:04:05Z".len() && text.ends_with('Z');
    is_usual || text.parse::<Timestamp>().is_ok()
}

/// Whether a name is the path of a member within a member of an event or a record.
fn is_dotted_member(name: &str) -> bool {
    match name.split_once(['.', '[']) {
        Some((first, _)) => find_record_path(first).is_some(),
        None => false,
    }
}
