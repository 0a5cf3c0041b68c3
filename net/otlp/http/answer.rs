//! From what the destination answered to what is done next.

use std::time::Duration;

use crate::client::Answer;
use crate::grpc::{Code, PartialSuccess, Status};
use crate::otlp::profile::is_above_burst;
use crate::words::{cut, http_date};
use http::{HeaderMap, StatusCode, header};
use tracetailor_core::component::{Delivered, ExportError, Failing};
use tracetailor_core::config::Backend;
use tracetailor_core::time::LogTime;

/// What came of a request to `target`, at a time.
pub(super) fn outcome(answer: &Answer, target: &str, backend: Option<Backend>, now: LogTime) -> Result<Delivered, ExportError> {
    if answer.status.is_success() {
        return Ok(delivered(answer));
    }
    let said = words(answer);
    let status = answer.status;
    let mut message = format!("{status} from {target}");
    if status.is_redirection() {
        let to = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
        // A query may hold a token.
        let to = cut(to.split('?').next().unwrap_or_default());
        message = format!("{message}: it redirects to {to:?}, which is not followed; write that as the endpoint");
    } else if !said.is_empty() {
        message = format!("{message}: {said}");
    }
    let failing = match failing(status, retry_after(&answer.headers, now)) {
        Failing::Retry { .. } if backend == Some(Backend::Tempo) && is_above_burst(&said) => Failing::TooLarge,
        failing => failing,
    };
    Err(ExportError::new(failing, message).with_code(Code::of_otlp_http(status).0))
}

/// What is done about a status.
fn failing(status: StatusCode, after: Option<Duration>) -> Failing {
    match status.as_u16() {
        // 500 is what a server says that broke over the data, as gRPC's INTERNAL.
        400 | 422 | 500 => Failing::Invalid,
        413 => Failing::TooLarge,
        429 | 503 => Failing::Retry { after },
        502 | 504 => Failing::Retry { after: None },
        _ => Failing::Denied,
    }
}

/// How long it asked to be left alone: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: LogTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => http_date(value).map(|then| LogTime(then.saturating_mul(1_000_000_000)).since(now)),
    }
}

/// It was taken, perhaps not all of it. A page that is no answer of OTLP (a proxy's, most often) counts as taken, as its status says.
fn delivered(answer: &Answer) -> Delivered {
    let partial = match answer.content_type().as_str() {
        "application/x-protobuf" => PartialSuccess::decode(&answer.body),
        "application/json" => serde_json::from_slice(&answer.body).ok().map(|said| partial_json(&said)),
        _ => Some(PartialSuccess::default()),
    };
    match partial {
        Some(partial) => Delivered { rejected: partial.rejected, message: cut(&partial.message) },
        None if answer.body.is_empty() => Delivered::ALL,
        None => Delivered { rejected: 0, message: "taken, with an answer that cannot be read".to_owned() },
    }
}

/// The same in JSON, where a number may stand as text.
fn partial_json(answer: &serde_json::Value) -> PartialSuccess {
    let partial = &answer["partialSuccess"];
    let counts = ["rejectedSpans", "rejectedLogRecords", "rejectedDataPoints"].iter().filter_map(|name| {
        let count = &partial[*name];
        count.as_u64().or_else(|| count.as_str()?.parse().ok())
    });
    PartialSuccess { rejected: counts.sum(), message: partial["errorMessage"].as_str().unwrap_or_default().to_owned() }
}

/// What an error says: a `google.rpc.Status` in one of the two encodings, or a short text. A page for a browser says nothing.
fn words(answer: &Answer) -> String {
    let body = &answer.body[..answer.body.len().min(64 << 10)];
    let said = match answer.content_type().as_str() {
        "application/x-protobuf" => Status::decode(body).map(|status| status.message).unwrap_or_default(),
        "application/json" => match serde_json::from_slice::<serde_json::Value>(body) {
            Ok(said) => said["message"].as_str().or(said["error"].as_str()).map(str::to_owned).unwrap_or_else(|| said.to_string()),
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        },
        "text/html" => String::new(),
        _ => String::from_utf8_lossy(body).into_owned(),
    };
    cut(&said)
}
