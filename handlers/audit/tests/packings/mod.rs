//! The packings in which files are handed over.

use std::io::{Cursor, Write as _};

use bzip2::write::BzEncoder;
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Packs the content of one file.
pub(crate) type Pack = fn(&[u8]) -> Vec<u8>;

/// Each packing with its name.
pub(crate) const PACKINGS: [(&str, Pack); 10] = [
    ("plain", <[u8]>::to_vec),
    ("gz", gzip),
    ("zip", zip),
    ("tar", tar),
    ("tar.gz", |content| gzip(&tar(content))),
    ("zst", zstandard),
    ("bz2", bzip2),
    ("gz.zip", |content| zip(&gzip(content))),
    ("tar.zst", |content| zstandard(&tar(&gzip(content)))),
    ("two-members.gz", |content| {
        [gzip(&content[..content.len() / 2]), gzip(&content[content.len() / 2..])].concat()
    }),
];

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Two frames, and one between them that is to be skipped.
fn zstandard(content: &[u8]) -> Vec<u8> {
    let (first, second) = content.split_at(content.len() / 2);
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let frame = |part: &[u8]| compress_to_vec(part, CompressionLevel::Fastest);
    [frame(first), skipped, frame(second)].concat()
}

fn zip(content: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("trail/", SimpleFileOptions::default()).unwrap();
    writer.start_file("trail/.DS_Store", SimpleFileOptions::default()).unwrap();
    writer.write_all(b"\0\0\0\x01Bud1").unwrap();
    writer.start_file("trail/events", SimpleFileOptions::default()).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap().into_inner()
}

fn tar(content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let long = format!("AWSLogs/{}/events", "o-0123456789/".repeat(12));
    builder.append_data(&mut header, long, content).unwrap();
    builder.into_inner().unwrap()
}
