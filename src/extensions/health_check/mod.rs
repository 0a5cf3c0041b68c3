#![doc = include_str!("README.md")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, ComponentId, Extension, ExtensionContext, ExtensionFactory, Extensions, RunError,
    Stability, Steering,
};
use tracetailor_core::config::{ConfigErrors, Endpoint, Period, Planned, Schema, Unused, Validate};
use tracetailor_core::time::{LogTime, Rfc3339};
use tracetailor_net::server::{Listener, serve_http};

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen. In a container this is 0.0.0.0:13133, or no probe reaches it.
    pub endpoint: Endpoint,
    /// The page that tells whether the gateway takes telemetry; `/` is every page but the two others.
    pub path: String,
    /// What to answer instead of the usual words.
    pub response_body: Option<ResponseBody>,
    /// Headers to add to every answer.
    pub response_headers: BTreeMap<String, String>,
    /// tcp; for a socket in the file system write endpoint: unix:/its/path.
    pub transport: Transport,
    /// Planned: TLS.
    #[serde(skip_serializing)]
    pub tls: Planned,
    /// Planned: an extension that checks who asks.
    #[serde(skip_serializing)]
    pub auth: Planned,
    /// Planned: extensions that look at each request.
    #[serde(skip_serializing)]
    pub middlewares: Planned,
    /// Unused: the Collector does not use it either.
    #[serde(skip_serializing)]
    pub check_collector_pipeline: Unused,
    /// Unused: no page in a browser needs this one.
    #[serde(skip_serializing)]
    pub cors: Unused,
    /// Unused: nothing in a request is read.
    #[serde(skip_serializing)]
    pub max_request_body_size: Unused,
    /// Unused: nothing in a request is read.
    #[serde(skip_serializing)]
    pub compression_algorithms: Unused,
    /// Unused: nothing in a request is kept.
    #[serde(skip_serializing)]
    pub include_metadata: Unused,
    /// Unused: a request has 10 s for its headers.
    #[serde(skip_serializing)]
    pub read_header_timeout: Unused,
    /// Unused: a request has 30 s for its body.
    #[serde(skip_serializing)]
    pub read_timeout: Unused,
    /// Unused: an answer is a few bytes.
    #[serde(skip_serializing)]
    pub write_timeout: Unused,
    /// Unused: a connection that waits is kept.
    #[serde(skip_serializing)]
    pub idle_timeout: Unused,
    /// Unused: a connection that waits is kept.
    #[serde(skip_serializing)]
    pub keep_alives_enabled: Unused,
    /// Unused: a connection that waits is kept.
    #[serde(skip_serializing)]
    pub keepalive: Unused,
}

/// What to answer instead of the usual words.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseBody {
    /// While the gateway takes telemetry.
    pub healthy: String,
    /// While it does not.
    pub unhealthy: String,
}

/// What the endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A host and a port.
    Tcp,
    /// Planned: a path without unix: in front.
    Unix,
}

impl Default for Config {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "it is one")]
        let endpoint = "localhost:13133".parse().expect("an address");
        Self {
            endpoint,
            path: "/".to_owned(),
            response_body: None,
            response_headers: BTreeMap::new(),
            transport: Transport::Tcp,
            tls: Planned::default(),
            auth: Planned::default(),
            middlewares: Planned::default(),
            check_collector_pipeline: Unused::default(),
            cors: Unused::default(),
            max_request_body_size: Unused::default(),
            compression_algorithms: Unused::default(),
            include_metadata: Unused::default(),
            read_header_timeout: Unused::default(),
            read_timeout: Unused::default(),
            write_timeout: Unused::default(),
            idle_timeout: Unused::default(),
            keep_alives_enabled: Unused::default(),
            keepalive: Unused::default(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if let Err(error) = self.endpoint.listens() {
            errors.error("endpoint", error.wrong, error.right);
        }
        if self.transport == Transport::Unix {
            errors.error("transport", "unix is said in the endpoint here", "remove transport, and write endpoint: unix:/its/path");
        }
        if !self.path.starts_with('/') {
            errors.error("path", "does not begin with a slash", format!("write /{}", self.path));
        }
        for (name, value) in &self.response_headers {
            if header(name, value).is_none() {
                errors.at("response_headers").error(name, "is no header", "write a name and a value without line ends");
            }
        }
        errors.planned("tls", self.tls, "remove it: the answer tells nothing that is secret");
        errors.planned("auth", self.auth, "remove it: the answer tells nothing that is secret");
        errors.planned("middlewares", self.middlewares, "remove it");
    }
}

/// How one is made.
pub const FACTORY: ExtensionFactory = ExtensionFactory::of::<HealthCheck>("health_check", Stability::Beta, include_str!("README.md"));

/// Answers probes.
pub struct HealthCheck {
    config: Config,
}

impl Component for HealthCheck {
    type Kind = Extensions;
    type Config = Config;

    fn build(config: &Config, _context: &BuildContext) -> Result<Box<dyn Extension>, BuildError> {
        Ok(Box::new(Self { config: config.clone() }))
    }
}

impl Extension for HealthCheck {
    fn run(self: Box<Self>, context: ExtensionContext) -> BoxFuture<'static, Result<(), RunError>> {
        // A probe that finds somebody else there would be worse than a gateway that does not start: so does the Collector.
        Box::pin(async move {
            let listener = Listener::bind(&self.config.endpoint)?;
            serve(self.config, listener, context).await
        })
    }
}

async fn serve(config: Config, listener: Listener, context: ExtensionContext) -> Result<(), RunError> {
    tracing::info!(endpoint = %config.endpoint, port = listener.port(), "health can be asked for");
    let stop = context.stop.clone();
    let health = Arc::new(Health { config, context, ready_since: Mutex::new(None) });
    let answer = move |request: Request<Bytes>| {
        let response = health.answer(request.uri().path());
        async move { response }
    };
    Ok(serve_http(listener, stop, answer).await?)
}

/// How the gateway is, for whoever asks.
struct Health {
    config: Config,
    context: ExtensionContext,
    /// Since when it takes telemetry, as far as somebody asked.
    ready_since: Mutex<Option<LogTime>>,
}

impl Health {
    fn answer(&self, path: &str) -> Response<Bytes> {
        let mut response = match path {
            // Whoever gets this answer has shown that the gateway is alive.
            "/live" => plain(StatusCode::OK, "alive\n".to_owned()),
            "/ready" => match self.ready() {
                Ok(_) => plain(StatusCode::OK, "ready\n".to_owned()),
                Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
            },
            path if path == self.config.path || self.config.path == "/" => self.as_the_collector(),
            _ => plain(StatusCode::NOT_FOUND, format!("health is at {}, /live and /ready\n", self.config.path)),
        };
        let own = self.config.response_headers.iter().filter_map(|(name, value)| header(name, value));
        response.headers_mut().extend(own);
        response
    }

    /// Since when it takes telemetry, or why it does not.
    fn ready(&self) -> Result<LogTime, String> {
        let offered = self.context.services.of::<dyn Steering>(&ComponentId::of(<dyn Steering>::ID));
        let ready = offered.map_or_else(|| Err("starting".to_owned()), |steering| steering.ready());
        let mut since = self.ready_since.lock().unwrap_or_else(PoisonError::into_inner);
        match ready {
            Ok(()) => Ok(*since.get_or_insert_with(|| self.context.clock.now())),
            Err(why) => {
                *since = None;
                Err(why)
            }
        }
    }

    fn as_the_collector(&self) -> Response<Bytes> {
        let ready = self.ready();
        let status = if ready.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        if let Some(body) = &self.config.response_body {
            return plain(status, if ready.is_ok() { body.healthy.clone() } else { body.unhealthy.clone() });
        }
        let body = match ready {
            Ok(since) => {
                let uptime = self.context.clock.now().since(since).as_millis();
                let uptime = format!("{uptime}ms").parse::<Period>().unwrap_or_default();
                json!({ "status": "Server available", "upSince": Rfc3339(since).to_string(), "uptime": uptime.to_string() })
            }
            Err(_) => json!({ "status": "Server not available", "upSince": "0001-01-01T00:00:00Z", "uptime": "" }),
        };
        answer_of(status, "application/json", body.to_string())
    }
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}

fn plain(status: StatusCode, text: String) -> Response<Bytes> {
    answer_of(status, "text/plain; charset=utf-8", text)
}

fn answer_of(status: StatusCode, kind: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests;
