//! How items and contexts lie in a segment's bytes: framed so that the bytes alone can be read again, in this process or another.

use crate::telemetry::Context;
use crate::telemetry::ItemKind;

/// What stands before an item's bytes: its length and the number of its context in this segment, both `u32`, little endian.
pub(super) const ITEM: usize = 8;

/// In place of a context's number: what follows is a context, and gets the next number of its segment, from 0.
pub(super) const CONTEXT: u32 = u32::MAX;

/// How many bytes a context's frame has: the opening, its kind, and four envelopes with their lengths.
pub(super) fn context_length(context: &Context) -> usize {
    ITEM + 1 + context.envelopes().iter().map(|envelope| 4 + envelope.len()).sum::<usize>()
}

/// Appends a frame with an item's bytes.
pub(super) fn write_item(out: &mut Vec<u8>, context: u32, bytes: &[u8]) {
    write_opening(out, bytes.len(), context);
    out.extend_from_slice(bytes);
}

/// Appends a frame with all that a context is made of.
pub(super) fn write_context(out: &mut Vec<u8>, context: &Context) {
    write_opening(out, context_length(context) - ITEM, CONTEXT);
    out.push(kind_number(context.kind()));
    for envelope in context.envelopes() {
        out.extend_from_slice(&length(envelope.len()).to_le_bytes());
        out.extend_from_slice(envelope);
    }
}

fn write_opening(out: &mut Vec<u8>, payload: usize, context: u32) {
    let mut opening = [0; ITEM];
    opening[..4].copy_from_slice(&length(payload).to_le_bytes());
    opening[4..].copy_from_slice(&context.to_le_bytes());
    out.extend_from_slice(&opening);
}

/// A request is bounded far below 4 GiB, and so is everything in it.
fn length(bytes: usize) -> u32 {
    debug_assert!(u32::try_from(bytes).is_ok(), "{bytes} bytes in one frame");
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Kinds are written by number, and the numbers are for ever.
fn kind_number(kind: ItemKind) -> u8 {
    match kind {
        ItemKind::Span => 0,
        ItemKind::LogRecord => 1,
        ItemKind::Gauge => 2,
        ItemKind::Sum => 3,
        ItemKind::Histogram => 4,
        ItemKind::ExponentialHistogram => 5,
        ItemKind::Summary => 6,
    }
}

#[cfg(test)]
pub(super) mod reading {
    //! The way back: what a journal will do with a segment's bytes, kept here to prove that it can.

    use super::{CONTEXT, ITEM};

    /// One frame, read back.
    #[derive(Debug, PartialEq, Eq)]
    pub(in crate::trace_store) enum Frame<'a> {
        Item { context: u32, bytes: &'a [u8] },
        Context { kind: u8, envelopes: Vec<&'a [u8]> },
    }

    /// All frames of a segment, or `None` where the bytes are not frames.
    pub(in crate::trace_store) fn frames(mut bytes: &[u8]) -> Option<Vec<Frame<'_>>> {
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let length = number(bytes)? as usize;
            let context = number(bytes.get(4..)?)?;
            let payload = bytes.get(ITEM..ITEM + length)?;
            frames.push(if context == CONTEXT { read_context(payload)? } else { Frame::Item { context, bytes: payload } });
            bytes = &bytes[ITEM + length..];
        }
        Some(frames)
    }

    fn read_context(payload: &[u8]) -> Option<Frame<'_>> {
        let (&kind, mut rest) = payload.split_first()?;
        let mut envelopes = Vec::new();
        while !rest.is_empty() {
            let length = number(rest)? as usize;
            envelopes.push(rest.get(4..4 + length)?);
            rest = &rest[4 + length..];
        }
        Some(Frame::Context { kind, envelopes })
    }

    fn number(bytes: &[u8]) -> Option<u32> {
        Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?))
    }
}
