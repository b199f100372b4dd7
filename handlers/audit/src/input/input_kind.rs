//! Decides what kind of thing a file or an object of the input is. No other file decides that.

use std::ffi::OsStr;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::beside_kind::BesideKind;
use super::json_scan::{self, BrokenValue};
use super::json_values::scan_values;
use super::object_head::{ObjectHead, ObjectMark};
use super::opened_value::holds_whole_event;

/// The files of a fixture that are no events.
const FIXTURE_COMPANIONS: [&str; 3] = ["about.json", "facts.json", "expected.json"];

/// The file that makes a folder a fixture.
const FIXTURE_MARKER: &str = "about.json";

/// The folder of a trail that holds CloudTrail's digests ("Digest file location", CloudTrail user guide).
const DIGEST_FOLDER: &str = "CloudTrail-Digest";

/// The files that an export to S3 puts beside its data ("DynamoDB table export output format", `DynamoDB` developer
/// guide).
const EXPORT_MANIFESTS: [&str; 3] = ["_started", "manifest-files.json", "manifest-summary.json"];

/// The keys under which a list of events stands: `Records` in trail files and SQS events, `Events` in the output of
/// `LookupEvents`, `Messages` in that of `ReceiveMessage`, `Entries` in requests of `PutEvents`, `events` and `logEvents`
/// in CloudWatch Logs, `results` in Logs Insights and Splunk, `QueryResultRows` in CloudTrail Lake, `hits` in
/// Elasticsearch.
const EVENT_LIST_KEYS: [&[u8]; 9] = [
    b"Records",
    b"Events",
    b"events",
    b"Messages",
    b"Entries",
    b"logEvents",
    b"results",
    b"QueryResultRows",
    b"hits",
];

/// The key of an object that holds the list of events under the same key.
const NESTED_LIST_KEY: &[u8] = b"hits";

/// Whether a file of this name lies beside the events of a fixture and is not an event itself.
pub fn is_fixture_companion(name: &OsStr) -> bool {
    FIXTURE_COMPANIONS.iter().any(|companion| name == *companion)
}

/// Whether a file of this name makes the folder that it lies in a fixture.
pub(super) fn marks_fixture(name: &OsStr) -> bool {
    name == FIXTURE_MARKER
}

/// Whether the file or folder of this name holds digests of trail files, which are no events.
pub(super) fn is_digest_folder(name: &OsStr) -> bool {
    name == DIGEST_FOLDER
}

/// The kind of a whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A manifest or a checksum of an export to S3. It holds neither items nor events.
    ExportManifest,
    /// Items of the ledger's table, in `DynamoDB` JSON.
    LedgerItems,
    /// Anything else: events, as far as it holds any.
    Events,
}

impl FileKind {
    /// Decides by the name of the file first, then by the first value of its content that can be read.
    ///
    /// 1. A manifest of an export, or a file that ends in `.md5`, is an [`FileKind::ExportManifest`].
    /// 2. An object with `Items`, `Item` or `pk`, or a list of such objects, begins [`FileKind::LedgerItems`].
    /// 3. Everything else is [`FileKind::Events`].
    pub fn detect(file: &str, content: &[u8]) -> Self {
        // 1. The name of a manifest.
        if is_export_manifest(Path::new(file)) {
            return Self::ExportManifest;
        }
        // 2. The shape of a table's items.
        let mut is_item = false;
        scan_values(content, &mut |_, value| {
            let Ok(value) = value else { return true };
            is_item = is_table_item(value);
            false
        });
        if is_item {
            return Self::LedgerItems;
        }
        // 3. The rest.
        Self::Events
    }
}

fn is_export_manifest(path: &Path) -> bool {
    if path.extension() == Some(OsStr::new("md5")) {
        return true;
    }
    let name = path.file_name().unwrap_or_default();
    EXPORT_MANIFESTS.iter().any(|manifest| name == *manifest)
}

/// The members by which an item of a table, or an answer with such items, is known.
#[derive(Deserialize)]
struct ItemShape {
    #[serde(rename = "Items")]
    items: Option<Vec<IgnoredAny>>,
    #[serde(rename = "Item", alias = "pk")]
    item: Option<Map<String, Value>>,
}

/// Whether a value is an item of a table, an answer with items, or a list that begins with one of them.
fn is_table_item(value: &[u8]) -> bool {
    if let Ok(list) = serde_json::from_slice::<Vec<ItemShape>>(value)
        && let Some(first) = list.first()
    {
        return first.is_item();
    }
    serde_json::from_slice::<ItemShape>(value).is_ok_and(|shape| shape.is_item())
}

impl ItemShape {
    fn is_item(&self) -> bool {
        self.items.is_some() || self.item.is_some()
    }
}

/// The kind of an object that stands where an event may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKind {
    /// An event in EventBridge's envelope.
    Event,
    /// A CloudTrail record without an envelope.
    BareRecord,
    /// An object with a list of events, which begins at this position.
    EventList(usize),
    /// A message that holds events as text, in the `message_text` of its head.
    Message,
    /// Something that lies beside events, and is no fault.
    Beside(BesideKind),
    /// An event of another product. One sentence says which, and what to do.
    Refused(&'static str),
    /// Something else.
    Unknown,
}

impl ObjectKind {
    /// Decides about the object at `start`, which ends before `end` and has this head. Checks run in this order:
    ///
    /// 1. an event: `detail-type`, or `source` and `detail`;
    /// 2. a message of a kind that always holds a whole event, such as `CloudTrailEvent` or Splunk's `_raw`;
    /// 3. a bare record: `eventName` or `eventVersion`;
    /// 4. a list of events under one of the keys of [`EVENT_LIST_KEYS`];
    /// 5. another message: a string under `body`, `Body`, `Message` or `message`;
    /// 6. something that lies beside events, or an event of another product;
    /// 7. something else.
    ///
    /// An event may have a member `body`, and a record one that is called `Records`: that is why the first three checks
    /// come first.
    pub(super) fn detect(head: &ObjectHead, bytes: &[u8], start: usize, end: usize) -> Self {
        // 1. An event.
        let envelope = head.envelope;
        if envelope.detail_type || (envelope.source && envelope.detail) {
            return Self::Event;
        }
        // 2. A message with a whole event.
        if let Some((rank, _)) = &head.message_text
            && holds_whole_event(*rank)
        {
            return Self::Message;
        }
        // 3. A bare record.
        if head.has_event_name {
            return Self::BareRecord;
        }
        // 4. A list of events.
        if let Ok(Some(list)) = find_event_list(bytes, start, end) {
            return Self::EventList(list);
        }
        // 5. A message.
        if head.message_text.is_some() {
            return Self::Message;
        }
        // 6. A mark; else 7. something else.
        match head.mark {
            Some(ObjectMark::Digest) => Self::Beside(BesideKind::Digest),
            Some(ObjectMark::Config) => Self::Beside(BesideKind::Config),
            Some(ObjectMark::Inventory) => Self::Beside(BesideKind::Inventory),
            Some(ObjectMark::ControlMessage) => Self::Beside(BesideKind::ControlMessage),
            Some(ObjectMark::ResultSignature) => Self::Beside(BesideKind::ResultSignature),
            Some(ObjectMark::Ocsf) => Self::Refused(OCSF),
            Some(ObjectMark::ElasticDocument) | None => Self::Unknown,
        }
    }

    /// Why an object with this head, in which nothing was found, cannot be read.
    pub(super) fn explain_unknown(head: &ObjectHead) -> Option<&'static str> {
        (head.mark == Some(ObjectMark::ElasticDocument)).then_some(ELASTIC_DOCUMENT)
    }
}

const OCSF: &str = "OCSF, as Security Lake writes it, is another form than CloudTrail's: read the files of the trail instead";

const ELASTIC_DOCUMENT: &str = "documents of Elasticsearch without `event.original`, which holds the record: keep it in the pipeline (`preserve_original_event`), or read the files of the trail";

/// Returns the position of the list of events in the value from `start` to `end`: the value itself if it is a list, else
/// the list in `{"Records":[…]}`, wherever its key stands.
///
/// # Errors
/// When a member before the list is broken: with the member's position and what is wrong.
pub(super) fn find_event_list(
    bytes: &[u8],
    start: usize,
    end: usize,
) -> Result<Option<usize>, (usize, BrokenValue)> {
    let Some(bytes) = bytes.get(..end) else { return Ok(None) };
    if bytes.get(start) == Some(&b'[') {
        return Ok(Some(start));
    }
    let mut at = json_scan::skip_space(bytes, start + 1);
    while bytes.get(at) == Some(&b'"') {
        let Ok(key_end) = json_scan::find_string_end(bytes, at) else { return Ok(None) };
        let key = bytes.get(at + 1..key_end - 1).unwrap_or_default();
        at = json_scan::skip_space(bytes, key_end);
        if bytes.get(at) != Some(&b':') {
            return Ok(None);
        }
        at = json_scan::skip_space(bytes, at + 1);
        if bytes.get(at) == Some(&b'[') && EVENT_LIST_KEYS.contains(&key) {
            return Ok(Some(at));
        }
        if bytes.get(at) == Some(&b'{') && key == NESTED_LIST_KEY {
            return find_event_list(bytes, at, bytes.len());
        }
        let member_end = json_scan::skip_value(bytes, at).map_err(|broken| (at, broken))?;
        at = json_scan::skip_space(bytes, member_end);
        if bytes.get(at) != Some(&b',') {
            return Ok(None);
        }
        at = json_scan::skip_space(bytes, at + 1);
    }
    Ok(None)
}
