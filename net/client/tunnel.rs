//! Asking a proxy for a tunnel.

use http::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::ClientError;
use super::socket::Socket;
use crate::words::cut;

/// A proxy says more than this only if it is none.
const MOST: usize = 16 << 10;

/// Asks for a tunnel to `target`. What the proxy refuses is told in its words.
pub(super) async fn tunnel(socket: &mut Socket, target: &str, authorization: Option<HeaderValue>) -> Result<(), ClientError> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n").into_bytes();
    if let Some(authorization) = authorization {
        request.extend_from_slice(b"proxy-authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let lost = |error| ClientError::of("the connection to the proxy was lost", &error);
    socket.write_all(&request).await.map_err(lost)?;
    socket.flush().await.map_err(lost)?;
    let mut answer = Vec::new();
    // Byte by byte: whatever follows the answer belongs to whom the tunnel leads to.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MOST {
            return Err(ClientError::new("the proxy answers without an end"));
        }
        match socket.read_u8().await {
            Ok(byte) => answer.push(byte),
            Err(error) => return Err(lost(error)),
        }
    }
    let first = String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    match first.split_whitespace().nth(1) {
        Some(status) if first.starts_with("HTTP/1.") && status.starts_with('2') => Ok(()),
        _ => Err(ClientError::new(format!("the proxy gives no way to {target}: {}", cut(&first)))),
    }
}
