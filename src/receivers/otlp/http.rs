//! OTLP over HTTP: a path for each signal, protobuf or JSON.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use tracetailor_core::telemetry::Signal;
use tracetailor_net::grpc::{Code, PartialSuccess, Status};
use tracetailor_net::server::{Client, Incoming, Reading, Reply};

use super::intake::Form;
use super::outcome::{Outcome, Refusal};
use super::port::Port;
use super::sender::Sender;

/// Where a body has no declared length, room is asked for in steps of this.
const STEP: usize = 64 << 10;

/// Answers one request to one of the three paths.
pub(super) async fn answer(
    port: Arc<Port>,
    client: Arc<Client>,
    sender: Sender,
    signal: Signal,
    request: Request<Incoming>,
) -> Response<Reply> {
    if request.method() != Method::POST {
        port.counts.refused("method");
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed, supported: [POST]");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let Some(form) = form_of(request.headers()) else {
        port.counts.refused("unsupported_type");
        let text = "415 unsupported media type, supported: [application/json, application/x-protobuf]";
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
    };
    let (head, body) = request.into_parts();
    let mut reading = Reading::new(body, &client).within(port.stall);
    let outcome = export(&port, sender, signal, form, &head.headers, &mut reading).await;
    port.counts.outcome(client.lane, signal, &outcome);
    match outcome {
        Ok(taken) => respond(form, StatusCode::OK, success(form, signal, taken.partial)),
        Err(refusal) => {
            leave(reading);
            refused(Some(form), &refusal)
        }
    }
}

/// So much of a body that is not wanted is read all the same, and for so long.
const LEFT_OVER: usize = 64 << 20;
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// Reads what is left of a body that is not wanted and throws it away, while its client is answered already: one that is still sending when
/// its connection is closed hears that it broke, and not that it may come back, or must not.
pub(super) fn leave(mut reading: Reading) {
    if !reading.is_at_end() {
        tokio::spawn(async move { tokio::time::timeout(LEAVE_WITHIN, reading.discard(LEFT_OVER)).await });
    }
}

async fn export(port: &Port, sender: Sender, signal: Signal, form: Form, headers: &HeaderMap, reading: &mut Reading) -> Outcome {
    let packing = port.packing(headers.get(CONTENT_ENCODING))?;
    let declared = reading.declared();
    if declared.is_some_and(|length| length > port.limit) {
        return Err(Refusal::too_large(port.limit));
    }
    let mut permit = port.inlet.admit(signal, declared.unwrap_or(STEP), None).await?;
    let body = match declared {
        Some(length) => reading.exactly(Bytes::new(), length).await?,
        None => {
            let mut room = STEP;
            let enlarge = |received: usize| match received.checked_sub(room) {
                Some(more) if more > 0 => {
                    let more = more.max(room);
                    room += more;
                    permit.enlarge(more).map_err(Refusal::from)
                }
                _ => Ok(()),
            };
            reading.whole(port.limit, enlarge).await?
        }
    };
    let body = port.unpack(packing, body, permit.as_mut())?;
    port.inlet.take(signal, form, permit, body, sender).await
}

/// How the body is written, if it is in one of the two ways.
pub(super) fn form_of(headers: &HeaderMap) -> Option<Form> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = value.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/x-protobuf") {
        Some(Form::Protobuf)
    } else if kind.eq_ignore_ascii_case("application/json") {
        Some(Form::Json)
    } else {
        None
    }
}

/// An answer for people.
pub(super) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Reply> {
    let mut response = Response::new(Reply::of(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn respond(form: Form, status: StatusCode, body: Bytes) -> Response<Reply> {
    let mut response = Response::new(Reply::of(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type(form));
    response
}

/// Says no, in the form of the request where it has one.
pub(super) fn refused(form: Option<Form>, refusal: &Refusal) -> Response<Reply> {
    let status = refusal.http_status();
    let mut response = match form {
        Some(form) => respond(form, status, failure(form, &refusal.status)),
        None => plain(status, format!("{}\n", refusal.status.message)),
    };
    let may_come_again = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
    if let Some(after) = refusal.status.retry_after.filter(|_| may_come_again) {
        // Whole seconds, and never nought.
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_millis().div_ceil(1000).max(1) as u64));
    }
    response
}

fn content_type(form: Form) -> HeaderValue {
    HeaderValue::from_static(match form {
        Form::Protobuf => "application/x-protobuf",
        Form::Json => "application/json",
    })
}

fn success(form: Form, signal: Signal, partial: Option<PartialSuccess>) -> Bytes {
    match (form, partial) {
        (Form::Protobuf, None) => Bytes::from_static(&[0x0a, 0x00]),
        (Form::Json, None) => Bytes::from_static(br#"{"partialSuccess":{}}"#),
        (Form::Protobuf, Some(partial)) => partial.encode().into(),
        (Form::Json, Some(partial)) => json_partial(signal, &partial),
    }
}

/// In protobuf the three signals' answers are alike; JSON spells them out.
fn json_partial(signal: Signal, partial: &PartialSuccess) -> Bytes {
    let rejected = match signal {
        Signal::Traces => "rejectedSpans",
        Signal::Logs => "rejectedLogRecords",
        Signal::Metrics => "rejectedDataPoints",
    };
    let inside = serde_json::json!({ rejected: partial.rejected.to_string(), "errorMessage": partial.message });
    serde_json::json!({ "partialSuccess": inside }).to_string().into()
}

fn failure(form: Form, status: &Status) -> Bytes {
    match form {
        Form::Protobuf => status.encode().into(),
        Form::Json => serde_json::json!({ "code": status.code.0, "message": status.message }).to_string().into(),
    }
}

/// What a client is told that speaks gRPC here.
pub(super) fn not_grpc(port: &Port) -> Refusal {
    let instead = match port.other {
        Some(other) => format!("gRPC is spoken on port {other}"),
        None => "set protocols.grpc in the receiver to speak gRPC".to_owned(),
    };
    Refusal::new("grpc_to_http", Code::UNIMPLEMENTED, format!("this port speaks OTLP over HTTP; {instead}"))
}
