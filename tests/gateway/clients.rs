//! Who sends: the OpenTelemetry SDK for Rust with its OTLP exporters, and plain HTTP for what an SDK would never send.

use std::time::Duration;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Grpc,
    Http,
}

/// An application with the SDK in it, which sends everything to several places.
pub(super) struct Sdk {
    tracers: SdkTracerProvider,
    loggers: SdkLoggerProvider,
    meters: SdkMeterProvider,
}

impl Sdk {
    pub(super) fn sending_to(protocol: Protocol, ports: &[u16]) -> Sdk {
        let resource =
            Resource::builder().with_service_name("checkout").with_attribute(KeyValue::new("deployment.environment.name", "test"));
        let resource = resource.build();
        let mut tracers = SdkTracerProvider::builder().with_resource(resource.clone());
        let mut loggers = SdkLoggerProvider::builder().with_resource(resource.clone());
        let mut meters = SdkMeterProvider::builder().with_resource(resource);
        for port in ports {
            let base = format!("http://127.0.0.1:{port}");
            let at = |path: &str| if protocol == Protocol::Http { format!("{base}{path}") } else { base.clone() };
            let (traces, logs, metrics) = (at("/v1/traces"), at("/v1/logs"), at("/v1/metrics"));
            let (spans, records, points) = match protocol {
                Protocol::Grpc => (
                    SpanExporter::builder().with_tonic().with_endpoint(traces).build().unwrap(),
                    LogExporter::builder().with_tonic().with_endpoint(logs).build().unwrap(),
                    MetricExporter::builder().with_tonic().with_endpoint(metrics).build().unwrap(),
                ),
                Protocol::Http => (
                    SpanExporter::builder()
                        .with_http()
                        .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
                        .with_endpoint(traces)
                        .build()
                        .unwrap(),
                    LogExporter::builder()
                        .with_http()
                        .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
                        .with_endpoint(logs)
                        .build()
                        .unwrap(),
                    MetricExporter::builder()
                        .with_http()
                        .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
                        .with_endpoint(metrics)
                        .build()
                        .unwrap(),
                ),
            };
            tracers = tracers.with_simple_exporter(spans);
            loggers = loggers.with_simple_exporter(records);
            // Long, so that each collects only when it is told to.
            let points = OnRuntime { exporter: points, runtime: Handle::current() };
            meters = meters.with_reader(PeriodicReader::builder(points).with_interval(Duration::from_secs(3600)).build());
        }
        Sdk { tracers: tracers.build(), loggers: loggers.build(), meters: meters.build() }
    }

    /// Serves some requests: traces of three spans, a log record each, a counter and a histogram. Returns when all was sent.
    pub(super) async fn work(self) {
        // The SDK's simple processors block the thread that ends a span until it is sent.
        tokio::task::block_in_place(|| {
            self.serve();
            self.tracers.shutdown().unwrap();
            self.loggers.shutdown().unwrap();
        });
        drop(self.meters);
    }

    fn serve(&self) {
        let tracer = self.tracers.tracer("test");
        let logger = self.loggers.logger("test");
        for n in 0..10_i64 {
            let root = tracer.span_builder(format!("GET /cart/{n}")).with_kind(SpanKind::Server).start(&tracer);
            let context = Context::current_with_span(root);
            let mut call = tracer
                .span_builder("call")
                .with_kind(SpanKind::Client)
                .with_attributes([KeyValue::new("n", n), KeyValue::new("text", "h\u{e9}llo"), KeyValue::new("share", 0.5)])
                .start_with_context(&tracer, &context);
            call.add_event("sent", vec![KeyValue::new("bytes", 17)]);
            let inner = tracer.span_builder("query").start_with_context(&tracer, &context);
            drop(inner);
            if n % 3 == 0 {
                call.set_status(Status::error("it broke"));
            }
            call.end();
            context.span().end();
            let mut record = logger.create_log_record();
            record.set_severity_number(Severity::Info);
            record.set_body(AnyValue::from(format!("request {n}")));
            record.add_attribute("n", n);
            logger.emit(record);
        }
        let meter = self.meters.meter("test");
        let requests = meter.u64_counter("requests").build();
        let durations = meter.f64_histogram("durations").with_unit("s").build();
        let load = meter.f64_gauge("load").build();
        for n in 0..10_u32 {
            requests.add(1, &[KeyValue::new("route", "/cart")]);
            durations.record(f64::from(n) / 10.0, &[]);
            load.record(f64::from(n), &[]);
        }
        self.meters.force_flush().unwrap();
    }
}

/// The SDK exports metrics from a thread of its own, where a client that stands on tokio finds no runtime.
struct OnRuntime {
    exporter: MetricExporter,
    runtime: Handle,
}

impl PushMetricExporter for OnRuntime {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut export = std::pin::pin!(self.exporter.export(metrics));
        std::future::poll_fn(|context| {
            let _on_runtime = self.runtime.enter();
            export.as_mut().poll(context)
        })
        .await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

/// Posts a body: the status, and the answer as text.
pub(super) async fn post(port: u16, path: &str, kind: &str, body: Vec<u8>) -> (u16, String) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    exchange(port, [head.into_bytes(), body].concat()).await
}

pub(super) async fn get(port: u16, path: &str) -> (u16, String) {
    exchange(port, format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n").into_bytes()).await
}

async fn exchange(port: u16, request: Vec<u8>) -> (u16, String) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}
