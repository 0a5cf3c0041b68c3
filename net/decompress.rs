//! Decompression of what is received: in one pass into a buffer that is used again, and never further than a limit.
//!
//! A stream that is read piece by piece into a growing buffer costs twice as much. So the size is looked up or guessed first, the whole is
//! decompressed at once into the thread's own buffer, and what came of it is copied into memory of exactly its size: that is what is held.

use std::cell::RefCell;
use std::fmt;
use std::io::Read;

use bytes::Bytes;
use libdeflater::DecompressionError;
use zstd::zstd_safe;

use crate::server::{SMALL, room_for};

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// Deflate with gzip's frame, once or several times.
    Gzip,
    /// Deflate with zlib's frame.
    Zlib,
    /// Zstandard.
    Zstd,
    /// Snappy: a bare block, or blocks in frames; which of them shows.
    Snappy,
}

/// Why a body could not be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// It is no such thing, or broken.
    #[error("the body is not valid {0}")]
    Broken(Packing),
    /// There is more in it than allowed.
    #[error("the body decompresses to more than the {0} bytes that are allowed here")]
    TooLarge(usize),
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Packing::Gzip => "gzip",
            Packing::Zlib => "zlib",
            Packing::Zstd => "zstd",
            Packing::Snappy => "snappy",
        })
    }
}

/// So much of the buffer is kept from one body to the next: one large body is not paid for ever after.
const KEPT: usize = 4 << 20;

/// Frames of zstd may ask for a window to look back into. Nothing that telemetry is sent in needs more, and a few bytes may ask for gigabytes.
const LARGEST_WINDOW: u64 = 8 << 20;

/// What a byte can come to in deflate: 1 to 1032.
const MOST_OF_DEFLATE: usize = 1032;

thread_local! {
    static UNPACKER: RefCell<Unpacker> = RefCell::new(Unpacker::new());
}

/// Unpacks a body that may be so large.
pub fn unpack(packing: Packing, body: &[u8], limit: usize) -> Result<Bytes, UnpackError> {
    UNPACKER.with_borrow_mut(|unpacker| unpacker.unpack(packing, body, limit))
}

/// What a thread keeps to unpack with.
struct Unpacker {
    buffer: Vec<u8>,
    deflate: libdeflater::Decompressor,
    zstd: zstd_safe::DCtx<'static>,
    /// How much came of a byte lately, where nothing else says it.
    ratio: usize,
}

/// What one attempt came to.
enum Attempt {
    /// So many bytes.
    Done(usize),
    /// The buffer is too small.
    Short,
    /// It is broken.
    Broken,
}

impl Unpacker {
    fn new() -> Self {
        Self { buffer: Vec::new(), deflate: libdeflater::Decompressor::new(), zstd: zstd_safe::DCtx::create(), ratio: 8 }
    }

    fn unpack(&mut self, packing: Packing, body: &[u8], limit: usize) -> Result<Bytes, UnpackError> {
        let unpacked = match packing {
            Packing::Gzip if is_in_several_parts(body) => self.several_gzip(body, limit),
            // What a writer of frames makes of nothing is nothing.
            Packing::Snappy if body.is_empty() => Ok(0),
            Packing::Snappy if body.starts_with(SNAPPY_FRAMES) => self.read(snap::read::FrameDecoder::new(body), packing, limit),
            Packing::Zstd if window(body) > LARGEST_WINDOW => Err(UnpackError::TooLarge(limit)),
            _ => self.at_once(packing, body, limit),
        };
        let bytes = unpacked.map(|length| {
            if length < SMALL {
                return Bytes::copy_from_slice(&self.buffer[..length]);
            }
            let mut exact = room_for(length);
            exact.extend_from_slice(&self.buffer[..length]);
            exact.freeze()
        });
        if self.buffer.len() > KEPT {
            self.buffer = Vec::new();
        }
        bytes
    }

    /// Tries with a buffer of the size that is declared or likely, and with larger ones as long as it takes.
    fn at_once(&mut self, packing: Packing, body: &[u8], limit: usize) -> Result<usize, UnpackError> {
        let declared = declared(packing, body);
        if declared.is_some_and(|declared| declared > limit) && packing != Packing::Gzip {
            return Err(UnpackError::TooLarge(limit));
        }
        // A size that is a lie costs no more than the next attempt; one byte more than the limit tells that there is more.
        let mut room = declared.unwrap_or(body.len().saturating_mul(self.ratio)).max(64).min(limit.saturating_add(1));
        loop {
            self.grow(room);
            match self.attempt(packing, body, room) {
                Attempt::Done(length) if length > limit => return Err(UnpackError::TooLarge(limit)),
                Attempt::Done(length) => {
                    self.ratio = (length / body.len().max(1) + 2).clamp(4, 64);
                    return Ok(length);
                }
                Attempt::Short if room > limit => return Err(UnpackError::TooLarge(limit)),
                Attempt::Short => room = room.saturating_mul(2).min(limit.saturating_add(1)),
                Attempt::Broken => return Err(UnpackError::Broken(packing)),
            }
        }
    }

    fn attempt(&mut self, packing: Packing, body: &[u8], room: usize) -> Attempt {
        let out = &mut self.buffer[..room];
        match packing {
            Packing::Gzip => of_deflate(self.deflate.gzip_decompress(body, out)),
            Packing::Zlib => of_deflate(self.deflate.zlib_decompress(body, out)),
            Packing::Zstd => match self.zstd.decompress(out, body) {
                Ok(length) => Attempt::Done(length),
                Err(code) if zstd_safe::get_error_name(code) == TOO_SMALL => Attempt::Short,
                Err(_) => Attempt::Broken,
            },
            Packing::Snappy => match snap::raw::Decoder::new().decompress(body, out) {
                Ok(length) => Attempt::Done(length),
                Err(snap::Error::BufferTooSmall { .. }) => Attempt::Short,
                Err(_) => Attempt::Broken,
            },
        }
    }

    /// gzip files one behind the other are one gzip file; the fast decompressor would stop behind the first.
    fn several_gzip(&mut self, body: &[u8], limit: usize) -> Result<usize, UnpackError> {
        self.read(flate2::bufread::MultiGzDecoder::new(body), Packing::Gzip, limit)
    }

    fn read(&mut self, mut reader: impl Read, packing: Packing, limit: usize) -> Result<usize, UnpackError> {
        let mut length = 0;
        loop {
            if length == self.buffer.len() {
                self.grow((length * 2).max(64 << 10).min(limit.saturating_add(1)).max(length + 1));
            }
            match reader.read(&mut self.buffer[length..]) {
                Ok(0) => return Ok(length),
                Ok(more) => length += more,
                Err(_) => return Err(UnpackError::Broken(packing)),
            }
            if length > limit {
                return Err(UnpackError::TooLarge(limit));
            }
        }
    }

    fn grow(&mut self, room: usize) {
        if self.buffer.len() < room {
            // Made anew instead of grown: zeroed memory comes from the system for nothing, and nothing of the old is needed.
            let old = std::mem::take(&mut self.buffer);
            let mut buffer = vec![0; room];
            buffer[..old.len()].copy_from_slice(&old);
            self.buffer = buffer;
        }
    }
}

/// What zstd calls a buffer that is too small.
const TOO_SMALL: &str = "Destination buffer is too small";

/// How snappy in frames begins.
const SNAPPY_FRAMES: &[u8] = b"\xff\x06\x00\x00sNaPpY";

fn of_deflate(result: Result<usize, DecompressionError>) -> Attempt {
    match result {
        Ok(length) => Attempt::Done(length),
        Err(DecompressionError::InsufficientSpace) => Attempt::Short,
        Err(DecompressionError::BadData) => Attempt::Broken,
    }
}

/// What the body says that it will come to.
fn declared(packing: Packing, body: &[u8]) -> Option<usize> {
    match packing {
        Packing::Gzip => {
            let size = u32::from_le_bytes(*body.last_chunk()?) as usize;
            // Nobody's word is taken for more than deflate can do.
            Some(size.min(body.len().saturating_mul(MOST_OF_DEFLATE)))
        }
        Packing::Zstd => zstd_safe::get_frame_content_size(body).ok().flatten().and_then(|size| usize::try_from(size).ok()),
        Packing::Snappy => snap::raw::decompress_len(body).ok(),
        Packing::Zlib => None,
    }
}

/// How far back the first frame of zstd may look, by its header.
fn window(body: &[u8]) -> u64 {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, window, ..] = body else { return 0 };
    // A single segment has no window but its own content.
    if descriptor & 0x20 != 0 {
        return 0;
    }
    let base = 1u64 << (10 + (window >> 3));
    base + (base >> 3) * u64::from(window & 7)
}

/// Whether a gzip file may begin inside. Rarely, one only seems to; that costs time and nothing else.
fn is_in_several_parts(body: &[u8]) -> bool {
    body.windows(3).skip(1).any(|three| three == [0x1f, 0x8b, 0x08])
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn snappy(bytes: &[u8]) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(bytes).unwrap()
    }

    fn snappy_frames(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = snap::write::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.into_inner().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::bulk::compress(bytes, 1).unwrap()
    }

    /// As a sender does that does not know the size beforehand.
    fn zstd_stream(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        for piece in bytes.chunks(1000) {
            encoder.write_all(piece).unwrap();
        }
        encoder.finish().unwrap()
    }

    type Pack = fn(&[u8]) -> Vec<u8>;

    const ALL: [(Packing, Pack); 6] = [
        (Packing::Gzip, gzip),
        (Packing::Zlib, zlib),
        (Packing::Snappy, snappy),
        (Packing::Snappy, snappy_frames),
        (Packing::Zstd, zstd),
        (Packing::Zstd, zstd_stream),
    ];

    #[test]
    fn a_bomb_goes_no_further_than_the_limit() {
        for (packing, pack) in ALL {
            let bomb = pack(&vec![0; 40 << 20]);
            assert_eq!(unpack(packing, &bomb, 1 << 20), Err(UnpackError::TooLarge(1 << 20)), "{packing}");
            UNPACKER.with_borrow(|unpacker| assert!(unpacker.buffer.capacity() <= KEPT, "{packing}"));
        }
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        for (packing, pack) in ALL {
            for length in [0, 1, 1000, 100_000] {
                let whole = vec![7; length];
                assert_eq!(unpack(packing, &pack(&whole), length).as_deref(), Ok(&whole[..]), "{packing} {length}");
                if length > 0 {
                    assert_eq!(unpack(packing, &pack(&whole), length - 1), Err(UnpackError::TooLarge(length - 1)), "{packing} {length}");
                }
            }
        }
    }

    #[test]
    fn a_huge_window_is_refused_before_anything_is_set_aside() {
        // A frame of 128 MiB of window and one empty block.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00];
        assert_eq!(window(&frame), 128 << 20);
        assert_eq!(unpack(Packing::Zstd, &frame, 1 << 20), Err(UnpackError::TooLarge(1 << 20)));
        let small = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x01, 0x00, 0x00];
        assert_eq!(unpack(Packing::Zstd, &small, 1 << 20).as_deref(), Ok(&[][..]));
    }

    #[test]
    fn several_files_in_one_body_are_one() {
        let body = [gzip(b"one "), gzip(b"two "), gzip(b"two ")].concat();
        assert_eq!(unpack(Packing::Gzip, &body, 100).as_deref(), Ok(&b"one two two "[..]));
        assert_eq!(unpack(Packing::Gzip, &body, 11), Err(UnpackError::TooLarge(11)));
        let body = [zstd(b"one "), zstd_stream(b"two")].concat();
        assert_eq!(unpack(Packing::Zstd, &body, 100).as_deref(), Ok(&b"one two"[..]));
    }

    #[test]
    fn a_size_that_is_a_lie_is_found_out() {
        let mut body = gzip(&[1; 5000]);
        let end = body.len() - 4;
        body[end..].copy_from_slice(&[255, 255, 255, 255]);
        assert!(unpack(Packing::Gzip, &body, 10_000).is_err());
        assert_eq!(unpack(Packing::Snappy, b"\xff\xff\xff\xff\x0f", 1000), Err(UnpackError::TooLarge(1000)));
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..3000), copies in 1..50usize) {
            let bytes = bytes.repeat(copies);
            for (packing, pack) in ALL {
                let unpacked = unpack(packing, &pack(&bytes), 1 << 20);
                prop_assert_eq!(unpacked.as_deref(), Ok(&bytes[..]));
            }
        }

        #[test]
        fn rubbish_is_refused_and_does_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..200usize, flip in 0..200usize) {
            for (packing, pack) in ALL {
                let _ = unpack(packing, &bytes, 1 << 16);
                let mut packed = pack(&bytes);
                packed.truncate(packed.len().saturating_sub(cut));
                if let Some(byte) = packed.get_mut(flip) {
                    *byte ^= 0x55;
                }
                let _ = unpack(packing, &packed, 1 << 16);
            }
        }
    }
}
