//! `tracetailor why`, `services` and `doctor` ask a gateway that runs.

use std::process::Command;

use super::clients;
use super::process::Gateway;
use super::sink::Sink;

const SAMPLING: &str = "
  tail_sampling:
    decision_wait: 10ms
    policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]
";

fn config(sink: &Sink, processors: &str, named: &str) -> String {
    format!(
        "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:HTTP'}}}}}}}}
processors: {processors}
exporters: {{otlp_http: {{endpoint: 'http://127.0.0.1:{}', compression: none}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{named}], exporters: [otlp_http]}}}}}}
",
        sink.port()
    )
}

async fn send(gateway: &Gateway, trace: &str, status: u8) {
    let body = format!(
        r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{{"traceId": "{trace}", "spanId": "eee19b7ec3c1b171", "name": "a",
            "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712660400000000", "status": {{"code": {status}}}}}]}}]}}]}}"#
    );
    assert_eq!(clients::post(gateway.http, "/v1/traces", "application/json", body.into_bytes()).await.0, 200);
}

/// What a command says, and its exit code.
async fn ask(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracetailor"));
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

const KEPT: &str = "5b8efff798038103d269b633813fc601";
const DROPPED: &str = "5b8efff798038103d269b633813fc602";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_is_asked_about_after_it_has_gone() {
    let behind = Sink::start().await;
    let gateway = Gateway::start(&config(&behind, SAMPLING, "tail_sampling")).await;
    let at = format!("localhost:{}", gateway.admin);
    send(&gateway, KEPT, 2).await;
    send(&gateway, DROPPED, 0).await;
    behind.wait_for(1, 0, 0).await;
    gateway.until("tracetailor_dropped_spans_total", &["reason=\"not_sampled\""], |count| count >= 1.0).await;

    let (code, said, _) = ask(&["why", &format!("00-{KEPT}-eee19b7ec3c1b171-01"), "--at", &at]).await;
    assert!(code == 0 && said.contains(&format!("{KEPT} was kept by errors\n")), "{said}");
    let (code, said, _) = ask(&["why", DROPPED, "--at", &at]).await;
    assert!(code == 0 && said.contains(&format!("{DROPPED} was dropped: no policy keeps it\n")), "{said}");
    let (code, said, _) = ask(&["why", DROPPED, "--at", &at, "--format", "json"]).await;
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &told[0]["report"]["records"][0]["outcome"]), (0, &"not_sampled".into()), "{said}");

    let (code, said, _) = ask(&["why", "00000000000000000000000000000001", "--at", &at]).await;
    assert!(code == 4 && said.starts_with("Nothing is known of 00000000000000000000000000000001. All decisions since 20"), "{said}");
    let (code, said, _) = ask(&["why", "4bf92f3577b34da6a3ce929d0e0e47l", "--at", &at]).await;
    let wrong = "this is no trace id: 31 characters, `l` is not hex; SDKs ignore such a header and begin a new trace\n";
    assert_eq!((code, said.as_str()), (4, wrong));
    let (status, answer) = clients::get(gateway.admin, "/why").await;
    assert!(status == 200 && answer.contains("records of decisions, back to 20"), "{answer}");
    gateway.end_balanced().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_a_gateway_does_not_have_is_named() {
    let behind = Sink::start().await;
    let gateway = Gateway::start(&config(&behind, "{service_name: {}}", "service_name")).await;
    let at = format!("127.0.0.1:{}", gateway.admin);
    let (code, said, remarks) = ask(&["why", KEPT, "--at", &at]).await;
    assert!(code == 3 && said.is_empty() && remarks.contains("has no page why: no processor of its configuration remembers"), "{remarks}");
    let (code, _, remarks) = ask(&["services", "--at", &at]).await;
    assert_eq!(code, 0, "{remarks}");
    gateway.end_balanced().await;

    let (code, _, remarks) = ask(&["doctor", "--at", &at]).await;
    assert!(code == 3 && remarks.contains("no gateway answers at"), "{remarks}");
}
