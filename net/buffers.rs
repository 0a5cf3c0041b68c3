//! Buffers that are used again: a request is written into one, handed out as [`Bytes`], and the buffer comes back when the last of them is gone.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// A place for buffers that nobody uses. Clones are the same place.
#[derive(Clone)]
pub struct Buffers(Arc<Idle>);

struct Idle {
    buffers: Mutex<Vec<Vec<u8>>>,
    most_bytes: usize,
}

thread_local! {
    static OF_THIS_LANE: Buffers = Buffers::new(KEPT_BY_A_LANE);
    static OF_SOCKETS: Buffers = Buffers::new(KEPT_FOR_SOCKETS);
}

/// How many bytes a lane keeps between requests: what it reads, writes and compresses at a time.
const KEPT_BY_A_LANE: usize = 3 << 20;

/// How many bytes a lane keeps for what lies between its sockets and their connections.
const KEPT_FOR_SOCKETS: usize = 512 << 10;

impl Buffers {
    /// Those of the lane that runs on this thread. Requests come in and go out on one, so what one gives back is what the next needs, and
    /// it is in the processor's cache. Fresh memory would be the dearest part of a large one: the system clears it, page by page or,
    /// worse, two megabytes at once.
    pub fn of_this_lane() -> Self {
        OF_THIS_LANE.with(Self::clone)
    }

    /// Those of the lane that runs on this thread, for pieces of one size that sockets are read and written in: apart, so that no piece takes
    /// the place of a request.
    pub(crate) fn of_sockets() -> Self {
        OF_SOCKETS.with(Self::clone)
    }

    /// Keeps so many bytes at most: one huge request, or many at once, must not be paid for ever after.
    pub fn new(most_bytes: usize) -> Self {
        Self(Arc::new(Idle { buffers: Mutex::default(), most_bytes }))
    }

    /// An empty buffer with room for so many bytes.
    pub fn take(&self, room: usize) -> Buffer {
        let bytes = self.0.pick(room).unwrap_or_else(|| Vec::with_capacity(rounded(room)));
        Buffer { bytes, home: self.0.clone() }
    }
}

/// Requests differ by a little: what was made for one shall do for the next.
const STEP: usize = 64 << 10;

fn rounded(room: usize) -> usize {
    if room < STEP { room } else { room.next_multiple_of(STEP) }
}

impl Idle {
    /// The smallest that is large enough. Where none is, one goes: to let it grow would copy nothing of use, and take twice what is needed.
    fn pick(&self, room: usize) -> Option<Vec<u8>> {
        let mut idle = self.lock();
        let fits = (0..idle.len()).filter(|place| idle[*place].capacity() >= room).min_by_key(|place| idle[*place].capacity());
        let Some(place) = fits else {
            let gone = idle.pop();
            drop(idle);
            drop(gone);
            return None;
        };
        Some(idle.swap_remove(place))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer on loan.
pub struct Buffer {
    bytes: Vec<u8>,
    home: Arc<Idle>,
}

impl Buffer {
    /// What was written, to be sent. Nothing is copied.
    pub fn freeze(self) -> Bytes {
        if self.bytes.is_empty() {
            return Bytes::new();
        }
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut idle = self.home.lock();
        let kept: usize = idle.iter().map(Vec::capacity).sum();
        if bytes.capacity() > 0 && kept + bytes.capacity() <= self.home.most_bytes {
            bytes.clear();
            idle.push(bytes);
        }
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffers({} idle)", self.0.lock().len())
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Buffers;

    #[test]
    fn a_buffer_comes_back_when_the_last_reader_is_gone() {
        let buffers = Buffers::new(2048);
        let mut buffer = buffers.take(100);
        buffer.extend_from_slice(b"spans");
        let place = buffer.as_ptr();
        let bytes = buffer.freeze();
        let half = bytes.slice(2..);
        assert_eq!(bytes.as_ptr(), place);
        drop(bytes);
        assert_eq!(format!("{buffers:?}"), "Buffers(0 idle)");
        assert_eq!(half, "ans");
        drop(half);
        let again = buffers.take(100);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn a_buffer_is_no_larger_than_it_must_be() {
        let buffers = Buffers::new(1 << 20);
        drop((buffers.take(300 << 10), buffers.take(100 << 10)));
        assert_eq!(buffers.take(90 << 10).capacity(), 128 << 10);
        assert_eq!(buffers.take(200 << 10).capacity(), 320 << 10);
        assert_eq!(buffers.take((320 << 10) + 1).capacity(), 384 << 10);
    }

    #[test]
    fn no_more_is_kept_than_is_worth_it() {
        let buffers = Buffers::new(1024);
        drop(buffers.take(5000));
        assert_eq!(format!("{buffers:?}"), "Buffers(0 idle)");
        let two = (buffers.take(600), buffers.take(600));
        drop(two);
        assert_eq!(format!("{buffers:?}"), "Buffers(1 idle)");
    }
}
