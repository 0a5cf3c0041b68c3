//! One port of the receiver: which protocol it speaks, what is refused at its door, and what it counts.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use tracetailor_core::component::{Authenticator, BuildContext, Counter, Permit};
use tracetailor_core::telemetry::{Signal, Source};
use tracetailor_net::decompress::{Packing, UnpackError, unpack};
use tracetailor_net::grpc::Code;
use tracetailor_net::server::{Answers, BodyError, Client, Closed, Incoming, Mistake, Reply, TlsError};

use super::http::plain;
use super::intake::Inlet;
use super::outcome::Refusal;
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
    pub(super) authenticator: Option<Arc<dyn Authenticator>>,
    pub(super) include_metadata: bool,
    /// What is known of a sender where nothing is asked.
    pub(super) source: Arc<Source>,
    /// Headers of every answer.
    pub(super) response_headers: HeaderMap,
    pub(super) refused: Refused,
    /// How often certificates could not be read again.
    pub(super) stale_certificates: Counter,
}

impl Port {
    pub(super) fn takes(&self, signal: Signal) -> bool {
        Signal::ALL.iter().zip(self.taken).any(|(known, taken)| *known == signal && taken)
    }

    /// Who sends, if it may.
    pub(super) fn source(&self, _client: &Client, headers: &HeaderMap, _query: Option<&str>) -> Result<Arc<Source>, Refusal> {
        let tenant = match &self.authenticator {
            None => None,
            Some(authenticator) => self.authenticate(authenticator.as_ref(), headers)?,
        };
        if tenant.is_none() && !self.include_metadata {
            return Ok(self.source.clone());
        }
        let metadata = if self.include_metadata { metadata_of(headers) } else { Vec::new() };
        Ok(Arc::new(Source { tenant, metadata, ..Source::clone(&self.source) }))
    }

    fn authenticate(&self, authenticator: &dyn Authenticator, headers: &HeaderMap) -> Result<Option<String>, Refusal> {
        let header = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        authenticator.authenticate(&header).map(|who| who.tenant).map_err(|why| {
            tracing::debug!(receiver = self.source.receiver, %why, "a request was not let in");
            Refusal::new("unauthenticated", Code::UNAUTHENTICATED, "unauthenticated")
        })
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

    pub(super) fn count<T>(&self, _client: &Client, outcome: &Result<T, Refusal>) {
        if let Err(refusal) = outcome {
            self.refused.count(refusal.reason);
        }
    }

    async fn dispatch(self: Arc<Self>, client: Arc<Client>, request: Request<Incoming>) -> Response<Reply> {
        let speaks_grpc = is_grpc(request.headers());
        match self.protocol {
            Protocol::Grpc if speaks_grpc && request.version() == Version::HTTP_2 => grpc::answer(self, client, request).await,
            Protocol::Grpc => self.not_http(),
            Protocol::Http if speaks_grpc => {
                let refusal = otlp_http::not_grpc(&self);
                self.refused.count(refusal.reason);
                grpc::refused(&refusal.status)
            }
            Protocol::Http => match self.paths.iter().find(|(path, _)| path == request.uri().path()) {
                Some((_, signal)) if self.takes(*signal) => {
                    let signal = *signal;
                    otlp_http::answer(self, client, signal, request).await
                }
                _ => self.not_found(&request),
            },
        }
    }

    /// HTTP, spoken to the port for gRPC.
    fn not_http(&self) -> Response<Reply> {
        self.refused.count("http_to_grpc");
        let instead = match self.other {
            Some(other) => format!("OTLP over HTTP is spoken on port {other}"),
            None => "set protocols.http in the receiver to speak OTLP over HTTP".to_owned(),
        };
        plain(StatusCode::BAD_REQUEST, format!("this port speaks OTLP over gRPC; {instead}\n"))
    }

    fn not_found(&self, request: &Request<Incoming>) -> Response<Reply> {
        let path = request.uri().path();
        if path == "/api/traces" || request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().ends_with(b"thrift")) {
            self.mistaken(Mistake::Thrift);
            return plain(StatusCode::NOT_FOUND, format!("{}\n", Mistake::Thrift));
        }
        self.refused.count("unknown_path");
        let text = match self.paths.iter().find(|(known, _)| known == path) {
            Some((_, signal)) => format!("404 page not found: no pipeline takes {} from this receiver\n", signal.name()),
            None => "404 page not found\n".to_owned(),
        };
        plain(StatusCode::NOT_FOUND, text)
    }
}

impl Answers for Port {
    async fn answer(self: Arc<Self>, client: Arc<Client>, request: Request<Incoming>) -> Response<Reply> {
        let port = self.clone();
        let speaks_grpc = is_grpc(request.headers());
        // A bug of ours that one request runs into must not cost its neighbours on the connection.
        let mut response = match AssertUnwindSafe(self.dispatch(client, request)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => port.panicked(speaks_grpc),
        };
        if !port.response_headers.is_empty() {
            response.headers_mut().extend(port.response_headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        response
    }

    fn mistaken(&self, mistake: Mistake) {
        self.refused.count(mistake.name());
        tracing::warn!(receiver = self.source.receiver, %mistake, "a client was turned away");
    }

    fn closed(&self, why: Closed) {
        self.refused.count(why.name());
    }

    fn kept_old_certificates(&self, why: &TlsError) {
        self.stale_certificates.add(1);
        tracing::error!(receiver = self.source.receiver, %why, "certificates could not be read again; the old ones are still used");
    }
}

impl Port {
    fn panicked(&self, speaks_grpc: bool) -> Response<Reply> {
        self.refused.count("panic");
        let refusal = Refusal::new("panic", Code::INTERNAL, "internal error");
        if speaks_grpc { grpc::refused(&refusal.status) } else { plain(refusal.http_status(), "internal error\n") }
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Port({:?} of {})", self.protocol, self.source.receiver)
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Headers as processors may ask for them. Those that HTTP/2 begins with a colon are no headers here.
fn metadata_of(headers: &HeaderMap) -> Vec<(String, String)> {
    let known = headers.iter().map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    known.collect()
}

/// Requests that are not in the books, by why they were refused.
pub(super) struct Refused(Vec<(&'static str, Counter)>);

impl Refused {
    /// Every reason there is. The list is closed, because each becomes a series.
    const REASONS: [&str; 21] = [
        "malformed",
        "too_large",
        "full",
        "stopping",
        "bad_items",
        "refused_behind",
        "unauthenticated",
        "encoding",
        "decompressed_too_large",
        "slow_body",
        "broken_body",
        "unknown_method",
        "unknown_path",
        "content_type",
        "method",
        "grpc_to_http",
        "http_to_grpc",
        "panic",
        "slow_beginning",
        "slow_headers",
        "age",
    ];

    pub(super) fn new(context: &BuildContext) -> Self {
        let receiver = context.id.to_string();
        let reasons = Self::REASONS.into_iter().chain(Mistake::ALL.map(Mistake::name)).chain(["broken", "tls_handshake"]);
        let counter = |reason| {
            (reason, context.counters.counter("tracetailor_refused_requests_total", &[("receiver", &receiver), ("reason", reason)]))
        };
        Self(reasons.map(counter).collect())
    }

    pub(super) fn count(&self, reason: &str) {
        if let Some((_, counter)) = self.0.iter().find(|(known, _)| *known == reason) {
            counter.add(1);
        }
    }
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
