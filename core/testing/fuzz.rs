//! Bodies of fuzz targets: each takes arbitrary bytes and panics if something is not as it should be.

use prost::Message;

use super::otlp::{ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest};
use crate::telemetry::Signal;
use crate::telemetry::json::{Rejected, from_protobuf, to_protobuf};

/// Reads the bytes as a request in JSON, of every signal. What is accepted, prost can decode; written again and read again it is the same,
/// and nothing of it is rejected the second time.
pub fn json(data: &[u8]) {
    json_of::<ExportTraceServiceRequest>(Signal::Traces, data);
    json_of::<ExportLogsServiceRequest>(Signal::Logs, data);
    json_of::<ExportMetricsServiceRequest>(Signal::Metrics, data);
}

fn json_of<R: Message + Default>(signal: Signal, data: &[u8]) {
    let mut bytes = Vec::new();
    if to_protobuf(signal, data, &mut bytes).is_err() {
        assert!(bytes.is_empty(), "a refused request leaves nothing behind");
        return;
    }
    let (mut text, mut again) = (Vec::new(), Vec::new());
    assert_eq!(from_protobuf(signal, &bytes, &mut text), Ok(()));
    assert_eq!(to_protobuf(signal, &text, &mut again), Ok(Rejected::default()));
    // Compared as bytes, because NaN is not equal to itself.
    assert_eq!(decoded::<R>(&bytes).map(|first| first.encode_to_vec()), decoded::<R>(&again).map(|second| second.encode_to_vec()));
}

/// `None` for a map in a map in an exemplar, 32 levels of them: within our limit, a little beyond prost's.
fn decoded<R: Message + Default>(bytes: &[u8]) -> Option<R> {
    match R::decode(bytes) {
        Ok(request) => Some(request),
        Err(error) if error.to_string().contains("recursion limit") => None,
        Err(error) => panic!("prost cannot decode what was written: {error}"),
    }
}
