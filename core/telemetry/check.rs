//! The check on receipt: is every nested byte of an item what a strict decoder would accept, and not too deep?
//!
//! What passes here can be decoded by the next hop, so one sender's broken span cannot make a back end refuse a whole push. The check also tells
//! *plain* messages from *odd* ones: valid, but with a singular field given twice, which the format says to merge. Odd ones are rewritten
//! once ([`plain`](super::plain)), so that every later reader may stop at the first occurrence it finds.
//!
//! Strings are not checked for UTF-8: that is done where one is read, edited or turned into JSON.

use super::depth;
use super::schema::{self, Field, Kind, Message};
use super::wire::{Cursor, Malformed, Raw, VARINT, varint_length};

/// How deep values may nest: a list in a map in a list ... Deeper than this, some decoder down the line gives up or runs out of stack.
pub const MOST_VALUE_LEVELS: u32 = 32;

/// Why a message cannot pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Malformed,
    TooDeep,
}

impl From<Malformed> for Fault {
    fn from(_: Malformed) -> Self {
        Fault::Malformed
    }
}

/// What the check remembers on its way through one item.
#[derive(Debug, Default)]
pub(crate) struct Check {
    /// A singular field was given twice, or a tag was written longer than need be, anywhere inside.
    pub(crate) odd: bool,
    /// Values are nested so deep that what is around them counts as well.
    deep: bool,
}

impl Check {
    /// Checks the whole of an item or an envelope, and where it stands in its request.
    pub(crate) fn whole(&mut self, message: &'static Message, bytes: &[u8]) -> Result<(), Fault> {
        self.message(message, bytes, 0)?;
        self.depth(message, bytes)
    }

    /// The last of the checks, for whoever walks through a message's own fields by itself.
    #[inline(always)]
    pub(crate) fn depth(&self, message: &'static Message, bytes: &[u8]) -> Result<(), Fault> {
        if self.deep { depth::check(message, bytes) } else { Ok(()) }
    }

    /// Checks a message of any type by its table.
    pub(crate) fn message(&mut self, message: &'static Message, bytes: &[u8], level: u32) -> Result<(), Fault> {
        if message.is(&schema::KEY_VALUE) {
            return self.key_value(bytes, level);
        }
        if message.is(&schema::ANY_VALUE) {
            return self.any_value(bytes, level);
        }
        let mut cursor = Cursor::new(bytes);
        let mut seen = 0;
        while !cursor.at_end() {
            self.field(message, &mut cursor, &mut seen, level)?;
        }
        Ok(())
    }

    /// Checks the next field, whatever it is. `seen` has a bit for every singular field that came before.
    pub(crate) fn field(&mut self, message: &'static Message, cursor: &mut Cursor<'_>, seen: &mut u32, level: u32) -> Result<(), Fault> {
        let start = cursor.position();
        let (number, wire_type) = cursor.tag()?;
        let Some(field) = message.field(number) else {
            cursor.value(number, wire_type)?;
            return Ok(());
        };
        self.odd |= cursor.position() - start != varint_length(u64::from(number) << 3);
        if !field.is_repeated() {
            let bit = field.singular_bit();
            self.odd |= *seen & bit != 0;
            *seen |= bit;
        }
        self.value(field, cursor, wire_type, level)
    }

    fn value(&mut self, field: &'static Field, cursor: &mut Cursor<'_>, wire_type: u8, level: u32) -> Result<(), Fault> {
        if wire_type != field.wire_type() {
            return packed(field, cursor, wire_type);
        }
        match (field.kind, cursor.value(field.number, wire_type)?) {
            // A decoder counts every message it is in, and an exemplar is one more than other holders of attributes stand in.
            (Kind::Message(message), Raw::Len(payload)) => self.message(message, payload, level + u32::from(message.is(&schema::EXEMPLAR))),
            _ => Ok(()),
        }
    }

    /// Checks one attribute.
    #[inline]
    pub(crate) fn key_value(&mut self, bytes: &[u8], level: u32) -> Result<(), Fault> {
        match canonical_value(bytes) {
            Some(value) => self.any_value(value, level),
            None => self.key_value_slow(bytes, level),
        }
    }

    fn key_value_slow(&mut self, bytes: &[u8], level: u32) -> Result<(), Fault> {
        let mut cursor = Cursor::new(bytes);
        let mut seen = 0;
        while !cursor.at_end() {
            self.field(&schema::KEY_VALUE, &mut cursor, &mut seen, level)?;
        }
        Ok(())
    }

    /// Checks a value that stands `level` values deep.
    #[inline]
    pub(crate) fn any_value(&mut self, bytes: &[u8], level: u32) -> Result<(), Fault> {
        if level >= MOST_VALUE_LEVELS {
            return Err(Fault::TooDeep);
        }
        // Nearly every value is one string or number: one look decides.
        match bytes {
            [0x0a, length, text @ ..] if *length < 0x80 && usize::from(*length) == text.len() => Ok(()),
            [0x18 | 0x10, byte] | [0x18, 0x80..=0xff, byte] if *byte < 0x80 => Ok(()),
            [0x21, double @ ..] if double.len() == 8 => Ok(()),
            _ => self.any_value_slow(bytes, level),
        }
    }

    fn any_value_slow(&mut self, bytes: &[u8], level: u32) -> Result<(), Fault> {
        self.deep |= level >= depth::WORTH_COUNTING;
        let mut cursor = Cursor::new(bytes);
        let mut seen = 0;
        while !cursor.at_end() {
            self.field(&schema::ANY_VALUE, &mut cursor, &mut seen, level + 1)?;
        }
        Ok(())
    }
}

/// The value of an attribute in the shape that every SDK writes: a short key, then the value, then nothing.
#[inline(always)]
fn canonical_value(key_value: &[u8]) -> Option<&[u8]> {
    let [0x0a, key_length, rest @ ..] = key_value else { return None };
    let (&[0x12, length], value) = rest.get(usize::from(*key_length)..)?.split_first_chunk::<2>()? else { return None };
    (*key_length < 0x80 && length < 0x80 && usize::from(length) == value.len()).then_some(value)
}

/// Numbers in a list may come packed into one field instead of one field each; nothing else may come in another wire type than its own.
fn packed(field: &'static Field, cursor: &mut Cursor<'_>, wire_type: u8) -> Result<(), Fault> {
    let packable = field.is_repeated() && field.wire_type() != super::wire::LEN && wire_type == super::wire::LEN;
    if !packable {
        return Err(Fault::Malformed);
    }
    let mut numbers = Cursor::new(cursor.payload()?);
    while !numbers.at_end() {
        match field.wire_type() {
            VARINT => drop(numbers.varint()?),
            super::wire::FIXED64 => drop(numbers.fixed64()?),
            _ => drop(numbers.fixed32()?),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::wire::put_message;
    use super::*;

    fn nested(levels: u32) -> Vec<u8> {
        let mut value = vec![0x18, 1];
        for _ in 1..levels {
            let inner = std::mem::take(&mut value);
            put_message(&mut value, 5, |out| put_message(out, 1, |out| out.extend_from_slice(&inner)));
        }
        value
    }

    #[test]
    fn values_nest_so_deep_and_no_deeper() {
        assert_eq!(Check::default().any_value(&nested(MOST_VALUE_LEVELS), 0), Ok(()));
        assert_eq!(Check::default().any_value(&nested(MOST_VALUE_LEVELS + 1), 0), Err(Fault::TooDeep));
        assert_eq!(Check::default().any_value(&nested(5_000), 0), Err(Fault::TooDeep));
    }

    #[test]
    fn wire_types_must_fit() {
        let mut check = Check::default();
        assert_eq!(check.message(&schema::SPAN, &[0x28, 1], 0), Err(Fault::Malformed), "a name that is a number");
        assert_eq!(check.message(&schema::BUCKETS, &[0x12, 2, 1, 2, 0x10, 3], 0), Ok(()), "packed and not");
        assert_eq!(check.message(&schema::HISTOGRAM_POINT, &[0x32, 3, 1, 2, 3], 0), Err(Fault::Malformed), "three bytes of eight");
        assert!(!check.odd);
    }

    #[test]
    fn doubles_are_odd() {
        for odd in [&[0x0a, 1, b'k', 0x0a, 1, b'l'][..], &[0x8a, 0x00, 1, b'k'], &[0x12, 4, 0x18, 1, 0x10, 1]] {
            let mut check = Check::default();
            assert_eq!(check.key_value(odd, 0), Ok(()));
            assert!(check.odd, "{odd:?}");
        }
    }
}
