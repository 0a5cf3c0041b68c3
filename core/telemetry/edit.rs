//! Writes a message anew with one place of it changed: the rest is copied as it stands, unknown fields included.

use super::path::Step;
use super::plain::put_raw;
use super::read::numbers;
use super::schema::{self, Field, Kind, Message, Presence};
use super::value::{Attribute, ListRef, MapRef, Value, ValueRef, put_any_value, put_attribute};
use super::wire::Raw;
use super::wire::{self, WireField, entries, fields, put_bytes};

/// What to do at the end of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change<'v> {
    Set(&'v Value),
    Append(&'v Value),
    Delete,
}

/// Why an edit was not made. The item is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Items of this kind have no such field.
    #[error("a {0} has no such field")]
    NoSuchField(&'static str),
    /// The value does not fit the field.
    #[error("`{field}` takes {wanted}, not {got}")]
    WrongType {
        /// The field.
        field: String,
        /// What it takes.
        wanted: &'static str,
        /// What was given.
        got: &'static str,
    },
    /// A key into something that is no map.
    #[error("what holds the key `{0}` is no map")]
    NotAMap(String),
    /// A number or an appended value into something that is no list.
    #[error("what should be a list is none")]
    NotAList,
    /// A list is shorter.
    #[error("the list has no element {0}")]
    NoSuchIndex(usize),
    /// The value would nest deeper than what is accepted on receipt.
    #[error("values would be nested deeper than 32 levels")]
    TooDeep,
    /// A span cannot be without its ids.
    #[error("an id must have its full length and not be all zero")]
    BadId,
    /// The batch would grow beyond 4 GiB.
    #[error("the batch would grow beyond 4 GiB")]
    TooLarge,
}

type Changed = Result<bool, EditError>;

/// Appends the message with the change made. Tells whether there was anything to change; if not, what was appended is worthless.
pub(crate) fn write(message: &'static Message, bytes: &[u8], steps: &[Step], change: Change<'_>, out: &mut Vec<u8>) -> Changed {
    match steps {
        [Step::Field(field), rest @ ..] if field.is_repeated() => write_list(field, bytes, rest, change, out),
        [Step::Field(field), rest @ ..] => write_singular(message, field, bytes, rest, change, out),
        _ => Err(EditError::NoSuchField(message.name)),
    }
}

fn write_singular(
    message: &'static Message,
    field: &'static Field,
    bytes: &[u8],
    rest: &[Step],
    change: Change<'_>,
    out: &mut Vec<u8>,
) -> Changed {
    let own = fields(bytes).find(|found| found.number == field.number);
    // A member of a oneof takes the place of the one that held before.
    let is_rival = |found: &WireField<'_>| message.field(found.number).is_some_and(|other| other.presence == Presence::OneOf);
    let replaced = match (field.presence, change) {
        (Presence::OneOf, Change::Set(_)) => fields(bytes).find(is_rival),
        _ => own,
    };
    let (before, behind) = replaced.map_or((bytes, &[][..]), |found| (&bytes[..found.start], &bytes[found.end..]));
    out.extend_from_slice(before);
    let payload = own.map(|found| found.raw.payload());
    let changed = match (field.kind, rest, change) {
        (_, [], Change::Delete) => own.is_some(),
        (Kind::Message(inner), _, _) if inner.is(&schema::ANY_VALUE) => {
            if payload.is_none() && matches!(change, Change::Delete) {
                return Ok(false);
            }
            nested(out, field.number, |out| write_any(payload.unwrap_or(&[]), rest, change, out))?
        }
        (_, [], Change::Set(value)) => put_value(field, value, out).map(|()| true)?,
        (_, [], Change::Append(_)) => return Err(EditError::NotAList),
        (Kind::Message(inner), _, _) => {
            if payload.is_none() && matches!(change, Change::Delete) {
                return Ok(false);
            }
            nested(out, field.number, |out| write(inner, payload.unwrap_or(&[]), rest, change, out))?
        }
        _ => return Err(EditError::NoSuchField(message.name)),
    };
    out.extend_from_slice(behind);
    Ok(changed)
}

/// Writes a length-delimited field whose payload `write` appends.
fn nested(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>) -> Changed) -> Changed {
    let start = wire::open(out, number);
    let changed = write(out)?;
    wire::close(out, start);
    Ok(changed)
}

fn write_list(field: &'static Field, bytes: &[u8], steps: &[Step], change: Change<'_>, out: &mut Vec<u8>) -> Changed {
    match steps {
        [] => write_whole_list(field, bytes, change, out),
        [Step::Key(key), rest @ ..] => write_entry(field, bytes, key, rest, change, out),
        [Step::Index(index), rest @ ..] => match field.kind {
            Kind::Message(_) => write_element(field, bytes, *index, rest, change, out),
            _ => write_number(field, bytes, *index, change, out),
        },
        [Step::Field(_), ..] => Err(EditError::NotAList),
    }
}

fn write_whole_list(field: &'static Field, bytes: &[u8], change: Change<'_>, out: &mut Vec<u8>) -> Changed {
    if let Change::Append(value) = change {
        out.extend_from_slice(bytes);
        return put_entry(field, value, out).map(|()| true);
    }
    let mut entries = fields(bytes).filter(|found| found.number == field.number).peekable();
    let place = entries.peek().map_or(bytes.len(), |first| first.start);
    let had_any = entries.peek().is_some();
    out.extend_from_slice(&bytes[..place]);
    if let Change::Set(value) = change {
        put_list(field, value, out)?;
    }
    copy_but(&bytes[place..], out, |found| found.number == field.number);
    Ok(had_any || matches!(change, Change::Set(_)))
}

/// Copies the fields of a message but those that `left_out` names.
fn copy_but(bytes: &[u8], out: &mut Vec<u8>, left_out: impl Fn(&WireField<'_>) -> bool) {
    let mut kept_from = 0;
    for found in fields(bytes).filter(|found| left_out(found)) {
        out.extend_from_slice(&bytes[kept_from..found.start]);
        kept_from = found.end;
    }
    out.extend_from_slice(&bytes[kept_from..]);
}

/// Changes the entry of a key. Where the key stands several times, once is left: a value that was replaced must not live on behind.
fn write_entry(field: &'static Field, bytes: &[u8], key: &str, rest: &[Step], change: Change<'_>, out: &mut Vec<u8>) -> Changed {
    let mut same_key = entries(bytes, field.number).filter(|entry| Attribute::new(entry.payload).key == key.as_bytes());
    let first = same_key.next();
    if first.is_none() && matches!(change, Change::Delete) {
        return Ok(false);
    }
    let (start, mut copied) = first.map_or((bytes.len(), bytes.len()), |entry| (entry.start, entry.end));
    out.extend_from_slice(&bytes[..start]);
    let changed = match (rest, change) {
        ([], Change::Delete) => true,
        ([], Change::Set(value)) if first.is_none() => {
            put_attribute(out, field.number, key, value);
            true
        }
        _ => nested(out, field.number, |out| match first {
            Some(entry) => write_entry_value(entry.payload, rest, change, out),
            None => {
                put_bytes(out, 1, key.as_bytes());
                nested(out, 2, |out| write_any(&[], rest, change, out))
            }
        })?,
    };
    for doubled in same_key {
        out.extend_from_slice(&bytes[copied..doubled.start]);
        copied = doubled.end;
    }
    out.extend_from_slice(&bytes[copied..]);
    Ok(changed)
}

/// Changes the value of one entry; what else is in the entry stays.
pub(crate) fn write_entry_value(entry: &[u8], rest: &[Step], change: Change<'_>, out: &mut Vec<u8>) -> Changed {
    let value = fields(entry).find(|found| found.number == 2);
    let (before, behind) = value.map_or((entry, &[][..]), |found| (&entry[..found.start], &entry[found.end..]));
    out.extend_from_slice(before);
    let changed = nested(out, 2, |out| write_any(value.map_or(&[], |found| found.raw.payload()), rest, change, out))?;
    out.extend_from_slice(behind);
    Ok(changed)
}

/// Changes one element of a list of messages or values.
fn write_element(field: &'static Field, bytes: &[u8], index: usize, rest: &[Step], change: Change<'_>, out: &mut Vec<u8>) -> Changed {
    let Some(found) = entries(bytes, field.number).nth(index) else {
        return if matches!(change, Change::Delete) { Ok(false) } else { Err(EditError::NoSuchIndex(index)) };
    };
    out.extend_from_slice(&bytes[..found.start]);
    let changed = match (field.kind, rest, change) {
        (_, [], Change::Delete) => true,
        (Kind::Message(inner), _, _) if inner.is(&schema::ANY_VALUE) => {
            nested(out, field.number, |out| write_any(found.payload, rest, change, out))?
        }
        (_, [], Change::Set(value)) => put_entry(field, value, out).map(|()| true)?,
        (_, [], Change::Append(_)) => return Err(EditError::NotAList),
        (Kind::Message(inner), _, _) => nested(out, field.number, |out| write(inner, found.payload, rest, change, out))?,
        _ => return Err(EditError::NotAList),
    };
    out.extend_from_slice(&bytes[found.end..]);
    Ok(changed)
}

/// Changes one number (or string) of a list, which may be packed: the list is written anew.
fn write_number(field: &'static Field, bytes: &[u8], index: usize, change: Change<'_>, out: &mut Vec<u8>) -> Changed {
    let count = numbers(field, bytes).count();
    if index >= count {
        return if matches!(change, Change::Delete) { Ok(false) } else { Err(EditError::NoSuchIndex(index)) };
    }
    copy_but(bytes, out, |found| found.number == field.number);
    for (place, raw) in numbers(field, bytes).enumerate() {
        match (place == index, change) {
            (false, _) => put_raw(out, field.number, raw),
            (true, Change::Set(value)) => put_entry(field, value, out)?,
            (true, Change::Append(_)) => return Err(EditError::NotAList),
            (true, Change::Delete) => {}
        }
    }
    Ok(true)
}

/// Appends what an `AnyValue` holds after the change. Maps come into being where a key is set in nothing.
fn write_any(any: &[u8], steps: &[Step], change: Change<'_>, out: &mut Vec<u8>) -> Changed {
    let value = ValueRef::read(any);
    match (steps, value, change) {
        ([], _, Change::Set(value)) => {
            put_any_value(out, value);
            Ok(true)
        }
        ([], _, Change::Delete) => Ok(true),
        ([], ValueRef::List(ListRef(list)), Change::Append(value)) => append_to_list(list, value, out),
        ([], ValueRef::Empty, Change::Append(value)) => append_to_list(&[], value, out),
        ([], _, Change::Append(_)) => Err(EditError::NotAList),
        ([Step::Key(key), rest @ ..], ValueRef::Map(MapRef(map)), _) => {
            nested(out, 6, |out| write_entry(&schema::KEY_VALUE_LIST.fields[0], map, key, rest, change, out))
        }
        ([Step::Index(index), rest @ ..], ValueRef::List(ListRef(list)), _) => {
            nested(out, 5, |out| write_element(&schema::ARRAY_VALUE.fields[0], list, *index, rest, change, out))
        }
        (_, _, Change::Delete) => Ok(false),
        ([Step::Key(key), rest @ ..], ValueRef::Empty, _) => {
            nested(out, 6, |out| write_entry(&schema::KEY_VALUE_LIST.fields[0], &[], key, rest, change, out))
        }
        ([Step::Key(key), ..], _, _) => Err(EditError::NotAMap(key.clone())),
        _ => Err(EditError::NotAList),
    }
}

fn append_to_list(list: &[u8], value: &Value, out: &mut Vec<u8>) -> Changed {
    nested(out, 5, |out| {
        out.extend_from_slice(list);
        wire::put_message(out, 1, |out| put_any_value(out, value));
        Ok(true)
    })
}

/// Writes all entries of a list from a value: a map for attributes, a list for everything else.
fn put_list(field: &'static Field, value: &Value, out: &mut Vec<u8>) -> Result<(), EditError> {
    match value {
        Value::Map(entries) if field.is_attributes() => {
            entries.iter().for_each(|(key, value)| put_attribute(out, field.number, key, value));
            Ok(())
        }
        Value::List(values) if !field.is_attributes() => values.iter().try_for_each(|value| put_entry(field, value, out)),
        _ => Err(wrong_type(field, if field.is_attributes() { "a map" } else { "a list" }, value)),
    }
}

/// Writes one entry of a list. Numbers stand alone: every reader takes them packed or not.
fn put_entry(field: &'static Field, value: &Value, out: &mut Vec<u8>) -> Result<(), EditError> {
    if field.is_attributes() {
        return Err(EditError::NotAList);
    }
    put_field(field, value, out)
}

/// Writes a singular field. Zero is written only where it differs from absence.
fn put_value(field: &'static Field, value: &Value, out: &mut Vec<u8>) -> Result<(), EditError> {
    let start = out.len();
    put_field(field, value, out)?;
    if field.presence == Presence::Implicit && is_zero(&out[start..]) {
        out.truncate(start);
    }
    Ok(())
}

/// True for a field of which only the tag is not zero.
fn is_zero(written: &[u8]) -> bool {
    fields(written).all(|found| match found.raw {
        Raw::Varint(number) | Raw::Fixed64(number) => number == 0,
        Raw::Fixed32(number) => number == 0,
        Raw::Len(payload) => payload.is_empty(),
        Raw::Group => false,
    })
}

fn put_field(field: &'static Field, value: &Value, out: &mut Vec<u8>) -> Result<(), EditError> {
    let number = field.number;
    match (field.kind, value) {
        (Kind::Message(message), value) => return put_message(field, message, value, out),
        (Kind::String, Value::String(text)) => put_bytes(out, number, text.as_bytes()),
        (Kind::Bytes, Value::Bytes(bytes)) => put_bytes(out, number, bytes),
        (Kind::Id(length), Value::Bytes(bytes)) if bytes.len() == length || bytes.is_empty() => put_bytes(out, number, bytes),
        (Kind::Bool, Value::Bool(truth)) => put_raw(out, number, Raw::Varint(u64::from(*truth))),
        (Kind::Double, Value::Double(double)) => put_raw(out, number, Raw::Fixed64(double.to_bits())),
        (kind, Value::Int(int)) => match integer(kind, *int) {
            Some(raw) => put_raw(out, number, raw),
            None => return Err(wrong_type(field, wanted(kind), value)),
        },
        (kind, value) => return Err(wrong_type(field, wanted(kind), value)),
    }
    Ok(())
}

/// A whole number as a field of its kind holds it; 64 bits are kept as they are, so a `fixed64` time beyond the year 2262 survives.
fn integer(kind: Kind, int: i64) -> Option<Raw<'static>> {
    Some(match kind {
        Kind::Int32 | Kind::Enum(_) => Raw::Varint(i64::from(i32::try_from(int).ok()?) as u64),
        Kind::SInt32 => {
            let int = i32::try_from(int).ok()?;
            Raw::Varint(u64::from(((int << 1) ^ (int >> 31)) as u32))
        }
        Kind::UInt32 => Raw::Varint(u64::from(u32::try_from(int).ok()?)),
        Kind::Fixed32 => Raw::Fixed32(u32::try_from(int).ok()?),
        Kind::Int64 | Kind::UInt64 => Raw::Varint(int as u64),
        Kind::Fixed64 | Kind::SFixed64 => Raw::Fixed64(int as u64),
        _ => return None,
    })
}

/// Writes a message from a map of its fields by name. Of a field, or of the members of a oneof, the first that is given holds.
fn put_message(field: &'static Field, message: &'static Message, value: &Value, out: &mut Vec<u8>) -> Result<(), EditError> {
    if message.is(&schema::ANY_VALUE) {
        wire::put_message(out, field.number, |out| put_any_value(out, value));
        return Ok(());
    }
    let Value::Map(entries) = value else { return Err(wrong_type(field, "a map of its fields", value)) };
    let start = wire::open(out, field.number);
    let mut given = 0u32;
    for (name, value) in entries {
        let Some(inner) = message.field_named(name) else { return Err(EditError::NoSuchField(message.name)) };
        let bit = inner.singular_bit();
        if given & bit != 0 {
            continue;
        }
        given |= bit;
        if inner.is_repeated() { put_list(inner, value, out)? } else { put_value(inner, value, out)? }
    }
    wire::close(out, start);
    Ok(())
}

fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "a boolean",
        Kind::Double => "a number with a fraction",
        Kind::String => "a string",
        Kind::Bytes => "bytes",
        Kind::Id(16) => "16 bytes",
        Kind::Id(_) => "8 bytes",
        Kind::Int32 | Kind::SInt32 | Kind::Enum(_) => "a whole number of 32 bits",
        Kind::UInt32 | Kind::Fixed32 => "a whole number from 0 to 4294967295",
        Kind::Int64 | Kind::UInt64 | Kind::Fixed64 | Kind::SFixed64 => "a whole number",
        Kind::Message(_) => "a map of its fields",
    }
}

fn wrong_type(field: &Field, wanted: &'static str, value: &Value) -> EditError {
    EditError::WrongType { field: field.name.to_owned(), wanted, got: value.type_name() }
}
