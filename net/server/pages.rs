//! Small pages over HTTP/1: for people, probes and scrapers, who ask seldom and for little.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tracetailor_core::component::Stop;

use super::listener::{Connection, Listener};

/// Whoever has not told its headers by then is not going to.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// Nor a body.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// A page is asked for with little; what is larger is a mistake.
const LARGEST_BODY: usize = 1 << 20;
/// How many may ask at once. The next one waits.
const CONNECTIONS: usize = 128;
/// How long the answers that are being written may take once the pages are asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves pages until it is asked to stop, and then finishes those that it is answering. A handler that panics costs its own connection.
pub async fn serve_http<H, F>(listener: Listener, stop: Stop, handler: H) -> io::Result<()>
where
    H: Fn(Request<Bytes>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Bytes>> + Send + 'static,
{
    let accepting = listener.accepting()?;
    let handler = Arc::new(handler);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let serve = async {
        loop {
            // Never closed, so it is always there in the end.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let connection = accepting.accept().await;
            let (handler, stop) = (handler.clone(), stop.clone());
            tokio::spawn(async move {
                serve_connection(connection, stop, handler).await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = serve => {}
        () = stop.asked() => {}
    }
    drop(accepting);
    // All places are free again when all connections are done.
    let _ = tokio::time::timeout(GRACE, places.acquire_many(u32::try_from(CONNECTIONS).unwrap_or(u32::MAX))).await;
    Ok(())
}

async fn serve_connection<H, F>(connection: Connection, stop: Stop, handler: Arc<H>)
where
    H: Fn(Request<Bytes>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Bytes>> + Send + 'static,
{
    let service = service_fn(|request| answer(request, handler.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    let served = http.serve_connection(TokioIo::new(connection), service);
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.asked() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer<H, F>(request: Request<Incoming>, handler: Arc<H>) -> Result<Response<Full<Bytes>>, Infallible>
where
    H: Fn(Request<Bytes>) -> F,
    F: Future<Output = Response<Bytes>>,
{
    let (head, body) = request.into_parts();
    // What is announced need not be sent first.
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let read = tokio::time::timeout(BODY_WITHIN, Limited::new(body, LARGEST_BODY).collect()).await;
    Ok(match read {
        Ok(Ok(body)) => handler(Request::from_parts(head, body.to_bytes())).await.map(Full::new),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => refusal(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => refusal(StatusCode::BAD_REQUEST),
        Err(_) => refusal(StatusCode::REQUEST_TIMEOUT),
    })
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(status.canonical_reason().unwrap_or_default().as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    response
}
