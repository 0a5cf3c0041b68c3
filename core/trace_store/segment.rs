//! A stretch of held items: their bytes as a journal can write them, and beside them what only this process needs to know.

use std::sync::Arc;

use super::frame;
use crate::telemetry::Context;
use crate::telemetry::Head;

/// Where a record lies: which segment, and the how-manieth in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordAt {
    pub(super) segment: u32,
    pub(super) index: u32,
}

impl RecordAt {
    /// Before a trace's first record.
    pub(super) const NONE: RecordAt = RecordAt { segment: u32::MAX, index: u32::MAX };
}

/// What ties a record to its trace and to its request. Kept beside the bytes, not among them, so that a trace can be walked, dropped and
/// relinked without touching what it says, and so that bytes that were written once never change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The record that the same trace got before this one.
    pub(super) before: RecordAt,
    /// The entry of its trace, or [`Link::DEAD`].
    pub(super) slot: u32,
    /// The row of the request that brought it.
    pub(super) row: u32,
    /// How many bytes it has in the segment, its frame included.
    pub(super) length: u32,
}

impl Link {
    /// In place of a slot: nobody holds this record any longer.
    const DEAD: u32 = u32::MAX;

    /// False once its trace has let go of it.
    pub(super) fn is_live(&self) -> bool {
        self.slot != Link::DEAD
    }
}

/// What a record costs beside its bytes.
pub(super) const COLUMNS: usize = size_of::<Head>() + size_of::<Link>();

/// What a segment is made with, and what makes it full: bytes of frames, and records.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentSize {
    pub(super) bytes: usize,
    pub(super) records: usize,
}

impl SegmentSize {
    /// For items of a usual size.
    pub(super) fn of(bytes: usize) -> Self {
        Self { bytes, records: (bytes / 512).max(16) }
    }

    /// Nearer to what would have been right for a segment that is full: as many records as fit its bytes, and a few for good measure.
    /// Memory that is set aside and not used costs as much as any other where the kernel hands it out in large pages.
    pub(super) fn learn(&mut self, full: &Segment) {
        let length = (full.bytes.len() / full.links.len().max(1)).max(32);
        let right = self.bytes / length * 33 / 32;
        self.records = ((self.records * 3 + right) / 4).max(16);
    }

    /// Whether a segment made with another size will do.
    fn suits(&self, segment: &Segment) -> bool {
        let records = segment.links.capacity();
        segment.bytes.capacity() == self.bytes && records * 4 >= self.records * 3 && records * 2 <= self.records * 3
    }
}

/// Records in the order in which they came, some of them dead by now.
///
/// `bytes` is framed (see [`frame`]) and self-contained: before the first item of a context stands the context itself. So a journal can
/// write it as it is; a segment that rests can be sealed with lz4 or zstd while `heads` and `links` stay open, because nothing but
/// [`Segment::bytes_of`] reads it.
///
/// Invariants: `heads` and `links` have one element per record; `live_bytes` and `live_records` count those whose link is live;
/// `heads[i].group` numbers a context in `contexts`, and `heads[i].offset..+length` are its bytes in `bytes`.
#[derive(Debug, Default)]
pub(super) struct Segment {
    bytes: Vec<u8>,
    heads: Vec<Head>,
    links: Vec<Link>,
    contexts: Vec<Arc<Context>>,
    /// How many of the bytes are frames of contexts.
    context_bytes: usize,
    live_bytes: usize,
    live_records: usize,
    /// Its survivors are on their way to another segment.
    pub(super) leaving: bool,
}

impl Segment {
    pub(super) fn with_size(size: SegmentSize) -> Self {
        Self {
            bytes: Vec::with_capacity(size.bytes),
            heads: Vec::with_capacity(size.records),
            links: Vec::with_capacity(size.records),
            ..Self::default()
        }
    }

    /// Whether so many bytes and one more record fit without growing.
    pub(super) fn fits(&self, bytes: usize) -> bool {
        self.bytes.len() + bytes <= self.bytes.capacity() && self.links.len() < self.links.capacity()
    }

    /// Takes a context in and gives its number.
    pub(super) fn add_context(&mut self, context: &Arc<Context>) -> u32 {
        let start = self.bytes.len();
        frame::write_context(&mut self.bytes, context);
        self.context_bytes += self.bytes.len() - start;
        self.contexts.push(Arc::clone(context));
        narrow(self.contexts.len() - 1)
    }

    /// Appends an item and gives its index.
    pub(super) fn push(&mut self, head: &Head, bytes: &[u8], context: u32, mut link: Link) -> u32 {
        debug_assert!((context as usize) < self.contexts.len() && link.is_live());
        let start = self.bytes.len();
        frame::write_item(&mut self.bytes, context, bytes);
        let offset = narrow(start + frame::ITEM);
        // Held bytes are the edited bytes: what the head said of overlays is history.
        let flags = head.flags & !Head::EDITED;
        self.heads.push(Head { offset, length: narrow(bytes.len()), group: context, flags, ..*head });
        link.length = narrow(self.bytes.len() - start);
        self.live_bytes += link.length as usize;
        self.live_records += 1;
        self.links.push(link);
        narrow(self.links.len() - 1)
    }

    /// Lets go of a record.
    pub(super) fn kill(&mut self, index: u32) {
        let link = &mut self.links[index as usize];
        debug_assert!(link.is_live(), "a record died twice");
        link.slot = Link::DEAD;
        self.live_bytes -= link.length as usize;
        self.live_records -= 1;
    }

    pub(super) fn link(&self, index: u32) -> &Link {
        &self.links[index as usize]
    }

    pub(super) fn link_mut(&mut self, index: u32) -> &mut Link {
        &mut self.links[index as usize]
    }

    pub(super) fn head(&self, index: u32) -> &Head {
        &self.heads[index as usize]
    }

    pub(super) fn bytes_of(&self, head: &Head) -> &[u8] {
        &self.bytes[head.offset as usize..][..head.length as usize]
    }

    pub(super) fn context_of(&self, head: &Head) -> &Arc<Context> {
        &self.contexts[head.group as usize]
    }

    /// The live links, in the order in which their records came.
    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| link.is_live())
    }

    pub(super) fn records(&self) -> u32 {
        narrow(self.links.len())
    }

    pub(super) fn is_dead(&self) -> bool {
        self.live_records == 0
    }

    /// What its live records cost, of [`Segment::filled`].
    pub(super) fn live(&self) -> usize {
        self.live_bytes + self.live_records * COLUMNS
    }

    /// What was written into it: items, contexts and columns.
    pub(super) fn filled(&self) -> usize {
        self.bytes.len() + self.links.len() * COLUMNS
    }

    /// What its contexts cost, of [`Segment::filled`].
    pub(super) fn context_bytes(&self) -> usize {
        self.context_bytes
    }

    /// What a journal would write.
    #[cfg(test)]
    pub(super) fn frames(&self) -> &[u8] {
        &self.bytes
    }

    /// The memory it was made with, touched or not.
    pub(super) fn memory(&self) -> u64 {
        (self.bytes.capacity() + self.heads.capacity() * size_of::<Head>() + self.links.capacity() * size_of::<Link>()) as u64
    }

    pub(super) fn suits(&self, size: SegmentSize) -> bool {
        size.suits(self)
    }

    /// Empty again, its memory kept.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.heads.clear();
        self.links.clear();
        self.contexts.clear();
        (self.context_bytes, self.live_bytes, self.live_records, self.leaving) = (0, 0, 0, false);
    }
}

/// Offsets and counts in a segment fit 32 bits: segments are 1 MiB, or as long as the one item in them.
pub(super) fn narrow(n: usize) -> u32 {
    debug_assert!(u32::try_from(n).is_ok(), "{n} does not fit a segment");
    u32::try_from(n).unwrap_or(u32::MAX)
}
