//! Unpacks what a file holds: gzip, Zstandard, bzip2, zip and tar, also one in the other.

use std::io::{self, Cursor, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::file_content::{BoundedRead, FileContent, read_bounded};
use super::text_encoding::decode_utf16;
use super::zstandard::ZstandardFrames;

/// How many packings may lie in each other: gzip in tar in gzip, and two more.
const NESTED_PACKINGS_MAX: usize = 5;

/// The position of tar's magic word in the header of the first member (POSIX.1-1988).
const TAR_MAGIC_OFFSET: usize = 257;

/// The member by which an Excel workbook is known among zip archives (ECMA-376).
const WORKBOOK_MEMBER: &str = "[Content_Types].xml";

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstandard,
    Bzip2,
    Zip,
    Tar,
}

impl Packing {
    /// Decides by the first bytes, whatever the file is called. `None` means that nothing is to be unpacked.
    pub(super) fn detect(bytes: &[u8]) -> Option<Self> {
        let tar_magic = bytes.get(TAR_MAGIC_OFFSET..).unwrap_or_default();
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // A frame, or one to be skipped (RFC 8878).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstandard),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ if tar_magic.starts_with(b"ustar") => Some(Self::Tar),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstandard => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Zip => "zip",
            Self::Tar => "tar",
        }
    }
}

/// Unpacks a content, again and again, and hands what remains to `visit`: one content, or one for each member of an
/// archive.
pub(super) fn unpack_content(packed: FileContent, depth: usize, visit: &mut dyn FnMut(FileContent)) {
    let mut visit_inner = |inner: FileContent| {
        if depth < NESTED_PACKINGS_MAX {
            unpack_content(inner, depth + 1, visit);
        } else {
            let cut = Some("packed more than five times; unpack it first".to_owned());
            visit(FileContent { cut, bytes: Vec::new(), ..inner });
        }
    };
    match Packing::detect(&packed.bytes) {
        Some(Packing::Zip) => unpack_zip(packed, &mut visit_inner),
        Some(Packing::Tar) => unpack_tar(&packed, &mut visit_inner),
        Some(packing) => visit_inner(unpack_stream(packing, packed)),
        None => {
            let bytes = decode_utf16(packed.bytes);
            visit(FileContent { bytes, ..packed });
        }
    }
}

/// Unpacks a content that is one stream. An archive is handed back as it is.
pub(super) fn unpack_stream(packing: Packing, packed: FileContent) -> FileContent {
    let stored = packed.bytes.as_slice();
    let BoundedRead { bytes, failure } = match packing {
        Packing::Gzip => read_bounded(MultiGzDecoder::new(stored)),
        Packing::Zstandard => read_bounded(ZstandardFrames::new(stored)),
        Packing::Bzip2 => read_bounded(MultiBzDecoder::new(stored)),
        Packing::Zip | Packing::Tar => return packed,
    };
    // A file that could not be read to its end ends inside the stream: the decoder reports that.
    let cut = failure.map(|error| describe_failure(packing, &error));
    FileContent { name: packed.name, bytes, cut }
}

fn describe_failure(packing: Packing, error: &io::Error) -> String {
    format!("{}: {error}; what comes before was read", packing.as_str())
}

fn unpack_zip(packed: FileContent, visit: &mut dyn FnMut(FileContent)) {
    let name = packed.name;
    let mut archive = match ZipArchive::new(Cursor::new(packed.bytes)) {
        Ok(archive) => archive,
        Err(error) => {
            let cut = Some(format!("zip: {error}; nothing of it was read"));
            return visit(FileContent { name, bytes: Vec::new(), cut });
        }
    };
    if archive.index_for_name(WORKBOOK_MEMBER).is_some() {
        let cut = Some("an Excel workbook: save the sheet as CSV".to_owned());
        return visit(FileContent { name, bytes: Vec::new(), cut });
    }
    for index in 0..archive.len() {
        match archive.by_index(index) {
            Ok(member) if member.is_dir() => {}
            Ok(member) => {
                let path = String::from_utf8_lossy(member.name_raw()).into_owned();
                let member_name = format!("{name}!{path}");
                visit(read_member(member_name, Packing::Zip, member));
            }
            Err(error) => {
                let cut = Some(format!("zip: {error}; this member was not read"));
                visit(FileContent { name: format!("{name}!{index}"), bytes: Vec::new(), cut });
            }
        }
    }
}

fn unpack_tar(packed: &FileContent, visit: &mut dyn FnMut(FileContent)) {
    let mut archive = tar::Archive::new(packed.bytes.as_slice());
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return visit(torn_archive(packed, &error)),
    };
    for entry in entries {
        match entry {
            Ok(entry) if !entry.header().entry_type().is_file() => {}
            Ok(entry) => {
                let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                visit(read_member(format!("{}!{path}", packed.name), Packing::Tar, entry));
            }
            // The reader does not find its way behind a broken header.
            Err(error) => return visit(torn_archive(packed, &error)),
        }
    }
    if let Some(cut) = &packed.cut {
        visit(FileContent { name: packed.name.clone(), bytes: Vec::new(), cut: Some(cut.clone()) });
    }
}

/// The content that reports a tar archive that ends too early.
fn torn_archive(packed: &FileContent, error: &io::Error) -> FileContent {
    let cut = Some(describe_failure(Packing::Tar, error));
    FileContent { name: packed.name.clone(), bytes: Vec::new(), cut }
}

fn read_member(name: String, packing: Packing, member: impl Read) -> FileContent {
    let BoundedRead { bytes, failure } = read_bounded(member);
    let cut = failure.map(|error| describe_failure(packing, &error));
    FileContent { name, bytes, cut }
}
