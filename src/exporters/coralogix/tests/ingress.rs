//! An ingress that takes nothing that the real one would refuse.

use std::io::Read;
use std::sync::{Arc, Mutex};

use tracetailor_core::telemetry::{Decoded, Signal};
use tracetailor_net::grpc::{Code, PartialSuccess, Status, frame};
use tracetailor_net::testing::{Destination, Reply, Seen};

pub(super) const KEY: &str = "cxtp_s3cret";

const SERVICES: [(&str, &str, Signal); 3] = [
    ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/v1/traces", Signal::Traces),
    ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", "/v1/logs", Signal::Logs),
    ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "/v1/metrics", Signal::Metrics),
];

/// An ingress, and what it took.
pub(super) struct Ingress {
    pub(super) destination: Destination,
    taken: Arc<Mutex<Vec<Decoded>>>,
    /// Said in place of taking anything, whoever asks.
    mood: Arc<Mutex<Option<Status>>>,
}

impl Ingress {
    pub(super) async fn start() -> Self {
        let (taken, mood) = (Arc::<Mutex<Vec<Decoded>>>::default(), Arc::<Mutex<Option<Status>>>::default());
        let (takes, moody) = (taken.clone(), mood.clone());
        let judge = move |seen: &Seen| {
            let is_grpc = seen.header("content-type") == "application/grpc";
            match judge(seen, is_grpc, moody.lock().unwrap().clone()) {
                Ok(request) => {
                    takes.lock().unwrap().push(request);
                    if is_grpc { Reply::grpc_done(&PartialSuccess::default()) } else { Reply::status(200) }
                }
                Err(status) if is_grpc => Reply::grpc(&status),
                Err(status) => Reply::status(http_status(&status)).body("text/plain", status.message),
            }
        };
        Self { destination: Destination::judging(judge).await.unwrap(), taken, mood }
    }

    pub(super) fn port(&self) -> u16 {
        self.destination.address.port()
    }

    /// Answers so from now on.
    pub(super) fn says(&self, status: Option<Status>) {
        *self.mood.lock().unwrap() = status;
    }

    /// Application and subsystem of every resource that was taken.
    pub(super) fn names(&self) -> Vec<(String, String)> {
        self.taken.lock().unwrap().iter().flat_map(names).collect()
    }

    pub(super) fn requests(&self) -> usize {
        self.taken.lock().unwrap().len()
    }
}

fn http_status(status: &Status) -> u16 {
    match status.code {
        Code::UNAUTHENTICATED => 401,
        Code::PERMISSION_DENIED => 403,
        Code::RESOURCE_EXHAUSTED if status.message.contains("larger") => 413,
        Code::RESOURCE_EXHAUSTED => 429,
        Code::UNAVAILABLE => 503,
        Code::UNIMPLEMENTED => 404,
        _ => 400,
    }
}

fn judge(seen: &Seen, is_grpc: bool, mood: Option<Status>) -> Result<Decoded, Status> {
    let refuse = |code, message: String| Err(Status::new(code, message));
    let known = SERVICES.iter().find(|(service, path, _)| seen.target == if is_grpc { *service } else { *path });
    let Some((_, _, signal)) = known else { return refuse(Code::UNIMPLEMENTED, format!("no such method {}", seen.target)) };
    match seen.header("authorization").strip_prefix("Bearer ") {
        None => return refuse(Code::UNAUTHENTICATED, "no bearer token".to_owned()),
        Some(key) if key != KEY => return refuse(Code::PERMISSION_DENIED, "not a key of this region".to_owned()),
        Some(_) => {}
    }
    if seen.headers.get_all("authorization").iter().count() != 1 {
        return refuse(Code::INVALID_ARGUMENT, "two authorizations".to_owned());
    }
    if let Some(status) = mood {
        return Err(status);
    }
    let body = uncompressed(seen, is_grpc)?;
    if body.len() > 10_000_000 {
        return refuse(Code::RESOURCE_EXHAUSTED, format!("message larger than max ({} vs. 10000000)", body.len()));
    }
    let Ok(request) = Decoded::decode(*signal, &body[..]) else { return refuse(Code::INVALID_ARGUMENT, "no OTLP".to_owned()) };
    if names(&request).iter().any(|(application, _)| application.is_empty()) {
        return refuse(Code::INVALID_ARGUMENT, "a resource without an application".to_owned());
    }
    Ok(request)
}

/// The message, which must be compressed: the real one is asked for nothing else.
fn uncompressed(seen: &Seen, is_grpc: bool) -> Result<Vec<u8>, Status> {
    let broken = || Status::new(Code::INTERNAL, "the body cannot be read");
    if !is_grpc {
        if seen.header("content-type") != "application/x-protobuf" {
            return Err(broken());
        }
        return expanded(seen.header("content-encoding"), &seen.body).ok_or_else(broken);
    }
    let (is_compressed, message) = frame(seen.body.clone()).ok().flatten().ok_or_else(broken)?;
    if seen.header("te") != "trailers" || !is_compressed {
        return Err(broken());
    }
    expanded(seen.header("grpc-encoding"), &message).ok_or_else(broken)
}

fn expanded(coding: &str, mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let read = match coding {
        "gzip" => flate2::bufread::GzDecoder::new(&mut bytes).read_to_end(&mut out).map(drop),
        "zstd" => zstd::stream::copy_decode(bytes, &mut out),
        _ => return None,
    };
    read.ok().map(|()| out)
}

fn names(request: &Decoded) -> Vec<(String, String)> {
    let resources: Vec<_> = match request {
        Decoded::Traces(traces) => traces.resource_spans.iter().map(|of| of.resource.clone()).collect(),
        Decoded::Logs(logs) => logs.resource_logs.iter().map(|of| of.resource.clone()).collect(),
        Decoded::Metrics(metrics) => metrics.resource_metrics.iter().map(|of| of.resource.clone()).collect(),
    };
    let name = |attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], key: &str| {
        let values: Vec<_> = attributes.iter().filter(|attribute| attribute.key == key).collect();
        assert!(values.len() < 2, "{key} stands there twice");
        match values.first().and_then(|attribute| attribute.value.clone()).and_then(|value| value.value) {
            Some(opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(text)) => text,
            _ => String::new(),
        }
    };
    let both = resources.into_iter().map(|resource| {
        let attributes = resource.unwrap_or_default().attributes;
        (name(&attributes, "cx.application.name"), name(&attributes, "cx.subsystem.name"))
    });
    both.collect()
}
