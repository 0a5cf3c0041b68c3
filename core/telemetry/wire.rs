//! The protobuf wire format, read and written one field at a time over borrowed bytes.
//!
//! Everything here agrees with what a strict decoder accepts (ten bytes of varint at most, field numbers from 1, matched groups), because what the
//! gateway lets pass, the next hop must be able to decode.

/// The bytes are no protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Groups inside groups, deeper than any sender goes: unknown fields are skipped only down to here.
pub(crate) const MOST_GROUPS: u32 = 16;

pub(crate) const VARINT: u8 = 0;
pub(crate) const FIXED64: u8 = 1;
pub(crate) const LEN: u8 = 2;
pub(crate) const GROUP_START: u8 = 3;
pub(crate) const GROUP_END: u8 = 4;
pub(crate) const FIXED32: u8 = 5;

/// The value of one field as it lies on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Len(&'a [u8]),
    /// An unknown group, skipped.
    Group,
}

impl<'a> Raw<'a> {
    /// The payload of a length-delimited field; empty for every other.
    pub(crate) fn payload(self) -> &'a [u8] {
        match self {
            Raw::Len(payload) => payload,
            _ => &[],
        }
    }

    pub(crate) fn wire_type(self) -> u8 {
        match self {
            Raw::Varint(_) => VARINT,
            Raw::Fixed64(_) => FIXED64,
            Raw::Fixed32(_) => FIXED32,
            Raw::Len(_) => LEN,
            Raw::Group => GROUP_START,
        }
    }
}

/// One field of a message, and where it lies in it (tag included).
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireField<'a> {
    pub(crate) number: u32,
    pub(crate) raw: Raw<'a>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A reading position in a message: what is left of it, so that every step is one comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }

    #[inline(always)]
    pub(crate) fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    #[inline(always)]
    pub(crate) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is still to be read.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Steps over one byte that the caller looked at.
    #[inline(always)]
    pub(crate) fn step(&mut self) {
        if let [_, rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Steps over bytes that the caller looked at in [`rest`](Self::rest).
    #[inline(always)]
    pub(crate) fn advance(&mut self, by: usize) {
        self.rest = self.rest.get(by..).unwrap_or_default();
    }

    /// Reads a varint.
    #[inline(always)]
    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            // By value, here and wherever the rare case is a call: a cursor whose address nobody takes stays in registers.
            rest => {
                let (value, rest) = long_varint(rest)?;
                self.rest = rest;
                Ok(value)
            }
        }
    }

    /// Reads a tag: field number and wire type.
    #[inline(always)]
    pub(crate) fn tag(&mut self) -> Result<(u32, u8), Malformed> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        let (number, wire_type) = (tag >> 3, (tag & 7) as u8);
        if number == 0 || wire_type > FIXED32 { Err(Malformed) } else { Ok((number, wire_type)) }
    }

    #[inline(always)]
    pub(crate) fn fixed64(&mut self) -> Result<u64, Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>().ok_or(Malformed)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    #[inline(always)]
    pub(crate) fn fixed32(&mut self) -> Result<u32, Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>().ok_or(Malformed)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    /// Reads a length and that many bytes.
    #[inline(always)]
    pub(crate) fn payload(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
        let (payload, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(payload)
    }

    /// Reads the value that follows a tag.
    #[inline(always)]
    pub(crate) fn value(&mut self, number: u32, wire_type: u8) -> Result<Raw<'a>, Malformed> {
        match wire_type {
            VARINT => self.varint().map(Raw::Varint),
            FIXED64 => self.fixed64().map(Raw::Fixed64),
            LEN => self.payload().map(Raw::Len),
            FIXED32 => self.fixed32().map(Raw::Fixed32),
            GROUP_START => self.skip_group(number).map(|()| Raw::Group),
            _ => Err(Malformed),
        }
    }

    /// Steps over a group. By hand instead of by recursion: senders choose how deep it is.
    fn skip_group(&mut self, number: u32) -> Result<(), Malformed> {
        let mut open = [0u32; MOST_GROUPS as usize];
        open[0] = number;
        let mut depth = 1;
        while depth > 0 {
            let (number, wire_type) = self.tag()?;
            match wire_type {
                GROUP_START => {
                    *open.get_mut(depth).ok_or(Malformed)? = number;
                    depth += 1;
                }
                GROUP_END if open[depth - 1] == number => depth -= 1,
                GROUP_END => return Err(Malformed),
                _ => {
                    self.value(number, wire_type)?;
                }
            }
        }
        Ok(())
    }

    /// Reads the next field, `None` at the end.
    #[inline(always)]
    pub(crate) fn field(&mut self) -> Result<Option<WireField<'a>>, Malformed> {
        let start = self.position();
        match self.rest {
            [] => return Ok(None),
            // A length-delimited field below 16: most fields, and all lists.
            [tag, rest @ ..] if *tag & 0x87 == LEN && *tag > LEN => {
                self.rest = rest;
                let raw = Raw::Len(self.payload()?);
                return Ok(Some(WireField { number: u32::from(*tag >> 3), raw, start, end: self.position() }));
            }
            _ => {}
        }
        let (number, wire_type) = self.tag()?;
        let raw = self.value(number, wire_type)?;
        Ok(Some(WireField { number, raw, start, end: self.position() }))
    }
}

/// A varint of several bytes, and what follows it.
fn long_varint(bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        if index == 9 && byte > 1 {
            return Err(Malformed);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, &bytes[index + 1..]));
        }
    }
    Err(Malformed)
}

/// The fields of a message that was checked on receipt. Should it be broken all the same, they end there: a reader never panics.
pub(crate) fn fields(bytes: &[u8]) -> impl Iterator<Item = WireField<'_>> {
    let mut cursor = Cursor::new(bytes);
    std::iter::from_fn(move || cursor.field().ok().flatten())
}

/// A length-delimited field of a message, and where it lies in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LenField<'a> {
    pub(crate) number: u32,
    pub(crate) payload: &'a [u8],
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The length-delimited fields of a message, of any number: like [`fields`], for the loops that look at nothing else.
#[inline]
pub(crate) fn len_fields(bytes: &[u8]) -> LenFields<'_> {
    LenFields(Cursor::new(bytes))
}

/// See [`len_fields`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct LenFields<'a>(Cursor<'a>);

impl<'a> Iterator for LenFields<'a> {
    type Item = LenField<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<LenField<'a>> {
        loop {
            let start = self.0.position();
            match *self.0.rest() {
                [] => return None,
                // What is short has a tag and a length of one byte each.
                [tag, length, ref rest @ ..] if tag & 0x87 == LEN && tag > LEN && length < 0x80 => {
                    let (payload, rest) = rest.split_at_checked(usize::from(length))?;
                    self.0.rest = rest;
                    return Some(LenField { number: u32::from(tag >> 3), payload, start, end: self.0.position() });
                }
                [tag, ref rest @ ..] if tag & 0x87 == FIXED64 && tag > FIXED64 => self.0.rest = rest.get(8..)?,
                _ => {
                    // By value, so that the cursor stays in registers.
                    let (found, rest) = other_field(self.0.rest())?;
                    self.0.rest = rest;
                    if let Some((number, payload)) = found {
                        return Some(LenField { number, payload, start, end: self.0.position() });
                    }
                }
            }
        }
    }
}

/// What [`other_field`] finds: the field's number and payload, where it is length-delimited, and what follows it.
type OtherField<'a> = (Option<(u32, &'a [u8])>, &'a [u8]);

/// A field that is not of the usual shape.
#[inline(never)]
fn other_field(bytes: &[u8]) -> Option<OtherField<'_>> {
    let mut cursor = Cursor::new(bytes);
    let found = cursor.field().ok()??;
    let payload = if let Raw::Len(payload) = found.raw { Some((found.number, payload)) } else { None };
    Some((payload, cursor.rest()))
}

/// One entry of a list of messages, and where its field lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The entries of one list of a message in plain form: like [`fields`], for the loops in which most reading time goes.
/// `number` is below 16, as every list's is, so its tag is one byte.
#[inline]
pub(crate) fn entries(bytes: &[u8], number: u32) -> Entries<'_> {
    debug_assert!(number < 16, "the tag of field {number} is longer than a byte");
    Entries { cursor: Cursor::new(bytes), tag: (number << 3) as u8 | LEN }
}

/// See [`entries`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries<'a> {
    cursor: Cursor<'a>,
    tag: u8,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let start = self.cursor.position();
            let tag = *self.cursor.rest().first()?;
            if tag == self.tag {
                self.cursor.advance(1);
                let payload = self.cursor.payload().ok()?;
                return Some(Entry { payload, start, end: self.cursor.position() });
            }
            match tag {
                0x80.. => drop(self.cursor.field().ok()?),
                _ if tag & 7 == LEN => {
                    self.cursor.advance(1);
                    self.cursor.payload().ok()?;
                }
                _ if tag & 7 == FIXED64 => self.cursor.advance(9),
                _ => drop(self.cursor.field().ok()?),
            }
        }
    }
}

/// How many bytes a varint takes.
#[inline(always)]
pub(crate) fn varint_length(value: u64) -> usize {
    // Seven bits a byte, one byte for zero.
    ((70 - (value | 1).leading_zeros()) / 7) as usize
}

/// How many bytes a length-delimited field takes: tag, length and payload.
#[inline(always)]
pub(crate) fn field_length(number: u32, payload: usize) -> usize {
    varint_length(u64::from(number) << 3) + varint_length(payload as u64) + payload
}

#[inline(always)]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire_type));
}

/// Writes the tag and the length of a length-delimited field, whose payload the caller writes next.
#[inline(always)]
pub(crate) fn put_length(out: &mut Vec<u8>, number: u32, payload: usize) {
    if number < 16 && (0x80..0x4000).contains(&payload) {
        // Spans are of this size, so this is where emitting spends its time beside the copy.
        out.extend_from_slice(&[(number << 3) as u8 | LEN, payload as u8 | 0x80, (payload >> 7) as u8]);
        return;
    }
    put_tag(out, number, LEN);
    put_varint(out, payload as u64);
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, payload: &[u8]) {
    put_length(out, number, payload.len());
    out.extend_from_slice(payload);
}

/// Writes a length-delimited field whose payload `write` appends, its length not being known before.
pub(crate) fn put_message(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let start = open(out, number);
    write(out);
    close(out, start);
}

/// Writes the tag of a length-delimited field and leaves one byte for the length; gives where the payload begins, for [`close`].
#[inline(always)]
pub(crate) fn open(out: &mut Vec<u8>, number: u32) -> usize {
    put_tag(out, number, LEN);
    out.push(0);
    out.len()
}

/// Writes the length of a payload that began at `start` in front of it. Only a longer one than fits into the byte left for it is moved.
#[inline(always)]
pub(crate) fn close(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start;
    if length < 0x80 {
        out[start - 1] = length as u8;
    } else {
        close_long(out, start, length);
    }
}

fn close_long(out: &mut Vec<u8>, start: usize, length: usize) {
    let more = varint_length(length as u64) - 1;
    out.resize(out.len() + more, 0);
    out.copy_within(start..start + length, start + more);
    let mut rest = length;
    for byte in &mut out[start - 1..start + more] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[start + more - 1] &= 0x7f;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_length(value), "{value}");
            assert_eq!(Cursor::new(&out).varint(), Ok(value));
        }
    }

    #[test]
    fn varints_end_after_ten_bytes() {
        assert_eq!(Cursor::new(&[0xff; 10]).varint(), Err(Malformed));
        let mut eleven = [0x80; 11];
        eleven[10] = 0;
        assert_eq!(Cursor::new(&eleven).varint(), Err(Malformed));
        assert_eq!(Cursor::new(&[0x80, 0x80]).varint(), Err(Malformed));
    }

    #[test]
    fn groups_are_skipped_and_must_match() {
        let group = [0x0b, 0x13, 0x08, 0x01, 0x14, 0x0c, 0x10, 0x05];
        let seen: Vec<_> = fields(&group).map(|f| (f.number, f.raw)).collect();
        assert_eq!(seen, [(1, Raw::Group), (2, Raw::Varint(5))]);
        assert!(Cursor::new(&[0x0b, 0x14]).field().is_err());
        assert!(Cursor::new(&[0x0b].repeat(40)).field().is_err());
    }

    #[test]
    fn length_delimited_fields_are_the_same_read_either_way() {
        let mut message = Vec::new();
        for number in [1, 2, 15, 16, 300] {
            for length in [0, 1, 127, 128, 300] {
                put_bytes(&mut message, number, &vec![7; length]);
                put_tag(&mut message, number, FIXED64);
                message.extend_from_slice(&[0x12; 8]);
                put_tag(&mut message, number, FIXED32);
                message.extend_from_slice(&[0x0a; 4]);
                put_tag(&mut message, number, VARINT);
                put_varint(&mut message, 1 << length.min(40));
            }
        }
        // Whole, and broken off anywhere.
        for end in 0..=message.len() {
            let of_any = fields(&message[..end]).filter(|field| field.raw.wire_type() == LEN);
            let expected: Vec<_> = of_any.map(|field| (field.number, field.raw.payload(), field.start, field.end)).collect();
            let found: Vec<_> = len_fields(&message[..end]).map(|field| (field.number, field.payload, field.start, field.end)).collect();
            assert_eq!(found, expected, "{end}");
        }
    }

    #[test]
    fn a_length_is_left_room_for() {
        for length in [0, 1, 127, 128, 300, 16_383, 16_384, 3_000_000] {
            let payload: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let (mut whole, mut out) = (vec![9], vec![9]);
            put_bytes(&mut whole, 16, &payload);
            let start = open(&mut out, 16);
            out.extend_from_slice(&payload);
            close(&mut out, start);
            assert_eq!(out, whole);
        }
    }

    #[test]
    fn a_length_is_put_in_front() {
        let mut out = vec![9];
        put_message(&mut out, 1, |out| out.extend_from_slice(&[7; 200]));
        assert_eq!(out[..4], [9, 0x0a, 0xc8, 0x01]);
        assert_eq!(out.len(), 204);
    }
}
