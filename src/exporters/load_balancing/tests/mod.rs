//! The exporter before several back ends on real sockets.

mod keys;
mod moving;
mod routing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tracetailor_core::telemetry::{Decoded, Signal};
use tracetailor_net::grpc::{PartialSuccess, frame};
use tracetailor_net::testing::{Destination, Reply, Seen};

/// A back end that takes everything, and knows of which traces it got something.
struct BackEnd {
    destination: Destination,
    traces: Arc<Mutex<BTreeMap<Vec<u8>, usize>>>,
}

impl BackEnd {
    async fn start() -> Self {
        let traces = Arc::<Mutex<BTreeMap<Vec<u8>, usize>>>::default();
        let seen = traces.clone();
        let judge = move |request: &Seen| {
            let (is_compressed, message) = frame(request.body.clone()).unwrap().unwrap();
            assert!(!is_compressed);
            if let Ok(Decoded::Traces(request)) = Decoded::decode(Signal::Traces, &message[..]) {
                let spans = request.resource_spans.into_iter().flat_map(|of| of.scope_spans).flat_map(|of| of.spans);
                spans.for_each(|span| *seen.lock().unwrap().entry(span.trace_id).or_default() += 1);
            }
            Reply::grpc_done(&PartialSuccess::default())
        };
        Self { destination: Destination::judging(judge).await.unwrap(), traces }
    }

    fn address(&self) -> String {
        self.destination.address.to_string()
    }

    fn traces(&self) -> BTreeSet<Vec<u8>> {
        self.traces.lock().unwrap().keys().cloned().collect()
    }

    fn spans(&self) -> usize {
        self.traces.lock().unwrap().values().sum()
    }
}
