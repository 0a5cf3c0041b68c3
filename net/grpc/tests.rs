//! What one side writes the other reads, and nothing that a stranger sends does harm.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use super::{Code, FrameError, PREFIX, PartialSuccess, Status, frame, put_prefix};

#[test]
fn a_message_is_framed_and_found_again() {
    let mut buffer = vec![0; PREFIX];
    buffer.extend_from_slice(b"spans");
    put_prefix(&mut buffer, true);
    assert_eq!(buffer[..PREFIX], [1, 0, 0, 0, 5]);
    assert_eq!(frame(Bytes::from(buffer)), Ok(Some((true, Bytes::from_static(b"spans")))));
    assert_eq!(frame(Bytes::new()), Ok(None));
}

#[test]
fn broken_frames_are_told_apart() {
    assert_eq!(frame(Bytes::from_static(&[0, 0, 0])), Err(FrameError::Cut));
    assert_eq!(frame(Bytes::from_static(&[0, 0, 0, 0, 2, 1])), Err(FrameError::Cut));
    assert_eq!(frame(Bytes::from_static(&[0, 0, 0, 0, 0, 1])), Err(FrameError::More));
    assert_eq!(frame(Bytes::from_static(&[7, 0, 0, 0, 0])), Err(FrameError::Flag));
}

#[test]
fn a_status_goes_through_trailers_and_back() {
    let status = Status { retry_after: Some(Duration::from_millis(1500)), ..Status::new(Code::UNAVAILABLE, "später: 100 % full\n") };
    assert_eq!(Status::of_trailers(&status.to_trailers()), Some(status));
    let plain = Status::new(Code::OK, "");
    assert_eq!(plain.to_trailers().len(), 1);
    assert_eq!(Status::of_trailers(&plain.to_trailers()), Some(plain));
    let at_once = Status { retry_after: Some(Duration::ZERO), ..Status::new(Code::RESOURCE_EXHAUSTED, "") };
    assert_eq!(Status::decode(&at_once.encode()), Some(at_once));
}

#[test]
fn a_status_is_read_as_others_write_it() {
    // google.rpc.Status{code: 8, message: "slow down", details: [RetryInfo{retry_delay: 5s}]}, as grpc-go writes it.
    let bytes = b"\x08\x08\x12\x09slow down\x1a\x30\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x05";
    let status = Status::decode(bytes).unwrap();
    assert_eq!((status.code, status.message.as_str(), status.retry_after), (Code(8), "slow down", Some(Duration::from_secs(5))));
}

#[test]
fn odd_trailers_are_unknown_not_success() {
    let mut trailers = HeaderMap::new();
    assert_eq!(Status::of_trailers(&trailers), None);
    trailers.insert("grpc-status", HeaderValue::from_static("fine"));
    trailers.insert("grpc-message", HeaderValue::from_static("50%: %4g %41"));
    let status = Status::of_trailers(&trailers).unwrap();
    assert_eq!((status.code, status.message.as_str()), (Code::UNKNOWN, "50%: %4g A"));
    assert_eq!(Code(99).to_string(), "code 99");
}

#[test]
fn a_partial_success_is_read() {
    let partial = PartialSuccess { rejected: 300, message: "too old".to_owned() };
    assert_eq!(PartialSuccess::decode(&partial.encode()), Some(partial));
    assert_eq!(PartialSuccess::decode(b""), Some(PartialSuccess::default()));
    assert_eq!(PartialSuccess::decode(b"\xff\xff\xff"), None);
    let negative = b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert_eq!(PartialSuccess::decode(negative).unwrap().rejected, 0);
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Status::decode(&bytes);
        let _ = PartialSuccess::decode(&bytes);
        let _ = frame(Bytes::from(bytes.clone()));
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let trailers = HeaderMap::from_iter([(http::header::HeaderName::from_static("grpc-status"), value)]);
            let _ = Status::of_trailers(&trailers);
        }
    }
}
