//! JSON output: one object a line. Reports give each line a `kind`.

use std::io::{self, Write};

use responder_core::text::to_json_line;
use serde::Serialize;

#[derive(Serialize)]
struct TaggedLine<'v, T> {
    kind: &'static str,
    #[serde(flatten)]
    value: &'v T,
}

/// Writes the lines of a report.
pub(crate) struct JsonLines<'o, W> {
    out: &'o mut W,
}

impl<'o, W: Write> JsonLines<'o, W> {
    /// Writes to `out`.
    pub(crate) fn new(out: &'o mut W) -> Self {
        Self { out }
    }

    /// Writes one object as a line of this kind.
    pub(crate) fn write_one<T: Serialize>(&mut self, kind: &'static str, value: &T) -> io::Result<()> {
        write_json(&TaggedLine { kind, value }, self.out)
    }

    /// Writes each object as a line of this kind.
    pub(crate) fn write_all<T: Serialize>(&mut self, kind: &'static str, values: &[T]) -> io::Result<()> {
        for value in values {
            self.write_one(kind, value)?;
        }
        Ok(())
    }
}

/// Writes a value as one line of JSON that is harmless to print.
pub(crate) fn write_json<T: Serialize>(value: &T, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", to_json_line(value)?)
}
