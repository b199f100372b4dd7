//! The bytes of one file: reads it, or standard input, and unpacks gzip.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// The most bytes that are read of one file, before and after unpacking. CloudTrail's files have at most 50 MB; a file
/// that unpacks to more than this was made to do harm.
const CONTENT_BYTES_MAX: u64 = 1 << 30;

/// The two bytes with which a gzip file begins (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

/// The content of one file.
#[derive(Debug)]
pub struct FileContent {
    /// The uncompressed bytes, as far as they could be read.
    pub bytes: Vec<u8>,
    /// One sentence about why the bytes are not the whole content; absent if they are.
    pub cut: Option<String>,
}

/// Whether a path means standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

/// Reads one whole file and unpacks it if it is gzip, which its first bytes show; `-` is standard input.
///
/// # Errors
/// When nothing of the file can be read. If a later part cannot be read, the content says so in `cut`.
pub fn read_content(path: &Path) -> io::Result<FileContent> {
    let stored = if is_standard_input(path) {
        read_bounded(io::stdin().lock())
    } else {
        read_bounded(fs::File::open(path)?)
    };
    if !stored.bytes.starts_with(&GZIP_MAGIC) {
        return match stored.failure {
            Some(error) if stored.bytes.is_empty() => Err(error),
            failure => {
                let cut = failure.map(|error| error.to_string());
                Ok(FileContent { bytes: stored.bytes, cut })
            }
        };
    }
    // A file that could not be read to its end ends inside a gzip member: the decoder reports that.
    let unpacked = read_bounded(MultiGzDecoder::new(stored.bytes.as_slice()));
    let cut = unpacked.failure.map(|error| format!("gzip: {error}; what comes before was read"));
    Ok(FileContent { bytes: unpacked.bytes, cut })
}

/// The bytes that came before the end or an error.
struct BoundedRead {
    bytes: Vec<u8>,
    failure: Option<io::Error>,
}

/// Reads until the end, an error, or [`CONTENT_BYTES_MAX`].
fn read_bounded(reader: impl Read) -> BoundedRead {
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
