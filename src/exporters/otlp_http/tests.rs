//! The exporter against scripted destinations on real sockets.

use tracetailor_core::component::{BuildContext, Delivered, ExportError, Exporter};
use tracetailor_core::ledger::Fate;
use tracetailor_core::telemetry::Telemetry;
use tracetailor_core::testing::{Inlet, span, traces};
use tracetailor_net::testing::{Destination, Reply};

use super::FACTORY;

/// An exporter to this port, with these further keys.
fn exporter(port: u16, keys: &str) -> Box<dyn Exporter> {
    let yaml = format!("endpoint: http://127.0.0.1:{port}\n{keys}");
    FACTORY.parse(&yaml).unwrap_or_else(|errors| panic!("{errors}")).build(&BuildContext::alone("otlp_http")).unwrap()
}

fn batch() -> Telemetry {
    Inlet::new().receive(traces([span("one"), span("two")]))
}

/// Exports one batch of two spans, whose shares are settled whatever comes of it.
async fn export(exporter: &dyn Exporter) -> Result<Delivered, ExportError> {
    let batch = batch();
    let outcome = exporter.export(&batch).await;
    batch.settle(Fate::Delivered);
    outcome
}

#[tokio::test]
async fn a_batch_goes_out_as_it_came() {
    let destination = Destination::start([Reply::status(200)]).await.unwrap();
    let exporter = exporter(destination.address.port(), "compression: none");
    for _ in 0..3 {
        assert_eq!(export(exporter.as_ref()).await, Ok(Delivered::ALL));
    }
    let seen = &destination.seen()[0];
    let batch = batch();
    assert_eq!((seen.target.as_str(), seen.body.as_ref()), ("/v1/traces", batch.to_bytes().as_slice()));
    batch.settle(Fate::Delivered);
    assert_eq!((seen.header("content-type"), seen.host.as_str()), ("application/x-protobuf", destination.address.to_string().as_str()));
    assert_eq!(destination.connections(), 1);
}
