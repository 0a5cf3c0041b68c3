//! What stands behind a processor under test: it takes everything as an exporter does whose back end never fails, and shows it decoded.

use super::otlp::{
    ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest, LogRecord, Metric, ResourceLogs, ResourceMetrics,
    ResourceSpans, Span,
};
use crate::ledger::{Books, Fate, Line, LineName};
use crate::telemetry::{Decoded, Signal, Telemetry};

/// An exporter without a network: what it was given it keeps as the bytes that would have been sent, and settles as delivered.
#[derive(Debug)]
pub struct Sink {
    books: Books,
    name: String,
    sent: Vec<(Signal, Vec<u8>)>,
}

impl Sink {
    /// One whose line in the books is that of the exporter `sink`.
    pub fn new(books: &Books) -> Self {
        Self::named(books, "sink")
    }

    /// One of several.
    pub fn named(books: &Books, name: &str) -> Self {
        Self { books: books.clone(), name: name.to_owned(), sent: Vec::new() }
    }

    /// Its line.
    pub fn line(&self, signal: Signal) -> Line {
        self.books.line(LineName::Exporter(self.name.clone()), signal)
    }

    /// Sends a batch. An empty one is settled and leaves no trace here.
    pub fn deliver(&mut self, mut batch: Telemetry) {
        let line = self.line(batch.signal());
        batch.each_share(|share| share.enter(&line));
        if !batch.is_empty() {
            self.sent.push((batch.signal(), batch.to_bytes()));
        }
        batch.settle(Fate::Delivered);
    }

    /// The requests sent, as bytes.
    pub fn sent(&self) -> &[(Signal, Vec<u8>)] {
        &self.sent
    }

    /// Takes the requests out, so that the next look sees only what came after this one.
    pub fn take(&mut self) -> Vec<Decoded> {
        let requests = self.requests();
        self.sent.clear();
        requests
    }

    /// The same as bytes, all requests in one: a request behind a request is the request of both.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sent).into_iter().flat_map(|(_, bytes)| bytes).collect()
    }

    /// The requests sent, decoded. Panics where one is not valid: nothing that leaves may be.
    pub fn requests(&self) -> Vec<Decoded> {
        let decode = |(signal, bytes): &(Signal, Vec<u8>)| {
            Decoded::decode(*signal, bytes).unwrap_or_else(|error| panic!("what was sent does not decode: {error}"))
        };
        self.sent.iter().map(decode).collect()
    }

    /// All that was sent of spans, as one request.
    pub fn traces(&self) -> ExportTraceServiceRequest {
        let of = |request| if let Decoded::Traces(request) = request { request.resource_spans } else { Vec::new() };
        let resource_spans: Vec<ResourceSpans> = self.requests().into_iter().flat_map(of).collect();
        ExportTraceServiceRequest { resource_spans }
    }

    /// All that was sent of log records, as one request.
    pub fn logs(&self) -> ExportLogsServiceRequest {
        let of = |request| if let Decoded::Logs(request) = request { request.resource_logs } else { Vec::new() };
        let resource_logs: Vec<ResourceLogs> = self.requests().into_iter().flat_map(of).collect();
        ExportLogsServiceRequest { resource_logs }
    }

    /// All that was sent of metrics, as one request.
    pub fn metrics(&self) -> ExportMetricsServiceRequest {
        let of = |request| if let Decoded::Metrics(request) = request { request.resource_metrics } else { Vec::new() };
        let resource_metrics: Vec<ResourceMetrics> = self.requests().into_iter().flat_map(of).collect();
        ExportMetricsServiceRequest { resource_metrics }
    }

    /// Every span that was sent, in the order it stands in the requests.
    pub fn spans(&self) -> Vec<Span> {
        self.traces().resource_spans.into_iter().flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// Every log record that was sent.
    pub fn log_records(&self) -> Vec<LogRecord> {
        self.logs().resource_logs.into_iter().flat_map(|resource| resource.scope_logs).flat_map(|scope| scope.log_records).collect()
    }

    /// Every metric that was sent.
    pub fn metric_list(&self) -> Vec<Metric> {
        self.metrics().resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics).flat_map(|scope| scope.metrics).collect()
    }

    /// The names of the spans that were sent, sorted: what most tests want to know.
    pub fn span_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.spans().into_iter().map(|span| span.name).collect();
        names.sort_unstable();
        names
    }
}
