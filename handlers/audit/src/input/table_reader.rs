//! Reads tables of rows: CSV, and the same with tabs or semicolons.

use super::member_names::{find_record_path, is_event_name};
use super::opened_value::rank_text_member;

/// The characters that may stand between cells.
const DELIMITERS: [u8; 3] = [b',', b'\t', b';'];

/// How many bytes of the first line may be a header.
const HEADER_BYTES_MAX: usize = 16 << 10;

/// Returns the character between the cells if the first line is the header of a table with records: it names the call,
/// or a column that holds whole events.
pub(super) fn find_table_header(content: &[u8]) -> Option<u8> {
    let sample = content.get(..content.len().min(HEADER_BYTES_MAX)).unwrap_or_default();
    for delimiter in DELIMITERS {
        let mut reader = TableReader::new(sample, delimiter);
        let Some(Ok((_, cells))) = reader.next_row() else { continue };
        let is_header = cells.iter().any(|cell| is_event_name(cell) || rank_text_member(cell).is_some());
        let are_names = cells.iter().all(|cell| is_column_name(cell));
        // One word in a line may be anything. In a header of several, others are known as well.
        let known = cells.iter().filter(|cell| find_record_path(cell).is_some()).count();
        if is_header && are_names && (known > 1 || cells.iter().any(|cell| rank_text_member(cell).is_some()))
        {
            return Some(delimiter);
        }
    }
    None
}

fn is_column_name(cell: &str) -> bool {
    cell.len() <= 128 && !cell.contains(['{', '}', '"', '\n'])
}

/// A row with its position; or the position of one that does not end.
pub(super) type DelimitedRow = Result<(usize, Vec<String>), usize>;

/// Reads one row after the other.
pub(super) struct TableReader<'b> {
    bytes: &'b [u8],
    at: usize,
    delimiter: u8,
    /// Whether a backslash keeps a quote in a cell, as Spark writes it. Others write the quote twice.
    has_backslashes: bool,
}

impl<'b> TableReader<'b> {
    pub(super) fn new(bytes: &'b [u8], delimiter: u8) -> Self {
        let has_backslashes = contains(bytes, b"\"{\\\"") && !contains(bytes, b"\"{\"\"");
        Self { bytes, at: 0, delimiter, has_backslashes }
    }

    /// Reads the next row that is not empty. After a row that does not end, the reader goes on with the next line.
    pub(super) fn next_row(&mut self) -> Option<DelimitedRow> {
        while matches!(self.bytes.get(self.at), Some(b'\n' | b'\r')) {
            self.at += 1;
        }
        let start = self.at;
        self.bytes.get(start)?;
        let mut cells = Vec::new();
        loop {
            let Some(cell) = self.read_cell() else { return Some(Err(self.leave_broken_row(start))) };
            cells.push(cell);
            match self.bytes.get(self.at) {
                Some(byte) if *byte == self.delimiter => self.at += 1,
                Some(b'\r' | b'\n') | None => return Some(Ok((start, cells))),
                // A character behind the closing quote: the row cannot be trusted.
                Some(_) => return Some(Err(self.leave_broken_row(start))),
            }
        }
    }

    /// Goes on with the line after the start of a row that does not end: its open quote may have reached into others.
    fn leave_broken_row(&mut self, start: usize) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        self.at = start + line;
        start
    }

    fn read_cell(&mut self) -> Option<String> {
        if self.bytes.get(self.at) == Some(&b'"') {
            return self.read_quoted_cell();
        }
        let start = self.at;
        while let Some(byte) = self.bytes.get(self.at) {
            if *byte == self.delimiter || matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.at += 1;
        }
        Some(to_text(self.bytes.get(start..self.at).unwrap_or_default()))
    }

    fn read_quoted_cell(&mut self) -> Option<String> {
        let mut cell = Vec::new();
        self.at += 1;
        loop {
            let byte = *self.bytes.get(self.at)?;
            let next = self.bytes.get(self.at + 1);
            let kept = match (byte, next) {
                (b'"', Some(b'"')) if !self.has_backslashes => b'"',
                (b'\\', Some(escaped @ (b'"' | b'\\'))) if self.has_backslashes => *escaped,
                (b'"', _) => {
                    self.at += 1;
                    return Some(to_text(&cell));
                }
                _ => {
                    cell.push(byte);
                    self.at += 1;
                    continue;
                }
            };
            cell.push(kept);
            self.at += 2;
        }
    }
}

fn to_text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(table: &str) -> Vec<DelimitedRow> {
        let mut reader = TableReader::new(table.as_bytes(), b',');
        std::iter::from_fn(|| reader.next_row()).collect()
    }

    #[test]
    fn quotes_line_breaks_and_broken_rows_are_read() {
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            rows("a,b\r\n\"x\ny\",\"{\"\"k\"\":\"\"v\\\"\"\"\"}\"\n,\n"),
            [
                Ok((0, cells(&["a", "b"]))),
                Ok((5, cells(&["x\ny", "{\"k\":\"v\\\"\"}"]))),
                Ok((30, cells(&["", ""])))
            ]
        );
        assert_eq!(rows("\"{\\\"k\\\":\\\"\\\\\\\"\\\"}\",1"), [Ok((0, cells(&["{\"k\":\"\\\"\"}", "1"])))]);
        assert_eq!(rows("a,\"b\nc,d\n"), [Err(0), Ok((5, cells(&["c", "d"])))]);
        assert_eq!(rows("\"a\"b,c\nd"), [Err(0), Ok((7, cells(&["d"])))]);
    }

    #[test]
    fn a_header_of_records_is_known_and_other_lines_are_not() {
        for (line, delimiter) in [
            ("eventversion,eventname\n", Some(b',')),
            ("\"eventTime\";\"eventName\"\n", Some(b';')),
            ("_time\t_raw\n", Some(b'\t')),
            ("eventJson\n", Some(b',')),
            ("garbage\nmore", None),
            ("GetSecretValue,eventName,x\n", None),
            ("\"{\\\"eventName\\\":1}\"", None),
        ] {
            assert_eq!(find_table_header(line.as_bytes()), delimiter, "{line}");
        }
    }
}
