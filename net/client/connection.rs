//! One open connection that speaks HTTP, and what becomes of a request on it.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};

use super::route::Form;
use super::{Answer, ClientError, Route, Settings};

/// What became of a request.
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one, and is moved twice at most")]
pub(super) enum Sent {
    /// There is an answer, of whatever status.
    Answered(Answer),
    /// Nobody can say whether the server has acted upon it.
    Lost(ClientError),
    /// The server has certainly not acted upon it: it may be sent elsewhere at once.
    Unsent(ClientError),
}

/// A connection. Of HTTP/2 there may be clones, which share it; of HTTP/1.1 whoever has it, has it alone.
pub(super) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    /// Sends a request and reads the answer to its end.
    pub(super) async fn post(&mut self, settings: &Settings, route: &Route, more: &HeaderMap, body: Bytes) -> Sent {
        let answered = match self {
            Connection::Http1(sender) => {
                if let Err(error) = sender.ready().await {
                    return Sent::Unsent(lost(&error));
                }
                let form = match &settings.proxy {
                    Some((proxy, _)) if !proxy.is_tunnel => Form::Absolute(proxy.authorization()),
                    _ => Form::Origin,
                };
                sender.try_send_request(route.request(form, more, Full::new(body))).await
            }
            Connection::Http2(sender) => {
                if let Err(error) = sender.ready().await {
                    return Sent::Unsent(lost(&error));
                }
                sender.try_send_request(route.request(Form::Http2, more, Full::new(body))).await
            }
        };
        match answered {
            Ok(response) => read(response, settings.most_answer).await,
            Err(error) => unanswered(error),
        }
    }
}

async fn read(response: Response<Incoming>, most: usize) -> Sent {
    let (head, body) = response.into_parts();
    match Answer::read(head, body, most).await {
        Ok(answer) => Sent::Answered(answer),
        Err(error) => Sent::Lost(error),
    }
}

fn unanswered(mut error: TrySendError<Request<Full<Bytes>>>) -> Sent {
    let is_unsent = error.take_message().is_some();
    let error = error.into_error();
    if is_unsent || was_refused(&error) { Sent::Unsent(lost(&error)) } else { Sent::Lost(lost(&error)) }
}

/// The server says that it has not looked at the request: it refused the stream, or was going down in peace.
fn was_refused(error: &hyper::Error) -> bool {
    h2_error(error).is_some_and(|error| {
        let reason = error.reason();
        error.is_remote() && (reason == Some(h2::Reason::REFUSED_STREAM) || error.is_go_away() && reason == Some(h2::Reason::NO_ERROR))
    })
}

fn h2_error(error: &hyper::Error) -> Option<&h2::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

/// What to ask oneself where HTTP/2 was not understood.
const NO_HTTP2: &str = "the other side does not seem to speak HTTP/2: is this the port for gRPC (mostly 4317), and does it want TLS?";

/// A first request over HTTP/2 that was lost without a word: many servers of HTTP/1.1 just close the connection.
pub(super) fn doubt(error: ClientError) -> ClientError {
    if error.to_string().ends_with(NO_HTTP2) { error } else { error.hint(NO_HTTP2) }
}

/// In words, with a hint where it speaks of the most usual mistake.
fn lost(error: &hyper::Error) -> ClientError {
    let told = ClientError::of("the connection was lost before the answer", error);
    let misunderstood = h2_error(error)
        .and_then(h2::Error::reason)
        .is_some_and(|reason| reason == h2::Reason::FRAME_SIZE_ERROR || reason == h2::Reason::PROTOCOL_ERROR);
    if misunderstood {
        return told.hint(NO_HTTP2);
    }
    if error.is_parse() {
        return told.hint("the other side does not seem to speak HTTP/1.1: is this the port for OTLP over HTTP (mostly 4318)?");
    }
    told
}
