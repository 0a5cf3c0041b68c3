//! Reads heads: the one walk through an item's own fields, in which the rest of it is checked as well.

use super::check::{Check, Fault};
use super::item::TRACE_STATE;
use super::plain::write_plain;
use super::receive::Reason;
use super::schema::{self, SPAN_ID, TRACE_ID};
use super::wire::{Cursor, LEN, Raw, fields};
use super::{Head, ItemKind, SpanId, TraceId};

/// The head of an item whose bytes nobody has looked at. Place and group are left to the caller.
#[inline]
pub(crate) fn read(kind: ItemKind, bytes: &[u8], check: &mut Check) -> Result<Head, Reason> {
    let mut found = walk(kind, bytes, check)?;
    check.depth(kind.message(), bytes)?;
    if check.odd {
        // What was met first may not be what holds: look again where everything stands once.
        let mut plain = Vec::with_capacity(bytes.len());
        write_plain(kind.message(), bytes, &mut plain);
        found = walk(kind, &plain, &mut Check::default())?;
    }
    if kind == ItemKind::Span { judge_span(found) } else { judge_references(found) }
}

/// A head, and how long its ids were: too short, too long and absent differ.
struct Found {
    head: Head,
    trace: usize,
    span: usize,
    parent: usize,
}

impl Found {
    const NOTHING: Found = Found { head: Head::EMPTY, trace: 0, span: 0, parent: 0 };
}

#[inline(always)]
fn walk(kind: ItemKind, bytes: &[u8], check: &mut Check) -> Result<Found, Fault> {
    let reading = Reading::new(bytes, check);
    match kind {
        ItemKind::Span => span(reading),
        ItemKind::LogRecord => log_record(reading),
        _ => point(kind, reading),
    }
}

#[inline(always)]
fn judge_span(found: Found) -> Result<Head, Reason> {
    let Found { mut head, trace, span, parent } = found;
    if trace != TRACE_ID || head.trace.is_none() {
        return Err(Reason::TraceId);
    }
    if span != SPAN_ID || head.span.is_none() {
        head.flags |= Head::ODD_SPAN_ID;
    }
    if parent != 0 && parent != SPAN_ID {
        head.flags |= Head::ODD_PARENT_ID;
    }
    Ok(head)
}

/// A log record may belong to no trace, and a point names none; an id that is there must be one.
fn judge_references(found: Found) -> Result<Head, Reason> {
    match found {
        Found { trace, .. } if trace != 0 && trace != TRACE_ID => Err(Reason::TraceId),
        Found { span, .. } if span != 0 && span != SPAN_ID => Err(Reason::SpanId),
        Found { head, .. } => Ok(head),
    }
}

/// Spans whose own or parent's id is odd cannot travel where nothing repairs them.
pub(crate) fn reject_odd_ids(head: &Head) -> Result<(), Reason> {
    if head.has(Head::ODD_SPAN_ID) {
        return Err(Reason::SpanId);
    }
    if head.has(Head::ODD_PARENT_ID) { Err(Reason::ParentId) } else { Ok(()) }
}

/// A cursor over an item, and which of its singular fields were met.
struct Reading<'a, 'c> {
    cursor: Cursor<'a>,
    check: &'c mut Check,
    seen: u32,
    doubled: u32,
}

impl<'a, 'c> Reading<'a, 'c> {
    fn new(bytes: &'a [u8], check: &'c mut Check) -> Self {
        Self { cursor: Cursor::new(bytes), check, seen: 0, doubled: 0 }
    }

    /// The first byte of the next tag: of a field that the caller knows, all of it.
    #[inline(always)]
    fn next_tag(&mut self) -> Option<u8> {
        self.cursor.rest().first().copied()
    }

    /// Steps over a tag of one byte and notes that its field was met.
    #[inline(always)]
    fn singular(&mut self, number: u32) {
        self.cursor.step();
        self.doubled |= self.seen & 1 << number;
        self.seen |= 1 << number;
    }

    #[inline(always)]
    fn payload(&mut self, number: u32) -> Result<&'a [u8], Fault> {
        self.singular(number);
        Ok(self.cursor.payload()?)
    }

    #[inline(always)]
    fn trace_id(&mut self, number: u32) -> Result<(TraceId, usize), Fault> {
        let id = self.payload(number)?;
        Ok((TraceId(id.try_into().unwrap_or_default()), id.len()))
    }

    #[inline(always)]
    fn span_id(&mut self, number: u32) -> Result<(SpanId, usize), Fault> {
        let id = self.payload(number)?;
        Ok((SpanId(id.try_into().unwrap_or_default()), id.len()))
    }

    #[inline(always)]
    fn fixed64(&mut self, number: u32) -> Result<u64, Fault> {
        self.singular(number);
        Ok(self.cursor.fixed64()?)
    }

    #[inline(always)]
    fn small_number(&mut self, number: u32) -> Result<u8, Fault> {
        self.singular(number);
        Ok(small(self.cursor.varint()?))
    }

    #[inline(always)]
    fn attribute(&mut self) -> Result<(), Fault> {
        self.cursor.step();
        let attribute = self.cursor.payload()?;
        self.check.key_value(attribute, 0)
    }

    /// A span's status: mostly nothing, or a code alone.
    #[inline(always)]
    fn status(&mut self) -> Result<u8, Fault> {
        match self.payload(15)? {
            [] => Ok(0),
            [0x18, code] if *code < 0x80 => Ok(*code),
            status => {
                self.check.message(&schema::STATUS, status, 0)?;
                let code = fields(status).find(|field| field.number == 3);
                Ok(code.map_or(0, |field| if let Raw::Varint(code) = field.raw { small(code) } else { 0 }))
            }
        }
    }

    /// Everything that is not on the short list of its caller.
    #[inline(always)]
    fn other(&mut self, message: &'static schema::Message) -> Result<(), Fault> {
        (self.cursor, self.seen) = other(message, self.cursor, self.seen, self.check)?;
        Ok(())
    }

    #[inline(always)]
    fn end(self, found: Found) -> Found {
        self.check.odd |= self.doubled != 0;
        found
    }
}

/// By value, so that the cursor of the walk stays in registers.
#[inline(never)]
fn other<'a>(
    message: &'static schema::Message,
    mut cursor: Cursor<'a>,
    mut seen: u32,
    check: &mut Check,
) -> Result<(Cursor<'a>, u32), Fault> {
    check.field(message, &mut cursor, &mut seen, 0)?;
    Ok((cursor, seen))
}

#[inline(always)]
fn span(mut reading: Reading<'_, '_>) -> Result<Found, Fault> {
    let mut found = Found::NOTHING;
    let head = &mut found.head;
    while let Some(tag) = reading.next_tag() {
        match tag {
            0x4a => reading.attribute()?,
            0x0a => (head.trace, found.trace) = reading.trace_id(1)?,
            0x12 => (head.span, found.span) = reading.span_id(2)?,
            0x22 => (head.parent, found.parent) = reading.span_id(4)?,
            0x2a => drop(reading.payload(5)?),
            0x30 => head.kind = reading.small_number(6)?,
            0x39 => head.start = reading.fixed64(7)?,
            0x41 => head.end = reading.fixed64(8)?,
            0x7a => head.status = reading.status()?,
            0x85 if reading.cursor.rest().get(1) == Some(&0x01) => {
                reading.cursor.step();
                reading.singular(16);
                head.flags |= span_flags(reading.cursor.fixed32()?);
            }
            _ => reading.other(&schema::SPAN)?,
        }
    }
    if reading.seen & 1 << TRACE_STATE == 0 {
        head.flags |= Head::NO_TRACE_STATE;
    }
    Ok(reading.end(found))
}

/// An enum's number, of which the format counts 32 bits and a head keeps what fits a byte; larger and negative ones read as the largest.
#[inline(always)]
fn small(number: u64) -> u8 {
    u8::try_from(number as u32).unwrap_or(u8::MAX)
}

/// The bits of a span's flags that a head keeps.
fn span_flags(flags: u32) -> u16 {
    let mut kept = 0;
    if flags & 0x01 != 0 {
        kept |= Head::SAMPLED;
    }
    if flags & 0x100 != 0 {
        kept |= Head::REMOTE_KNOWN;
        if flags & 0x200 != 0 {
            kept |= Head::REMOTE;
        }
    }
    kept
}

fn log_record(mut reading: Reading<'_, '_>) -> Result<Found, Fault> {
    let mut found = Found::NOTHING;
    let head = &mut found.head;
    while let Some(tag) = reading.next_tag() {
        match tag {
            0x32 => reading.attribute()?,
            0x09 => head.start = reading.fixed64(1)?,
            0x59 => head.end = reading.fixed64(11)?,
            0x10 => head.kind = reading.small_number(2)?,
            0x4a => (head.trace, found.trace) = reading.trace_id(9)?,
            0x52 => (head.span, found.span) = reading.span_id(10)?,
            _ => reading.other(&schema::LOG_RECORD)?,
        }
    }
    Ok(reading.end(found))
}

/// Every kind of point has its times in fields 2 and 3.
fn point(kind: ItemKind, mut reading: Reading<'_, '_>) -> Result<Found, Fault> {
    let attributes = kind.attributes_field() << 3 | u32::from(LEN);
    let mut found = Found::NOTHING;
    while let Some(tag) = reading.next_tag() {
        match tag {
            tag if u32::from(tag) == attributes => reading.attribute()?,
            0x11 => found.head.start = reading.fixed64(2)?,
            0x19 => found.head.end = reading.fixed64(3)?,
            _ => reading.other(kind.message())?,
        }
    }
    Ok(reading.end(found))
}
