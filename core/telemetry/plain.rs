//! Rewrites an odd message, in which singular fields stand several times, into the plain one that means the same.
//!
//! The format lets a sender write a field twice: of numbers and strings the last one holds, sub-messages are merged, of a oneof the last member holds.
//! Hardly any sender does; but a reader that takes the first and a back end that takes the last would disagree, and a redaction would miss one.

use smallvec::SmallVec;

use super::schema::{Field, Message, Presence};
use super::wire::{self, Raw, fields};

/// The pieces that a message came in. They are put together where they are written and never before: a sender that cuts every message of a deep
/// value in two would have us hold as many copies of it as it is deep.
type Pieces<'a> = SmallVec<[&'a [u8]; 2]>;

/// Appends the plain form of a message that passed the check.
pub(crate) fn write_plain(message: &'static Message, bytes: &[u8], out: &mut Vec<u8>) {
    write_pieces(message, &[bytes], out);
}

fn write_pieces(message: &'static Message, pieces: &[&[u8]], out: &mut Vec<u8>) {
    let mut written = 0u32;
    for (piece, found) in pieces.iter().flat_map(|piece| fields(piece).map(move |found| (piece, found))) {
        let Some(field) = message.field(found.number) else {
            out.extend_from_slice(&piece[found.start..found.end]);
            continue;
        };
        if field.is_repeated() {
            write_field(field, found.raw, &[found.raw.payload()], out);
            continue;
        }
        let bit = field.singular_bit();
        if written & bit != 0 {
            continue;
        }
        written |= bit;
        let (field, last, payloads) = settled(message, field, pieces);
        write_field(field, last, &payloads, out);
    }
}

/// What a singular field comes to: the field that holds (of a oneof, another may have come later), its last occurrence, and the payloads that make
/// it up where it is a message.
fn settled<'a>(message: &'static Message, field: &'static Field, pieces: &[&'a [u8]]) -> (&'static Field, Raw<'a>, Pieces<'a>) {
    let (mut holds, mut last, mut payloads) = (field, Raw::Len(&[]), Pieces::new());
    for found in pieces.iter().flat_map(|piece| fields(piece)) {
        let Some(this) = message.field(found.number) else { continue };
        let rivals = this.number == field.number || (this.presence == Presence::OneOf && field.presence == Presence::OneOf);
        if !rivals {
            continue;
        }
        if this.number != holds.number {
            payloads.clear();
        }
        payloads.extend(Some(found.raw.payload()).filter(|payload| !payload.is_empty()));
        (holds, last) = (this, found.raw);
    }
    (holds, last, payloads)
}

fn write_field(field: &'static Field, raw: Raw<'_>, payloads: &[&[u8]], out: &mut Vec<u8>) {
    match field.message() {
        Some(message) => wire::put_message(out, field.number, |out| write_pieces(message, payloads, out)),
        None => put_raw(out, field.number, raw),
    }
}

/// Writes a field as it was read, its tag as short as can be.
pub(crate) fn put_raw(out: &mut Vec<u8>, number: u32, raw: Raw<'_>) {
    if raw != Raw::Group {
        wire::put_tag(out, number, raw.wire_type());
    }
    match raw {
        Raw::Varint(value) => wire::put_varint(out, value),
        Raw::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
        Raw::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Raw::Len(payload) => {
            wire::put_varint(out, payload.len() as u64);
            out.extend_from_slice(payload);
        }
        // Only unknown fields are groups, and those are copied whole by whoever meets them.
        Raw::Group => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Check;
    use super::super::schema;
    use super::*;

    fn plain(message: &'static Message, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_plain(message, bytes, &mut out);
        let mut check = Check::default();
        check.message(message, &out, 0).unwrap();
        assert!(!check.odd, "what comes out is plain");
        out
    }

    #[test]
    fn the_last_scalar_holds() {
        assert_eq!(plain(&schema::KEY_VALUE, &[0x0a, 1, b'a', 0x0a, 1, b'b']), [0x0a, 1, b'b']);
        assert_eq!(plain(&schema::KEY_VALUE, &[0x8a, 0, 1, b'a']), [0x0a, 1, b'a'], "a tag longer than need be");
    }

    #[test]
    fn messages_merge() {
        let status = [0x7a, 3, 0x12, 1, b'm', 0x7a, 2, 0x18, 2];
        assert_eq!(plain(&schema::SPAN, &status), [0x7a, 5, 0x12, 1, b'm', 0x18, 2]);
    }

    #[test]
    fn the_last_of_a_oneof_holds_and_lists_of_it_merge() {
        assert_eq!(plain(&schema::ANY_VALUE, &[0x18, 1, 0x10, 1]), [0x10, 1]);
        let list = |n| [0x2a, 4, 0x0a, 2, 0x18, n];
        let two = [list(1), list(2)].concat();
        assert_eq!(plain(&schema::ANY_VALUE, &two), [0x2a, 8, 0x0a, 2, 0x18, 1, 0x0a, 2, 0x18, 2]);
        let interrupted = [&list(1)[..], &[0x18, 7], &list(2)].concat();
        assert_eq!(plain(&schema::ANY_VALUE, &interrupted), list(2), "another member in between empties it");
    }

    #[test]
    fn unknown_fields_stay() {
        let bytes = [0x0a, 1, b'a', 0xa2, 0x06, 1, 9, 0x0b, 0x0c];
        // Field 1 as a group is no known field's wire type, so only the well-formed part is taken.
        assert_eq!(plain(&schema::KEY_VALUE, &bytes[..7]), bytes[..7]);
    }
}
