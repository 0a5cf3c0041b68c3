//! What stands in place of what is masked: four stars, or a digest.

use std::fmt::Write;

use regex::Regex;
use ring::digest::SHA1_FOR_LEGACY_USE_ONLY;
use ring::hmac;
use sha3::{Digest, Sha3_256};
use tracetailor_core::config::Secret;

use super::HashFunction;

/// How texts are masked.
pub(in crate::redaction) struct Masking {
    function: HashFunction,
    key: Option<hmac::Key>,
}

impl Masking {
    pub(in crate::redaction) fn new(function: HashFunction, key: &Secret) -> Self {
        let algorithm = match function {
            HashFunction::HmacSha256 => Some(hmac::HMAC_SHA256),
            HashFunction::HmacSha512 => Some(hmac::HMAC_SHA512),
            _ => None,
        };
        Self { function, key: algorithm.map(|algorithm| hmac::Key::new(algorithm, key.expose().as_bytes())) }
    }

    /// What stands for a text.
    pub(in crate::redaction) fn mask(&self, text: &str) -> String {
        digest(self.function, self.key.as_ref(), text.as_bytes())
    }

    /// The text with each match of a pattern masked, empty ones too.
    pub(super) fn matches(&self, pattern: &Regex, text: &str) -> String {
        pattern.replace_all(text, |found: &regex::Captures<'_>| self.mask(&found[0])).into_owned()
    }

    /// The text with each line masked: what the pattern `.*` matches.
    pub(super) fn lines(&self, text: &str) -> String {
        let mut lines = text.split('\n').peekable();
        let mut out = String::new();
        while let Some(line) = lines.next() {
            // An empty line behind the last break is none of its own, but an empty text is.
            out.push_str(&self.mask(line));
            if lines.peek().is_some() {
                out.push('\n');
            }
        }
        out
    }
}

/// The digest of some bytes in lower-case hex, or four stars.
pub(in crate::redaction) fn digest(function: HashFunction, key: Option<&hmac::Key>, bytes: &[u8]) -> String {
    match (function, key) {
        (HashFunction::Md5, _) => hex(&md5::compute(bytes).0),
        (HashFunction::Sha1, _) => hex(ring::digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()),
        (HashFunction::Sha3, _) => hex(&Sha3_256::digest(bytes)),
        (_, Some(key)) => hex(hmac::sign(key, bytes).as_ref()),
        (_, None) => "****".to_owned(),
    }
}

/// Two digits a byte.
pub(in crate::redaction) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
