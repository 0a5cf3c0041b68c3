#![doc = include_str!("README.md")]

mod guard;
mod ledger;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, ComponentId, Extension, ExtensionContext, ExtensionFactory, Extensions, Report,
    RunError, Stability, Steering,
};
use tracetailor_core::config::{ConfigErrors, Endpoint, KeyError, OneOrMany, Schema, Validate};
use tracetailor_net::server::{Listener, serve_http};

use guard::Guard;

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Serve the pages. They are served unless this says no, also where the file does not name the extension.
    pub enabled: bool,
    /// Where to listen.
    pub endpoint: Endpoint,
    /// Names under which the pages may be asked for, besides localhost and addresses written as numbers.
    pub allowed_hosts: OneOrMany<String>,
}

impl Default for Config {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "it is one")]
        let endpoint = "127.0.0.1:8889".parse().expect("an address");
        Self { enabled: true, endpoint, allowed_hosts: OneOrMany::default() }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if let Err(KeyError { wrong, right }) = self.endpoint.listens() {
            errors.error("endpoint", wrong, right);
        }
        if self.enabled && !self.endpoint.is_local() {
            let wrong = "whoever reaches this address sees the configuration and can have it read again";
            errors.warn("endpoint", wrong, "listen at 127.0.0.1:8889, and reach it with ssh -L or kubectl port-forward");
        }
    }
}

/// How one is made.
pub const FACTORY: ExtensionFactory = ExtensionFactory::of::<Admin>("admin", Stability::Beta, include_str!("README.md"));

/// Pages for whoever runs the gateway.
pub struct Admin {
    config: Config,
}

impl Component for Admin {
    type Kind = Extensions;
    type Config = Config;

    fn build(config: &Config, _context: &BuildContext) -> Result<Box<dyn Extension>, BuildError> {
        Ok(Box::new(Self { config: config.clone() }))
    }
}

impl Extension for Admin {
    fn run(self: Box<Self>, context: ExtensionContext) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let listener = self.config.enabled.then(|| Listener::bind(&self.config.endpoint)).transpose();
            match listener {
                Ok(Some(listener)) => return serve(&self.config, listener, context).await,
                Ok(None) => {}
                // Nobody may have asked for these pages, and a second gateway on a machine is no reason not to start.
                Err(error) => tracing::warn!(%error, "the pages of the admin extension are not served"),
            }
            context.stop.asked().await;
            Ok(())
        })
    }
}

async fn serve(config: &Config, listener: Listener, context: ExtensionContext) -> Result<(), RunError> {
    tracing::info!(endpoint = %config.endpoint, port = listener.port(), "pages for whoever runs the gateway are served");
    let guard = Arc::new(Guard::new(&config.allowed_hosts));
    let stop = context.stop.clone();
    Ok(serve_http(listener, stop, move |request| answer(request, guard.clone(), context.clone())).await?)
}

/// What there is, and what it tells: the page at `/`.
const PAGES: &[(&str, &str)] = &[
    ("GET /", "this list"),
    ("GET /config", "the configuration in force, as YAML, with secrets hidden"),
    ("GET /ledger", "the books: what came in, and what became of it; as JSON with ?format=json"),
    ("POST /reload", "read the configuration again and take it on; the answer says what changed, or all that is wrong"),
];

async fn answer(request: Request<Bytes>, guard: Arc<Guard>, context: ExtensionContext) -> Response<Bytes> {
    if let Err(refusal) = guard.admits(&request) {
        return page(StatusCode::FORBIDDEN, TEXT, format!("{refusal}\n"));
    }
    let wanted = match request.uri().path() {
        "/reload" => Method::POST,
        _ => Method::GET,
    };
    let known = !reports_at(request.uri().path(), &context).0.is_empty()
        || PAGES.iter().any(|(what, _)| what.ends_with(&format!(" {}", request.uri().path())));
    if known && !(*request.method() == wanted || wanted == Method::GET && *request.method() == Method::HEAD) {
        let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, format!("this page is asked for with {wanted}\n"));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(if wanted == Method::POST { "POST" } else { "GET, HEAD" }));
        return response;
    }
    match request.uri().path() {
        "/" => page(StatusCode::OK, TEXT, list(&context)),
        "/config" => configuration(&context),
        "/ledger" => books(&request, &context),
        "/reload" => reload(&context).await,
        other => told(other, &request, &context)
            .unwrap_or_else(|| page(StatusCode::NOT_FOUND, TEXT, "there is no such page; / lists those there are\n".to_owned())),
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

fn list(context: &ExtensionContext) -> String {
    let own = PAGES.iter().map(|(what, tells)| ((*what).to_owned(), *tells));
    let pages: Vec<_> = own.chain(context.reports.pages().into_iter().map(|(page, tells)| (format!("GET /{page}"), tells))).collect();
    let width = pages.iter().map(|(what, _)| what.len()).max().unwrap_or_default().max(14);
    let pages: String = pages.iter().map(|(what, tells)| format!("{what:width$} {tells}\n")).collect();
    format!("tracetailor {}\n\n{pages}", env!("CARGO_PKG_VERSION"))
}

/// Who tells something.
type Told = Vec<(ComponentId, Arc<dyn Report>)>;

/// Who tells something at an address, and the rest of the address, which is a question to them: of `/why/5b8e…`, the id.
fn reports_at<'a>(path: &'a str, context: &ExtensionContext) -> (Told, &'a str) {
    let path = path.trim_start_matches('/');
    let pages = context.reports.pages();
    let page = pages
        .iter()
        .map(|(page, _)| *page)
        .find(|page| path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    page.map_or((Vec::new(), ""), |page| (context.reports.of(page), path[page.len()..].trim_start_matches('/')))
}

/// What components have to tell: of one, its own words; of several, each under its name.
fn told(path: &str, request: &Request<Bytes>, context: &ExtensionContext) -> Option<Response<Bytes>> {
    let (reports, question) = reports_at(path, context);
    let question = percent_decoded(question);
    if reports.is_empty() {
        return None;
    }
    let status = if reports.iter().any(|(_, report)| report.knows(&question)) { StatusCode::OK } else { StatusCode::NOT_FOUND };
    if wants_json(request) {
        let all: Vec<_> =
            reports.iter().map(|(id, report)| json!({ "component": id.to_string(), "report": report.json(&question) })).collect();
        return Some(page(status, "application/json", serde_json::Value::Array(all).to_string() + "\n"));
    }
    let text = match reports.as_slice() {
        [(_, report)] => report.text(&question),
        several => several.iter().map(|(id, report)| format!("{id}\n{}\n", report.text(&question))).collect(),
    };
    Some(page(status, TEXT, text))
}

/// A question may hold anything that a person pasted.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn steering(context: &ExtensionContext) -> Option<Arc<dyn Steering>> {
    context.services.of::<dyn Steering>(&ComponentId::of(<dyn Steering>::ID))
}

/// The answer where nothing steers the gateway yet.
fn not_yet() -> Response<Bytes> {
    page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "the gateway is not there yet\n".to_owned())
}

fn configuration(context: &ExtensionContext) -> Response<Bytes> {
    steering(context).map_or_else(not_yet, |steering| page(StatusCode::OK, TEXT, steering.configuration()))
}

fn wants_json(request: &Request<Bytes>) -> bool {
    let asked = request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "format=json"));
    asked || request.headers().get(ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"))
}

fn books(request: &Request<Bytes>, context: &ExtensionContext) -> Response<Bytes> {
    let report = context.books.report();
    if wants_json(request) {
        return page(StatusCode::OK, "application/json", ledger::as_json(&report).to_string() + "\n");
    }
    page(StatusCode::OK, TEXT, report.to_string())
}

async fn reload(context: &ExtensionContext) -> Response<Bytes> {
    let Some(steering) = steering(context) else { return not_yet() };
    match steering.reload().await {
        Ok(changed) => page(StatusCode::OK, TEXT, changed),
        Err(wrong) => page(StatusCode::UNPROCESSABLE_ENTITY, TEXT, wrong),
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests;
