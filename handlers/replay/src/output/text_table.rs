//! Tables of text: columns as wide as their widest cell, and lists of counts.

use std::io::{self, Write};

/// Writes a head and rows in columns as wide as their widest cell.
pub(crate) fn write_table<const N: usize>(
    head: [&str; N],
    rows: &[[String; N]],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut widths = head.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    write_row(head, widths, out)?;
    for row in rows {
        write_row(row.each_ref().map(String::as_str), widths, out)?;
    }
    Ok(())
}

fn write_row<const N: usize>(cells: [&str; N], widths: [usize; N], out: &mut impl Write) -> io::Result<()> {
    let padded: Vec<String> =
        cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
    writeln!(out, "{}", padded.join("  ").trim_end())
}

/// Writes counts, each with its noun. Counts of 0 are left out.
pub(crate) fn write_counts(counts: &[(usize, &str)], out: &mut impl Write) -> io::Result<()> {
    for (count, noun) in counts {
        if *count > 0 {
            writeln!(out, "{count:>9}  {noun}")?;
        }
    }
    Ok(())
}
