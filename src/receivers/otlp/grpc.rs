//! OTLP over gRPC: three unary calls, done by hand over HTTP/2, because a span is bytes until somebody must read it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Request, Response};
use tracetailor_core::telemetry::Signal;
use tracetailor_net::grpc::{Code, PREFIX, PartialSuccess, Status, put_prefix};
use tracetailor_net::server::{BodyError, Client, Incoming, Reading, Reply};

use super::intake::Form;
use super::outcome::{Outcome, Refusal, Taken};
use super::port::Port;
use super::sender::Sender;

/// An `Export…ServiceResponse` that took everything, framed. It holds an empty partial success, as the Collector's does.
const ALL_TAKEN: &[u8] = &[0, 0, 0, 0, 2, 0x0a, 0x00];

/// The signal that a path exports, if it is one of ours.
fn signal_of(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        _ => None,
    }
}

/// Answers one call.
pub(super) async fn answer(port: Arc<Port>, client: Arc<Client>, sender: Sender, request: Request<Incoming>) -> Response<Reply> {
    let Some(signal) = signal_of(request.uri().path()).filter(|signal| port.takes(*signal)) else {
        port.counts.refused("unknown_path");
        return refused(&unknown(request.uri().path()).status);
    };
    let outcome = export(&port, &client, sender, signal, request).await;
    port.counts.outcome(client.lane, signal, &outcome);
    respond(outcome)
}

async fn export(port: &Port, client: &Client, sender: Sender, signal: Signal, request: Request<Incoming>) -> Outcome {
    let (head, body) = request.into_parts();
    let headers = &head.headers;
    // Refused by its name, as other servers do, and not only where a message is large enough to have been compressed.
    let packing = port.packing(headers.get("grpc-encoding"))?;
    let mut reading = Reading::new(body, client);
    let Some(first) = beginning(&mut reading).await? else { return Err(Refusal::malformed("the call has no message")) };
    let (is_compressed, length) = prefix(&first)?;
    if length > port.limit {
        return Err(Refusal::too_large(port.limit));
    }
    let mut permit = port.inlet.admit(signal, length, deadline(headers)).await?;
    let message = message(&mut reading, first, length).await?;
    let message = port.unpack(packing.filter(|_| is_compressed), message, permit.as_mut())?;
    port.inlet.take(signal, Form::Protobuf, permit, message, sender).await
}

/// What came first, with at least the prefix. None where nothing came.
async fn beginning(reading: &mut Reading) -> Result<Option<Bytes>, BodyError> {
    let Some(first) = reading.piece().await? else { return Ok(None) };
    if first.len() >= PREFIX { Ok(Some(first)) } else { reading.at_least(first, PREFIX).await.map(Some) }
}

/// Whether the message is compressed, and how long it is.
fn prefix(first: &Bytes) -> Result<(bool, usize), Refusal> {
    let mut prefix = &first[..PREFIX];
    let flag = prefix.get_u8();
    let length = prefix.get_u32() as usize;
    match flag {
        0 => Ok((false, length)),
        1 => Ok((true, length)),
        _ => Err(Refusal::new("malformed", Code::INTERNAL, "the first byte of the message is neither 0 nor 1")),
    }
}

/// The message behind the prefix; nothing may follow it.
async fn message(reading: &mut Reading, first: Bytes, length: usize) -> Result<Bytes, Refusal> {
    let mut message = reading.exactly(first.slice(PREFIX..), length).await?;
    let is_more = message.len() > length || (!reading.is_at_end() && reading.piece().await?.is_some());
    if is_more {
        return Err(Refusal::new("malformed", Code::INTERNAL, "more than one message in a unary call"));
    }
    message.truncate(length);
    Ok(message)
}

/// How long the client waits, as `grpc-timeout` has it.
fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number.saturating_mul(3600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// In the words of other gRPC servers, because people search for them.
fn unknown(path: &str) -> Refusal {
    let (service, method) = path.trim_start_matches('/').rsplit_once('/').unwrap_or((path, ""));
    let message = match signal_of(&format!("/{service}/Export")) {
        Some(signal) if method == "Export" => {
            Cow::from(format!("unknown service {service}: no pipeline takes {} from this receiver", signal.name()))
        }
        Some(_) => Cow::from(format!("unknown method {method} for service {service}")),
        None => Cow::from(format!("unknown service {service}")),
    };
    Refusal::new("unknown_path", Code::UNIMPLEMENTED, message)
}

fn respond(outcome: Outcome) -> Response<Reply> {
    match outcome {
        Ok(Taken { partial: None, .. }) => success(Bytes::from_static(ALL_TAKEN)),
        Ok(Taken { partial: Some(partial), .. }) => success(framed(&partial)),
        Err(refusal) => refused(&refusal.status),
    }
}

fn success(message: Bytes) -> Response<Reply> {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let mut response = Response::new(Reply::of(message).and(trailers));
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

/// A call that failed: the trailers alone.
pub(super) fn refused(status: &Status) -> Response<Reply> {
    let mut response = Response::new(Reply::empty());
    *response.headers_mut() = status.to_trailers();
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

fn framed(partial: &PartialSuccess) -> Bytes {
    let mut message = vec![0; PREFIX];
    message.extend(partial.encode());
    put_prefix(&mut message, false);
    message.into()
}
