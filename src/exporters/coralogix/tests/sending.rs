//! What goes out, and what is made of the answers.

use std::time::Duration;

use tracetailor_core::component::{BuildContext, Delivered, ExportError, Exporter, Failing, Parcel};
use tracetailor_core::ledger::Fate;
use tracetailor_core::telemetry::Telemetry;
use tracetailor_core::testing::{Inlet, gauge, log, logs, metrics, span, traces};
use tracetailor_net::grpc::{Code, Status};

use super::ingress::{Ingress, KEY};
use crate::exporters::coralogix::FACTORY;

fn exporter(ingress: &Ingress, keys: &str) -> Box<dyn Exporter> {
    let (port, more) = (ingress.port(), keys);
    let endpoint = format!("{{endpoint: '127.0.0.1:{port}'}}");
    let common = format!(
        "private_key: {KEY}\napplication_name: shop\ndomain_settings: {{tls: {{insecure: true}}}}\ntraces: {endpoint}\nlogs: {endpoint}\nmetrics: {endpoint}\n{more}"
    );
    FACTORY.parse(&common).unwrap_or_else(|errors| panic!("{errors}")).build(&BuildContext::alone("coralogix")).unwrap()
}

/// Sends a batch as the gateway does: prepared, then each request.
async fn send(exporter: &dyn Exporter, batch: Telemetry) -> Result<Delivered, ExportError> {
    let mut outcome = Ok(Delivered::ALL);
    for Parcel { batch, .. } in exporter.prepare(batch) {
        let sent = exporter.export(&batch).await;
        batch.settle(Fate::Delivered);
        outcome = outcome.and(sent);
    }
    outcome
}

fn name(application: &str, subsystem: &str) -> (String, String) {
    (application.to_owned(), subsystem.to_owned())
}

#[tokio::test]
async fn every_signal_is_taken_over_both_protocols() {
    for protocol in ["grpc", "http"] {
        let ingress = Ingress::start().await;
        let exporter = exporter(&ingress, &format!("subsystem_name: web\nprotocol: {protocol}"));
        let mut inlet = Inlet::new();
        for batch in [inlet.receive(traces([span("s")])), inlet.receive(logs([log("l")])), inlet.receive(metrics([gauge("g").value(1.0)]))]
        {
            assert_eq!(send(exporter.as_ref(), batch).await, Ok(Delivered::ALL), "{protocol}");
        }
        assert_eq!(ingress.names(), [name("shop", "web"), name("shop", "web"), name("shop", "web")]);
        inlet.assert_settled();
    }
}

#[tokio::test]
async fn each_resource_is_named_by_its_attributes_then_by_the_constants_then_by_its_client() {
    let ingress = Ingress::start().await;
    let lists = "application_name_attributes: [k8s.namespace.name, service.namespace]\nsubsystem_name_attributes: [none, service.name]";
    let exporter = exporter(&ingress, lists);
    let request = traces([
        span("a").resource("k8s.namespace.name", "").resource("service.namespace", "billing").resource("service.name", "pay"),
        span("b").resource("k8s.namespace.name", 7).resource("service.namespace", "billing").resource("service.name", "ship"),
        span("c").resource("cx.application.name", "mine").resource("cx.subsystem.name", "own").resource("host", "h"),
    ]);
    let mut inlet = Inlet::new();
    send(exporter.as_ref(), inlet.receive(request)).await.unwrap();
    // The client's own subsystem holds, since no constant is given; its application does not, since one must be.
    assert_eq!(ingress.names(), [name("billing", "pay"), name("7", "ship"), name("shop", "own")]);
    assert_eq!(ingress.requests(), 3, "each application and subsystem has a request of its own");
    inlet.assert_settled();
}

#[tokio::test]
async fn what_belongs_to_one_application_and_subsystem_goes_out_together() {
    let ingress = Ingress::start().await;
    let exporter = exporter(&ingress, "application_name_attributes: service.namespace\nsubsystem_name_attributes: service.name");
    let of = |namespace: &str, service: &str, host: &str| {
        span("s").resource("service.namespace", namespace).resource("service.name", service).resource("host", host)
    };
    let request = traces([of("a", "web", "1"), of("b", "web", "1"), of("a", "web", "2"), of("a", "pay", "1"), of("b", "web", "1")]);
    let mut inlet = Inlet::new();
    let parcels = exporter.prepare(inlet.receive(request));
    assert_eq!(parcels.iter().map(|parcel| (parcel.way, parcel.batch.len())).collect::<Vec<_>>(), [(0, 2), (0, 2), (0, 1)]);
    for Parcel { batch, .. } in parcels {
        exporter.export(&batch).await.unwrap();
        batch.settle(Fate::Delivered);
    }
    assert_eq!(ingress.names(), [name("a", "web"), name("a", "web"), name("b", "web"), name("a", "pay")]);
    inlet.assert_settled();
}

#[tokio::test]
async fn a_client_that_named_itself_is_heard_where_the_attribute_is_listed() {
    let ingress = Ingress::start().await;
    let exporter = exporter(&ingress, "application_name_attributes: cx.application.name\nsubsystem_name: rest");
    let request = traces([span("a").resource("cx.application.name", "mine"), span("b").resource("host", "h")]);
    send(exporter.as_ref(), Inlet::new().receive(request)).await.unwrap();
    assert_eq!(ingress.names(), [name("mine", "rest"), name("shop", "rest")]);
}

#[tokio::test]
async fn a_signal_has_what_its_block_says_and_else_what_all_have() {
    let ingress = Ingress::start().await;
    let port = ingress.port();
    let yaml = format!(
        "private_key: {KEY}\napplication_name: shop\ndomain: eu1.coralogix.com\n\
         domain_settings: {{compression: zstd, tls: {{insecure: true}}, headers: {{X-A: all, X-B: all}}}}\n\
         traces: {{endpoint: '127.0.0.1:{port}', headers: {{x-b: own, Authorization: mine}}}}"
    );
    let exporter = FACTORY.parse(&yaml).unwrap().build(&BuildContext::alone("coralogix")).unwrap();
    send(exporter.as_ref(), Inlet::new().receive(traces([span("s")]))).await.unwrap();
    let seen = &ingress.destination.seen()[0];
    assert_eq!((seen.header("x-a"), seen.header("x-b"), seen.header("grpc-encoding")), ("all", "own", "zstd"));
    assert!(seen.header("user-agent").starts_with("tracetailor/"));
}

#[tokio::test]
async fn every_answer_says_what_is_done_next() {
    let status = |code, message: &str| Status::new(code, message);
    let later = Status { retry_after: Some(Duration::from_secs(2)), ..status(Code::RESOURCE_EXHAUSTED, "slow down") };
    let retry = |after| Failing::Retry { after };
    let two = Some(Duration::from_secs(2));
    for (said, over_grpc, over_http, hint) in [
        (status(Code::UNAUTHENTICATED, "no"), Failing::Denied, Failing::Denied, "Send-Your-Data key"),
        (status(Code::PERMISSION_DENIED, "no"), Failing::Denied, Failing::Denied, "the region of that team"),
        (status(Code::RESOURCE_EXHAUSTED, "quota"), Failing::Denied, retry(None), ""),
        (later, retry(two), retry(None), ""),
        (status(Code::RESOURCE_EXHAUSTED, "larger than max (1 vs. 0)"), Failing::TooLarge, Failing::TooLarge, ""),
        (status(Code::INVALID_ARGUMENT, "bad"), Failing::Invalid, Failing::Invalid, ""),
        (status(Code::UNAVAILABLE, "away"), retry(None), retry(None), ""),
        (status(Code::UNIMPLEMENTED, "?"), Failing::Denied, Failing::Denied, ""),
    ] {
        for (protocol, failing) in [("grpc", over_grpc), ("http", over_http)] {
            let ingress = Ingress::start().await;
            ingress.says(Some(said.clone()));
            let exporter = exporter(&ingress, &format!("protocol: {protocol}"));
            let error = send(exporter.as_ref(), Inlet::new().receive(traces([span("s")]))).await.unwrap_err();
            assert_eq!(error.failing, failing, "{protocol}: {error}");
            assert!(error.message.contains(hint), "{error}");
            assert!(!error.message.contains(KEY), "{error}");
            ingress.says(None);
            assert_eq!(send(exporter.as_ref(), Inlet::new().receive(traces([span("s")]))).await, Ok(Delivered::ALL), "{protocol}");
        }
    }
}

#[tokio::test]
async fn the_ingress_is_strict() {
    let ingress = Ingress::start().await;
    for (keys, failing) in [
        (format!("private_key: {KEY}x"), Failing::Denied),
        (format!("private_key: {KEY}\ntraces: {{compression: none}}"), Failing::Invalid),
    ] {
        let endpoint = format!("127.0.0.1:{}", ingress.port());
        let keys = keys.replace("traces: {", &format!("traces: {{endpoint: '{endpoint}', "));
        let traces_block = if keys.contains("traces:") { String::new() } else { format!("\ntraces: {{endpoint: '{endpoint}'}}") };
        let yaml = format!("{keys}{traces_block}\napplication_name: a\ndomain_settings: {{tls: {{insecure: true}}}}");
        let exporter = FACTORY.parse(&yaml).unwrap().build(&BuildContext::alone("coralogix")).unwrap();
        let error = send(exporter.as_ref(), Inlet::new().receive(traces([span("s")]))).await.unwrap_err();
        assert_eq!(error.failing, failing, "{yaml}: {error}");
    }
}

#[tokio::test]
async fn an_item_that_is_larger_than_it_takes_is_not_even_sent() {
    let ingress = Ingress::start().await;
    let exporter = exporter(&ingress, "");
    let huge = traces([span("s").attribute("prompt", "x".repeat(10_000_000))]);
    let error = send(exporter.as_ref(), Inlet::new().receive(huge)).await.unwrap_err();
    assert_eq!(error.failing, Failing::TooLarge);
    assert!(error.message.contains("10000000 are taken"), "{error}");
    assert_eq!(ingress.destination.seen().len(), 0);
    let large = traces([span("s").attribute("prompt", "x".repeat(9_999_000))]);
    assert_eq!(send(exporter.as_ref(), Inlet::new().receive(large)).await, Ok(Delivered::ALL));
}

#[tokio::test]
async fn a_signal_without_an_endpoint_is_told() {
    let yaml = format!("private_key: {KEY}\napplication_name: a\nlogs: {{endpoint: '127.0.0.1:1'}}");
    let exporter = FACTORY.parse(&yaml).unwrap().build(&BuildContext::alone("coralogix")).unwrap();
    let error = send(exporter.as_ref(), Inlet::new().receive(traces([span("s")]))).await.unwrap_err();
    assert_eq!(error.message, "there is no endpoint for traces: add domain, or traces: {endpoint: …}");
}

#[tokio::test]
async fn a_limit_of_time_over_http_holds() {
    let silent = tracetailor_net::testing::Destination::start([tracetailor_net::testing::Reply::silence()]).await.unwrap();
    let yaml = format!(
        "private_key: {KEY}\napplication_name: a\nprotocol: http\ntraces: {{endpoint: 'http://{}', timeout: 20ms}}",
        silent.address
    );
    let exporter = FACTORY.parse(&yaml).unwrap().build(&BuildContext::alone("coralogix")).unwrap();
    let error = send(exporter.as_ref(), Inlet::new().receive(traces([span("s")]))).await.unwrap_err();
    assert_eq!((error.failing, error.message.as_str()), (Failing::Retry { after: None }, "no answer within 20ms"));
}
