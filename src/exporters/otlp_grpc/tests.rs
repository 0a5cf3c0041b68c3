//! The exporter against scripted destinations on real sockets.

use tracetailor_core::component::{BuildContext, Delivered, ExportError, Exporter};
use tracetailor_core::telemetry::Telemetry;
use tracetailor_core::testing::{Inlet, span, traces};
use tracetailor_net::grpc::{PartialSuccess, frame};
use tracetailor_net::testing::{Destination, Reply};

use super::FACTORY;

/// An exporter to this port, with these further keys.
fn exporter(port: u16, keys: &str) -> Box<dyn Exporter> {
    let yaml = format!("endpoint: 127.0.0.1:{port}\ntls: {{insecure: true}}\n{keys}");
    FACTORY.parse(&yaml).unwrap_or_else(|errors| panic!("{errors}")).build(&BuildContext::alone("otlp_grpc")).unwrap()
}

/// Exports one batch of two spans, whose shares are settled whatever comes of it.
async fn export(exporter: &dyn Exporter) -> Result<Delivered, ExportError> {
    let batch = batch();
    let outcome = exporter.export(&batch).await;
    batch.settle(tracetailor_core::ledger::Fate::Delivered);
    outcome
}

fn batch() -> Telemetry {
    Inlet::new().receive(traces([span("one"), span("two")]))
}

fn done() -> Reply {
    Reply::grpc_done(&PartialSuccess::default())
}

#[tokio::test]
async fn a_batch_goes_out_as_it_came() {
    let destination = Destination::start([done()]).await.unwrap();
    let exporter = exporter(destination.address.port(), "compression: none");
    assert_eq!(export(exporter.as_ref()).await, Ok(Delivered::ALL));
    let seen = destination.seen();
    assert_eq!(seen[0].target, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let batch = batch();
    assert_eq!(frame(seen[0].body.clone()), Ok(Some((false, batch.to_bytes().into()))));
    batch.settle(tracetailor_core::ledger::Fate::Delivered);
    assert_eq!(
        (seen[0].header("te"), seen[0].header("content-type"), seen[0].header("grpc-timeout")),
        ("trailers", "application/grpc", "5000m")
    );
}
