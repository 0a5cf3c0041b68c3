//! The body of an answer: one piece, or none, and trailers, or none. It is no box and takes no lock, because every request has one.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};

/// The body of an answer.
#[derive(Debug, Default)]
pub struct Reply {
    piece: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Reply {
    /// Nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// These bytes.
    pub fn of(bytes: Bytes) -> Self {
        Self { piece: Some(bytes).filter(|bytes| !bytes.is_empty()), trailers: None }
    }

    /// The same with trailers behind.
    #[must_use]
    pub fn and(mut self, trailers: HeaderMap) -> Self {
        self.trailers = Some(trailers);
        self
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.piece.take().map(Frame::data);
        Poll::Ready(piece.or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.piece.as_ref().map_or(0, |piece| piece.len() as u64))
    }
}
