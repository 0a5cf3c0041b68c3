//! OTLP over HTTP/2 and HTTP/1.1 with as little around it as hyper allows, so that both ends of a run stay cheap.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::{Result, anyhow};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::load::PREFIX;

/// Windows of some hundred kilobytes and more cost the least per byte, and this holds a large request.
pub(crate) const WINDOW: u32 = 1 << 20;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(crate) const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
pub(crate) const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// A body of one piece, and the trailers that gRPC ends with.
#[derive(Debug, Default)]
pub(crate) struct Message {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Message {
    pub(crate) fn of(data: Bytes) -> Self {
        Self { data: Some(data), trailers: None }
    }

    /// An empty message that was understood.
    fn grpc_ok() -> Self {
        let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
        Self { data: Some(Bytes::from_static(&[0; PREFIX])), trailers: Some(trailers) }
    }
}

impl Body for Message {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.data.take().map(Frame::data).or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

/// A request for the export service of gRPC.
pub(crate) fn grpc_request(to: SocketAddr, compression: Option<&'static str>, framed: Bytes) -> Result<Request<Message>> {
    let request = Request::post(format!("http://{to}{EXPORT}")).header("content-type", GRPC).header("te", "trailers");
    let request = compression.into_iter().fold(request, |request, name| request.header("grpc-encoding", name));
    Ok(request.body(Message::of(framed))?)
}

/// A request for OTLP over HTTP.
pub(crate) fn http_request(to: SocketAddr, compression: Option<&'static str>, body: Bytes) -> Result<Request<Message>> {
    let request = Request::post("/v1/traces").header("host", to.to_string()).header("content-type", PROTOBUF);
    let request = compression.into_iter().fold(request, |request, name| request.header("content-encoding", name));
    Ok(request.body(Message::of(body))?)
}

/// Whether a request came over gRPC.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(GRPC.as_bytes()))
}

/// The answer that everything was taken.
pub(crate) fn taken(grpc: bool) -> Response<Message> {
    let (kind, message) = if grpc { (GRPC, Message::grpc_ok()) } else { (PROTOBUF, Message::default()) };
    let mut response = Response::new(message);
    response.headers_mut().insert("content-type", kind);
    response
}

/// The answer that this could not be read.
pub(crate) fn not_taken(grpc: bool) -> Response<Message> {
    let mut response = Response::new(Message::default());
    if grpc {
        response.headers_mut().insert("content-type", GRPC);
        response.headers_mut().insert("grpc-status", HeaderValue::from_static("3"));
    } else {
        *response.status_mut() = http::StatusCode::BAD_REQUEST;
    }
    response
}

/// The whole body and its trailers. A body of one piece is not copied.
pub(crate) async fn collect(mut body: Incoming) -> Result<(Bytes, HeaderMap)> {
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    let mut trailers = HeaderMap::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        match frame?.into_data() {
            Ok(data) if first.is_empty() => first = data,
            Ok(data) => {
                if rest.is_empty() {
                    rest.reserve(announced(&first).max(first.len() + data.len()));
                    rest.extend_from_slice(&first);
                }
                rest.extend_from_slice(&data);
            }
            Err(frame) => trailers = frame.into_trailers().map_err(|_| anyhow!("a frame that is neither data nor trailers"))?,
        }
    }
    Ok((if rest.is_empty() { first } else { rest.freeze() }, trailers))
}

/// How long a gRPC message says it is, where a larger claim than honest requests make is not believed.
fn announced(start: &[u8]) -> usize {
    let length = start.get(1..PREFIX).and_then(|length| length.try_into().ok()).map_or(0, u32::from_be_bytes);
    PREFIX + (length as usize).min(16 << 20)
}

/// Runs hyper's tasks on the thread that they were started on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SameThread;

impl<F: Future + 'static> Executor<F> for SameThread {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(async move { drop(task.await) });
    }
}

/// Runs everything on this thread until `work` is done.
pub(crate) fn on_this_thread<F: Future<Output = Result<T>>, T>(work: F) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, work)
}

pub(crate) async fn connect(to: SocketAddr) -> Result<TokioIo<TcpStream>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

/// A connection for gRPC; it lives as long as the thread's runtime.
pub(crate) async fn connect_grpc(to: SocketAddr) -> Result<hyper::client::conn::http2::SendRequest<Message>> {
    let mut builder = hyper::client::conn::http2::Builder::new(SameThread);
    builder.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let (sender, connection) = builder.handshake(connect(to).await?).await?;
    SameThread.execute(connection);
    Ok(sender)
}

/// A connection for HTTP/1.1; it lives as long as the thread's runtime.
pub(crate) async fn connect_http(to: SocketAddr) -> Result<hyper::client::conn::http1::SendRequest<Message>> {
    let (sender, connection) = hyper::client::conn::http1::handshake(connect(to).await?).await?;
    SameThread.execute(connection);
    Ok(sender)
}
