//! The compressions that OTLP knows, by the names they have on the wire.

use std::io::{Read, Write};

use anyhow::{Result, bail};
use clap::ValueEnum;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// How a request is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    /// Not at all.
    None,
    /// At the level that SDKs take unless told otherwise (6).
    Gzip,
    /// At the library's own level (3).
    Zstd,
}

impl Compression {
    pub(crate) const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

    /// As headers and configurations spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }

    /// What a header says. A missing one and `identity` mean that nothing is compressed.
    pub(crate) fn of_header(name: Option<&str>) -> Result<Self> {
        match name {
            None | Some("identity") => Ok(Compression::None),
            Some("gzip") => Ok(Compression::Gzip),
            Some("zstd") => Ok(Compression::Zstd),
            Some(other) => bail!("cannot undo the compression {other}"),
        }
    }

    /// Appends the compressed bytes.
    pub(crate) fn compress(self, body: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Compression::None => out.extend_from_slice(body),
            Compression::Gzip => {
                let mut encoder = GzEncoder::new(out, flate2::Compression::default());
                encoder.write_all(body)?;
                encoder.finish()?;
            }
            Compression::Zstd => zstd::stream::copy_encode(body, out, zstd::DEFAULT_COMPRESSION_LEVEL)?,
        }
        Ok(())
    }

    /// The bytes that were compressed.
    pub(crate) fn decompress(self, body: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(4 * body.len());
        match self {
            Compression::None => out.extend_from_slice(body),
            Compression::Gzip => drop(GzDecoder::new(body).read_to_end(&mut out)?),
            Compression::Zstd => zstd::stream::copy_decode(body, &mut out)?,
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back() {
        let body = b"spans and more spans and more spans".repeat(20);
        for compression in Compression::ALL {
            let mut compressed = Vec::new();
            compression.compress(&body, &mut compressed).unwrap();
            assert_eq!(compression.decompress(&compressed).unwrap(), body, "{compression:?}");
        }
        assert!(Compression::of_header(Some("snappy")).is_err());
    }
}
