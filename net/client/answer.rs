//! What a server answered, read to its end or to the limit.

use bytes::{Bytes, BytesMut};
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::ClientError;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it went.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or the front of it.
    pub body: Bytes,
    /// What came behind the body; empty for nothing.
    pub trailers: HeaderMap,
    /// The body is longer than what is read of an answer.
    pub is_cut: bool,
}

impl Answer {
    /// The type of the body, without its parameters, in lower case; empty where it has none.
    pub fn content_type(&self) -> String {
        let value = self.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    pub(super) async fn read(head: Parts, mut body: Incoming, most: usize) -> Result<Self, ClientError> {
        let mut answer = Self { status: head.status, headers: head.headers, body: Bytes::new(), trailers: HeaderMap::new(), is_cut: false };
        let mut gathered = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| ClientError::of("the connection was lost in the middle of the answer", &error))?;
            match frame.into_data() {
                Ok(bytes) if answer.body.len() + gathered.len() + bytes.len() > most => {
                    answer.is_cut = true;
                    break;
                }
                // Nearly every answer is one piece at most: it is kept as it is.
                Ok(bytes) if answer.body.is_empty() && gathered.is_empty() => answer.body = bytes,
                Ok(bytes) => {
                    gathered.extend_from_slice(&std::mem::take(&mut answer.body));
                    gathered.extend_from_slice(&bytes);
                }
                Err(frame) => answer.trailers = frame.into_trailers().unwrap_or_default(),
            }
        }
        if !gathered.is_empty() {
            answer.body = gathered.freeze();
        }
        Ok(answer)
    }
}
