//! The table of `replay reads --each`: every read with its time, its caller and where its record is.

use std::io::{self, Write};

use responder_audit::access_history::{AccessDoubt, EachRead};
use responder_core::text::Untrusted;

use crate::output::write_table;

/// Account and Region are those of the secret, or of its replica.
const EACH_HEAD: [&str; 10] =
    ["TIME", "RESULT", "SECRET", "PRINCIPAL", "SESSION", "FROM", "REGION", "ACCOUNT", "EVENT", "FILE"];

/// How many characters of a secret, a principal or a file a cell shows.
const NAME_LENGTH_MAX: usize = 160;

/// How many characters any other cell shows.
const CELL_LENGTH_MAX: usize = 64;

/// Writes the table, if each read is to be listed.
pub(super) fn write_each_read(each: &[EachRead], out: &mut impl Write) -> io::Result<()> {
    if each.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nEach read\n")?;
    let rows: Vec<_> = each.iter().map(each_row).collect();
    write_table(EACH_HEAD, &rows, out)
}

fn each_row(read: &EachRead) -> [String; 10] {
    let record = read.records.first();
    let file = record.map(|record| Untrusted::new(&*record.file));
    [
        read.at.to_string(),
        describe_result(read),
        show_if_known(read.secret.as_ref(), NAME_LENGTH_MAX),
        read.principal.show(NAME_LENGTH_MAX),
        show_if_known(read.session.as_ref(), CELL_LENGTH_MAX),
        show_if_known(read.address.as_ref(), CELL_LENGTH_MAX),
        Untrusted::new(&*read.region).show(CELL_LENGTH_MAX),
        Untrusted::new(&*read.account).show(CELL_LENGTH_MAX),
        show_if_known(record.map(|record| &record.event_id), CELL_LENGTH_MAX),
        show_if_known(file.as_ref(), NAME_LENGTH_MAX),
    ]
}

fn show_if_known(text: Option<&Untrusted>, length_max: usize) -> String {
    text.map_or_else(|| "-".to_owned(), |text| text.show(length_max))
}

/// For example `read`, `refused`, `maybe: filter`.
fn describe_result(read: &EachRead) -> String {
    let doubt = match read.doubt {
        Some(_) if read.refused => return "maybe, refused".to_owned(),
        Some(AccessDoubt::Filter) => "maybe: filter",
        Some(AccessDoubt::Spelling) => "maybe: spelling",
        Some(AccessDoubt::Unnamed) => "maybe: unnamed",
        None if read.refused => "refused",
        None => "read",
    };
    doubt.to_owned()
}
