//! How a call ended, with what is said besides: `google.rpc.Status` with its `RetryInfo`, and OTLP's partial success.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::{HeaderMap, HeaderValue};

use super::Code;
use super::wire::{Field, Fields, put_bytes, put_number};

/// The type under which a `RetryInfo` stands among a status' details.
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// How a call ended: `google.rpc.Status`, of whose details only `RetryInfo` is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How.
    pub code: Code,
    /// In words.
    pub message: String,
    /// How long the server wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl Status {
    /// A status of this code.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// Reads the message; None where the bytes are none. Details of other types are passed over.
    pub fn decode(bytes: &[u8]) -> Option<Status> {
        let mut status = Status::new(Code::OK, "");
        for field in Fields(bytes) {
            match field.ok()? {
                #[expect(clippy::cast_possible_truncation, reason = "an int32 travels sign-extended to 64 bits")]
                Field::Number(1, code) => status.code = Code(code as i32),
                Field::Bytes(2, message) => status.message = String::from_utf8_lossy(message).into_owned(),
                Field::Bytes(3, detail) => status.retry_after = status.retry_after.or(retry_delay(detail)),
                _ => {}
            }
        }
        Some(status)
    }

    /// The message, as the body of an HTTP answer or behind `grpc-status-details-bin`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        #[expect(clippy::cast_sign_loss, reason = "an int32 travels sign-extended to 64 bits")]
        put_number(&mut out, 1, i64::from(self.code.0) as u64);
        put_bytes(&mut out, 2, self.message.as_bytes());
        if let Some(after) = self.retry_after {
            let (mut delay, mut info, mut any) = (Vec::new(), Vec::new(), Vec::new());
            put_number(&mut delay, 1, after.as_secs());
            put_number(&mut delay, 2, u64::from(after.subsec_nanos()));
            // A zero wait is an empty message that must be there all the same.
            info.extend([1 << 3 | 2, delay.len() as u8]);
            info.extend(delay);
            put_bytes(&mut any, 1, RETRY_INFO.as_bytes());
            put_bytes(&mut any, 2, &info);
            put_bytes(&mut out, 3, &any);
        }
        out
    }

    /// What an answer's trailers (or its headers, where it has nothing else) say; None where they say nothing.
    pub fn of_trailers(trailers: &HeaderMap) -> Option<Status> {
        let code = trailers.get("grpc-status")?.to_str().ok().and_then(|code| code.parse().ok()).map_or(Code::UNKNOWN, Code);
        let message = trailers.get("grpc-message").map(|message| percent_decoded(message.as_bytes())).unwrap_or_default();
        let details = trailers.get("grpc-status-details-bin").and_then(|details| decode_bin(details.as_bytes()));
        let retry_after = details.and_then(|details| Status::decode(&details)).and_then(|status| status.retry_after);
        Some(Status { code, message, retry_after })
    }

    /// The trailers that say so.
    pub fn to_trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::with_capacity(3);
        trailers.insert("grpc-status", HeaderValue::from(self.code.0));
        if !self.message.is_empty()
            && let Ok(message) = HeaderValue::from_str(&percent_encoded(&self.message))
        {
            trailers.insert("grpc-message", message);
        }
        if self.retry_after.is_some()
            && let Ok(details) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(self.encode()))
        {
            trailers.insert("grpc-status-details-bin", details);
        }
        trailers
    }
}

/// The wait that an `Any` with a `RetryInfo` asks for.
fn retry_delay(any: &[u8]) -> Option<Duration> {
    let mut is_retry_info = false;
    let mut info: &[u8] = &[];
    for field in Fields(any) {
        match field.ok()? {
            Field::Bytes(1, name) => is_retry_info = name == RETRY_INFO.as_bytes(),
            Field::Bytes(2, value) => info = value,
            _ => {}
        }
    }
    let delay = Fields(info).find_map(|field| match field {
        Ok(Field::Bytes(1, delay)) => Some(delay),
        _ => None,
    });
    is_retry_info.then(|| delay.map_or(Some(Duration::ZERO), duration))?
}

/// A `google.protobuf.Duration`. A negative one asks for nothing.
fn duration(bytes: &[u8]) -> Option<Duration> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields(bytes) {
        match field.ok()? {
            Field::Number(1, value) => seconds = value,
            Field::Number(2, value) => nanos = value,
            _ => {}
        }
    }
    #[expect(clippy::cast_possible_wrap, reason = "an int64 travels as its 64 bits")]
    let seconds = u64::try_from(seconds as i64).ok()?;
    Some(Duration::from_secs(seconds) + Duration::from_nanos(nanos.min(999_999_999)))
}

/// Headers in base64 come with padding and without.
fn decode_bin(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).ok()
}

/// As gRPC writes a message into a header: `%` and what is not printable ASCII as hexadecimal.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The same backwards; what is no escape stays as it is.
fn percent_decoded(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let escaped = (*byte == b'%').then(|| after.split_at_checked(2)).flatten();
        let decoded = escaped.and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        let (byte, after) = decoded.unwrap_or((*byte, after));
        out.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What an `Export…ServiceResponse` says of what was not taken; the three signals' answers are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialSuccess {
    /// How many items were refused.
    pub rejected: u64,
    /// Why; or a warning, where none were.
    pub message: String,
}

impl PartialSuccess {
    /// Reads a response. None where the bytes are none; an empty one took everything.
    pub fn decode(response: &[u8]) -> Option<PartialSuccess> {
        let mut partial = PartialSuccess::default();
        for field in Fields(response) {
            let Field::Bytes(1, inside) = field.ok()? else { continue };
            for field in Fields(inside) {
                match field.ok()? {
                    // An int64; a negative count is nonsense and counts nothing.
                    Field::Number(1, rejected) => partial.rejected = if rejected > i64::MAX as u64 { 0 } else { rejected },
                    Field::Bytes(2, message) => partial.message = String::from_utf8_lossy(message).into_owned(),
                    _ => {}
                }
            }
        }
        Some(partial)
    }

    /// The response that says so; empty where everything was taken.
    pub fn encode(&self) -> Vec<u8> {
        let (mut inside, mut out) = (Vec::new(), Vec::new());
        put_number(&mut inside, 1, self.rejected);
        put_bytes(&mut inside, 2, self.message.as_bytes());
        put_bytes(&mut out, 1, &inside);
        out
    }
}
