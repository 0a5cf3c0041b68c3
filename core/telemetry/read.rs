//! Follows a path through bytes to the value it names.
//!
//! Messages are plain here (every singular field once), so the first occurrence is the only one.

use super::path::Step;
use super::schema::{self, Field, Kind, Message, Presence};
use super::value::{Attribute, Value, ValueRef};
use super::wire::{self, Cursor, LEN, Raw, WireField, fields};

/// What stands at the end of a path.
enum Found<'a> {
    /// One value of a field, which may be one of a list.
    One(&'static Field, Raw<'a>),
    /// A list, and the message it stands in.
    List(&'static Field, &'a [u8]),
    /// The bytes of an `AnyValue`.
    Any(&'a [u8]),
    /// A field that is not written because it has its zero value.
    Zero(&'static Field),
}

/// An owned copy of the value at the end of a path.
pub(crate) fn get(bytes: &[u8], steps: &[Step]) -> Option<Value> {
    Some(match find(bytes, steps)? {
        Found::Any(any) => ValueRef::read(any).to_value(),
        Found::One(field, raw) => one_value(field, raw),
        Found::List(field, bytes) => list_value(field, bytes),
        Found::Zero(field) => zero(field),
    })
}

/// The value at the end of a path where it can be read in place: strings and bytes, numbers, and everything inside of an `AnyValue`.
pub(crate) fn get_ref<'a>(bytes: &'a [u8], steps: &[Step]) -> Option<ValueRef<'a>> {
    match find(bytes, steps)? {
        Found::Any(any) => Some(ValueRef::read(any)),
        Found::One(field, raw) => one_ref(field, raw),
        Found::Zero(field) => match zero(field) {
            Value::Bool(truth) => Some(ValueRef::Bool(truth)),
            Value::Int(number) => Some(ValueRef::Int(number)),
            Value::Double(number) => Some(ValueRef::Double(number)),
            Value::String(_) => Some(ValueRef::String(&[])),
            _ => Some(ValueRef::Bytes(&[])),
        },
        Found::List(..) => None,
    }
}

fn find<'a>(bytes: &'a [u8], steps: &[Step]) -> Option<Found<'a>> {
    let (Step::Field(field), rest) = steps.split_first()? else { return None };
    if field.is_repeated() {
        return find_in_list(field, bytes, rest);
    }
    let found = fields(bytes).find(|found| found.number == field.number);
    match (field.kind, rest) {
        (Kind::Message(inner), _) if inner.is(&schema::ANY_VALUE) => find_in_any(found?.raw.payload(), rest),
        // What is absent has the zero values of its fields, but it is not there itself.
        (Kind::Message(_), [_, ..]) => find(found.map_or(&[], |found| found.raw.payload()), rest),
        (_, []) => match found {
            Some(found) if found.raw.wire_type() == field.wire_type() => Some(Found::One(field, found.raw)),
            _ if field.presence == Presence::Implicit => Some(Found::Zero(field)),
            _ => None,
        },
        _ => None,
    }
}

fn find_in_list<'a>(field: &'static Field, bytes: &'a [u8], steps: &[Step]) -> Option<Found<'a>> {
    let entries = || wire::entries(bytes, field.number).map(|entry| entry.payload);
    match steps {
        [] => Some(Found::List(field, bytes)),
        [Step::Key(key), rest @ ..] => {
            let entry = entries().map(Attribute::new).find(|entry| entry.key == key.as_bytes())?;
            find_in_any(entry.value_bytes(), rest)
        }
        [Step::Index(index), rest @ ..] => match field.kind {
            Kind::Message(inner) if inner.is(&schema::ANY_VALUE) => find_in_any(entries().nth(*index)?, rest),
            Kind::Message(inner) if rest.is_empty() => {
                Some(Found::One(field, Raw::Len(entries().nth(*index)?))).filter(|_| !inner.fields.is_empty())
            }
            Kind::Message(_) => find(entries().nth(*index)?, rest),
            _ => numbers(field, bytes).nth(*index).map(|raw| Found::One(field, raw)),
        },
        [Step::Field(_), ..] => None,
    }
}

fn find_in_any<'a>(any: &'a [u8], steps: &[Step]) -> Option<Found<'a>> {
    let Some((step, rest)) = steps.split_first() else { return Some(Found::Any(any)) };
    match (ValueRef::read(any), step) {
        (ValueRef::Map(map), Step::Key(key)) => {
            let entry = map.iter().find(|entry| entry.key == key.as_bytes())?;
            find_in_any(entry.value_bytes(), rest)
        }
        (ValueRef::List(list), Step::Index(index)) => find_in_any(wire::entries(list.0, 1).nth(*index)?.payload, rest),
        _ => None,
    }
}

/// The numbers (or strings) of a list, packed into one field or standing alone.
pub(crate) fn numbers<'a>(field: &'static Field, bytes: &'a [u8]) -> impl Iterator<Item = Raw<'a>> {
    let packable = field.wire_type() != LEN;
    fields(bytes).filter(|found| found.number == field.number).flat_map(move |found: WireField<'a>| {
        let packed = if packable { found.raw.payload() } else { &[] };
        let mut packed = Cursor::new(packed);
        let mut alone = (!packable || found.raw.wire_type() != LEN).then_some(found.raw);
        std::iter::from_fn(move || {
            alone.take().or_else(|| (!packed.at_end()).then(|| packed.value(field.number, field.wire_type()).ok()).flatten())
        })
    })
}

fn one_ref<'a>(field: &'static Field, raw: Raw<'a>) -> Option<ValueRef<'a>> {
    Some(match (field.kind, raw) {
        (Kind::String, Raw::Len(text)) => ValueRef::String(text),
        (Kind::Bytes | Kind::Id(_), Raw::Len(bytes)) => ValueRef::Bytes(bytes),
        (Kind::Bool, Raw::Varint(truth)) => ValueRef::Bool(truth != 0),
        (Kind::Double, Raw::Fixed64(bits)) => ValueRef::Double(f64::from_bits(bits)),
        (Kind::Int32 | Kind::Enum(_), Raw::Varint(number)) => ValueRef::Int(i64::from(number as i32)),
        (Kind::UInt32, Raw::Varint(number)) => ValueRef::Int(i64::from(number as u32)),
        (Kind::SInt32, Raw::Varint(number)) => ValueRef::Int(unzigzag(number)),
        (Kind::Int64 | Kind::UInt64, Raw::Varint(number)) => ValueRef::Int(number as i64),
        (Kind::Fixed64 | Kind::SFixed64, Raw::Fixed64(number)) => ValueRef::Int(number as i64),
        (Kind::Fixed32, Raw::Fixed32(number)) => ValueRef::Int(i64::from(number)),
        _ => return None,
    })
}

/// `sint32` puts the sign last, so that small negative numbers are short.
fn unzigzag(number: u64) -> i64 {
    let number = number as u32;
    i64::from((number >> 1) as i32 ^ -((number & 1) as i32))
}

fn one_value(field: &'static Field, raw: Raw<'_>) -> Value {
    match (field.kind, raw) {
        (Kind::Message(message), Raw::Len(payload)) => message_value(message, payload),
        _ => one_ref(field, raw).map_or(Value::Empty, ValueRef::to_value),
    }
}

fn list_value(field: &'static Field, bytes: &[u8]) -> Value {
    let entries = wire::entries(bytes, field.number).map(|entry| entry.payload);
    match field.kind {
        Kind::Message(message) if message.is(&schema::KEY_VALUE) => {
            let attribute = |entry: Attribute<'_>| (entry.key_text().into_owned(), entry.value().to_value());
            Value::Map(entries.map(|entry| attribute(Attribute::new(entry))).collect())
        }
        Kind::Message(message) => Value::List(entries.map(|entry| message_value(message, entry)).collect()),
        _ => Value::List(numbers(field, bytes).map(|raw| one_value(field, raw)).collect()),
    }
}

/// A message as a map of its fields by name; what is absent and has no zero value is left out.
fn message_value(message: &'static Message, bytes: &[u8]) -> Value {
    if message.is(&schema::ANY_VALUE) {
        return ValueRef::read(bytes).to_value();
    }
    let named = |field: &'static Field| {
        let value = get(bytes, &[Step::Field(field)])?;
        Some((field.name.to_owned(), value))
    };
    Value::Map(message.fields.iter().filter_map(named).collect())
}

fn zero(field: &'static Field) -> Value {
    match field.kind {
        Kind::Bool => Value::Bool(false),
        Kind::Double => Value::Double(0.0),
        Kind::String => Value::String(String::new()),
        Kind::Bytes | Kind::Id(_) => Value::Bytes(Vec::new()),
        Kind::Message(_) => Value::Empty,
        _ => Value::Int(0),
    }
}
