//! What stands behind: the OTLP services that `opentelemetry-proto` generates, served by tonic, and OTLP over HTTP on the same port.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{MetricsService, MetricsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};
use tracetailor::core::telemetry::Signal;

#[derive(Default)]
struct Got {
    traces: Vec<ExportTraceServiceRequest>,
    logs: Vec<ExportLogsServiceRequest>,
    metrics: Vec<ExportMetricsServiceRequest>,
    /// Requests over HTTP, as bytes.
    bodies: Vec<(Signal, Vec<u8>)>,
}

#[derive(Clone)]
pub(super) struct Sink {
    got: Arc<Mutex<Got>>,
    /// Told of every request.
    arrived: Arc<Notify>,
    port: u16,
}

impl Sink {
    pub(super) async fn start() -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Sink { got: Arc::default(), arrived: Arc::default(), port: listener.local_addr().unwrap().port() };
        let own = sink.clone();
        tokio::spawn(async move {
            // gRPC has a server of its own; who begins with the preface of HTTP/2 is passed on to it.
            let grpc = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = grpc.local_addr().unwrap();
            let services = tonic::transport::Server::builder()
                .add_service(TraceServiceServer::new(own.clone()))
                .add_service(LogsServiceServer::new(own.clone()))
                .add_service(MetricsServiceServer::new(own.clone()));
            let incoming = tonic::transport::server::TcpIncoming::from(grpc);
            tokio::spawn(services.serve_with_incoming(incoming));
            while let Ok((socket, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move { own.serve(socket, address).await });
            }
        });
        sink
    }

    async fn serve(&self, mut socket: TcpStream, grpc: std::net::SocketAddr) {
        let mut first = [0; 3];
        if socket.peek(&mut first).await.is_err() {
            return;
        }
        if &first == b"PRI" {
            if let Ok(mut behind) = TcpStream::connect(grpc).await {
                let _ = tokio::io::copy_bidirectional(&mut socket, &mut behind).await;
            }
            return;
        }
        while let Some((path, body)) = read_request(&mut socket).await {
            self.take(&path, body);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            if socket.write_all(answer).await.is_err() {
                return;
            }
        }
    }

    fn take(&self, path: &str, body: Vec<u8>) {
        let mut got = self.got.lock().unwrap();
        let signal = match path {
            "/v1/traces" => {
                got.traces.push(ExportTraceServiceRequest::decode(&body[..]).unwrap());
                Signal::Traces
            }
            "/v1/logs" => {
                got.logs.push(ExportLogsServiceRequest::decode(&body[..]).unwrap());
                Signal::Logs
            }
            _ => {
                got.metrics.push(ExportMetricsServiceRequest::decode(&body[..]).unwrap());
                Signal::Metrics
            }
        };
        got.bodies.push((signal, body));
        drop(got);
        self.arrived.notify_waiters();
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Requests over HTTP, as they came.
    pub(super) fn bodies(&self, signal: Signal) -> Vec<Vec<u8>> {
        self.got.lock().unwrap().bodies.iter().filter(|(of, _)| *of == signal).map(|(_, body)| body.clone()).collect()
    }

    /// Spans, log records, metrics.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        (self.spans().len(), self.logs().len(), self.metrics().len())
    }

    pub(super) async fn wait_for(&self, spans: usize, logs: usize, metrics: usize) {
        let all = async {
            loop {
                let arrived = self.arrived.notified();
                let (got_spans, got_logs, got_metrics) = self.counts();
                if got_spans >= spans && got_logs >= logs && got_metrics >= metrics {
                    return;
                }
                arrived.await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(15), all).await;
        assert!(in_time.is_ok(), "of {spans}, {logs}, {metrics} only {:?} arrived", self.counts());
    }

    /// Every span with its resource and scope, as bytes, in an order that does not depend on how it travelled.
    pub(super) fn spans(&self) -> Vec<Vec<u8>> {
        let got = self.got.lock().unwrap();
        let mut all = Vec::new();
        for resource in got.traces.iter().flat_map(|request| &request.resource_spans) {
            for scope in &resource.scope_spans {
                for span in &scope.spans {
                    let mut one = resource.clone();
                    one.scope_spans = vec![scope.clone()];
                    one.scope_spans[0].spans = vec![span.clone()];
                    all.push(one.encode_to_vec());
                }
            }
        }
        all.sort_unstable();
        all
    }

    /// The same for log records.
    pub(super) fn logs(&self) -> Vec<Vec<u8>> {
        let got = self.got.lock().unwrap();
        let mut all = Vec::new();
        for resource in got.logs.iter().flat_map(|request| &request.resource_logs) {
            for scope in &resource.scope_logs {
                for record in &scope.log_records {
                    let mut one = resource.clone();
                    one.scope_logs = vec![scope.clone()];
                    one.scope_logs[0].log_records = vec![record.clone()];
                    all.push(one.encode_to_vec());
                }
            }
        }
        all.sort_unstable();
        all
    }

    /// The same for metrics; their times differ, since each reader collects for itself.
    pub(super) fn metrics(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        let mut all = Vec::new();
        for resource in got.metrics.iter().flat_map(|request| &request.resource_metrics) {
            for scope in &resource.scope_metrics {
                for metric in &scope.metrics {
                    let text = format!("{:?} {:?} {metric:?}", resource.resource, scope.scope);
                    all.push(without_times(&text));
                }
            }
        }
        all.sort_unstable();
        all
    }
}

fn without_times(text: &str) -> String {
    let mut parts = text.split("time_unix_nano: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

pub(super) async fn read_request(socket: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let path = text.split(' ').nth(1)?.to_owned();
    let length = text.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let mut body = bytes.split_off(head + 4);
    while body.len() < length.unwrap_or(0) {
        if socket.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((path, body))
}

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.got.lock().unwrap().traces.push(request.into_inner());
        self.arrived.notify_waiters();
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Sink {
    async fn export(&self, request: Request<ExportLogsServiceRequest>) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.got.lock().unwrap().logs.push(request.into_inner());
        self.arrived.notify_waiters();
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Sink {
    async fn export(&self, request: Request<ExportMetricsServiceRequest>) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.got.lock().unwrap().metrics.push(request.into_inner());
        self.arrived.notify_waiters();
        Ok(Response::new(Default::default()))
    }
}
