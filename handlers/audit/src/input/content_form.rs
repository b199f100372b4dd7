//! Decides what form a whole content has, before anything in it is read: JSON, a table, or something that holds no events.

use super::beside_kind::BesideKind;
use super::table_reader::find_table_header;

/// How many bytes at the start of a content show its form.
const SAMPLE_BYTES: usize = 4096;

/// The form of a whole content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentForm {
    /// JSON values, or lines of a log with JSON in them, or anything else: the scanner says what it cannot read.
    Json,
    /// A table of rows, with this character between the cells.
    Table(u8),
    /// No events, and no fault: a file that lies beside those of a trail.
    Beside(BesideKind),
    /// A form that cannot be read. One sentence says which, and what to do.
    Refused(&'static str),
}

/// The first bytes of forms that hold events and are not read, each with the way out.
const REFUSED_STARTS: [(&[u8], &str); 16] = [
    (b"PAR1", "Parquet: convert it to JSON lines first, for example with DuckDB"),
    (b"ORC", "ORC: convert it to JSON lines first, for example with Athena or DuckDB"),
    (b"Obj\x01", "Avro: convert it to JSON lines first"),
    (b"\xfd7zXZ\x00", "xz: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip: unpack it first"),
    (b"\x04\x22\x4d\x18", "LZ4: unpack it first"),
    (b"\xff\x06\x00\x00sNaPpY", "Snappy: unpack it first"),
    (b"Rar!\x1a\x07", "RAR: unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save the sheet as CSV"),
    (b"SQLite format 3\x00", "an SQLite database: export its rows as JSON lines"),
    (b"%PDF", "a PDF document: it holds no events that can be read"),
    (b"-----BEGIN PGP", "an encrypted file: decrypt it first"),
    (b"age-encryption.org", "an encrypted file: decrypt it first"),
    (b"version https://git-lfs", "a pointer of Git LFS: fetch the file itself"),
    (b"<", "XML or HTML, such as an error page that was saved as a file: download the file again"),
    (b"----", "a table that the AWS CLI draws: use `--output json`"),
];

/// The header of the CSV that the console's Event history downloads.
const EVENT_HISTORY_START: &[u8] = b"Event name,Event time,";

const EVENT_HISTORY: &str =
    "the CSV of Event history, which has neither callers nor request parameters: download JSON instead";

const BINARY: &str = "a binary file of an unknown kind: neither JSON nor a table";

const YAML: &str = "YAML, as the AWS CLI prints it: use `--output json`";

impl ContentForm {
    /// Decides by the first bytes. Checks run in this order: a file beside the trail's, a form that is refused, JSON, a
    /// table, a binary file. Everything else is left to the scanner.
    pub(super) fn detect(content: &[u8]) -> Self {
        let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content).trim_ascii_start();
        if let Some(kind) = BesideKind::detect(text) {
            return Self::Beside(kind);
        }
        for (start, reason) in REFUSED_STARTS {
            if content.starts_with(start) || (start.is_ascii() && text.starts_with(start)) {
                return Self::Refused(reason);
            }
        }
        if text.starts_with(EVENT_HISTORY_START) || text.starts_with(b"\"Event name\",") {
            return Self::Refused(EVENT_HISTORY);
        }
        if text.starts_with(b"Events:\n") || text.starts_with(b"events:\n") || text.starts_with(b"---\n") {
            return Self::Refused(YAML);
        }
        if text.starts_with(b"{") || text.starts_with(b"[") {
            return Self::Json;
        }
        if let Some(delimiter) = find_table_header(text) {
            return Self::Table(delimiter);
        }
        let sample = content.get(..content.len().min(SAMPLE_BYTES)).unwrap_or_default();
        // Garbage may stand before a line with an event.
        let has_object_line = content.windows(2).any(|pair| pair == b"\n{");
        if sample.contains(&0) && !has_object_line { Self::Refused(BINARY) } else { Self::Json }
    }
}
