//! What the first bytes of a connection tell: HTTP/1, HTTP/2, or one of the mistakes that everybody makes on the first day.

use std::fmt;

/// How an HTTP/2 connection begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// So many bytes are enough to tell.
pub(super) const ENOUGH: usize = PREFACE.len();

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    Http1,
    Http2,
    TlsHello,
    Thrift,
    /// Not enough has come to tell.
    Unclear,
}

/// A client that speaks to the wrong port, or in the wrong way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// TLS to a port that speaks in the clear.
    TlsToPlaintext,
    /// In the clear to a port that speaks TLS.
    PlaintextToTls,
    /// Thrift, as Jaeger's older clients speak it.
    Thrift,
}

impl Mistake {
    /// Every mistake.
    pub const ALL: [Mistake; 3] = [Mistake::TlsToPlaintext, Mistake::PlaintextToTls, Mistake::Thrift];

    /// As it stands in a counter's label.
    pub fn name(self) -> &'static str {
        match self {
            Mistake::TlsToPlaintext => "tls_to_plaintext",
            Mistake::PlaintextToTls => "plaintext_to_tls",
            Mistake::Thrift => "thrift",
        }
    }
}

impl fmt::Display for Mistake {
    /// What is wrong and what would be right, for whoever made it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mistake::TlsToPlaintext => {
                "this port speaks without TLS: send with http://, or with insecure: true, or give the receiver a tls block"
            }
            Mistake::PlaintextToTls => "this port speaks TLS: send with https://, or without insecure: true",
            Mistake::Thrift => "this port speaks OTLP, not Jaeger's Thrift: send OTLP to it",
        })
    }
}

/// Tells what a connection speaks by how it begins.
pub(super) fn listen_to(first: &[u8]) -> Speech {
    let known = first.len().min(PREFACE.len());
    if first[..known] == PREFACE[..known] {
        return if first.len() >= PREFACE.len() { Speech::Http2 } else { Speech::Unclear };
    }
    match first {
        // A record of the handshake, of any version since SSL 3.
        [0x16, 0x03, ..] => Speech::TlsHello,
        [0x16] => Speech::Unclear,
        // Binary and compact messages, bare and framed: with their length in front.
        [0x80, 0x01, ..] | [0x82, 0x21 | 0x41, ..] | [0, _, _, _, 0x80 | 0x82, ..] => Speech::Thrift,
        [0x80 | 0x82] | [0] | [0, _] | [0, _, _] | [0, _, _, _] => Speech::Unclear,
        // Anything else is for HTTP/1 to refuse.
        _ => Speech::Http1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_told_by_how_they_begin() {
        assert_eq!(listen_to(PREFACE), Speech::Http2);
        assert_eq!(listen_to(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n and settings"), Speech::Http2);
        assert_eq!(listen_to(b"POST /v1/traces HTTP/1.1\r\n"), Speech::Http1);
        assert_eq!(listen_to(b"PROPFIND /"), Speech::Http1);
        assert_eq!(listen_to(b"\x16\x03\x01\x00\xa5\x01"), Speech::TlsHello);
        assert_eq!(listen_to(b"\x80\x01\x00\x01\x00\x00\x00\x0bsubmitBatches"), Speech::Thrift);
        assert_eq!(listen_to(b"\x00\x00\x00\x20\x80\x01\x00\x01"), Speech::Thrift);
        assert_eq!(listen_to(b"\x82\x21\x00"), Speech::Thrift);
        assert_eq!(listen_to(b"\xff\xfe"), Speech::Http1);
    }

    #[test]
    fn too_few_bytes_tell_nothing() {
        for first in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r", b"\x16", b"\x80", b"\x00", b"\x00\x00\x00\x20"] {
            assert_eq!(listen_to(first), Speech::Unclear, "{first:?}");
        }
    }
}
