//! A router before samplers: no trace is decided twice while one of them joins, and what goes on elsewhere when one leaves is counted and not lost.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use tracetailor::core::telemetry::Signal;
use tracetailor::core::testing::otlp::ExportTraceServiceRequest;
use tracetailor::core::testing::{span, traces};

use super::clients;
use super::process::Gateway;
use super::sink::Sink;

fn sampler(name: &str, behind: &Sink) -> String {
    format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:GRPC'}}}}}}}}
processors:
  tail_sampling: {{decision_wait: 2s, policies: [{{name: all, type: always_sample}}]}}
  resource: {{attributes: [{{key: sampler, value: {name}, action: upsert}}]}}
exporters: {{otlp_http: {{endpoint: 'http://127.0.0.1:{}', compression: none}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], processors: [tail_sampling, resource], exporters: [otlp_http]}}}}}}
",
        behind.port()
    )
}

fn router(samplers: &[&Gateway]) -> String {
    let list: Vec<String> = samplers.iter().map(|sampler| format!("'127.0.0.1:{}'", sampler.grpc)).collect();
    format!(
        "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:HTTP'}}}}}}}}
exporters:
  load_balancing:
    resolver: {{static: {{hostnames: [{}]}}}}
    protocol: {{otlp: {{tls: {{insecure: true}}}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [load_balancing]}}}}}}
",
        list.join(", ")
    )
}

/// One span more of each of these traces.
async fn send(router: &Gateway, numbers: std::ops::Range<u64>, step: u64) {
    let request = traces(numbers.map(|number| span(&format!("step {step}")).trace(number).id(number * 10 + step).service("shop")));
    let (status, answer) = clients::post(router.http, "/v1/traces", "application/x-protobuf", request.encode_to_vec()).await;
    assert_eq!(status, 200, "{answer}");
}

/// Who had a part of each trace.
fn samplers_of_traces(behind: &Sink) -> BTreeMap<Vec<u8>, BTreeSet<String>> {
    let mut all = BTreeMap::<Vec<u8>, BTreeSet<String>>::new();
    for body in behind.bodies(Signal::Traces) {
        for resource in ExportTraceServiceRequest::decode(&body[..]).unwrap().resource_spans {
            let attributes = &resource.resource.as_ref().unwrap().attributes;
            let sampler = format!("{:?}", attributes.iter().find(|attribute| attribute.key == "sampler").unwrap().value);
            for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
                all.entry(span.trace_id.clone()).or_default().insert(sampler.clone());
            }
        }
    }
    all
}

fn of(all: &BTreeMap<Vec<u8>, BTreeSet<String>>, sampler: &str) -> usize {
    all.values().filter(|samplers| samplers.iter().any(|name| name.contains(sampler))).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trace_is_decided_twice_while_samplers_join_and_leave() {
    let behind = Sink::start().await;
    let first = Gateway::start(&sampler("first", &behind)).await;
    let second = Gateway::start(&sampler("second", &behind)).await;
    let third = Gateway::start(&sampler("third", &behind)).await;
    let router_gateway = Gateway::start_with(&router(&[&first, &second]), &["--watch"]).await;
    send(&router_gateway, 1..101, 1).await;

    // One joins while the first hundred are under way.
    router_gateway.rewrite(&router(&[&first, &second, &third]));
    router_gateway.until("otelcol_loadbalancer_num_backends", &[], |count| count == 3.0).await;
    send(&router_gateway, 1..101, 2).await;
    send(&router_gateway, 101..201, 1).await;
    send(&router_gateway, 101..201, 2).await;
    behind.wait_for(400, 0, 0).await;
    let all = samplers_of_traces(&behind);
    assert!(all.len() == 200 && all.values().all(|samplers| samplers.len() == 1), "{all:?}");
    assert!(of(&all, "third") > 0, "who joined has its share");
    let split = "tracetailor_loadbalancer_split_traces_total";
    assert_eq!(router_gateway.metric(split, &[]).await, 0.0);
    let mut decided = 0.0;
    for sampler in [&first, &second, &third] {
        decided += sampler.metric("otelcol_processor_tail_sampling_global_count_traces_sampled", &["sampled=\"true\""]).await;
    }
    assert_eq!(decided, 200.0);

    // One leaves, and what is sent to it before that is known waits for it.
    second.end_balanced().await;
    let left = of(&all, "second");
    send(&router_gateway, 1..201, 3).await;
    behind.wait_for(600 - left, 0, 0).await;
    router_gateway.rewrite(&router(&[&first, &third]));
    behind.wait_for(600, 0, 0).await;
    let all = samplers_of_traces(&behind);
    let twice = all.values().filter(|samplers| samplers.len() > 1).count();
    assert_eq!((twice, router_gateway.metric(split, &[]).await), (left, left as f64), "its own are split, and no other");
    assert!(all.values().all(|samplers| samplers.len() == 1 || samplers.iter().any(|name| name.contains("second"))));
    router_gateway.end_balanced().await;
    first.end_balanced().await;
    third.end_balanced().await;
}
