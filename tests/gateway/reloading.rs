//! Reloads of a process: by signal, by request, by a changed file; a bad configuration changes nothing.

use std::process::Command;

use prost::Message;
use tracetailor::core::testing::Payload;

use super::clients;
use super::process::Gateway;
use super::sink::Sink;

fn config(sink: &Sink, mark: &str) -> String {
    format!(
        "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:HTTP'}}}}}}}}
processors: {{resource: {{attributes: [{{key: mark, value: {mark}, action: upsert}}]}}}}
exporters: {{otlp_http: {{endpoint: 'http://127.0.0.1:{}', compression: none}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], processors: [resource], exporters: [otlp_http]}}}}}}
",
        sink.port()
    )
}

async fn send(gateway: &Gateway, n: u64) {
    let body = Payload { seed: n, ..Payload::of(1) }.traces(n).encode_to_vec();
    assert_eq!(clients::post(gateway.http, "/v1/traces", "application/x-protobuf", body).await.0, 200);
}

fn marked(sink: &Sink, mark: &str) -> usize {
    sink.spans().iter().filter(|span| span.windows(mark.len()).any(|window| window == mark.as_bytes())).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_is_taken_on_by_signal_by_request_and_when_a_file_changes() {
    let behind = Sink::start().await;
    let gateway = Gateway::start_with(&config(&behind, "first-mark"), &["--watch"]).await;
    let taken = ["outcome=\"taken\""];
    send(&gateway, 1).await;

    // Watched: the file alone is enough.
    gateway.rewrite(&config(&behind, "second-mark"));
    gateway.until("tracetailor_config_reloads_total", &taken, |count| count >= 1.0).await;
    send(&gateway, 2).await;

    // A bad one is refused; the old one goes on.
    gateway.rewrite("receivers: {otlp: {protocls: {}}}");
    gateway.until("tracetailor_config_reload_failed", &[], |failed| failed > 0.0).await;
    send(&gateway, 3).await;
    assert!(gateway.log().contains("protocls"), "{}", gateway.log());

    gateway.rewrite(&config(&behind, "third-mark"));
    gateway.until("tracetailor_config_reload_failed", &[], |failed| failed == 0.0).await;
    gateway.signal("-HUP");
    let mut asked = Command::new(env!("CARGO_BIN_EXE_tracetailor"));
    asked.args(["reload", "--admin", &format!("127.0.0.1:{}", gateway.admin)]);
    let output = tokio::task::spawn_blocking(move || asked.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    send(&gateway, 4).await;

    behind.wait_for(4, 0, 0).await;
    assert_eq!(["first-mark", "second-mark", "third-mark"].map(|mark| marked(&behind, mark)), [1, 2, 1]);
    gateway.end_balanced().await;
}
