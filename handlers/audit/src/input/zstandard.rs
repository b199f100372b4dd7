//! Reads all frames of a Zstandard file, one after the other.

use std::io::{self, Read};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// A reader of the content of all frames. Frames that hold no content are skipped (RFC 8878, section 3.1.2).
pub(super) struct ZstandardFrames<'b> {
    rest: &'b [u8],
    frame: Option<StreamingDecoder<&'b [u8], FrameDecoder>>,
}

/// The bytes of the magic number and of the length of a frame that is to be skipped.
const SKIPPED_HEADER_BYTES: usize = 8;

impl<'b> ZstandardFrames<'b> {
    /// A reader of these bytes.
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, frame: None }
    }

    /// Begins the next frame with content. `false` means that there is none.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = self.rest {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            self.rest = self.rest.get(SKIPPED_HEADER_BYTES + length..).unwrap_or_default();
        }
        if self.rest.is_empty() {
            return Ok(false);
        }
        self.frame = Some(StreamingDecoder::new(self.rest).map_err(io::Error::other)?);
        Ok(true)
    }
}

impl Read for ZstandardFrames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(frame) = &mut self.frame else {
                if self.begin_frame()? {
                    continue;
                }
                return Ok(0);
            };
            let size = frame.read(buffer)?;
            if size > 0 || buffer.is_empty() {
                return Ok(size);
            }
            self.rest = frame.get_ref();
            self.frame = None;
        }
    }
}
