//! Bad requests: what each is told and counted as, and that a good one beside it is taken all the same.

use std::io::Write;
use std::time::Duration;

use tracetailor_core::component::Refused;
use tracetailor_core::ledger::{Explanation, Retry};
use tracetailor_core::telemetry::Decoded;
use tracetailor_core::testing::trace_of;
use tracetailor_net::grpc::{Code, Status};

use super::client::framed;
use super::taking::{JSON, PROTOBUF, TRACES, spans};
use super::{Behind, Gateway, HttpAnswer, call, post, raw};

/// Sends a good span both ways and finds nothing else behind.
#[track_caller]
fn only_good_ones_arrive(gateway: Gateway) {
    gateway.set_behind(Behind::Delivers);
    if gateway.http > 0 {
        assert_eq!(post(gateway.http, "/v1/traces", &[PROTOBUF], &spans("good")).status, 200);
    }
    if gateway.grpc > 0 {
        assert_eq!(grpc(&gateway, &spans("good")).code, Code::OK);
    }
    let arrived = gateway.finish();
    assert!(!arrived.is_empty() && arrived.iter().all(|name| name == "good"), "{arrived:?}");
}

fn grpc(gateway: &Gateway, message: &[u8]) -> Status {
    call(gateway.grpc, TRACES, &[], framed(0, message)).0
}

fn http(gateway: &Gateway, body: &[u8]) -> HttpAnswer {
    post(gateway.http, "/v1/traces", &[PROTOBUF], body)
}

fn packed(name: &str, bytes: &[u8]) -> Vec<u8> {
    match name {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => zstd::bulk::compress(bytes, 1).unwrap(),
        other => panic!("{other}"),
    }
}

#[test]
fn compressed_bodies_are_taken() {
    let gateway = Gateway::new(Behind::Delivers);
    for name in ["gzip", "deflate", "zstd"] {
        let answer = post(gateway.http, "/v1/traces", &[PROTOBUF, ("content-encoding", name)], &packed(name, &spans("good")));
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    for name in ["gzip", "zstd"] {
        let (status, _) = call(gateway.grpc, TRACES, &[("grpc-encoding", name)], framed(1, &packed(name, &spans("good"))));
        assert_eq!(status.code, Code::OK, "{name}: {status:?}");
    }
    only_good_ones_arrive(gateway);
}

#[test]
fn a_bomb_is_refused_and_takes_no_room() {
    let gateway = Gateway::new(Behind::Delivers);
    let zeros = vec![0; 64 << 20];
    for name in ["gzip", "deflate", "zstd"] {
        let bomb = packed(name, &zeros);
        let answer = post(gateway.http, "/v1/traces", &[PROTOBUF, ("content-encoding", name)], &bomb);
        assert_eq!((answer.status, answer.header("retry-after")), (413, None), "{name}: {answer:?}");
        if name != "deflate" {
            let (status, _) = call(gateway.grpc, TRACES, &[("grpc-encoding", name)], framed(1, &bomb));
            assert_eq!((status.code, status.retry_after), (Code::RESOURCE_EXHAUSTED, None), "{name}: {status:?}");
        }
    }
    gateway.assert_refused("decompressed_too_large", 5);
    assert!(gateway.most_room() < 1 << 20, "{} bytes were held", gateway.most_room());
    only_good_ones_arrive(gateway);
}

#[test]
fn a_window_of_gigabytes_is_refused() {
    let gateway = Gateway::new(Behind::Delivers);
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
    let answer = post(gateway.http, "/v1/traces", &[PROTOBUF, ("content-encoding", "zstd")], &frame);
    assert_eq!(answer.status, 413, "{answer:?}");
    let (status, _) = call(gateway.grpc, TRACES, &[("grpc-encoding", "zstd")], framed(1, &frame));
    assert_eq!(status.code, Code::RESOURCE_EXHAUSTED, "{status:?}");
    gateway.assert_refused("decompressed_too_large", 2);
    only_good_ones_arrive(gateway);
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let gateway = Gateway::with(
        Behind::Delivers,
        "protocols: {grpc: {endpoint: '127.0.0.1:0', max_recv_msg_size_mib: 1}, http: {endpoint: '127.0.0.1:0', max_request_body_size: 1000}}",
    );
    // Nothing of the body is sent: the declared size is enough.
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 2000\r\n\r\n";
    let answer = super::client::answer(&raw(gateway.http, head.as_bytes()));
    assert_eq!((answer.status, answer.header("retry-after")), (413, None), "{answer:?}");
    let chunked = format!("{}{}", head.replace("content-length: 2000", "transfer-encoding: chunked"), "3e9\r\n") + &"a".repeat(1001);
    assert_eq!(super::client::answer(&raw(gateway.http, chunked.as_bytes())).status, 413);
    let status = grpc(&gateway, &vec![0; (1 << 20) + 1]);
    assert_eq!((status.code, status.retry_after), (Code::RESOURCE_EXHAUSTED, None), "{status:?}");
    gateway.assert_refused("too_large", 3);
    assert!(gateway.most_room() <= 64 << 10);
    only_good_ones_arrive(gateway);
}

#[test]
fn what_is_cut_short_or_no_message_is_refused() {
    let gateway = Gateway::new(Behind::Delivers);
    let whole = spans("bad");
    let answer = http(&gateway, &whole[..whole.len() - 3]);
    assert_eq!((answer.status, Status::decode(&answer.body).unwrap().code), (400, Code::INVALID_ARGUMENT), "{answer:?}");
    assert_eq!(grpc(&gateway, &whole[..whole.len() - 3]).code, Code::INVALID_ARGUMENT);
    assert_eq!(grpc(&gateway, b"\xff\xff\xff\xff\x0f").code, Code::INVALID_ARGUMENT);
    // Framing that says more, or something else, than is there.
    assert_eq!(call(gateway.grpc, TRACES, &[], &b"\0\0\0\0\x09abc"[..]).0.code, Code::INVALID_ARGUMENT);
    assert_eq!(call(gateway.grpc, TRACES, &[], &b"\0\0"[..]).0.code, Code::INVALID_ARGUMENT);
    assert_eq!(call(gateway.grpc, TRACES, &[], &b""[..]).0.code, Code::INVALID_ARGUMENT);
    assert_eq!(call(gateway.grpc, TRACES, &[], framed(2, &whole)).0.code, Code::INTERNAL);
    assert_eq!(call(gateway.grpc, TRACES, &[], [framed(0, &whole), framed(0, &whole)].concat()).0.code, Code::INTERNAL);
    gateway.assert_refused("malformed", 6);
    gateway.assert_refused("broken_body", 2);
    only_good_ones_arrive(gateway);
}

#[test]
fn json_that_is_none_is_refused_in_json() {
    let gateway = Gateway::new(Behind::Delivers);
    for text in ["", "{", "{'resourceSpans':[]}", "\u{1}\u{2}", &"[".repeat(100_000)] {
        let answer = post(gateway.http, "/v1/traces", &[JSON], text.as_bytes());
        assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")), "{answer:?}");
        assert!(answer.text().contains(r#""code":3"#), "{answer:?}");
    }
    assert_eq!(post(gateway.http, "/v1/traces", &[JSON], b"null").status, 200);
    gateway.assert_refused("malformed", 5);
    only_good_ones_arrive(gateway);
}

/// A request with a good span and one that a test has made bad.
fn good_and(bad: impl FnOnce(&mut tracetailor_core::testing::otlp::Span)) -> Vec<u8> {
    let mut request = trace_of("good -> bad").request();
    let spans = &mut request.resource_spans[0].scope_spans[0].spans;
    bad(spans.iter_mut().find(|span| span.name == "bad").unwrap());
    Decoded::from(request).encode().to_vec()
}

#[test]
fn a_bad_span_costs_only_itself() {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value};
    let nested = (0..5_000)
        .fold(AnyValue::default(), |inner, _| AnyValue { value: Some(any_value::Value::ArrayValue(ArrayValue { values: vec![inner] })) });
    let deep = good_and(move |span| span.attributes.push(KeyValue { key: "deep".to_owned(), value: Some(nested), ..Default::default() }));
    let gateway = Gateway::new(Behind::Delivers);
    let wrong_id = good_and(|span| span.trace_id = vec![1; 8]);
    let no_id = good_and(|span| span.span_id = Vec::new());
    for (request, why) in [(deep, "nested deeper"), (wrong_id, "trace id must be 16 bytes"), (no_id, "span id must be 8 bytes")] {
        let (status, body) = call(gateway.grpc, TRACES, &[], framed(0, &request));
        let partial = tracetailor_net::grpc::PartialSuccess::decode(&body[5..]).unwrap();
        assert_eq!((status.code, partial.rejected), (Code::OK, 1), "{why}: {status:?}");
        assert!(partial.message.contains(why), "{}", partial.message);
    }
    let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad"},
        {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"good"}]}]}]}"#;
    let answer = post(gateway.http, "/v1/traces", &[JSON], json);
    assert!(answer.status == 200 && answer.text().contains(r#""rejectedSpans":"1""#), "{answer:?}");
    only_good_ones_arrive(gateway);
}

#[test]
fn where_no_span_is_good_the_request_is_refused() {
    let gateway = Gateway::new(Behind::Delivers);
    let request =
        br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad","name":"bad"}]}]}]}"#;
    let answer = post(gateway.http, "/v1/traces", &[JSON], request);
    assert!(answer.status == 400 && answer.text().contains("span id"), "{answer:?}");
    only_good_ones_arrive(gateway);
}

#[test]
fn text_that_is_no_utf_8_is_taken() {
    let gateway = Gateway::new(Behind::Delivers);
    let mut request = spans("g\u{e9}od");
    let at = request.windows(2).position(|two| two == "\u{e9}".as_bytes()).unwrap();
    request[at] = 0xff;
    assert_eq!(http(&gateway, &request).status, 200);
    assert_eq!(gateway.finish_bytes(), request);
}

#[test]
fn an_empty_request_is_a_success() {
    let gateway = Gateway::new(Behind::Delivers);
    assert_eq!((http(&gateway, b"").status, http(&gateway, b"\x0a\x00").status), (200, 200));
    assert_eq!(grpc(&gateway, b"").code, Code::OK);
    only_good_ones_arrive(gateway);
}

#[test]
fn a_slow_client_is_let_go() {
    let gateway = Gateway::with(
        Behind::Delivers,
        "protocols: {http: {endpoint: '127.0.0.1:0', read_timeout: 200ms, read_header_timeout: 200ms, idle_timeout: 400ms}}",
    );
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 20\r\n\r\nabc";
    let answer = super::client::answer(&raw(gateway.http, head.as_bytes()));
    assert_eq!(answer.status, 408, "{answer:?}");
    gateway.assert_refused("slow_body", 1);
    // Neither the rest of its headers nor the rest of its first word ever comes.
    assert_eq!(raw(gateway.http, b"POST /v1/traces HTTP/1.1\r\nhost:"), b"");
    gateway.assert_refused("slow_headers", 1);
    // One that says nothing after its answer is closed, too.
    let idle = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(super::client::answer(&raw(gateway.http, idle)).status, 200);
    only_good_ones_arrive(gateway);
}

#[test]
fn overload_is_told_so_that_clients_come_back() {
    let full = Refused::Full { what: "memory_limiter".to_owned(), retry_after: None };
    let gateway = Gateway::new(Behind::Full(full));
    let answer = http(&gateway, &spans("bad"));
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
    let status = grpc(&gateway, &spans("bad"));
    assert_eq!((status.code, status.retry_after), (Code::UNAVAILABLE, Some(Duration::from_secs(1))), "{status:?}");
    gateway.assert_refused("full", 2);
    // A body of megabytes, which is still on its way when it is refused: the answer is heard, and the connection is good for the next.
    let large = vec![0; 8 << 20];
    let head =
        format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n", large.len());
    let next = "POST /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let said = raw(gateway.http, &[head.as_bytes(), &large, next.as_bytes()].concat());
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("HTTP/1.1 404 "), "{said}");
    gateway.set_behind(Behind::Full(Refused::TooLarge { bytes: 10, limit: 5 }));
    assert_eq!((http(&gateway, &spans("bad")).status, grpc(&gateway, &spans("bad")).code), (413, Code::RESOURCE_EXHAUSTED));
    gateway.set_behind(Behind::Full(Refused::Stopping));
    assert_eq!((http(&gateway, &spans("bad")).status, grpc(&gateway, &spans("bad")).code), (503, Code::UNAVAILABLE));
    only_good_ones_arrive(gateway);
}

#[test]
fn room_is_asked_for_what_comes_out_of_a_compressed_body() {
    let gateway = Gateway::new(Behind::Delivers);
    gateway.set_room(10_000);
    let names: Vec<String> = (0..500).map(|n| format!("span{n}")).collect();
    let large = spans(&names.join(", "));
    assert!(large.len() > 20_000);
    let answer = post(gateway.http, "/v1/traces", &[PROTOBUF, ("content-encoding", "gzip")], &packed("gzip", &large));
    assert_eq!(answer.status, 503, "{answer:?}");
    only_good_ones_arrive(gateway);
}

#[test]
fn what_is_refused_behind_reaches_the_client() {
    let said = |code: Code, after| Explanation { message: "back end says no".to_owned(), code: Some(code.0), retry_after: after };
    let cases = [
        (Behind::Refuses(Some(Retry::Later), None), 503, Code::UNAVAILABLE),
        (Behind::Refuses(Some(Retry::Never), None), 500, Code::INTERNAL),
        (Behind::Refuses(None, None), 500, Code::INTERNAL),
        (Behind::Refuses(None, Some(said(Code::INVALID_ARGUMENT, None))), 400, Code::INVALID_ARGUMENT),
        (Behind::Refuses(None, Some(said(Code::RESOURCE_EXHAUSTED, None))), 429, Code::RESOURCE_EXHAUSTED),
        (Behind::Refuses(None, Some(said(Code::UNAVAILABLE, Some(Duration::from_secs(5))))), 503, Code::UNAVAILABLE),
    ];
    let gateway = Gateway::new(Behind::Delivers);
    for (behind, status, code) in cases {
        gateway.set_behind(behind.clone());
        let answer = http(&gateway, &spans("bad"));
        assert_eq!(answer.status, status, "{behind:?}: {answer:?}");
        let told = grpc(&gateway, &spans("bad"));
        assert_eq!(told.code, code, "{behind:?}: {told:?}");
        if let Behind::Refuses(_, Some(why)) = behind {
            assert_eq!((told.message, told.retry_after), (why.message, why.retry_after));
            assert_eq!(answer.header("retry-after"), why.retry_after.map(|_| "5"));
        }
    }
    only_good_ones_arrive(gateway);
}

#[test]
fn a_bug_of_ours_costs_one_request() {
    let gateway = Gateway::new(Behind::Panics);
    assert_eq!((http(&gateway, &spans("bad")).status, grpc(&gateway, &spans("bad")).code), (500, Code::INTERNAL));
    gateway.assert_refused("panic", 2);
    only_good_ones_arrive(gateway);
}
