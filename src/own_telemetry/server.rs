//! The pages of metrics: opened with the gateway, read by whoever scrapes.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use tracetailor_core::component::Stop;
use tracetailor_net::server::{BindError, Listener, serve_http};

use super::keys::{Page, Telemetry};
use super::metrics::{Format, Gatherer, Sources, write};

/// Why the metrics cannot be read. The gateway does not start then, as the Collector does not: one that nobody sees is not in operation.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {source}, in service.telemetry.metrics.readers; level: none is for no metrics")]
pub struct ServeError {
    #[from]
    source: BindError,
}

/// The pages, open and not yet answered.
#[derive(Debug)]
pub struct Pages {
    open: Vec<(Page, Listener)>,
    gatherer: Arc<Gatherer>,
}

/// Opens the pages that the configuration asks for.
pub fn open(settings: &Telemetry, sources: Sources) -> Result<Pages, ServeError> {
    let open = settings.metrics.pages().into_iter();
    let open = open.map(|page| Listener::bind(&page.endpoint).map(|listener| (page, listener))).collect::<Result<_, BindError>>()?;
    Ok(Pages { open, gatherer: Arc::new(Gatherer::new(sources, settings.metrics.level, &settings.resource)) })
}

/// [Opens](open) the pages and answers them until asked to stop: what is returned is to run on the control runtime.
pub fn serve(settings: &Telemetry, sources: Sources, stop: Stop) -> Result<impl Future<Output = ()> + Send + 'static, ServeError> {
    Ok(open(settings, sources)?.serve(stop))
}

impl Pages {
    /// The ports that they listen at.
    pub fn ports(&self) -> Vec<u16> {
        self.open.iter().filter_map(|(_, listener)| listener.port()).collect()
    }

    /// Answers until asked to stop.
    pub async fn serve(self, stop: Stop) {
        let pages = self.open.into_iter().map(|(page, listener)| {
            let gatherer = self.gatherer.clone();
            tracing::info!(endpoint = %page.endpoint, port = listener.port(), "metrics can be read at /metrics");
            let served = serve_http(listener, stop.clone(), move |request| {
                let answer = answer(&request, &page, &gatherer);
                async move { answer }
            });
            async move {
                if let Err(error) = served.await {
                    tracing::error!(%error, "metrics cannot be read any more");
                }
            }
        });
        futures_util::future::join_all(pages).await;
    }
}

fn answer(request: &Request<Bytes>, page: &Page, gatherer: &Gatherer) -> Response<Bytes> {
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "metrics are at /metrics\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "metrics are read with GET\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let format = Format::wanted(request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()));
    let mut response = Response::new(Bytes::from(write(&gatherer.gather(), page, format)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
