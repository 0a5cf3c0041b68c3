//! `send`: sends a trace of three services to an OTLP endpoint, and says what came of it and where to look.

mod trace;

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::{HeaderMap, HeaderName, HeaderValue};
use tracetailor_core::config::{Address, ClientTls, KeyError};
use tracetailor_core::time::Clock;
use tracetailor_net::client::{Answer, Client, ClientError, Protocol, Proxy, Route, Settings, Url, process_environment, user_agent};
use tracetailor_net::grpc::{Code, PREFIX, PartialSuccess, Status, frame, put_prefix};
use tracetailor_net::words::cut;

use super::Outcome;
use trace::Sample;

/// How long the other side may take: a person is waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to send, and where to.
#[derive(Args, Debug)]
pub(crate) struct Send {
    /// Where to: HOST:PORT, http://HOST:PORT or https://HOST:PORT.
    #[arg(long, value_name = "ADDRESS", default_value = "http://127.0.0.1:4317")]
    endpoint: String,
    /// How; unless given, HTTP where the port is 4318 or there is a path, else gRPC.
    #[arg(long, value_enum)]
    protocol: Option<Spoken>,
    /// A header to send along, such as a tenant or a token; may be given several times.
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<String>,
    /// File with the certificates to trust, in PEM; those of the system unless given.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    /// Also send traces with the usual faults, one each: an orphan, no root, a parent of zeros and others.
    #[arg(long)]
    broken: bool,
}

/// A way to speak OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Spoken {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP.
    Http,
}

/// Sends, and says how it went.
pub(super) fn send(send: &Send) -> Outcome {
    let errand = match Errand::of(send) {
        Ok(errand) => errand,
        Err(error) => return Outcome::not_understood(format!("error: {}\n    {}\n", error.wrong, error.right)),
    };
    let samples = trace::samples(Clock::system().now(), send.broken);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Outcome::in_the_way(format!("error: nothing can be sent: {error}\n")),
    };
    match runtime.block_on(errand.run(&trace::request(&samples))) {
        Ok(partial) => Outcome::done(errand.told(&samples)).remarking(remark(&partial)),
        Err(trouble) => Outcome::in_the_way(format!("error: {trouble}\n")),
    }
}

/// A place to send to, and how to speak there.
struct Errand {
    url: Url,
    spoken: Spoken,
    route: Route,
    settings: Settings,
}

impl Errand {
    fn of(send: &Send) -> Result<Self, KeyError> {
        let url: Url = whole(&send.endpoint, send.protocol).parse()?;
        let is_usual_http = matches!(url.address(), Address::Tcp { port: 4318, .. }) || url.path().len() > 1;
        let spoken = send.protocol.unwrap_or(if is_usual_http { Spoken::Http } else { Spoken::Grpc });
        let (protocol, target) = match spoken {
            Spoken::Grpc => (Protocol::Http2, "/opentelemetry.proto.collector.trace.v1.TraceService/Export".to_owned()),
            Spoken::Http if url.path().ends_with("/v1/traces") => (Protocol::Negotiated, url.target()),
            Spoken::Http => (Protocol::Negotiated, url.below("/v1/traces").target()),
        };
        let wrong = |error: tracetailor_core::component::BuildError| KeyError::new(error.wrong, error.right);
        let settings = Settings::new(url.address().clone(), protocol, Clock::system()).within(PATIENCE);
        let proxy = match spoken {
            Spoken::Grpc => Proxy::of_grpc_to(url.address(), &process_environment),
            Spoken::Http => Proxy::to(url.address(), url.is_encrypted(), &Default::default(), &process_environment),
        };
        let settings = settings.by_way_of(proxy.map_err(wrong)?).map_err(wrong)?;
        let tls = ClientTls { ca_file: send.ca_file.clone().unwrap_or_default(), ..ClientTls::default() };
        let settings = if url.is_encrypted() { settings.encrypted(&tls).map_err(wrong)? } else { settings };
        let scheme = if url.is_encrypted() { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP };
        let authority = tracetailor_net::client::authority(url.address());
        let route = Route::new(scheme, &authority, &target, headers(send, &url, spoken)?);
        let route = route.map_err(|_| KeyError::new(format!("{url} is no address to send to"), "write http://host:port"))?;
        Ok(Self { url, spoken, route, settings })
    }

    async fn run(&self, request: &[u8]) -> Result<PartialSuccess, String> {
        let client = Client::new(self.settings.clone());
        let mut body = Vec::with_capacity(PREFIX + request.len());
        if self.spoken == Spoken::Grpc {
            body.resize(PREFIX, 0);
        }
        body.extend_from_slice(request);
        if self.spoken == Spoken::Grpc {
            put_prefix(&mut body, false);
        }
        let posted = client.post(&self.route, HeaderMap::new(), Bytes::from(body));
        match tokio::time::timeout(PATIENCE, posted).await {
            Ok(Ok(answer)) => self.outcome(answer),
            Ok(Err(error)) => Err(self.trouble(&error)),
            Err(_) => Err(format!(
                "{} has not answered within {} seconds\n    is it the right port? {}",
                self.url,
                PATIENCE.as_secs(),
                self.ports()
            )),
        }
    }

    fn outcome(&self, answer: Answer) -> Result<PartialSuccess, String> {
        match self.spoken {
            Spoken::Grpc => {
                let status = Status::of_trailers(&answer.trailers).or_else(|| Status::of_trailers(&answer.headers));
                match status {
                    Some(Status { code: Code::OK, .. }) => {
                        let message = frame(answer.body).ok().flatten().map(|(_, message)| message).unwrap_or_default();
                        Ok(PartialSuccess::decode(&message).unwrap_or_default())
                    }
                    Some(status) => Err(format!(
                        "{} refused the trace: {}: {}{}",
                        self.url,
                        status.code,
                        cut(&status.message),
                        self.advice(status.code)
                    )),
                    None => Err(format!("{} answers, but not in gRPC (HTTP {})\n    {}", self.url, answer.status, self.ports())),
                }
            }
            Spoken::Http if answer.status.is_success() => {
                let is_protobuf = answer.content_type() == "application/x-protobuf";
                Ok(if is_protobuf { PartialSuccess::decode(&answer.body).unwrap_or_default() } else { PartialSuccess::default() })
            }
            Spoken::Http => {
                let said = match answer.content_type().as_str() {
                    "application/x-protobuf" => Status::decode(&answer.body).map(|status| status.message).unwrap_or_default(),
                    _ => String::from_utf8_lossy(&answer.body).into_owned(),
                };
                let code = Code::of_otlp_http(answer.status);
                Err(format!("{} refused the trace: {} {}{}", self.url, answer.status, cut(&said), self.advice(code)))
            }
        }
    }

    /// What helps against a refusal.
    fn advice(&self, code: Code) -> String {
        match code {
            Code::UNAUTHENTICATED | Code::PERMISSION_DENIED => {
                "\n    it wants to know who sends: add --header authorization='Bearer …', or what it asks for".to_owned()
            }
            Code::UNIMPLEMENTED => format!("\n    it knows no such path or method. {}", self.ports()),
            Code::RESOURCE_EXHAUSTED | Code::UNAVAILABLE => {
                "\n    it has no room at the moment: try again, and look at its own log".to_owned()
            }
            _ => String::new(),
        }
    }

    /// What helps where there was no answer.
    fn trouble(&self, error: &ClientError) -> String {
        let told = error.to_string();
        if told.contains("onnection refused") {
            let help = "start a gateway with `tracetailor run --config FILE`, or say with --endpoint where one listens";
            return format!("nobody listens at {}\n    {help}. {}", self.url, self.ports());
        }
        if self.url.is_encrypted() || self.spoken == Spoken::Http {
            return format!("{}: {told}\n    {}", self.url, self.ports());
        }
        format!("{}: {told}\n    to send with TLS write https://. {}", self.url, self.ports())
    }

    fn ports(&self) -> &'static str {
        match self.spoken {
            Spoken::Grpc => "gRPC is usually spoken on port 4317; for HTTP on 4318 add --protocol http",
            Spoken::Http => "HTTP is usually spoken on port 4318; for gRPC on 4317 add --protocol grpc",
        }
    }

    /// Ids, and where to look for them.
    fn told(&self, samples: &[Sample]) -> String {
        let mut told = String::new();
        let spoken = if self.spoken == Spoken::Grpc { "gRPC" } else { "HTTP" };
        let _ = writeln!(told, "sent {} trace{} to {} over {spoken}", samples.len(), if samples.len() == 1 { "" } else { "s" }, self.url);
        for sample in samples {
            let _ = writeln!(told, "  {}  {}", sample.id(), sample.story);
        }
        let host = match self.url.address() {
            Address::Tcp { host, .. } if host.contains(':') => format!("[{host}]"),
            Address::Tcp { host, .. } => host.clone(),
            Address::Unix { .. } => "localhost".to_owned(),
        };
        let Some(first) = samples.first().map(Sample::id) else { return told };
        let _ = writeln!(told, "look for it, where these run beside it, at");
        let _ = writeln!(told, "  Jaeger   http://{host}:16686/trace/{first}");
        let _ = writeln!(told, "  Tempo    http://{host}:3200/api/traces/{first}");
        let _ = writeln!(told, "  Grafana  http://{host}:3000/explore, TraceQL {first}");
        told
    }
}

/// An address with what people leave out of one: the scheme, and one of host and port.
fn whole(endpoint: &str, spoken: Option<Spoken>) -> String {
    if endpoint.contains("://") || endpoint.starts_with("unix:") {
        return endpoint.to_owned();
    }
    let usual = if spoken == Some(Spoken::Http) { 4318 } else { 4317 };
    match endpoint.parse::<u16>() {
        Ok(port) => format!("http://127.0.0.1:{port}"),
        Err(_) if endpoint.contains(':') => format!("http://{endpoint}"),
        Err(_) => format!("http://{endpoint}:{usual}"),
    }
}

/// What the other side says although it took the trace.
fn remark(partial: &PartialSuccess) -> String {
    match (partial.rejected, cut(&partial.message)) {
        (0, said) if said.is_empty() => String::new(),
        (0, said) => format!("it says: {said}\n"),
        (rejected, said) => format!("warning: {rejected} of the spans were not taken: {said}\n"),
    }
}

fn headers(send: &Send, url: &Url, spoken: Spoken) -> Result<HeaderMap, KeyError> {
    let mut headers = HeaderMap::new();
    if let Ok(agent) = HeaderValue::from_str(&user_agent()) {
        headers.insert(http::header::USER_AGENT, agent);
    }
    if let Some(authorization) = url.authorization() {
        headers.insert(http::header::AUTHORIZATION, authorization);
    }
    for header in &send.headers {
        let wrong = || KeyError::new("--header is no header", "write --header NAME=VALUE");
        let (name, value) = header.split_once('=').or_else(|| header.split_once(':')).ok_or_else(wrong)?;
        let name: HeaderName = name.trim().parse().map_err(|_| wrong())?;
        headers.insert(name, HeaderValue::from_str(value.trim()).map_err(|_| wrong())?);
    }
    let kind = if spoken == Spoken::Grpc { "application/grpc" } else { "application/x-protobuf" };
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if spoken == Spoken::Grpc {
        headers.insert(http::header::TE, HeaderValue::from_static("trailers"));
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
