//! Reads one file, or standard input, and hands on what is left after unpacking.

use std::fs;
use std::io;
use std::path::Path;

use super::file_content::{FileContent, read_bounded};
use super::unpack::{Packing, unpack_content, unpack_stream};

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

/// Whether a path means standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

/// Reads one whole file and unpacks it if it is compressed, which its first bytes show; `-` is standard input. An
/// archive stays packed.
///
/// # Errors
/// When nothing of the file can be read. If a later part cannot be read, the content says so in `cut`.
pub fn read_content(path: &Path) -> io::Result<FileContent> {
    let stored = read_stored(path)?;
    Ok(match Packing::detect(&stored.bytes) {
        Some(packing) => unpack_stream(packing, stored),
        None => stored,
    })
}

/// Reads one file and hands its content to `visit`. An archive has several contents, and a file that is packed twice is
/// unpacked twice.
///
/// # Errors
/// When nothing of the file can be read.
pub fn visit_contents(path: &Path, visit: &mut dyn FnMut(FileContent)) -> io::Result<()> {
    unpack_content(read_stored(path)?, 0, visit);
    Ok(())
}

/// Reads a file as it is stored.
fn read_stored(path: &Path) -> io::Result<FileContent> {
    let stored = if is_standard_input(path) {
        read_bounded(io::stdin().lock())
    } else {
        read_bounded(fs::File::open(path)?)
    };
    let name = path.display().to_string();
    match stored.failure {
        Some(error) if stored.bytes.is_empty() => Err(error),
        failure => {
            let cut = failure.map(|error| error.to_string());
            Ok(FileContent { name, bytes: stored.bytes, cut })
        }
    }
}
