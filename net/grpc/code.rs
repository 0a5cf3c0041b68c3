//! The status codes of gRPC, and what they are in HTTP.

use std::fmt;

use http::StatusCode;

/// How a call ended, as gRPC numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub i32);

/// The names as gRPC's own documents spell them; the number is the place.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl Code {
    /// It was done.
    pub const OK: Code = Code(0);
    /// Somebody gave up on it.
    pub const CANCELLED: Code = Code(1);
    /// Nobody said why.
    pub const UNKNOWN: Code = Code(2);
    /// The request is wrong in itself.
    pub const INVALID_ARGUMENT: Code = Code(3);
    /// It took too long.
    pub const DEADLINE_EXCEEDED: Code = Code(4);
    /// There is no such thing.
    pub const NOT_FOUND: Code = Code(5);
    /// There is such a thing already.
    pub const ALREADY_EXISTS: Code = Code(6);
    /// Not for this caller.
    pub const PERMISSION_DENIED: Code = Code(7);
    /// A quota or a limit.
    pub const RESOURCE_EXHAUSTED: Code = Code(8);
    /// Not in the state that the server is in.
    pub const FAILED_PRECONDITION: Code = Code(9);
    /// Another call was in the way.
    pub const ABORTED: Code = Code(10);
    /// Past the end.
    pub const OUT_OF_RANGE: Code = Code(11);
    /// The server has no such method.
    pub const UNIMPLEMENTED: Code = Code(12);
    /// The server broke over it.
    pub const INTERNAL: Code = Code(13);
    /// Not now.
    pub const UNAVAILABLE: Code = Code(14);
    /// What was there is gone.
    pub const DATA_LOSS: Code = Code(15);
    /// Nobody knows who calls.
    pub const UNAUTHENTICATED: Code = Code(16);

    /// What an HTTP status means for an OTLP request, as the Collector translates it.
    pub fn of_otlp_http(status: StatusCode) -> Code {
        match status.as_u16() {
            200..=299 => Code::OK,
            400 => Code::INVALID_ARGUMENT,
            401 => Code::UNAUTHENTICATED,
            403 => Code::PERMISSION_DENIED,
            404 => Code::UNIMPLEMENTED,
            429 => Code::RESOURCE_EXHAUSTED,
            502..=504 => Code::UNAVAILABLE,
            _ => Code::UNKNOWN,
        }
    }

    /// What an answer means that speaks HTTP but not gRPC: mostly one of somebody in between. The table is gRPC's own.
    pub fn of_foreign_http(status: StatusCode) -> Code {
        match status.as_u16() {
            400 => Code::INTERNAL,
            401 => Code::UNAUTHENTICATED,
            403 => Code::PERMISSION_DENIED,
            404 => Code::UNIMPLEMENTED,
            429 | 502..=504 => Code::UNAVAILABLE,
            _ => Code::UNKNOWN,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match usize::try_from(self.0).ok().and_then(|number| NAMES.get(number)) {
            Some(name) => f.write_str(name),
            None => write!(f, "code {}", self.0),
        }
    }
}
