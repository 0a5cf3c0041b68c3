//! A listener at work: each connection goes to the lane with the fewest, is listened to until it is clear what it speaks, and is served there
//! until it ends, is idle, is too old, or the gateway stops.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tracetailor_core::component::{Lanes, Stop};

use super::connections::{Connections, Link, Order, Place};
use super::first_bytes::{Mistake, Speech};
use super::listener::{Connection, Listener, Peer};
use super::reply::Reply;
use super::tls::{Tls, TlsError};
use super::transport::{Begun, Transport};
use crate::pieces::in_pieces;

/// What answers requests.
pub trait Answers: Send + Sync + 'static {
    /// Answers one.
    fn answer(self: Arc<Self>, client: Arc<Client>, request: Request<Incoming>) -> impl Future<Output = Response<Reply>> + Send + 'static;

    /// A connection was turned away.
    fn mistaken(&self, mistake: Mistake);

    /// A connection was closed before its client wanted it.
    fn closed(&self, why: Closed);

    /// Certificates were to be read again and could not be; the old ones are still used.
    fn kept_old_certificates(&self, why: &TlsError);
}

/// Who sends a request.
#[derive(Clone, Debug)]
pub struct Client {
    /// Where from.
    pub peer: Peer,
    /// The lane that serves it.
    pub lane: usize,
    pub(super) link: Arc<Link>,
}

/// Why a connection was closed before its client wanted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It did not say what it speaks in time, or not enough of a TLS handshake.
    SlowBeginning,
    /// It began a request and did not come to the end of its headers.
    SlowHeaders,
    /// It was told to go, because it was old or the gateway stops, and did not.
    Age,
    /// It did not keep to its protocol.
    Broken,
    /// No TLS came of its handshake: another version, a certificate that is not known, or none.
    Handshake,
}

impl Closed {
    /// Every reason.
    pub const ALL: [Closed; 5] = [Closed::SlowBeginning, Closed::SlowHeaders, Closed::Age, Closed::Broken, Closed::Handshake];

    /// As it stands in a counter's label.
    pub fn name(self) -> &'static str {
        match self {
            Closed::SlowBeginning => "slow_beginning",
            Closed::SlowHeaders => "slow_headers",
            Closed::Age => "age",
            Closed::Broken => "broken",
            Closed::Handshake => "tls_handshake",
        }
    }
}

/// What connections may cost. What is `None` is not limited.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many may be open; the next one waits to be accepted.
    pub connections: usize,
    /// How long a client may take to begin: with TLS, or with its first bytes.
    pub beginning_within: Duration,
    /// How long the headers of a request may take.
    pub headers_within: Option<Duration>,
    /// How large they may be, in bytes.
    pub header_bytes: u32,
    /// How long a connection may be open without a request.
    pub idle: Option<Duration>,
    /// How old it may grow; then it finishes its requests, and clients come back, to another gateway of the tier perhaps.
    pub age: Option<Duration>,
    /// How long these last requests may take.
    pub age_grace: Option<Duration>,
    /// How long a client without a request may take to go once it was told to.
    pub leave_within: Duration,
    /// How many requests an HTTP/2 connection may have open.
    pub streams: u32,
    /// After how long without a word an HTTP/2 client is asked whether it is still there, and how long it may take to answer.
    pub ping: Option<(Duration, Duration)>,
    /// Whether an HTTP/1 connection serves more than one request.
    pub keep_alive: KeepAlive,
}

/// Whether an HTTP/1 connection serves more than one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// As many as come.
    On,
    /// One.
    Off,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            beginning_within: Duration::from_secs(10),
            headers_within: Some(Duration::from_secs(10)),
            header_bytes: 64 << 10,
            idle: None,
            age: None,
            age_grace: None,
            leave_within: Duration::from_secs(5),
            streams: 100,
            ping: Some((Duration::from_secs(7200), Duration::from_secs(20))),
            keep_alive: KeepAlive::On,
        }
    }
}

impl Limits {
    /// The shortest of those that the watch over all connections enforces.
    pub(super) fn shortest(&self) -> Duration {
        let limits = [self.headers_within, self.idle, self.age, self.age_grace, Some(self.leave_within)];
        limits.into_iter().flatten().min().unwrap_or(self.leave_within)
    }
}

/// How much a client may send before it has to wait for us: enough for a fast network, little enough to stay in a processor's cache.
const WINDOW: u32 = 1 << 20;

/// A listener and how it serves.
pub struct Server<H> {
    /// Where connections come from.
    pub listener: Listener,
    /// What it speaks TLS with, if it does.
    pub tls: Option<Tls>,
    /// What they may cost.
    pub limits: Limits,
    /// What answers them.
    pub handler: Arc<H>,
}

impl<H: Answers> Server<H> {
    /// Serves until it is asked to stop; then all connections finish what they are answering.
    pub async fn serve(self, lanes: &Lanes, stop: &Stop) -> io::Result<()> {
        let accepting = self.listener.accepting()?;
        let connections = Arc::new(Connections::new(lanes.count()));
        let (limits, tls) = (Arc::new(self.limits), self.tls.map(Arc::new));
        let accept = async {
            loop {
                connections.fewer_than(limits.connections).await;
                let connection = accepting.accept().await;
                let place = connections.enter();
                let client = Arc::new(Client { peer: connection.peer(), lane: place.lane(), link: place.link.clone() });
                let one = One { limits: limits.clone(), tls: tls.clone(), handler: self.handler.clone(), client };
                // A socket belongs to the runtime that it was made for, and it shall be its lane's.
                let Ok(parked) = connection.park() else { continue };
                lanes.spawn(place.lane(), Box::pin(one.serve(parked, place)));
            }
        };
        tokio::select! {
            () = accept => {}
            () = connections.watch(&limits) => {}
            () = stop.asked() => {}
        }
        drop(accepting);
        connections.finish();
        tokio::select! {
            () = connections.fewer_than(1) => {}
            () = connections.watch(&limits) => {}
        }
        Ok(())
    }
}

impl<H> fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({:?})", self.listener)
    }
}

/// One connection.
struct One<H> {
    limits: Arc<Limits>,
    tls: Option<Arc<Tls>>,
    handler: Arc<H>,
    client: Arc<Client>,
}

impl<H: Answers> One<H> {
    async fn serve(self, parked: super::listener::Parked, place: Place) {
        let Ok(connection) = parked.unpark() else { return };
        let deadline = tokio::time::Instant::now() + self.limits.beginning_within;
        let ended = match tokio::time::timeout_at(deadline, Begun::listen(connection)).await {
            Err(_) => Err(Closed::SlowBeginning),
            // Whoever only looks whether the port is open does no wrong.
            Ok(Err(_)) => Ok(()),
            Ok(Ok((speech, stream))) => match &self.tls {
                None => self.serve_plain(speech, stream, &place.link).await,
                Some(tls) => self.serve_tls(tls, speech, stream, deadline, &place.link).await,
            },
        };
        if let Err(why) = ended {
            self.handler.closed(why);
        }
    }

    async fn serve_plain(&self, speech: Speech, stream: Begun<Connection>, link: &Arc<Link>) -> Result<(), Closed> {
        match speech {
            Speech::Http1 | Speech::Unclear => self.http1(Transport::plain(stream, link.clone()), link).await,
            Speech::Http2 => self.http2(Transport::plain(stream, link.clone()), link).await,
            Speech::TlsHello => self.turn_away(Mistake::TlsToPlaintext, stream, TLS_ALERT).await,
            Speech::Thrift => self.turn_away(Mistake::Thrift, stream, b"").await,
        }
    }

    async fn serve_tls(
        &self,
        tls: &Tls,
        speech: Speech,
        stream: Begun<Connection>,
        deadline: tokio::time::Instant,
        link: &Arc<Link>,
    ) -> Result<(), Closed> {
        match speech {
            Speech::TlsHello => {}
            Speech::Http1 | Speech::Unclear => return self.turn_away(Mistake::PlaintextToTls, stream, NOT_HTTP).await,
            Speech::Http2 => return self.turn_away(Mistake::PlaintextToTls, stream, GO_AWAY).await,
            Speech::Thrift => return self.turn_away(Mistake::Thrift, stream, b"").await,
        }
        let acceptor = tls.acceptor(|error| self.handler.kept_old_certificates(error));
        let begin = async {
            let stream = acceptor.accept(stream).await.map_err(|error| {
                tracing::debug!(%error, peer = ?self.client.peer, "a handshake failed");
                Closed::Handshake
            })?;
            Ok(Begun::listen(stream).await.ok())
        };
        match tokio::time::timeout_at(deadline, begin).await.unwrap_or(Err(Closed::SlowBeginning))? {
            None => Ok(()),
            Some((Speech::Http2, stream)) => self.http2(Transport::tls(stream, link.clone()), link).await,
            Some((_, stream)) => self.http1(Transport::tls(stream, link.clone()), link).await,
        }
    }

    async fn http1(&self, transport: Transport, link: &Arc<Link>) -> Result<(), Closed> {
        link.speaks_http1();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(None).keep_alive(self.limits.keep_alive == KeepAlive::On);
        http.max_header_size(self.limits.header_bytes as usize);
        let connection = pin!(http.serve_connection(TokioIo::new(transport), service(&self.handler, &self.client, link)));
        drive(link, connection, |connection| connection.graceful_shutdown(), |_| {}).await
    }

    async fn http2(&self, transport: Transport, link: &Arc<Link>) -> Result<(), Closed> {
        let limits = &self.limits;
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new());
        http.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
        // A frame may be as long as the window. Of those that clients send unless they are told otherwise, a request has dozens, and each is a
        // call to the system and a copy.
        http.max_frame_size(WINDOW);
        http.max_concurrent_streams(limits.streams).max_header_list_size(limits.header_bytes);
        if let Some((every, timeout)) = limits.ping {
            http.keep_alive_interval(every).keep_alive_timeout(timeout);
        }
        let (pieces, leaving) = in_pieces(transport);
        let connection = pin!(http.serve_connection(TokioIo::new(pieces), service(&self.handler, &self.client, link)));
        drive(link, connection, |connection| connection.graceful_shutdown(), |task| leaving.let_go(task)).await
    }

    async fn turn_away(&self, mistake: Mistake, mut stream: Begun<Connection>, last_words: &[u8]) -> Result<(), Closed> {
        self.handler.mistaken(mistake);
        let _ = tokio::time::timeout(self.limits.beginning_within, async {
            stream.write_all(last_words).await?;
            stream.shutdown().await
        })
        .await;
        Ok(())
    }
}

/// A TLS record that says "unexpected message": the client's library reports it at once, where a closed connection looks like a network
/// that fails.
const TLS_ALERT: &[u8] = &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x0a];

fn service<H: Answers>(
    handler: &Arc<H>,
    client: &Arc<Client>,
    link: &Arc<Link>,
) -> impl Service<
    Request<Incoming>,
    Response = Response<Reply>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<Reply>, Infallible>> + Send + use<H>,
> + use<H> {
    let (handler, client, link) = (handler.clone(), client.clone(), link.clone());
    service_fn(move |request| {
        let active = link.request();
        let answer = handler.clone().answer(client.clone(), request);
        async move {
            let answer = answer.await;
            drop(active);
            Ok(answer)
        }
    })
}

/// What a client hears that speaks HTTP/1 to a port that speaks TLS.
const NOT_HTTP: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 67\r\nconnection: close\r\n\r\n\
    this port speaks TLS: send with https://, or without insecure: true";

/// The same in HTTP/2: no settings, and a reason to go away for good, INADEQUATE_SECURITY.
const GO_AWAY: &[u8] = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x1c\x07\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x0cthis port speaks TLS";

/// Lets a connection run and passes on what it is told. `polled` is called whenever it was its turn.
async fn drive<C>(
    link: &Arc<Link>,
    mut connection: Pin<&mut C>,
    finish: impl Fn(Pin<&mut C>),
    polled: impl Fn(&mut Context<'_>),
) -> Result<(), Closed>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut is_finishing = false;
    std::future::poll_fn(move |task| {
        match link.order(task.waker()) {
            Order::None => {}
            Order::Finish if is_finishing => {}
            Order::Finish => {
                is_finishing = true;
                finish(connection.as_mut());
            }
            Order::Cut(why) => return Poll::Ready(Err(why)),
        }
        let ended = connection.as_mut().poll(task);
        polled(task);
        ended.map(|ended| ended.or_else(|error| why_broken(&error)))
    })
    .await
}

/// A client that goes away does no wrong; one that breaks its protocol does.
fn why_broken(error: &hyper::Error) -> Result<(), Closed> {
    tracing::debug!(%error, "a connection ended early");
    if error.is_parse() || error.is_parse_too_large() { Err(Closed::Broken) } else { Ok(()) }
}
