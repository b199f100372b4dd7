//! The bytes of one file or of one member of an archive, and how many of them are read.

use std::io::{self, Read};

/// The most bytes that are read of one file, before and after unpacking. CloudTrail's files have at most 50 MB; a file
/// that unpacks to more than this was made to do harm.
const CONTENT_BYTES_MAX: u64 = 1 << 30;

/// The content of one file, or of one member of an archive.
#[derive(Debug)]
pub struct FileContent {
    /// The name of the file. That of a member of an archive follows the archive's: `trail.zip!2026/01/a.json`.
    pub name: String,
    /// The uncompressed bytes, as far as they could be read. UTF-16 has become UTF-8.
    pub bytes: Vec<u8>,
    /// One sentence about why the bytes are not the whole content; absent if they are.
    pub cut: Option<String>,
}

/// The bytes that came before the end or an error.
pub(super) struct BoundedRead {
    pub(super) bytes: Vec<u8>,
    pub(super) failure: Option<io::Error>,
}

/// Reads until the end, an error, or [`CONTENT_BYTES_MAX`].
pub(super) fn read_bounded(reader: impl Read) -> BoundedRead {
    let mut bytes = Vec::new();
    let failure = match reader.take(CONTENT_BYTES_MAX).read_to_end(&mut bytes) {
        Ok(size) if size as u64 == CONTENT_BYTES_MAX => {
            Some(io::Error::other("more than 1 GiB; the rest was not read"))
        }
        Ok(_) => None,
        Err(error) => Some(error),
    };
    BoundedRead { bytes, failure }
}
