//! From what the destination answered to what is done next.

use crate::client::Answer;
use crate::grpc::{Code, PartialSuccess, Status, frame};
use crate::otlp::profile::is_above_burst;
use crate::words::cut;
use bytes::Bytes;
use http::StatusCode;
use tracetailor_core::component::{Delivered, ExportError, Failing};

/// Words of a `RESOURCE_EXHAUSTED` that mean that this one request is too large, however long one waits: of gRPC's own libraries in Go and
/// in Java.
const TOO_LARGE: [&str; 3] = ["larger than max", "exceeds maximum size", "message length too large"];

/// What came of a request.
pub(super) fn outcome(answer: Answer) -> Result<Delivered, ExportError> {
    match status(&answer) {
        Ok(status) if status.code == Code::OK => delivered(answer),
        Ok(status) => Err(refused(&status)),
        Err(foreign) => Err(foreign),
    }
}

/// How the call ended; an error where that was not said in gRPC at all.
fn status(answer: &Answer) -> Result<Status, ExportError> {
    let said = Status::of_trailers(&answer.trailers).or_else(|| Status::of_trailers(&answer.headers));
    if answer.status == StatusCode::OK
        && let Some(status) = said
    {
        return Ok(status);
    }
    let code = match answer.status {
        StatusCode::OK => Code::INTERNAL,
        status => Code::of_foreign_http(status),
    };
    let kind = answer.content_type();
    let what = if kind.is_empty() { "no type".to_owned() } else { cut(&kind) };
    let message = format!("the answer is HTTP {} with {what} and not gRPC: is this the port for gRPC (mostly 4317)?", answer.status);
    match code {
        // Somebody on the way is at work; the destination itself has not spoken.
        Code::INTERNAL => Err(ExportError::retry(message).with_code(Code::UNAVAILABLE.0)),
        code => Err(ExportError::new(failing(code, None, &message), message).with_code(code.0)),
    }
}

/// It was taken, perhaps not all of it. What cannot be read changes nothing about that: the status says so, and to send it again would
/// double it.
fn delivered(answer: Answer) -> Result<Delivered, ExportError> {
    let message = match frame(answer.body) {
        Ok(None) => return Ok(Delivered::ALL),
        Ok(Some((false, message))) => Some(message),
        Ok(Some((true, message))) => {
            let coding = answer.headers.get("grpc-encoding").and_then(|coding| coding.to_str().ok()).unwrap_or_default();
            crate::compress::expand(coding, &message).map(Bytes::from)
        }
        Err(_) => None,
    };
    match message.as_deref().and_then(PartialSuccess::decode) {
        Some(partial) => Ok(Delivered { rejected: partial.rejected, message: cut(&partial.message) }),
        None => Ok(Delivered { rejected: 0, message: "taken, with an answer that cannot be read".to_owned() }),
    }
}

fn refused(status: &Status) -> ExportError {
    let said = cut(&status.message);
    let message = if said.is_empty() { status.code.to_string() } else { format!("{}: {said}", status.code) };
    ExportError::new(failing(status.code, status.retry_after, &status.message), message).with_code(status.code.0)
}

/// What is done about a code.
pub(super) fn failing(code: Code, retry_after: Option<std::time::Duration>, message: &str) -> Failing {
    let speaks_of_size = || TOO_LARGE.iter().any(|words| message.contains(words)) || is_above_burst(message);
    match code {
        Code::RESOURCE_EXHAUSTED | Code::OUT_OF_RANGE if speaks_of_size() => Failing::TooLarge,
        Code::RESOURCE_EXHAUSTED if retry_after.is_none() => Failing::Denied,
        Code::RESOURCE_EXHAUSTED
        | Code::CANCELLED
        | Code::DEADLINE_EXCEEDED
        | Code::ABORTED
        | Code::OUT_OF_RANGE
        | Code::UNAVAILABLE
        | Code::DATA_LOSS => Failing::Retry { after: retry_after },
        Code::UNAUTHENTICATED | Code::PERMISSION_DENIED | Code::UNIMPLEMENTED | Code::NOT_FOUND | Code::FAILED_PRECONDITION => {
            Failing::Denied
        }
        // INVALID_ARGUMENT and INTERNAL; and what a server says that broke over the data without a word for it.
        _ => Failing::Invalid,
    }
}
