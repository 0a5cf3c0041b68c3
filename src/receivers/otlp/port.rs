//! One port of the receiver: which protocol it speaks, and what it says to those who speak another one, or to the wrong place.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN};
use http::{Request, Response, StatusCode, Version};
use tracetailor_core::component::Permit;
use tracetailor_core::telemetry::Signal;
use tracetailor_net::decompress::{Packing, UnpackError, unpack};
use tracetailor_net::grpc::Code;
use tracetailor_net::server::{Answers, BodyError, Client, Closed, Incoming, Mistake, Reading, Reply, TlsError};

use super::cors::Cors;
use super::counts::Counts;
use super::http::plain;
use super::intake::Inlet;
use super::outcome::Refusal;
use super::sender::{Door, Sender};
use super::{grpc, http as otlp_http};

/// What a port speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Grpc,
    Http,
}

/// A port.
pub(super) struct Port {
    pub(super) protocol: Protocol,
    pub(super) inlet: Arc<Inlet>,
    pub(super) door: Door,
    /// The largest body or message, before and after it is decompressed.
    pub(super) limit: usize,
    /// How long a body may stall, where the configuration says so.
    pub(super) stall: Option<Duration>,
    /// The port of the receiver's other protocol.
    pub(super) other: Option<u16>,
    /// The paths of OTLP over HTTP.
    pub(super) paths: Vec<(String, Signal)>,
    /// In the order of [`Signal::ALL`].
    pub(super) taken: [bool; Signal::ALL.len()],
    /// The names under which compressed bodies are taken.
    pub(super) packings: Vec<(&'static str, Packing)>,
    pub(super) cors: Option<Cors>,
    /// Headers of every answer.
    pub(super) response_headers: HeaderMap,
    pub(super) counts: Counts,
}

impl Port {
    pub(super) fn takes(&self, signal: Signal) -> bool {
        Signal::ALL.iter().zip(self.taken).any(|(known, taken)| *known == signal && taken)
    }

    /// How a body is compressed, by what its header says.
    pub(super) fn packing(&self, named: Option<&HeaderValue>) -> Result<Option<Packing>, Refusal> {
        let name = named.map(HeaderValue::as_bytes).unwrap_or_default();
        if name.is_empty() || name == b"identity" {
            return Ok(None);
        }
        let known = self.packings.iter().find(|(known, _)| known.as_bytes() == name);
        known.map(|(_, packing)| Some(*packing)).ok_or_else(|| self.unknown_packing(&String::from_utf8_lossy(name)))
    }

    fn unknown_packing(&self, name: &str) -> Refusal {
        match self.protocol {
            Protocol::Grpc => {
                let message = format!("grpc: Decompressor is not installed for grpc-encoding {name:?}");
                Refusal::new("encoding", Code::UNIMPLEMENTED, message)
            }
            Protocol::Http => Refusal::new("encoding", Code::INVALID_ARGUMENT, format!("unsupported Content-Encoding: {name}")),
        }
    }

    /// The body as it was before it was compressed, with room for it.
    pub(super) fn unpack(&self, packing: Option<Packing>, body: Bytes, permit: &mut dyn Permit) -> Result<Bytes, Refusal> {
        let Some(packing) = packing else { return Ok(body) };
        let unpacked = unpack(packing, &body, self.limit).map_err(|error| match error {
            UnpackError::TooLarge(_) => Refusal { reason: "decompressed_too_large", ..Refusal::too_large(self.limit) },
            UnpackError::Broken(_) => Refusal::new("encoding", Code::INVALID_ARGUMENT, error.to_string()),
        })?;
        permit.enlarge(unpacked.len().saturating_sub(body.len()))?;
        Ok(unpacked)
    }

    async fn dispatch(self: Arc<Self>, client: Arc<Client>, request: Request<Incoming>) -> Response<Reply> {
        if request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST) {
            return without_host();
        }
        if let Some(answer) = self.cors.as_ref().and_then(|cors| cors.preflight(&request)) {
            return answer;
        }
        // Before anything else is said, also before that there is nothing here.
        let sender = match self.door.admit(request.headers(), request.uri().query()) {
            Ok(sender) => sender,
            Err(refusal) => {
                let answer = self.refuse(&request, &refusal);
                otlp_http::leave(Reading::new(request.into_body(), &client).within(self.stall));
                return answer;
            }
        };
        let speaks_grpc = is_grpc(request.headers());
        match self.protocol {
            Protocol::Grpc if speaks_grpc && request.version() == Version::HTTP_2 => grpc::answer(self, client, sender, request).await,
            Protocol::Grpc => self.not_http(),
            Protocol::Http if speaks_grpc => self.refuse(&request, &otlp_http::not_grpc(&self)),
            Protocol::Http => self.route(client, sender, request).await,
        }
    }

    async fn route(self: Arc<Self>, client: Arc<Client>, sender: Sender, request: Request<Incoming>) -> Response<Reply> {
        let asked = request.uri().path();
        // An endpoint that ends in a slash, with a path behind it that begins with one. It is not redirected: some clients take that for
        // success.
        let asked = if asked.starts_with("//") { &asked[asked.len() - asked.trim_start_matches('/').len() - 1..] } else { asked };
        let known = self.paths.iter().find(|(path, _)| path == asked).map(|(_, signal)| *signal);
        match known {
            Some(signal) if self.takes(signal) => otlp_http::answer(self, client, sender, signal, request).await,
            known => self.not_found(&request, known),
        }
    }

    /// Says no in the protocol of whoever asked.
    fn refuse(&self, request: &Request<Incoming>, refusal: &Refusal) -> Response<Reply> {
        self.counts.refused(refusal.reason);
        match is_grpc(request.headers()) {
            true => grpc::refused(&refusal.status),
            false => otlp_http::refused(otlp_http::form_of(request.headers()), refusal),
        }
    }

    /// HTTP, spoken to the port for gRPC.
    fn not_http(&self) -> Response<Reply> {
        self.counts.refused("http_to_grpc");
        let instead = match self.other {
            Some(other) => format!("OTLP over HTTP is spoken on port {other}"),
            None => "set protocols.http in the receiver to speak OTLP over HTTP".to_owned(),
        };
        plain(StatusCode::BAD_REQUEST, format!("this port speaks OTLP over gRPC; {instead}\n"))
    }

    fn not_found(&self, request: &Request<Incoming>, known: Option<Signal>) -> Response<Reply> {
        let speaks_thrift = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().ends_with(b"thrift"));
        if speaks_thrift || request.uri().path() == "/api/traces" {
            self.mistaken(Mistake::Thrift);
            return plain(StatusCode::NOT_FOUND, format!("{}\n", Mistake::Thrift));
        }
        self.counts.refused("unknown_path");
        let text = match known {
            Some(signal) => format!("404 page not found: no pipeline takes {} from this receiver\n", signal.name()),
            None => "404 page not found\n".to_owned(),
        };
        plain(StatusCode::NOT_FOUND, text)
    }

    /// What goes on every answer.
    fn finish(&self, origin: Option<HeaderValue>, response: &mut Response<Reply>) {
        if let Some(cors) = &self.cors {
            cors.mark(origin, response);
        }
        if !self.response_headers.is_empty() {
            response.headers_mut().extend(self.response_headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }

    fn panicked(&self, speaks_grpc: bool) -> Response<Reply> {
        self.counts.refused("panic");
        let refusal = Refusal::new("panic", Code::INTERNAL, "internal error");
        if speaks_grpc { grpc::refused(&refusal.status) } else { plain(refusal.http_status(), "internal error\n") }
    }
}

impl Answers for Port {
    async fn answer(self: Arc<Self>, client: Arc<Client>, request: Request<Incoming>) -> Response<Reply> {
        let port = self.clone();
        let speaks_grpc = is_grpc(request.headers());
        let is_preflight = request.method() == http::Method::OPTIONS;
        let origin = port.cors.as_ref().and_then(|_| request.headers().get(ORIGIN).cloned());
        // A bug of ours that one request runs into must not cost its neighbours on the connection.
        let mut response = match AssertUnwindSafe(self.dispatch(client, request)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => port.panicked(speaks_grpc),
        };
        if !(is_preflight && response.status() == StatusCode::NO_CONTENT) {
            port.finish(origin, &mut response);
        }
        response
    }

    fn mistaken(&self, mistake: Mistake) {
        self.counts.refused(mistake.name());
        tracing::warn!(receiver = self.door.plain.receiver, %mistake, "a client was turned away");
    }

    fn closed(&self, why: Closed) {
        self.counts.refused(why.name());
    }

    fn kept_old_certificates(&self, why: &TlsError) {
        self.counts.stale_certificates();
        tracing::error!(receiver = self.door.plain.receiver, %why, "certificates could not be read again; the old ones are still used");
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Port({:?} of {})", self.protocol, self.door.plain.receiver)
    }
}

/// HTTP/1.1 asks for it; whoever leaves it out is no client of OTLP.
fn without_host() -> Response<Reply> {
    let mut answer = plain(StatusCode::BAD_REQUEST, "400 Bad Request: missing required Host header\n");
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(limit) => Refusal::too_large(limit),
            BodyError::Slow => Refusal::new("slow_body", Code::DEADLINE_EXCEEDED, error.to_string()).in_http(StatusCode::REQUEST_TIMEOUT),
            BodyError::Broken(_) => Refusal::new("broken_body", Code::INVALID_ARGUMENT, error.to_string()),
        }
    }
}
