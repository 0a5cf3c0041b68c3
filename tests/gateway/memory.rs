//! What a gateway held during an outage goes back to the system when the outage is over, also where nobody sends any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prost::Message;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tracetailor::core::testing::Payload;

use super::clients;
use super::process::Gateway;
use super::sink::read_request;

/// A back end that is overloaded until it is told otherwise.
#[derive(Clone)]
struct Backend {
    well: Arc<AtomicBool>,
    port: u16,
}

impl Backend {
    async fn start() -> Backend {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let backend = Backend { well: Arc::default(), port: listener.local_addr().unwrap().port() };
        let own = backend.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(own.clone().serve(socket));
            }
        });
        backend
    }

    async fn serve(self, mut socket: TcpStream) {
        while read_request(&mut socket).await.is_some() {
            let status = if self.well.load(Ordering::Relaxed) { "200 OK" } else { "503 Service Unavailable" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n");
            if socket.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_goes_back_after_an_outage_though_nobody_sends() {
    let behind = Backend::start().await;
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:HTTP'}}}}}}}}
exporters:
  otlp_http:
    endpoint: 'http://127.0.0.1:{}'
    compression: none
    retry_on_failure: {{initial_interval: 100ms, max_interval: 100ms}}
    circuit_breaker: {{open_for: 100ms}}
service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_http]}}}}}}
",
        behind.port
    );
    let gateway = Gateway::start(&config).await;
    assert_eq!(gateway.status("THP_enabled"), "0", "memory comes in small pages");
    let idle = gateway.resident();
    let body = Payload::of(1_000).traces(1).encode_to_vec();
    let requests = 200;
    for _ in 0..requests {
        assert_eq!(clients::post(gateway.http, "/v1/traces", "application/x-protobuf", body.clone()).await.0, 200);
    }
    let (full, queued) = (gateway.resident(), body.len() as u64 * requests);
    assert!(full > idle + queued, "{full} bytes, of which {queued} are queued");

    behind.well.store(true, Ordering::Relaxed);
    gateway.until("otelcol_exporter_queue_size", &[], |size| size == 0.0).await;
    for _ in 0..300 {
        if gateway.resident() < idle + queued / 2 {
            gateway.end_balanced().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} bytes are kept, {idle} when it had begun, {full} in the outage", gateway.resident());
}
