//! The ways through a gateway: lanes, fan-out, several pipelines, connectors, whole traces.

use std::collections::BTreeMap;

use tracetailor_core::ledger::Milestone;
use tracetailor_core::testing::{gauge, log, logs, metrics, otlp::Span, span, traces};

use super::parts::basket;
use super::rig::{Rig, run, until};

pub(super) fn ids(spans: &[Span]) -> Vec<Vec<u8>> {
    let mut ids: Vec<Vec<u8>> = spans.iter().map(|span| span.span_id.clone()).collect();
    ids.sort_unstable();
    ids
}

pub(super) fn request(trace: u64, spans: u64) -> tracetailor_core::testing::otlp::ExportTraceServiceRequest {
    traces((0..spans).map(|n| span(&format!("s{n}")).trace(trace).id(trace * 1000 + n + 1)))
}

pub(super) fn all_ids(requests: u64, spans: u64) -> Vec<Vec<u8>> {
    let mut ids: Vec<Vec<u8>> =
        (1..=requests).flat_map(|trace| (0..spans).map(move |n| (trace * 1000 + n + 1).to_be_bytes().to_vec())).collect();
    ids.sort_unstable();
    ids
}

const PLAIN: &str = "
receivers: {ear: {hall: HALL}}
processors: {mark: {hall: HALL, mark: a}, mark/b: {hall: HALL, mark: b}}
exporters: {basket: {hall: HALL}}
pipelines: {traces: {receivers: [ear], processors: [mark, mark/b], exporters: [basket]}}
service: {lanes: 2}
";

#[test]
fn what_is_received_goes_through_the_processors_in_order_to_the_exporter() {
    run(async {
        let rig = Rig::start(PLAIN).await;
        for trace in 1..=20 {
            rig.say(request(trace, 5), Milestone::Accepted).await.unwrap();
        }
        let (_, hall) = rig.end().await;
        let spans = basket(&hall, "basket");
        assert_eq!(ids(&spans), all_ids(20, 5));
        let mark = |span: &Span| span.attributes.iter().any(|a| a.key == "mark" && format!("{:?}", a.value).contains("\"ab\""));
        assert!(spans.iter().all(mark), "{spans:?}");
    });
}

#[test]
fn logs_and_metrics_go_the_same_way() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
exporters: {basket: {hall: HALL}}
pipelines:
  logs: {receivers: [ear], exporters: [basket]}
  metrics: {receivers: [ear], exporters: [basket]}
service: {lanes: 2}
",
        )
        .await;
        rig.say(logs([log("one"), log("two")]), Milestone::Settled).await.unwrap();
        rig.say(metrics([gauge("g").value(1.0)]), Milestone::Settled).await.unwrap();
        let (report, hall) = rig.end().await;
        assert_eq!(hall.sent.lock().unwrap()["basket"].len(), 2, "{report}");
    });
}

#[test]
fn every_exporter_of_every_pipeline_gets_everything() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
processors: {mark: {hall: HALL, mark: x}}
exporters: {basket: {hall: HALL}, basket/b: {hall: HALL}, direct: {hall: HALL}}
pipelines:
  traces: {receivers: [ear], exporters: [basket, basket/b]}
  traces/marked: {receivers: [ear], processors: [mark], exporters: [direct]}
service: {lanes: 2}
",
        )
        .await;
        for trace in 1..=10 {
            let tally = rig.say(request(trace, 3), Milestone::Settled).await.unwrap();
            assert_eq!(tally.delivered, 9);
        }
        let (_, hall) = rig.end().await;
        for id in ["basket", "basket/b", "direct"] {
            let spans = basket(&hall, id);
            assert_eq!(ids(&spans), all_ids(10, 3), "{id}");
            // An edit in one pipeline is not seen in the other.
            assert!(spans.iter().all(|span| span.attributes.iter().any(|a| a.key == "mark") == (id == "direct")), "{id}");
        }
    });
}

#[test]
fn a_connector_joins_pipelines() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
processors: {mark: {hall: HALL, mark: m}}
connectors: {pass: {hall: HALL}}
exporters: {basket: {hall: HALL}, basket/b: {hall: HALL}}
pipelines:
  traces/in: {receivers: [ear], processors: [mark], exporters: [pass]}
  traces/a: {receivers: [pass], exporters: [basket]}
  traces/b: {receivers: [pass], processors: [mark], exporters: [basket/b]}
service: {lanes: 2}
",
        )
        .await;
        for trace in 1..=10 {
            rig.say(request(trace, 3), Milestone::Settled).await.unwrap();
        }
        let (report, hall) = rig.end().await;
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(10, 3), "{report}");
        assert_eq!(ids(&basket(&hall, "basket/b")), all_ids(10, 3), "{report}");
    });
}

#[test]
fn senders_wait_for_a_store_that_is_full() {
    let gathering = |mark: &str| {
        format!(
            "
receivers: {{ear: {{hall: HALL}}}}
processors: {{gather: {{hall: HALL, mark: \"{mark}\"}}}}
exporters: {{basket: {{hall: HALL}}}}
pipelines: {{traces: {{receivers: [ear], processors: [gather], exporters: [basket]}}}}
service: {{lanes: 2}}
"
        )
    };
    // Until there is room again.
    run(async {
        let rig = Rig::start(&gathering("150#2")).await;
        for trace in 1..=6 {
            rig.say(request(trace, 3), Milestone::Accepted).await.unwrap();
        }
        let (report, hall) = rig.end().await;
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(6, 3), "{report}");
    });
    // Or until the gateway stops.
    run(async {
        let rig = Rig::start(&gathering("3600000#2")).await;
        for trace in 1..=2 {
            rig.say(request(trace, 3), Milestone::Accepted).await.unwrap();
        }
        let third = rig.begin(request(3, 3), Milestone::Accepted).await;
        until(|| rig.gateway.waiting() == 1).await;
        let (report, hall) = rig.end().await;
        // It is refused, or its receiver has ended before it looked again.
        assert!(!matches!(third.await, Ok(Ok(_))), "{report}");
        assert_eq!(ids(&basket(&hall, "basket")), all_ids(2, 3), "{report}");
    });
}

#[test]
fn whole_traces_meet_in_one_lane_also_behind_a_connector() {
    run(async {
        let rig = Rig::start(
            "
receivers: {ear: {hall: HALL}}
processors: {gather: {hall: HALL}}
connectors: {pass: {hall: HALL}}
exporters: {basket: {hall: HALL}, basket/b: {hall: HALL}}
pipelines:
  traces/in: {receivers: [ear], processors: [gather], exporters: [basket, pass]}
  traces/b: {receivers: [pass], processors: [gather], exporters: [basket/b]}
service: {lanes: 3}
",
        )
        .await;
        // Every request holds a span of each of 30 traces; the traces come together from all lanes.
        for n in 0..8_u64 {
            let spans = (1..=30_u64).map(|trace| span("s").trace(trace).id(trace * 1000 + n + 1));
            rig.say(traces(spans), Milestone::Accepted).await.unwrap();
        }
        // They are held until the gateway stops, however long the requests take: what waits must not be let go in between.
        let (_, hall) = rig.end().await;
        for id in ["basket", "basket/b"] {
            assert_eq!(ids(&basket(&hall, id)), all_ids(30, 8), "{id}");
            // Each trace left in one piece: no request holds a part of it only.
            let mut requests: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
            for (signal, bytes) in &hall.sent.lock().unwrap()[id] {
                let tracetailor_core::telemetry::Decoded::Traces(request) =
                    tracetailor_core::telemetry::Decoded::decode(*signal, bytes).unwrap()
                else {
                    panic!("only traces were sent")
                };
                let mut traces: Vec<Vec<u8>> = request
                    .resource_spans
                    .iter()
                    .flat_map(|r| &r.scope_spans)
                    .flat_map(|s| &s.spans)
                    .map(|span| span.trace_id.clone())
                    .collect();
                traces.sort_unstable();
                traces.dedup();
                traces.into_iter().for_each(|trace| *requests.entry(trace).or_default() += 1);
            }
            assert!(requests.values().all(|times| *times == 1), "{id}: {requests:?}");
        }
    });
}
