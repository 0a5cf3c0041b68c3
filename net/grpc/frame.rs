//! The five bytes before a message: whether it is compressed, and how long it is.

use bytes::{Buf, Bytes};

/// How many bytes stand before a message.
pub const PREFIX: usize = 5;

/// What is wrong with the bytes of a unary call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// They end before the message does.
    #[error("the message is cut short")]
    Cut,
    /// The first byte is neither of the two that it may be.
    #[error("the first byte of the message is neither 0 nor 1")]
    Flag,
    /// Something follows the message, and a unary call has only one.
    #[error("more than one message")]
    More,
}

/// Writes the prefix into the first bytes of a buffer, which were left free for it. A message longer than `u32` counts cannot be sent, and
/// no limit of ours is that high.
pub fn put_prefix(buffer: &mut [u8], is_compressed: bool) {
    let length = u32::try_from(buffer.len().saturating_sub(PREFIX)).unwrap_or(u32::MAX);
    if let Some(prefix) = buffer.first_chunk_mut::<PREFIX>() {
        prefix[0] = u8::from(is_compressed);
        prefix[1..].copy_from_slice(&length.to_be_bytes());
    }
}

/// The one message of a body, and whether it is compressed. An empty body is no message at all: a call that failed has none.
pub fn frame(mut body: Bytes) -> Result<Option<(bool, Bytes)>, FrameError> {
    if body.is_empty() {
        return Ok(None);
    }
    if body.len() < PREFIX {
        return Err(FrameError::Cut);
    }
    let is_compressed = match body.get_u8() {
        0 => false,
        1 => true,
        _ => return Err(FrameError::Flag),
    };
    let length = body.get_u32() as usize;
    match body.len().cmp(&length) {
        std::cmp::Ordering::Less => Err(FrameError::Cut),
        std::cmp::Ordering::Greater => Err(FrameError::More),
        std::cmp::Ordering::Equal => Ok(Some((is_compressed, body))),
    }
}
