//! A path that was looked up: how its value is read from an item's bytes, and how one is written there.

use std::borrow::Cow;

use super::problem::EvalError;
use super::scene::Scene;
use super::table::{Field, Level};
use super::text::hex;
use super::tree::Key;
use super::value::{Entries, Map, Type, Value};
use crate::telemetry::{self, Context, ItemKind, Level as Envelope, Path, Signal, ValueRef, read, schema, wire};

/// A path of an expression, made ready.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// As a user writes it, with its context.
    pub(super) text: String,
    pub(super) level: Level,
    pub(super) field: Field,
    /// What the path's field gives, keys left aside.
    pub(super) gives: Type,
    pub(super) keys: Vec<Key>,
    /// Where telemetry keeps it, without keys. Of an event, as if it were the first.
    pub(super) path: Option<Path>,
    /// The same with the keys: where a value is written.
    pub(super) target: Option<Path>,
}

impl Place {
    /// What a reader can expect; behind a key that is anything.
    pub(super) fn type_of(&self) -> Type {
        match (self.field, self.keys.is_empty()) {
            (Field::TraceState, _) | (_, true) => self.gives,
            (Field::Metadata, false) if self.keys.len() == 1 => Type::List,
            (_, false) => Type::Any,
        }
    }

    /// True when the value is the same for all items of a context.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.level, Level::Resource | Level::Scope | Level::Metric) && !matches!(self.field, Field::Cache | Field::Metadata)
    }

    /// The key with which it enters the attributes of an item.
    pub(super) fn item_attribute(&self) -> Option<&str> {
        match (self.level, self.field, self.keys.first()) {
            (Level::Item, Field::Attributes(_), Some(Key::Text(key))) => Some(key),
            _ => None,
        }
    }

    /// True for the attributes of an item, all of them.
    pub(super) fn is_item_attributes(&self) -> bool {
        self.level == Level::Item && matches!(self.field, Field::Attributes(_)) && self.keys.is_empty()
    }

    /// The value, where it can be read in place: then nothing is checked or copied. `None` where that takes more.
    #[inline]
    pub(super) fn read_ref<'a>(&'a self, scene: &Scene<'a>) -> Option<ValueRef<'a>> {
        match (self.field, self.keys.as_slice()) {
            (Field::Plain(_), []) => self.plain(scene),
            (Field::Attributes(_), [Key::Text(key)]) => Some(self.attributes(scene)?.get(key).unwrap_or(ValueRef::Empty)),
            _ => None,
        }
    }

    /// The value. A key that is not there gives `nil`; a key into what has none is an error.
    pub(super) fn read<'a>(&'a self, scene: &Scene<'a>) -> Result<Value<'a>, EvalError> {
        match self.field {
            Field::Attributes(_) => match (self.attributes(scene), self.keys.split_first()) {
                (None, _) => Ok(Value::Nil),
                (Some(entries), None) => Ok(Value::Map(Map::Read(entries))),
                (Some(entries), Some((Key::Text(key), rest))) => match entries.get(key) {
                    Some(value) => enter_ref(value, rest),
                    None => Ok(Value::Nil),
                },
                (Some(_), Some((Key::Index(_), _))) => Err(no_list(Type::Map)),
            },
            Field::Body => self.plain(scene).map_or(Ok(Value::Nil), |body| enter_ref(body, &self.keys)),
            Field::Cache => match scene.cache() {
                Some(cache) => enter(Value::from(cache), &self.keys),
                None => Ok(Value::Nil),
            },
            Field::Metadata => Ok(self.metadata(scene)),
            Field::TraceState => Ok(self.trace_state(scene)),
            _ => enter(self.field_value(scene), &self.keys),
        }
    }

    fn field_value<'a>(&'a self, scene: &Scene<'a>) -> Value<'a> {
        let plain = || self.plain(scene);
        match self.field {
            Field::Time(_) => match plain() {
                Some(ValueRef::Int(nanos)) => Value::Time(nanos),
                _ => Value::Nil,
            },
            Field::Id(_, length) => plain().map_or(Value::Nil, |id| Value::Bytes(Cow::Borrowed(id_bytes(id, length)))),
            Field::Hex(_, length) => plain().map_or(Value::Nil, |id| Value::from(hex(id_bytes(id, length)))),
            Field::KindName => kind_of(plain()).map_or(Value::Nil, |kind| Value::text(KIND_NAMES.get(kind).copied().unwrap_or(""))),
            Field::KindSymbol => {
                kind_of(plain()).map_or(Value::Nil, |kind| Value::text(schema::SPAN_KINDS.get(kind).map_or("", |(_, symbol)| *symbol)))
            }
            Field::BodyText => plain().map_or(Value::text(""), |body| Value::String(Value::from(body).into_text().unwrap_or_default())),
            Field::Number(name) => self.number(scene, name),
            Field::MetricType => Value::Int(metric_type(scene.context().kind())),
            Field::EventIndex => scene.event().map_or(Value::Nil, |event| Value::Int(event.index as i64)),
            Field::Fact(number) => scene.facts().map_or(Value::Nil, |facts| facts.fact(number)),
            _ => match plain() {
                Some(value) => Value::from(value),
                // A list of the item that is no value of the protocol: events, bucket counts.
                None => self.copied(scene),
            },
        }
    }

    /// The field in place.
    #[inline]
    fn plain<'a>(&'a self, scene: &Scene<'a>) -> Option<ValueRef<'a>> {
        let path = self.path.as_ref()?;
        match self.level {
            Level::Item => scene.item()?.get_ref(path),
            Level::Event => read::get_ref(scene.event()?.bytes, path.steps(ItemKind::Span)?.get(2..)?),
            _ => scene.context().get_ref(path),
        }
    }

    fn copied<'a>(&'a self, scene: &Scene<'a>) -> Value<'a> {
        let copy = self.path.as_ref().and_then(|path| scene.item()?.get(path));
        copy.map_or(Value::Nil, Value::from)
    }

    fn number<'a>(&'a self, scene: &Scene<'a>, name: &str) -> Value<'a> {
        match (self.plain(scene), scene.context().kind()) {
            (Some(number), _) => Value::from(number),
            (None, ItemKind::Gauge | ItemKind::Sum) if name == "as_int" => Value::Int(0),
            (None, ItemKind::Gauge | ItemKind::Sum) => Value::Float(0.0),
            _ => Value::Nil,
        }
    }

    /// The list that keys enter.
    #[inline]
    pub(super) fn attributes<'a>(&'a self, scene: &Scene<'a>) -> Option<Entries<'a>> {
        let context: &'a Context = scene.context();
        Some(match self.level {
            Level::Item => {
                let item = scene.item()?;
                Entries::new(item.bytes(), item.kind().attributes_field())
            }
            Level::Event => Entries::new(scene.event()?.bytes, 3),
            Level::Scope => Entries::new(first_message(context.envelope(Envelope::Scope)), 3),
            Level::Metric => Entries::new(context.envelope(Envelope::Metric), 12),
            _ => Entries::new(first_message(context.envelope(Envelope::Resource)), 1),
        })
    }

    /// What the client sent under a name: a list, since it may have sent it more than once.
    fn metadata<'a>(&'a self, scene: &Scene<'a>) -> Value<'a> {
        let all = &scene.source().metadata;
        let of = |key: &str| -> Vec<Value<'a>> {
            all.iter().filter(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| Value::text(value)).collect()
        };
        match self.keys.as_slice() {
            [Key::Text(key)] => Some(of(key)).filter(|values| !values.is_empty()).map_or(Value::Nil, Value::list),
            [Key::Text(key), Key::Index(index)] => of(key).into_iter().nth(*index).unwrap_or(Value::Nil),
            [] => {
                let mut names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
                names.dedup();
                Value::map(names.into_iter().map(|name| (Cow::Borrowed(name), Value::list(of(name)))).collect())
            }
            _ => Value::Nil,
        }
    }

    fn trace_state<'a>(&'a self, scene: &Scene<'a>) -> Value<'a> {
        let Some(ValueRef::String(bytes)) = self.plain(scene) else { return Value::Nil };
        let state = telemetry::utf8::repair(bytes);
        let Some(Key::Text(key)) = self.keys.first() else { return Value::String(state) };
        match state {
            Cow::Borrowed(state) => Value::text(trace_state_value(state, key)),
            Cow::Owned(state) => Value::from(trace_state_value(&state, key).to_owned()),
        }
    }

    /// A value as the place holds it, or why it cannot hold it.
    pub(super) fn fitted(&self, value: Value<'_>) -> Result<telemetry::Value, EvalError> {
        let wanted = |wanted: Type, got: Type| EvalError::Expected { wanted: wanted.name(), got: got.name() };
        let got = value.type_of();
        match (self.field, value) {
            (Field::Attributes(_), value) if !self.keys.is_empty() => Ok(value.into_telemetry()),
            (Field::Body | Field::Cache, value) => Ok(value.into_telemetry()),
            (Field::BodyText, value @ Value::String(_)) => Ok(value.into_telemetry()),
            (Field::Time(_), Value::Time(nanos)) => Ok(telemetry::Value::Int(nanos)),
            (Field::Id(_, length), Value::Bytes(bytes)) if bytes.len() == length => Ok(telemetry::Value::Bytes(bytes.into_owned())),
            (Field::Hex(_, length), Value::String(text)) => bytes_of_hex(&text, length).map(telemetry::Value::Bytes),
            (Field::KindName, Value::String(name)) => kind_number(KIND_NAMES.iter().copied(), &name),
            (Field::KindSymbol, Value::String(name)) => kind_number(schema::SPAN_KINDS.iter().map(|(_, symbol)| *symbol), &name),
            (Field::Number("as_double"), value @ Value::Float(_)) => Ok(value.into_telemetry()),
            (_, value) if got == self.gives => Ok(value.into_telemetry()),
            _ => Err(wanted(self.gives, got)),
        }
    }

    /// Why nothing can be written there; `None` where something can.
    pub(super) fn read_only(&self) -> Option<&'static str> {
        match self.field {
            Field::MetricType => Some("the type of a metric"),
            Field::EventIndex => Some("an event's place"),
            Field::Fact(_) => Some("what is known of the whole"),
            Field::Metadata => Some("what the client sent"),
            _ => None,
        }
    }
}

/// Enters a value read in place.
pub(super) fn enter_ref<'a>(value: ValueRef<'a>, keys: &[Key]) -> Result<Value<'a>, EvalError> {
    let Some((key, rest)) = keys.split_first() else { return Ok(Value::from(value)) };
    match (value, key) {
        (ValueRef::Map(map), Key::Text(key)) => map.get(key).map_or(Ok(Value::Nil), |value| enter_ref(value, rest)),
        (ValueRef::List(list), Key::Index(index)) => list.iter().nth(*index).map_or(Err(out_of_bounds()), |value| enter_ref(value, rest)),
        (value, key) => Err(no_way_in(Value::from(value).type_of(), key)),
    }
}

/// Enters a value that was made.
pub(super) fn enter<'a>(value: Value<'a>, keys: &[Key]) -> Result<Value<'a>, EvalError> {
    let Some((key, rest)) = keys.split_first() else { return Ok(value) };
    match (value, key) {
        (Value::Map(map), Key::Text(key)) => map.get(key).map_or(Ok(Value::Nil), |value| enter(value, rest)),
        (Value::List(list), Key::Index(index)) => list.get(*index).map_or(Err(out_of_bounds()), |value| enter(value, rest)),
        (value, key) => Err(no_way_in(value.type_of(), key)),
    }
}

/// Enters what a function gave: a key that is not there is an error, as it is not in an item.
pub(super) fn enter_result<'a>(value: Value<'a>, keys: &[Key]) -> Result<Value<'a>, EvalError> {
    let Some((key, rest)) = keys.split_first() else { return Ok(value) };
    match (value, key) {
        (Value::Map(map), Key::Text(key)) => {
            map.get(key).map_or(Err(EvalError::because("the map has no such key")), |value| enter_result(value, rest))
        }
        (value, key) => enter_result(enter(value, std::slice::from_ref(key))?, rest),
    }
}

fn no_way_in(got: Type, key: &Key) -> EvalError {
    match key {
        Key::Text(_) => EvalError::Expected { wanted: "a map, to enter by key", got: got.name() },
        Key::Index(_) => no_list(got),
    }
}

fn no_list(got: Type) -> EvalError {
    EvalError::Expected { wanted: "a list, to enter by number", got: got.name() }
}

fn out_of_bounds() -> EvalError {
    EvalError::because("the list has no such element")
}

/// The message that is the first field of an envelope: resource or scope.
#[inline]
fn first_message(envelope: &[u8]) -> &[u8] {
    wire::entries(envelope, 1).next().map_or(&[], |entry| entry.payload)
}

const ZEROS: [u8; 16] = [0; 16];
const KIND_NAMES: [&str; 6] = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];

/// The bytes of an id; zeros for one that is not there.
fn id_bytes(id: ValueRef<'_>, length: usize) -> &[u8] {
    match id {
        ValueRef::Bytes(bytes) if !bytes.is_empty() => bytes,
        _ => ZEROS.get(..length).unwrap_or_default(),
    }
}

fn bytes_of_hex(text: &str, length: usize) -> Result<Vec<u8>, EvalError> {
    let digits = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    bytes
        .filter(|bytes| bytes.len() == length && text.len() == 2 * length)
        .ok_or_else(|| EvalError::because("an id is written in hex, in its full length"))
}

fn kind_of(kind: Option<ValueRef<'_>>) -> Option<usize> {
    match kind? {
        ValueRef::Int(kind) => Some(usize::try_from(kind).unwrap_or(usize::MAX)),
        _ => None,
    }
}

fn kind_number<'n>(mut names: impl Iterator<Item = &'n str>, name: &str) -> Result<telemetry::Value, EvalError> {
    let number = names.position(|known| known == name).ok_or_else(|| EvalError::because("no kind of span is called that"))?;
    Ok(telemetry::Value::Int(number as i64))
}

fn metric_type(kind: ItemKind) -> i64 {
    match kind {
        ItemKind::Gauge => 1,
        ItemKind::Sum => 2,
        ItemKind::Histogram => 3,
        ItemKind::ExponentialHistogram => 4,
        ItemKind::Summary => 5,
        ItemKind::Span | ItemKind::LogRecord => 0,
    }
}

/// One member of a W3C trace state; empty where there is none.
fn trace_state_value<'s>(state: &'s str, key: &str) -> &'s str {
    let members = state.split(',').filter_map(|member| member.split_once('='));
    members.map(|(known, value)| (known.trim(), value.trim())).find(|(known, _)| *known == key).map_or("", |(_, value)| value)
}

/// A trace state with one member changed: a new one goes to the front, as W3C has it.
pub(super) fn with_trace_state(state: &str, key: &str, value: &str) -> String {
    let others = state.split(',').filter(|member| !member.trim().is_empty() && member.split('=').next().map(str::trim) != Some(key));
    let mut members = vec![format!("{key}={value}")];
    members.extend(others.map(|member| member.trim().to_owned()));
    members.join(",")
}

/// The path of telemetry behind a field, and the one that also has the keys. `None` for what telemetry does not keep.
pub(super) fn paths(signal: Signal, field: Field, keys: &[Key]) -> (Option<Path>, Option<Path>) {
    let text = match field {
        Field::Plain(text)
        | Field::Attributes(text)
        | Field::Time(text)
        | Field::Id(text, _)
        | Field::Hex(text, _)
        | Field::Number(text) => text,
        Field::KindName | Field::KindSymbol => "kind",
        Field::TraceState => "trace_state",
        Field::Body | Field::BodyText => "body",
        Field::MetricType | Field::EventIndex | Field::Fact(_) | Field::Cache | Field::Metadata => return (None, None),
    };
    let path = Path::parse(signal, text).ok();
    let target = match field {
        Field::Attributes(_) | Field::Body if !keys.is_empty() => Path::parse(signal, &format!("{text}{}", brackets(keys))).ok(),
        _ => path.clone(),
    };
    (path, target)
}

/// Keys as telemetry's paths write them.
fn brackets(keys: &[Key]) -> String {
    let bracket = |key: &Key| match key {
        Key::Text(key) => format!("[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\"")),
        Key::Index(index) => format!("[{index}]"),
    };
    keys.iter().map(bracket).collect()
}
