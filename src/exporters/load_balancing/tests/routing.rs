//! What goes where.

use tracetailor_core::component::{BuildContext, Exporter, Failing, Parcel, Reading};
use tracetailor_core::ledger::Fate;
use tracetailor_core::telemetry::Telemetry;
use tracetailor_core::testing::{Inlet, gauge, metrics, span, traces};

use super::BackEnd;
use crate::exporters::load_balancing::FACTORY;

fn exporter(back_ends: &[&BackEnd], keys: &str) -> Box<dyn Exporter> {
    exporter_in(&BuildContext::alone("load_balancing"), back_ends, keys)
}

fn exporter_in(context: &BuildContext, back_ends: &[&BackEnd], keys: &str) -> Box<dyn Exporter> {
    let list: Vec<String> = back_ends.iter().map(|back_end| format!("'{}'", back_end.address())).collect();
    let yaml = format!(
        "resolver: {{static: {{hostnames: [{}]}}}}\nprotocol: {{otlp: {{tls: {{insecure: true}}, compression: none}}}}\n{keys}",
        list.join(", ")
    );
    FACTORY.parse(&yaml).unwrap_or_else(|errors| panic!("{errors}")).build(context).unwrap()
}

/// A batch of so many traces, of which each has spans of two services.
fn batch(inlet: &mut Inlet, count: u64) -> Telemetry {
    let spans = (0..count).flat_map(|number| {
        let spans = [span("a").service("web"), span("b").service("pay")];
        spans.map(|span| span.trace(number + 1))
    });
    inlet.receive(traces(spans))
}

async fn send(exporter: &dyn Exporter, batch: Telemetry) {
    for Parcel { batch, .. } in exporter.prepare(batch) {
        exporter.export(&batch).await.unwrap();
        batch.settle(Fate::Delivered);
    }
}

#[tokio::test]
async fn a_trace_goes_to_one_back_end_from_whatever_gateway() {
    let (one, two, three) = (BackEnd::start().await, BackEnd::start().await, BackEnd::start().await);
    let mut inlet = Inlet::new();
    // Two gateways, which name the back ends in another order.
    send(exporter(&[&one, &two, &three], "").as_ref(), batch(&mut inlet, 300)).await;
    send(exporter(&[&three, &one, &two], "").as_ref(), batch(&mut inlet, 300)).await;
    let all = [&one, &two, &three];
    assert_eq!(all.map(|back_end| back_end.traces().len()).iter().sum::<usize>(), 300, "no trace is at two");
    assert_eq!(all.map(BackEnd::spans).iter().sum::<usize>(), 1200);
    assert!(all.iter().all(|back_end| back_end.traces().len() > 30), "{:?}", all.map(|back_end| back_end.traces().len()));
    inlet.assert_settled();
}

#[tokio::test]
async fn a_service_goes_to_one_back_end() {
    let (one, two) = (BackEnd::start().await, BackEnd::start().await);
    let exporter = exporter(&[&one, &two], "routing_key: service");
    let mut inlet = Inlet::new();
    for service in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let request = traces((0..4u64).map(|number| span("s").service(service).trace(number + 1)));
        let parcels = exporter.prepare(inlet.receive(request));
        assert_eq!(parcels.len(), 1, "{service}");
        for parcel in parcels {
            exporter.export(&parcel.batch).await.unwrap();
            parcel.batch.settle(Fate::Delivered);
        }
    }
    assert!(one.spans() > 0 && two.spans() > 0 && one.spans() + two.spans() == 32);
    // Metrics have no trace, so that they go by their service whatever is asked for.
    let points = metrics([gauge("g").value(1.0).service("a"), gauge("h").value(1.0).service("a")]);
    let parcels = exporter.prepare(inlet.receive(points));
    assert_eq!(parcels.len(), 1);
    parcels.into_iter().for_each(|parcel| parcel.batch.settle(Fate::Delivered));
    inlet.assert_settled();
}

#[tokio::test]
async fn a_trace_under_way_stays_when_one_joins_and_is_counted_when_its_own_leaves() {
    let (one, two, three) = (BackEnd::start().await, BackEnd::start().await, BackEnd::start().await);
    let context = BuildContext::alone("load_balancing");
    let mut inlet = Inlet::new();
    let splits = || -> u64 {
        context
            .counters
            .read()
            .iter()
            .filter(|series| series.name == "tracetailor_loadbalancer_split_traces_total")
            .map(|of| of.count())
            .sum()
    };
    send(exporter_in(&context, &[&one, &two], "").as_ref(), batch(&mut inlet, 200)).await;
    send(exporter_in(&context, &[&one, &two, &three], "").as_ref(), batch(&mut inlet, 300)).await;
    let all = [&one, &two, &three].map(|back_end| back_end.traces().len());
    assert_eq!((all.iter().sum::<usize>(), splits()), (300, 0), "what was under way stayed, what was new was spread: {all:?}");
    assert!(all[2] > 0, "{all:?}");
    let gone = two.traces().len();
    send(exporter_in(&context, &[&one, &three], "").as_ref(), batch(&mut inlet, 300)).await;
    assert_eq!(splits(), gone as u64, "each trace of the one that left is split, and no other");
    inlet.assert_settled();
}

#[tokio::test]
async fn what_was_prepared_for_others_is_not_sent() {
    let (one, two) = (BackEnd::start().await, BackEnd::start().await);
    let context = BuildContext::alone("load_balancing");
    let alone = exporter_in(&context, &[&one], "");
    let mut inlet = Inlet::new();
    let mut parcels = alone.prepare(batch(&mut inlet, 100));
    let whole = parcels.pop().unwrap().batch;
    assert!(parcels.is_empty() && whole.len() == 200);
    // The one leaves, and two others take its place: nobody's batch any more.
    let three = BackEnd::start().await;
    let others = exporter_in(&context, &[&two, &three], "");
    tokio::time::timeout(std::time::Duration::from_secs(5), alone.rerouted()).await.expect("the gateway hears of it");
    assert_eq!(alone.export(&whole).await.unwrap_err().failing, Failing::Elsewhere);
    assert_eq!(one.spans() + two.spans() + three.spans(), 0);
    send(others.as_ref(), whole).await;
    assert_eq!((two.spans() + three.spans(), one.spans()), (200, 0));
    inlet.assert_settled();
}

#[tokio::test]
async fn an_error_names_the_back_end() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let yaml = format!("resolver: {{static: {{hostnames: ['{nobody}']}}}}\nprotocol: {{otlp: {{tls: {{insecure: true}}}}}}");
    let context = BuildContext::alone("load_balancing");
    let exporter = FACTORY.parse(&yaml).unwrap().build(&context).unwrap();
    let batch = batch(&mut Inlet::new(), 1);
    let error = exporter.export(&batch).await.unwrap_err();
    batch.settle(Fate::Delivered);
    assert!(error.message.starts_with(&format!("{nobody}: cannot connect")), "{error}");
    let told = context.counters.read();
    let mut outcomes = told.iter().filter(|series| series.name == "otelcol_loadbalancer_backend_outcome");
    let failed = outcomes.find(|series| series.labels.iter().any(|(_, value)| value == "false")).unwrap();
    assert_eq!(failed.count(), 1);
}

#[tokio::test]
async fn how_long_each_back_end_takes_is_told_in_milliseconds() {
    let back_end = BackEnd::start().await;
    let context = BuildContext::alone("load_balancing");
    let exporter = exporter_in(&context, &[&back_end], "");
    let mut inlet = Inlet::new();
    for _ in 0..3 {
        send(exporter.as_ref(), batch(&mut inlet, 1)).await;
    }
    let told = context.counters.read();
    let latency = told.iter().find(|series| series.name == "otelcol_loadbalancer_backend_latency").unwrap();
    assert_eq!(latency.labels, [("endpoint".to_owned(), back_end.address())]);
    let Reading::Distribution(took) = &latency.reading else { panic!("{latency:?}") };
    assert_eq!(
        (took.counts.iter().sum::<u64>(), took.bounds),
        (3, &[0.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0][..])
    );
}

#[tokio::test]
async fn each_back_end_has_a_way_of_its_own() {
    let (one, two) = (BackEnd::start().await, BackEnd::start().await);
    assert_eq!((exporter(&[&one], "").ways(), exporter(&[&one, &two], "").ways()), (1, 2));
}
