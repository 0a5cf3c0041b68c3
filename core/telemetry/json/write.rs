//! From protobuf to JSON, field by field in the order of their numbers.

use smallvec::SmallVec;

use super::encoding::{put_base64, put_hex};
use super::text::plain;
use super::value::is_zero;
use super::{MOST_VALUE_LEVELS, Undecodable};
use crate::telemetry::schema::{self, Field, Kind, Message, Presence};
use crate::telemetry::utf8;
use crate::telemetry::wire::{Cursor, LEN, Malformed, Raw, fields};

/// What passed the check on receipt is never so deep: this is for whoever hands in other bytes, so that they cannot exhaust the stack.
const MOST_LEVELS: u32 = 2 * MOST_VALUE_LEVELS;

/// The bytes of one message. Senders may give a message in several pieces, which together are the message.
type Pieces<'a> = SmallVec<[&'a [u8]; 1]>;

impl From<Malformed> for Undecodable {
    fn from(_: Malformed) -> Self {
        Undecodable::Malformed
    }
}

/// Appends a message in JSON.
pub(super) fn message(message: &'static Message, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
    let length = out.len();
    let written = Writer { out, level: 0 }.message(message, &[bytes]);
    if written.is_err() {
        out.truncate(length);
    }
    written
}

/// What one look over the fields of a message tells.
struct Survey {
    /// Every field comes once or, if repeated, in one run, and they come by number: nearly always so.
    tidy: bool,
    /// The member of the oneof that counts, and which field of the message it begins with: what came before is replaced by it.
    member: Option<(u32, usize)>,
}

impl Survey {
    fn of(message: &'static Message, pieces: &[&[u8]]) -> Result<Self, Malformed> {
        let mut survey = Self { tidy: pieces.len() == 1, member: None };
        let (mut last, mut ordinal) = (0, 0);
        for piece in pieces {
            let mut cursor = Cursor::new(piece);
            while let Some(wire) = cursor.field()? {
                ordinal += 1;
                let Some(field) = message.field(wire.number) else { continue };
                if !readable(field, wire.raw) {
                    return Err(Malformed);
                }
                survey.tidy &= if field.is_repeated() { wire.number >= last } else { wire.number > last };
                last = wire.number;
                if field.presence == Presence::OneOf && survey.member.is_none_or(|(number, _)| number != wire.number) {
                    survey.tidy &= survey.member.is_none();
                    survey.member = Some((wire.number, ordinal));
                }
            }
        }
        Ok(survey)
    }

    /// True for a field that another member of the oneof replaced.
    fn replaced(&self, field: &Field, ordinal: usize) -> bool {
        field.presence == Presence::OneOf && self.member.is_some_and(|(number, since)| number != field.number || ordinal < since)
    }
}

fn readable(field: &Field, raw: Raw<'_>) -> bool {
    let packed = field.is_repeated() && raw.wire_type() == LEN;
    packed || raw.wire_type() == field.wire_type()
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// How many values we are inside of.
    level: u32,
}

impl Writer<'_> {
    fn message(&mut self, message: &'static Message, pieces: &[&[u8]]) -> Result<(), Undecodable> {
        let deeper = u32::from(message.is(&schema::ANY_VALUE));
        self.level += deeper;
        if self.level > MOST_LEVELS {
            return Err(Undecodable::TooDeep);
        }
        let survey = Survey::of(message, pieces)?;
        self.out.push(b'{');
        match pieces {
            [bytes] if survey.tidy => self.tidy_fields(message, bytes)?,
            _ => self.scattered_fields(message, pieces, &survey)?,
        }
        self.out.push(b'}');
        self.level -= deeper;
        Ok(())
    }

    /// Fields that lie as they are to be written: one pass.
    fn tidy_fields(&mut self, message: &'static Message, bytes: &[u8]) -> Result<(), Undecodable> {
        let mut cursor = Cursor::new(bytes);
        while let Some(wire) = cursor.field()? {
            match message.field(wire.number) {
                Some(field) if field.is_repeated() => {
                    let mut ahead = cursor;
                    let rest = std::iter::from_fn(|| {
                        let next = ahead.field().ok().flatten().filter(|next| next.number == field.number)?;
                        cursor = ahead;
                        Some(next.raw)
                    });
                    self.list(field, std::iter::once(wire.raw).chain(rest))?;
                }
                Some(field) => self.single(field, wire.raw)?,
                None => {}
            }
        }
        Ok(())
    }

    /// Fields in any order, split or given again: one pass for each that there can be.
    fn scattered_fields(&mut self, message: &'static Message, pieces: &[&[u8]], survey: &Survey) -> Result<(), Undecodable> {
        for field in message.fields {
            let all = pieces.iter().flat_map(|piece| fields(piece)).zip(1..);
            let own = all.filter(|(wire, ordinal)| wire.number == field.number && !survey.replaced(field, *ordinal));
            let mut raws = own.map(|(wire, _)| wire.raw);
            match field.kind {
                _ if field.is_repeated() => self.list(field, raws)?,
                Kind::Message(message) => {
                    let pieces: Pieces<'_> = raws.map(Raw::payload).collect();
                    if !pieces.is_empty() {
                        self.key(field);
                        self.message(message, &pieces)?;
                    }
                }
                _ => {
                    // The last one counts.
                    if let Some(first) = raws.next() {
                        self.single(field, raws.last().unwrap_or(first))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn single(&mut self, field: &'static Field, raw: Raw<'_>) -> Result<(), Undecodable> {
        if let Kind::Message(message) = field.kind {
            self.key(field);
            return self.message(message, &[raw.payload()]);
        }
        if field.presence != Presence::Implicit || !is_zero(raw) {
            self.key(field);
            self.scalar(field.kind, raw);
        }
        Ok(())
    }

    fn list<'a>(&mut self, field: &'static Field, raws: impl Iterator<Item = Raw<'a>>) -> Result<(), Undecodable> {
        let mut open = false;
        for raw in raws {
            if !open {
                self.key(field);
                self.out.push(b'[');
                open = true;
            }
            match (field.kind, raw) {
                (Kind::Message(message), raw) => {
                    self.comma(b'[');
                    self.message(message, &[raw.payload()])?;
                }
                (kind, Raw::Len(numbers)) if field.wire_type() != LEN => self.packed(kind, field.wire_type(), numbers)?,
                (kind, raw) => {
                    self.comma(b'[');
                    self.scalar(kind, raw);
                }
            }
        }
        if open {
            self.out.push(b']');
        }
        Ok(())
    }

    fn packed(&mut self, kind: Kind, wire_type: u8, numbers: &[u8]) -> Result<(), Undecodable> {
        let mut cursor = Cursor::new(numbers);
        while !cursor.at_end() {
            let raw = cursor.value(1, wire_type)?;
            self.comma(b'[');
            self.scalar(kind, raw);
        }
        Ok(())
    }

    fn scalar(&mut self, kind: Kind, raw: Raw<'_>) {
        match (kind, raw) {
            (Kind::Bool, Raw::Varint(value)) => self.serialised(&(value != 0)),
            (Kind::Int32 | Kind::Enum(_), Raw::Varint(value)) => self.serialised(&(value as i32)),
            (Kind::UInt32, Raw::Varint(value)) => self.serialised(&(value as u32)),
            (Kind::SInt32, Raw::Varint(value)) => self.serialised(&unzigzag(value as u32)),
            (Kind::Int64, Raw::Varint(value)) => self.quoted(&(value as i64)),
            (_, Raw::Varint(value)) => self.quoted(&value),
            (_, Raw::Fixed32(value)) => self.serialised(&value),
            (Kind::Double, Raw::Fixed64(bits)) => self.double(f64::from_bits(bits)),
            (Kind::SFixed64, Raw::Fixed64(bits)) => self.quoted(&(bits as i64)),
            (_, Raw::Fixed64(value)) => self.quoted(&value),
            (_, Raw::Len(payload)) => self.payload(kind, payload),
            (_, Raw::Group) => {}
        }
    }

    fn payload(&mut self, kind: Kind, payload: &[u8]) {
        let put = match kind {
            Kind::Id(_) => put_hex,
            Kind::Bytes => put_base64,
            _ => return self.string(&utf8::repair(payload)),
        };
        self.out.push(b'"');
        put(self.out, payload);
        self.out.push(b'"');
    }

    fn string(&mut self, text: &str) {
        if plain(text.as_bytes()) < text.len() {
            return self.serialised(text);
        }
        // Nothing to escape: nearly always so.
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    fn double(&mut self, value: f64) {
        match value {
            _ if value.is_nan() => self.serialised("NaN"),
            f64::INFINITY => self.serialised("Infinity"),
            f64::NEG_INFINITY => self.serialised("-Infinity"),
            _ => self.serialised(&value),
        }
    }

    /// Writes a number of 64 bits: as a string, because a reader in JavaScript has only 53 of them.
    fn quoted(&mut self, value: &impl serde::Serialize) {
        self.out.push(b'"');
        self.serialised(value);
        self.out.push(b'"');
    }

    fn serialised(&mut self, value: &(impl serde::Serialize + ?Sized)) {
        // Neither writing to memory nor serialising a number or a string can fail.
        let _ = serde_json::to_writer(&mut *self.out, value);
    }

    fn key(&mut self, field: &Field) {
        self.comma(b'{');
        self.out.extend_from_slice(field.key.written());
    }

    /// A comma, unless this is the first since the bracket. No value ends in an opening bracket, so the last byte tells.
    fn comma(&mut self, bracket: u8) {
        if self.out.last() != Some(&bracket) {
            self.out.push(b',');
        }
    }
}

fn unzigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}
