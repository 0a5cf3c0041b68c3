//! Compression of what is sent: one pass from buffer to buffer, with compressors that are used again.

use std::fmt;
use std::io;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::{Compress, FlushCompress, Status};
use http::HeaderValue;

use crate::buffers::Buffer;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Deflate with gzip's frame.
    Gzip,
    /// Deflate with zlib's frame: what HTTP calls `deflate`.
    Deflate,
    /// The same under the name that some take for it.
    Zlib,
    /// Snappy's bare block.
    Snappy,
    /// Snappy's blocks in frames, under the name that HTTP has for them.
    SnappyFramed,
    /// The same under the name that gRPC has for them.
    SnappyGrpc,
    /// Zstandard.
    Zstd,
}

impl Coding {
    /// Its name in `content-encoding` and `grpc-encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Zlib => "zlib",
            Coding::Snappy | Coding::SnappyGrpc => "snappy",
            Coding::SnappyFramed => "x-snappy-framed",
            Coding::Zstd => "zstd",
        }
    }

    /// The same as the value of a header.
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }
}

/// Compressors of one kind. Each holds some hundred kilobytes of state, so that they are kept, as many as work at once.
pub struct Compressors {
    coding: Coding,
    level: i32,
    idle: Mutex<Vec<Compressor>>,
}

/// Less is compressed in a few milliseconds, on the lane's own thread.
const LONG: usize = 1 << 20;

/// So many are kept; more work at once only where a lane was stopped in between.
const MOST_IDLE: usize = 4;

enum Compressor {
    Deflate(Compress),
    Snappy(Box<snap::raw::Encoder>),
    SnappyFramed,
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Compressors {
    /// Compressors at a level; 1 where nothing else is said: the smallest effort costs least and compresses telemetry nearly as well.
    pub fn new(coding: Coding, level: Option<i32>) -> Self {
        Self { coding, level: level.unwrap_or(1), idle: Mutex::default() }
    }

    /// What they make.
    pub fn coding(&self) -> Coding {
        self.coding
    }

    /// Appends the compressed bytes to `out`.
    pub fn compress(&self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut compressor = match idle {
            Some(compressor) => compressor,
            None => self.make()?,
        };
        compressor.compress(bytes, out)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(compressor);
        }
        Ok(())
    }

    /// Appends what stands in `plain` behind so many bytes, compressed, to `out`. What takes long is done on a thread beside the lane's: the
    /// requests of all its clients would wait as long (docs/decisions/0015-one-queue-per-exporter.md has the figures).
    pub async fn pack(self: &Arc<Self>, plain: Buffer, skip: usize, mut out: Buffer) -> io::Result<Buffer> {
        if plain.len() < LONG {
            self.compress(&plain[skip..], &mut out)?;
            return Ok(out);
        }
        let compressors = self.clone();
        let beside = tokio::task::spawn_blocking(move || {
            compressors.compress(&plain[skip..], &mut out)?;
            Ok(out)
        });
        beside.await.map_err(io::Error::other)?
    }

    fn make(&self) -> io::Result<Compressor> {
        let level = || match u32::try_from(self.level) {
            Ok(level) => flate2::Compression::new(level.min(9)),
            // -1 is the default of zlib. -2 is Go's for Huffman codes alone, to which the least effort comes nearest.
            Err(_) if self.level == -1 => flate2::Compression::default(),
            Err(_) => flate2::Compression::fast(),
        };
        Ok(match self.coding {
            Coding::Gzip => Compressor::Deflate(Compress::new_gzip(level(), 15)),
            Coding::Deflate | Coding::Zlib => Compressor::Deflate(Compress::new(level(), true)),
            Coding::Snappy => Compressor::Snappy(Box::new(snap::raw::Encoder::new())),
            Coding::SnappyFramed | Coding::SnappyGrpc => Compressor::SnappyFramed,
            Coding::Zstd => Compressor::Zstd(zstd::bulk::Compressor::new(self.level)?),
        })
    }
}

impl Compressor {
    fn compress(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Compressor::Deflate(compress) => deflate(compress, bytes, out),
            Compressor::Snappy(encoder) => {
                let start = out.len();
                out.resize(start + snap::raw::max_compress_len(bytes.len()), 0);
                let written = encoder.compress(bytes, &mut out[start..])?;
                out.truncate(start + written);
                Ok(())
            }
            Compressor::SnappyFramed => {
                let mut encoder = snap::write::FrameEncoder::new(out);
                encoder.write_all(bytes)?;
                encoder.flush()
            }
            Compressor::Zstd(compressor) => {
                let start = out.len();
                out.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
                let mut end = io::Cursor::new(out);
                end.set_position(start as u64);
                compressor.compress_to_buffer(bytes, &mut end).map(drop)
            }
        }
    }
}

/// The bytes that an answer was compressed from, as far as answers go: they are small, and what is larger than this is none that we asked
/// for. None where it is no such thing, or of a coding that is not known.
pub fn expand(coding: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    const MOST: u64 = 64 << 10;
    let mut out = Vec::new();
    let read = match coding {
        "gzip" => flate2::bufread::GzDecoder::new(bytes).take(MOST).read_to_end(&mut out),
        "deflate" | "zlib" => flate2::bufread::ZlibDecoder::new(bytes).take(MOST).read_to_end(&mut out),
        "snappy" | "x-snappy-framed" => snap::read::FrameDecoder::new(bytes).take(MOST).read_to_end(&mut out),
        "zstd" => zstd::stream::read::Decoder::with_buffer(bytes).and_then(|decoder| decoder.take(MOST).read_to_end(&mut out)),
        "identity" | "" => return Some(bytes.to_vec()),
        _ => return None,
    };
    read.ok().filter(|length| (*length as u64) < MOST).map(|_| out)
}

fn deflate(compress: &mut Compress, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    compress.reset();
    // Telemetry shrinks to a third or less; what does not costs another round.
    out.reserve(bytes.len() / 3 + 64);
    loop {
        let taken = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(taken..).unwrap_or_default();
        match compress.compress_vec(rest, out, FlushCompress::Finish).map_err(io::Error::other)? {
            Status::StreamEnd => return Ok(()),
            Status::Ok | Status::BufError => out.reserve(rest.len() / 2 + 64),
        }
    }
}

impl fmt::Debug for Compressors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Compressors({} at {})", self.coding.name(), self.level)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::{Arc, Coding, Compressors, LONG, expand};
    use crate::buffers::Buffers;

    const ALL: [Coding; 7] =
        [Coding::Gzip, Coding::Deflate, Coding::Zlib, Coding::Snappy, Coding::SnappyFramed, Coding::SnappyGrpc, Coding::Zstd];

    fn decompressed(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match coding {
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap(),
            Coding::Deflate | Coding::Zlib => flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut out).unwrap(),
            Coding::Snappy => {
                out = snap::raw::Decoder::new().decompress_vec(bytes).unwrap();
                out.len()
            }
            Coding::SnappyFramed | Coding::SnappyGrpc => snap::read::FrameDecoder::new(bytes).read_to_end(&mut out).unwrap(),
            Coding::Zstd => zstd::stream::read::Decoder::new(bytes).unwrap().read_to_end(&mut out).unwrap(),
        };
        out
    }

    #[test]
    fn a_compressor_is_used_again_and_appends() {
        for coding in ALL {
            let compressors = Compressors::new(coding, None);
            for text in ["", "spans spans spans spans", "others"] {
                let mut out = b"front".to_vec();
                compressors.compress(text.as_bytes(), &mut out).unwrap();
                assert_eq!(&out[..5], b"front", "{coding:?}");
                if !(text.is_empty() && out.len() == 5) {
                    assert_eq!(decompressed(coding, &out[5..]), text.as_bytes(), "{coding:?}");
                }
            }
            assert_eq!(compressors.idle.lock().unwrap().len(), 1, "{coding:?}");
        }
    }

    #[tokio::test]
    async fn what_is_long_comes_back_from_its_thread_as_what_is_short_does_here() {
        let (buffers, compressors) = (Buffers::new(0), Arc::new(Compressors::new(Coding::Gzip, None)));
        for length in [10, LONG - 1, LONG, 2 * LONG] {
            let text: Vec<u8> = (0..length).map(|place| (place / 7) as u8).collect();
            let (mut plain, mut out) = (buffers.take(length), buffers.take(0));
            plain.extend_from_slice(&text);
            out.extend_from_slice(b"front");
            let packed = compressors.pack(plain, 3, out).await.unwrap();
            assert_eq!(&packed[..5], b"front");
            assert_eq!(decompressed(Coding::Gzip, &packed[5..]), text[3..], "{length}");
        }
    }

    #[test]
    fn an_answer_is_expanded_and_no_further() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::SnappyFramed, Coding::Zstd] {
            let mut out = Vec::new();
            Compressors::new(coding, None).compress(b"partial", &mut out).unwrap();
            assert_eq!(expand(coding.name(), &out).as_deref(), Some(&b"partial"[..]), "{coding:?}");
            let mut bomb = Vec::new();
            Compressors::new(coding, None).compress(&vec![0; 10 << 20], &mut bomb).unwrap();
            assert_eq!(expand(coding.name(), &bomb), None, "{coding:?}");
        }
        assert_eq!(expand("br", b"x"), None);
        assert_eq!(expand("gzip", b"x"), None);
    }

    #[test]
    fn gzip_is_what_others_expect_at_its_front() {
        let mut out = Vec::new();
        Compressors::new(Coding::Gzip, None).compress(b"spans", &mut out).unwrap();
        assert_eq!(out[..4], [0x1f, 0x8b, 8, 0]);
    }

    proptest! {
        #[test]
        fn what_was_compressed_comes_back(bytes in proptest::collection::vec(any::<u8>(), 1..5000), copies in 1..40usize, level in -2..10i32) {
            let bytes = bytes.repeat(copies);
            for coding in ALL {
                let mut out = Vec::new();
                Compressors::new(coding, Some(level)).compress(&bytes, &mut out).unwrap();
                prop_assert_eq!(&decompressed(coding, &out), &bytes);
            }
        }
    }
}
