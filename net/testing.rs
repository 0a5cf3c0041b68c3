//! A destination for tests: it listens on a real socket, notes every request, and answers what it was told to.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::grpc::{PREFIX, PartialSuccess, Status, put_prefix};

/// A destination. It stops with the runtime of the test, or when it is told to.
pub struct Destination {
    /// Where it listens.
    pub address: SocketAddr,
    script: Arc<Mutex<Script>>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Script {
    replies: Vec<Reply>,
    /// Who answers in place of the replies.
    judge: Option<Judge>,
    seen: Vec<Seen>,
    connections: usize,
    /// Tasks that serve connections, to cut them.
    serving: Vec<JoinHandle<()>>,
}

type Judge = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// In which version of HTTP.
    pub version: Version,
    /// Its path and query, or the whole address where a proxy was asked.
    pub target: String,
    /// Its authority, from wherever the version has it.
    pub host: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Seen {
    /// A header as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    trailers: Option<HeaderMap>,
    then: Then,
}

/// How a reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    End,
    /// The connection is cut before anything is said.
    CutBefore,
    /// The connection is cut after the body's first half.
    CutWithin,
    /// Nothing more comes, neither the answer nor an end.
    Silence,
    /// The body goes on for ever.
    Endless,
}

impl Reply {
    /// An empty answer of this status.
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), trailers: None, then: Then::End }
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// The same with a body of this type.
    #[must_use]
    pub fn body(self, kind: &str, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }.header("content-type", kind)
    }

    /// How a call of gRPC ends.
    pub fn grpc(status: &Status) -> Self {
        let reply = Self::status(200).header("content-type", "application/grpc");
        Self { trailers: Some(status.to_trailers()), ..reply }
    }

    /// A call of gRPC that was done, with this response.
    pub fn grpc_done(partial: &PartialSuccess) -> Self {
        let mut body = vec![0; PREFIX];
        body.extend(partial.encode());
        put_prefix(&mut body, false);
        Self { body: body.into(), ..Self::grpc(&Status::new(crate::grpc::Code::OK, "")) }
    }

    /// The connection is cut before anything is said.
    pub fn cut_before() -> Self {
        Self { then: Then::CutBefore, ..Self::status(200) }
    }

    /// The connection is cut in the middle of the body.
    #[must_use]
    pub fn cut_within(self) -> Self {
        Self { then: Then::CutWithin, ..self }
    }

    /// Nothing is said, for ever.
    pub fn silence() -> Self {
        Self { then: Then::Silence, ..Self::status(200) }
    }

    /// The body never ends.
    #[must_use]
    pub fn endless(self) -> Self {
        Self { then: Then::Endless, ..self }
    }
}

impl Destination {
    /// Listens on a free port of the loopback and answers so, one after the other; the last one goes on. It speaks HTTP/1.1 and HTTP/2.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> std::io::Result<Self> {
        Self::start_on("127.0.0.1:0", replies).await
    }

    /// The same on this address.
    pub async fn start_on(address: &str, replies: impl IntoIterator<Item = Reply>) -> std::io::Result<Self> {
        Self::start_with(address, replies, |socket, _| Box::pin(async move { Some(socket) })).await
    }

    /// One that looks at every request and answers as it finds right.
    pub async fn judging(judge: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> std::io::Result<Self> {
        let destination = Self::start([]).await?;
        lock(&destination.script).judge = Some(Arc::new(judge));
        Ok(destination)
    }

    /// The same with something between the socket and HTTP, such as TLS.
    pub async fn start_with<S, F>(address: &str, replies: impl IntoIterator<Item = Reply>, wrap: F) -> std::io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Fn(tokio::net::TcpStream, usize) -> std::pin::Pin<Box<dyn Future<Output = Option<S>> + Send>> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let script = Arc::new(Mutex::new(Script { replies: replies.into_iter().collect(), ..Script::default() }));
        let scripted = script.clone();
        let wrap = Arc::new(wrap);
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (script, wrap) = (scripted.clone(), wrap.clone());
                let number = lock(&scripted).connections;
                lock(&scripted).connections += 1;
                let serving = tokio::spawn(async move {
                    if let Some(socket) = wrap(socket, number).await {
                        serve(socket, script).await;
                    }
                });
                lock(&scripted).serving.push(serving);
            }
        });
        Ok(Self { address, script, accepting })
    }

    /// Requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.script).seen.clone()
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        lock(&self.script).connections
    }

    /// Answers so from now on.
    pub fn say(&self, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.script).replies = replies.into_iter().collect();
    }

    /// Cuts all connections. New ones are accepted.
    pub async fn cut(&self) {
        let serving = std::mem::take(&mut lock(&self.script).serving);
        for serving in serving {
            serving.abort();
            let _ = serving.await;
        }
    }

    /// Is gone: nobody listens any more, and all connections are cut.
    pub async fn stop(mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        self.cut().await;
    }
}

fn lock(script: &Mutex<Script>) -> std::sync::MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(socket: S, script: Arc<Mutex<Script>>) {
    let service = service_fn(move |request| answer(request, script.clone()));
    let builder = auto::Builder::new(TokioExecutor::new());
    let _ = builder.serve_connection(TokioIo::new(socket), service).await;
}

/// Ends the connection: hyper drops it on an error of the service.
#[derive(Debug, thiserror::Error)]
#[error("cut on purpose")]
struct Cut;

type Body = BoxBody<Bytes, Cut>;

async fn answer(request: Request<Incoming>, script: Arc<Mutex<Script>>) -> Result<Response<Body>, Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = host.or_else(|| head.uri.authority().map(ToString::to_string)).unwrap_or_default();
    let target = match head.version {
        Version::HTTP_2 => head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        _ => head.uri.to_string(),
    };
    let reply = {
        let mut script = lock(&script);
        let seen = Seen { version: head.version, target, host, headers: head.headers, body };
        let judged = script.judge.as_ref().map(|judge| judge(&seen));
        script.seen.push(seen);
        if let Some(reply) = judged {
            reply
        } else if script.replies.len() > 1 {
            script.replies.remove(0)
        } else {
            script.replies.first().cloned().unwrap_or_else(|| Reply::status(200))
        }
    };
    respond(reply).await
}

async fn respond(reply: Reply) -> Result<Response<Body>, Cut> {
    match reply.then {
        Then::CutBefore => return Err(Cut),
        Then::Silence => std::future::pending().await,
        _ => {}
    }
    let data = reply.body.clone();
    let body: Body = match (reply.then, reply.trailers) {
        (Then::Endless, _) => StreamBody::new(futures_util::stream::repeat_with(move || Ok(Frame::data(data.clone())))).boxed(),
        (Then::CutWithin, _) => {
            let half = data.slice(..data.len() / 2);
            // What came before the cut is on its way only once the body has made it wait.
            let cut = futures_util::stream::once(async {
                tokio::task::yield_now().await;
                Err(Cut)
            });
            let front = futures_util::stream::iter([Ok(Frame::data(half))]);
            StreamBody::new(futures_util::StreamExt::chain(front, cut)).boxed()
        }
        (_, Some(trailers)) => {
            Full::new(data).with_trailers(std::future::ready(Some(Ok::<_, Infallible>(trailers)))).map_err(|never| match never {}).boxed()
        }
        (_, None) => Full::new(data).map_err(|never| match never {}).boxed(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    Ok(response)
}
