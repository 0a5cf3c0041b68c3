//! A socket under HTTP/2, read and written in large pieces.
//!
//! HTTP/2 comes in frames, of 16 KiB as a rule, and hyper reads less than one and writes exactly one with each call to the system. Such a call
//! costs more than carrying 64 KiB through memory once more. So what is read here is as much as there is, up to a [`PIECE`], and what is
//! written waits for the rest of what the connection has to say: [`Leaving`] lets it go each time that the connection has been polled.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use hyper::rt::Executor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::buffers::{Buffer, Buffers};

/// How much is read or written at a time: what the system hands to a connection of its own at most in one go.
const PIECE: usize = 64 << 10;

/// A stream that is read and written in large pieces.
pub(crate) struct Pieces<S>(Arc<Mutex<State<S>>>);

struct State<S> {
    stream: S,
    read: Option<Read>,
    write: Option<Write>,
    /// Something was written since the stream was flushed.
    is_dirty: bool,
    /// Why the last flush went wrong: told to whoever writes next.
    failed: Option<io::Error>,
}

/// What was read and is not yet asked for, from `taken` on. An idle connection has none, and needs no memory for it.
struct Read {
    bytes: Buffer,
    taken: usize,
}

/// What is to be written, from `gone` on.
struct Write {
    bytes: Buffer,
    gone: usize,
}

/// A stream in pieces, and whoever lets go what is written to it.
pub(crate) fn in_pieces<S>(stream: S) -> (Pieces<S>, Leaving<S>) {
    let state = Arc::new(Mutex::new(State { stream, read: None, write: None, is_dirty: false, failed: None }));
    (Pieces(state.clone()), Leaving(state))
}

/// Lets go what was written to a stream in pieces.
pub(crate) struct Leaving<S>(Arc<Mutex<State<S>>>);

impl<S: AsyncRead + AsyncWrite + Unpin> Leaving<S> {
    /// To be called when the connection was polled: writes what waits, as far as the stream takes it. When it takes more, the task is woken.
    pub(crate) fn let_go(&self, task: &mut Context<'_>) {
        let mut state = lock(&self.0);
        if let Poll::Ready(Err(error)) = state.poll_flush(task) {
            state.failed = Some(error);
            // The connection hears of it when it writes again, and it shall soon.
            task.waker().wake_by_ref();
        }
    }
}

impl<S> Clone for Leaving<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Runs what a client's connection is made of: hyper divides it into several tasks, and any of them may write.
impl<S, T> Executor<T> for Leaving<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task_of_it: T) {
        let leaving = self.clone();
        tokio::spawn(async move {
            let mut task_of_it = pin!(task_of_it);
            std::future::poll_fn(move |task| {
                let ended = task_of_it.as_mut().poll(task);
                leaving.let_go(task);
                ended
            })
            .await
        });
    }
}

fn lock<S>(state: &Mutex<State<S>>) -> MutexGuard<'_, State<S>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: AsyncRead + AsyncWrite + Unpin> State<S> {
    fn poll_read(&mut self, task: &mut Context<'_>, wanted: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.read.is_none() {
            if wanted.remaining() >= PIECE {
                return Pin::new(&mut self.stream).poll_read(task, wanted);
            }
            let mut bytes = Buffers::of_sockets().take(PIECE);
            ready!(pin!(self.stream.read_buf(&mut *bytes)).poll(task))?;
            self.read = Some(Read { bytes, taken: 0 });
        }
        if let Some(read) = &mut self.read {
            let left = &read.bytes[read.taken..];
            let now = left.len().min(wanted.remaining());
            wanted.put_slice(&left[..now]);
            read.taken += now;
            if read.taken == read.bytes.len() {
                self.read = None;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Keeps what is written until there is a piece of it, or somebody lets it go.
    fn poll_write(&mut self, task: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        if self.write.as_ref().is_some_and(|write| write.bytes.len() >= PIECE) {
            ready!(self.poll_written(task))?;
        }
        if self.write.is_none() && slices.iter().map(|slice| slice.len()).sum::<usize>() >= PIECE {
            self.is_dirty = true;
            return Pin::new(&mut self.stream).poll_write_vectored(task, slices);
        }
        let write = self.write.get_or_insert_with(|| Write { bytes: Buffers::of_sockets().take(PIECE), gone: 0 });
        let before = write.bytes.len();
        for slice in slices {
            let room = PIECE - write.bytes.len();
            write.bytes.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        Poll::Ready(Ok(write.bytes.len() - before))
    }

    /// Hands all that waits to the stream.
    fn poll_written(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(write) = &mut self.write {
            self.is_dirty = true;
            while write.gone < write.bytes.len() {
                let gone = ready!(Pin::new(&mut self.stream).poll_write(task, &write.bytes[write.gone..]))?;
                if gone == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                write.gone += gone;
            }
        }
        self.write = None;
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_written(task))?;
        if self.is_dirty {
            ready!(Pin::new(&mut self.stream).poll_flush(task))?;
            self.is_dirty = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Pieces<S> {
    fn poll_read(self: Pin<&mut Self>, task: &mut Context<'_>, wanted: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        lock(&self.0).poll_read(task, wanted)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Pieces<S> {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        lock(&self.0).poll_write(task, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(self: Pin<&mut Self>, task: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        lock(&self.0).poll_write(task, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Says that it is done: HTTP/2 asks after every frame, and more of them may follow. What waits leaves when the connection was polled.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = lock(&self.0);
        ready!(state.poll_flush(task))?;
        Pin::new(&mut state.stream).poll_shutdown(task)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::task::noop_waker_ref;
    use proptest::prelude::*;
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    fn task() -> Context<'static> {
        Context::from_waker(noop_waker_ref())
    }

    /// What one end has for whoever asks for so many bytes; nothing where it has none yet.
    fn read(from: &mut (impl AsyncRead + Unpin), most: usize) -> Vec<u8> {
        let mut space = vec![0; most];
        let mut wanted = ReadBuf::new(&mut space);
        let _ = Pin::new(from).poll_read(&mut task(), &mut wanted);
        wanted.filled().to_vec()
    }

    fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> usize {
        // In two slices, as a frame comes: its head, and what it is about.
        let (head, rest) = bytes.split_at(bytes.len().min(9));
        match Pin::new(to).poll_write_vectored(&mut task(), &[IoSlice::new(head), IoSlice::new(rest)]) {
            Poll::Ready(written) => written.unwrap(),
            Poll::Pending => 0,
        }
    }

    fn holds_nothing(pieces: &Pieces<DuplexStream>) -> bool {
        let state = lock(&pieces.0);
        state.read.is_none() && state.write.is_none()
    }

    #[test]
    fn what_is_written_leaves_together_when_it_is_let_go() {
        let (ours, mut theirs) = duplex(1 << 20);
        let (mut pieces, leaving) = in_pieces(ours);
        for _ in 0..3 {
            assert_eq!(write(&mut pieces, &[7; 1000]), 1000);
            assert!(Pin::new(&mut pieces).poll_flush(&mut task()).is_ready());
        }
        assert!(read(&mut theirs, 9000).is_empty());
        leaving.let_go(&mut task());
        assert_eq!(read(&mut theirs, 9000), [7; 3000]);
        assert!(holds_nothing(&pieces), "an idle connection needs no memory");
    }

    #[test]
    fn what_waits_leaves_before_the_end() {
        let (ours, mut theirs) = duplex(1 << 20);
        let (mut pieces, _) = in_pieces(ours);
        write(&mut pieces, b"goodbye");
        assert!(Pin::new(&mut pieces).poll_shutdown(&mut task()).is_ready());
        assert_eq!(read(&mut theirs, 100), b"goodbye");
    }

    #[test]
    fn whoever_writes_next_hears_that_nobody_listens() {
        let (ours, theirs) = duplex(1 << 20);
        let (mut pieces, leaving) = in_pieces(ours);
        write(&mut pieces, b"is anybody there?");
        drop(theirs);
        leaving.let_go(&mut task());
        let heard = Pin::new(&mut pieces).poll_write(&mut task(), b"?");
        assert!(matches!(heard, Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe));
    }

    proptest! {
        /// Whatever the socket takes at a time, and whenever it is let go: the same bytes arrive in the same order, in both directions.
        #[test]
        fn bytes_arrive_as_they_were_sent(
            steps in proptest::collection::vec((0..4u8, prop_oneof![1..300usize, 1..200_000usize]), 1..60),
            takes in prop_oneof![1..5000usize, 1..300_000usize],
        ) {
            let (ours, mut theirs) = duplex(takes);
            let (mut pieces, leaving) = in_pieces(ours);
            let text: Vec<u8> = (0..3_250_000u32).flat_map(u32::to_le_bytes).collect();
            let (mut sent, mut there, mut answered, mut here) = (0, Vec::new(), 0, Vec::new());
            for (step, length) in steps {
                match step {
                    0 => sent += write(&mut pieces, &text[sent..sent + length]),
                    1 => leaving.let_go(&mut task()),
                    2 => there.extend(read(&mut theirs, length)),
                    _ => {
                        answered += write(&mut theirs, &text[answered..answered + length]);
                        here.extend(read(&mut pieces, length));
                    }
                }
            }
            while there.len() < sent {
                leaving.let_go(&mut task());
                there.extend(read(&mut theirs, 100_000));
            }
            while here.len() < answered {
                here.extend(read(&mut pieces, 100_000));
            }
            prop_assert!(there == text[..sent] && here == text[..answered]);
            leaving.let_go(&mut task());
            prop_assert!(holds_nothing(&pieces));
        }
    }
}
