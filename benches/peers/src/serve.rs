//! A listener that speaks HTTP/1.1 and HTTP/2 on one port.

use std::convert::Infallible;

use anyhow::Result;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::Executor as _;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};

use crate::message::{Message, SameThread, WINDOW};

/// Connections are served on this thread, for ever.
pub(crate) async fn serve<S, F>(listener: TcpListener, service: S) -> Result<()>
where
    S: Fn(Request<Incoming>) -> F + Clone + 'static,
    F: Future<Output = Response<Message>> + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        SameThread.execute(connection(stream, service.clone()));
    }
}

/// Serves one connection to its end. How it ends tells nothing that missing spans do not tell better.
pub(crate) async fn connection<S, F>(stream: TcpStream, service: S)
where
    S: Fn(Request<Incoming>) -> F + Clone + 'static,
    F: Future<Output = Response<Message>> + 'static,
{
    let mut builder = auto::Builder::new(SameThread);
    builder.http2().initial_stream_window_size(WINDOW).initial_connection_window_size(4 * WINDOW);
    let service = service_fn(move |request| {
        let answer = service(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    drop(builder.serve_connection(TokioIo::new(stream), service).await);
}
