//! A connection as HTTP sees it: in the clear or in TLS, with what was read of it to find out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::connections::Link;
use super::first_bytes::{ENOUGH, Speech, listen_to};
use super::listener::Connection;

/// A stream of which some bytes were read already: they are read once more.
#[derive(Debug)]
pub(super) struct Begun<S> {
    first: Bytes,
    stream: S,
}

impl<S: AsyncRead + Unpin> Begun<S> {
    /// Reads until it is clear what is spoken. An end before that is an error.
    pub(super) async fn listen(mut stream: S) -> io::Result<(Speech, Self)> {
        let mut first = BytesMut::with_capacity(ENOUGH);
        loop {
            if stream.read_buf(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let speech = listen_to(&first);
            if speech != Speech::Unclear {
                return Ok((speech, Begun { first: first.freeze(), stream }));
            }
        }
    }
}

/// What HTTP reads from and writes to.
#[derive(Debug)]
pub(super) struct Transport {
    stream: Stream,
    /// Told of everything that comes, so that a client that has begun a request and does not go on is found out.
    link: Arc<Link>,
}

#[derive(Debug)]
enum Stream {
    Plain(Begun<Connection>),
    Tls(Box<Begun<TlsStream<Begun<Connection>>>>),
}

impl Transport {
    pub(super) fn plain(stream: Begun<Connection>, link: Arc<Link>) -> Self {
        Self { stream: Stream::Plain(stream), link }
    }

    pub(super) fn tls(stream: Begun<TlsStream<Begun<Connection>>>, link: Arc<Link>) -> Self {
        Self { stream: Stream::Tls(Box::new(stream)), link }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.first.is_empty() {
            return Pin::new(&mut this.stream).poll_read(task, buffer);
        }
        let now = this.first.len().min(buffer.remaining());
        buffer.put_slice(&this.first[..now]);
        this.first.advance(now);
        if this.first.is_empty() {
            // Not even an empty remainder shall hold on to them.
            this.first = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(task, bytes)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, task: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(task, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(task)
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = match &mut this.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(task, buffer),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(task, buffer),
        };
        let came = buffer.filled().len() - before;
        if came > 0 {
            this.link.heard(came);
        }
        read
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(task, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(task, bytes),
        }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, task: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(task, parts),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(task, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(task),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(task),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(task),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(task),
        }
    }
}
