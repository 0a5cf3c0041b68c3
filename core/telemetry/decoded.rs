//! From and to the decoded structs of `opentelemetry-proto`: for edges and tests, never for the way through.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::receive::{Intake, Parsed, Refusal};
use super::{Signal, Telemetry};

/// A request as decoded structs, of whichever signal.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// Spans.
    Traces(ExportTraceServiceRequest),
    /// Log records.
    Logs(ExportLogsServiceRequest),
    /// Metric points.
    Metrics(ExportMetricsServiceRequest),
}

impl Decoded {
    /// The signal it is of.
    pub fn signal(&self) -> Signal {
        match self {
            Decoded::Traces(_) => Signal::Traces,
            Decoded::Logs(_) => Signal::Logs,
            Decoded::Metrics(_) => Signal::Metrics,
        }
    }

    /// Decodes a request. A string that is no UTF-8 fails the whole of it: structs hold text, bytes do not care.
    pub fn decode(signal: Signal, request: &[u8]) -> Result<Self, prost::DecodeError> {
        Ok(match signal {
            Signal::Traces => Decoded::Traces(Message::decode(request)?),
            Signal::Logs => Decoded::Logs(Message::decode(request)?),
            Signal::Metrics => Decoded::Metrics(Message::decode(request)?),
        })
    }

    /// The request's bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Decoded::Traces(request) => request.encode_to_vec(),
            Decoded::Logs(request) => request.encode_to_vec(),
            Decoded::Metrics(request) => request.encode_to_vec(),
        }
    }
}

impl From<ExportTraceServiceRequest> for Decoded {
    fn from(request: ExportTraceServiceRequest) -> Self {
        Decoded::Traces(request)
    }
}

impl From<ExportLogsServiceRequest> for Decoded {
    fn from(request: ExportLogsServiceRequest) -> Self {
        Decoded::Logs(request)
    }
}

impl From<ExportMetricsServiceRequest> for Decoded {
    fn from(request: ExportMetricsServiceRequest) -> Self {
        Decoded::Metrics(request)
    }
}

impl Telemetry {
    /// The batch as decoded structs.
    pub fn to_decoded(&self) -> Result<Decoded, prost::DecodeError> {
        Decoded::decode(self.signal(), &self.to_bytes())
    }
}

impl Intake {
    /// Takes in a request that exists as decoded structs, by way of its bytes.
    pub fn parse_decoded(&self, decoded: &Decoded) -> Result<Parsed, Refusal> {
        self.parse(decoded.signal(), Bytes::from(decoded.encode()))
    }
}
