//! Reading a body: no more of it than is let in, not slower than a client in good faith sends it, and without a copy where it comes in one
//! piece.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, Sleep, sleep_until};

use super::connections::Link;
use super::serve::Client;
use crate::buffers::{Buffer, Buffers};

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There is more of it than may be.
    #[error("the body is larger than the {0} bytes that are allowed here")]
    TooLarge(usize),
    /// It comes too slowly.
    #[error("the body comes too slowly")]
    Slow,
    /// The connection broke, or what came is no body.
    #[error("the body cannot be read: {0}")]
    Broken(&'static str),
}

/// How long nothing may come of a body.
const STALL: Duration = Duration::from_secs(30);
/// For so long any pace will do.
const HEAD_START: Duration = Duration::from_secs(5);
/// Then so many bytes in a second are the least.
const PACE: usize = 1024;
/// A frame of HTTP/2 is seen when all of it is there. While bytes come on its connection, one may take so many times as long as nothing may.
const FRAME: u32 = 4;

/// A body that is being read.
#[derive(Debug)]
pub struct Reading {
    body: Incoming,
    /// The connection it comes on, and how much had come on it when the body began.
    link: Arc<Link>,
    heard: usize,
    /// How long no byte may come, and how long any pace will do.
    patience: Patience,
    /// Since when it is waited for, once it had to be; and what rings when that may be too long.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    received: usize,
}

/// How slow a client may be.
#[derive(Clone, Copy, Debug)]
struct Patience {
    stall: Duration,
    head_start: Duration,
}

impl Patience {
    fn shortest(&self) -> Duration {
        self.stall.min(self.head_start)
    }

    /// Until when a frame is waited for that was asked for at `asked`, where `came` bytes came since the body was first waited for at `since`.
    /// A connection on which bytes come may be in the middle of a large frame.
    fn end(&self, since: Instant, came: usize, asked: Instant, is_moving: bool) -> Instant {
        let in_pace = since + self.head_start + Duration::from_secs((came / PACE) as u64);
        in_pace.min(asked + self.stall * if is_moving { FRAME } else { 1 })
    }
}

impl Reading {
    /// Begins to read.
    pub fn new(body: Incoming, from: &Client) -> Self {
        let link = from.link.clone();
        Self { body, heard: link.bytes(), link, patience: Patience { stall: STALL, head_start: HEAD_START }, waiting: None, received: 0 }
    }

    /// The same with less patience than usual.
    #[must_use]
    pub fn within(mut self, patience: Option<Duration>) -> Self {
        if let Some(patience) = patience {
            self.patience = Patience { stall: self.patience.stall.min(patience), head_start: self.patience.head_start.min(patience) };
        }
        self
    }

    /// How long the body will be, where it says.
    pub fn declared(&self) -> Option<usize> {
        self.body.size_hint().exact().and_then(|length| usize::try_from(length).ok())
    }

    /// Whether nothing is left of it.
    pub fn is_at_end(&self) -> bool {
        self.body.is_end_stream()
    }

    /// The next piece, not empty; None at the end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let frame = match futures_util::FutureExt::now_or_never(self.body.frame()) {
                Some(frame) => frame,
                None => self.wait().await?,
            };
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(broken(&error)),
                Some(Ok(frame)) => {
                    // Trailers of a request say nothing to us.
                    let Ok(piece) = frame.into_data() else { continue };
                    if !piece.is_empty() {
                        self.received += piece.len();
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    /// Waits for the next frame, as long as the client may take.
    ///
    /// One timer serves the whole body: to set one costs a call to the system, and whatever comes puts the end off. When it rings and there is
    /// time left by then, it is set again.
    async fn wait(&mut self) -> Result<Option<Result<hyper::body::Frame<Bytes>, hyper::Error>>, BodyError> {
        let now = Instant::now();
        let Self { body, link, heard, patience, waiting, received } = self;
        let (since, timer) = waiting.get_or_insert_with(|| (now, Box::pin(sleep_until(now + patience.shortest()))));
        let before = link.bytes();
        let due = || {
            let bytes = link.bytes();
            patience.end(*since, bytes.wrapping_sub(*heard).max(*received), now, bytes != before)
        };
        let mut frame = pin!(body.frame());
        std::future::poll_fn(|task| {
            if let Poll::Ready(frame) = frame.as_mut().poll(task) {
                return Poll::Ready(Ok(frame));
            }
            while timer.as_mut().poll(task).is_ready() {
                let due = due();
                if due <= Instant::now() {
                    return Poll::Ready(Err(BodyError::Slow));
                }
                timer.as_mut().reset(due);
            }
            Poll::Pending
        })
        .await
    }

    /// All of it, up to a limit. `grown` is told how much there is each time that more has come, and may end it.
    pub async fn whole<E: From<BodyError>>(&mut self, limit: usize, mut grown: impl FnMut(usize) -> Result<(), E>) -> Result<Bytes, E> {
        let Some(first) = self.piece().await? else { return Ok(Bytes::new()) };
        let mut whole = room_for(0);
        let mut piece = first;
        loop {
            let length = whole.len() + piece.len();
            if length > limit {
                return Err(BodyError::TooLarge(limit).into());
            }
            grown(length)?;
            // One piece that is all there is stays as it is.
            if whole.is_empty() && self.is_at_end() {
                return Ok(piece);
            }
            whole.extend_from_slice(&piece);
            match self.piece().await? {
                Some(next) => piece = next,
                None => return Ok(whole.freeze()),
            }
        }
    }

    /// Reads on without keeping anything, as long as so many bytes are not passed: a client that is still sending when its connection is
    /// closed hears that it broke, and not the answer.
    pub async fn discard(&mut self, most: usize) {
        let end = self.received.saturating_add(most);
        while !self.is_at_end() && self.received < end && matches!(self.piece().await, Ok(Some(_))) {}
    }

    /// At least so many bytes. `first` is what came of them already.
    pub async fn at_least(&mut self, first: Bytes, length: usize) -> Result<Bytes, BodyError> {
        self.exactly(first, length).await
    }

    /// The next so many bytes, and perhaps some more. `first` is what came of them already. What comes in one piece is not copied.
    pub async fn exactly(&mut self, first: Bytes, length: usize) -> Result<Bytes, BodyError> {
        let first = if first.len() < length && first.is_empty() { self.piece().await?.unwrap_or_default() } else { first };
        if first.len() >= length {
            return Ok(first);
        }
        if length < SMALL {
            let mut whole = BytesMut::with_capacity(length);
            self.fill(first, length, |piece| {
                whole.extend_from_slice(piece);
                whole.len()
            })
            .await?;
            return Ok(whole.freeze());
        }
        let mut whole = room_for(length);
        self.fill(first, length, |piece| {
            whole.extend_from_slice(piece);
            whole.len()
        })
        .await?;
        Ok(whole.freeze())
    }

    /// Hands on piece after piece until there are as many bytes as there shall be.
    async fn fill(&mut self, first: Bytes, length: usize, mut put: impl FnMut(&[u8]) -> usize) -> Result<(), BodyError> {
        let mut piece = first;
        while put(&piece) < length {
            piece = self.piece().await?.ok_or(BodyError::Broken("it ends too early"))?;
        }
        Ok(())
    }
}

/// A body of less than this is put into memory of its own size, which the allocator has at hand; a large buffer would be held for it.
pub(crate) const SMALL: usize = 32 << 10;

/// A buffer with room for a body.
pub(crate) fn room_for(length: usize) -> Buffer {
    Buffers::of_this_lane().take(length)
}

fn broken(error: &hyper::Error) -> BodyError {
    BodyError::Broken(match () {
        () if error.is_incomplete_message() => "it ends too early",
        () if error.is_timeout() => "the connection timed out",
        () if error.is_body_write_aborted() => "the client gave up",
        () => "the connection broke, or its framing is wrong",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { stall: STALL, head_start: HEAD_START };

    /// How many seconds a frame is waited for that is asked for so many seconds after the first.
    fn waits(asked: u64, came: usize, is_moving: bool) -> u64 {
        let since = Instant::now();
        let asked = since + Duration::from_secs(asked);
        PATIENCE.end(since, came, asked, is_moving).duration_since(asked).as_secs()
    }

    #[test]
    fn a_large_frame_has_time_while_bytes_come_and_none_when_they_stop() {
        assert_eq!(waits(0, 0, false), 5, "nothing comes at all");
        assert_eq!(waits(0, 1 << 20, false), 30, "the last frame came at once, and now it stalls");
        assert_eq!(waits(0, 1 << 20, true), 120, "a frame is on its way");
        assert_eq!(waits(300, 1 << 20, true), 120);
        assert_eq!(waits(10, 20 * PACE, true), 15, "a body that comes too slowly gains nothing by moving");
        assert_eq!(waits(25, 20 * PACE, true), 0);
    }
}
