//! Clients that name their application beside the request: the names are on their own resources though requests were merged, and each
//! application gets a request of its own.

use std::collections::BTreeSet;

use prost::Message;
use tracetailor::core::telemetry::Signal;
use tracetailor::core::testing::otlp::ExportTraceServiceRequest;
use tracetailor::core::testing::{span, traces};

use super::clients;
use super::process::Gateway;
use super::sink::Sink;

fn config(behind: &Sink) -> String {
    format!(
        "
receivers:
  otlp:
    metadata_attributes: {{cx-application-name: cx.application.name, cx-subsystem-name: cx.subsystem.name}}
    protocols: {{http: {{endpoint: '127.0.0.1:HTTP'}}}}
processors: {{batch: {{timeout: 60s, send_batch_size: 30}}}}
exporters:
  coralogix:
    protocol: http
    traces: {{endpoint: 'http://127.0.0.1:{}', compression: none}}
    private_key: s3cret
    application_name: others
    application_name_attributes: [cx.application.name]
    subsystem_name_attributes: [cx.subsystem.name, service.name]
service: {{pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [coralogix]}}}}}}
",
        behind.port()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_beside_requests_stay_with_them_when_they_are_merged() {
    let behind = Sink::start().await;
    let gateway = Gateway::start(&config(&behind)).await;
    // All three have the same resource; only their headers differ.
    for headers in ["", "\r\ncx-application-name: chat\r\ncx-subsystem-name: bot", "\r\nCX-Application-Name: search"] {
        let request = traces((0..10u64).map(|number| span(&format!("{headers} {number}")).trace(number + 1).service("llm")));
        let kind = format!("application/x-protobuf{headers}");
        assert_eq!(clients::post(gateway.http, "/v1/traces", &kind, request.encode_to_vec()).await.0, 200);
    }
    behind.wait_for(30, 0, 0).await;
    gateway.end_balanced().await;
    let bodies = behind.bodies(Signal::Traces);
    assert_eq!(bodies.len(), 3, "a request for each application and subsystem");
    let mut names = BTreeSet::new();
    for resource in bodies.iter().flat_map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap().resource_spans) {
        let attributes = resource.resource.unwrap().attributes;
        let name = |key: &str| {
            let found = attributes.iter().find(|attribute| attribute.key == key).and_then(|attribute| attribute.value.clone());
            format!("{:?}", found.and_then(|value| value.value).unwrap())
        };
        let spans = resource.scope_spans.iter().map(|scope| scope.spans.len()).sum::<usize>();
        names.insert((name("cx.application.name"), name("cx.subsystem.name"), spans));
    }
    let expected = [("chat", "bot"), ("others", "llm"), ("search", "llm")];
    let of = |text: &str| format!("StringValue({text:?})");
    assert_eq!(names, expected.map(|(application, subsystem)| (of(application), of(subsystem), 10)).into());
}
