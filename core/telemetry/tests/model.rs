//! What edits and reads by path must come to, on a plain tree of named fields: the other half of the comparison.
//!
//! The rules, in short. Of a key that stands several times the first is read, and an edit through the key leaves it once. Setting makes the
//! maps and messages that are missing on the way; deleting makes nothing. A field without presence is always there, with its zero. A message
//! that is absent has fields, all zero, but is not there itself. An edit that fails leaves everything as it was.

use super::super::{EditError, ItemKind, Value};
use super::tree::{Make, Thing};
use super::values::{
    any_of, append_to_any, change_any, change_entry, entries_levels, entry_of, entry_value, get_in_any, get_in_entries, levels,
};
use crate::testing::otlp::{AnyValue, KeyValue};

/// A message's fields, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields(pub(super) Vec<(&'static str, Node)>);

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Always there.
    Plain(Takes, Value),
    /// There or not.
    Maybe(Takes, Option<Value>),
    /// There or not; its message has one other such field, and one of them at most is there.
    OneOf(Takes, Option<Value>),
    /// An `AnyValue`.
    Any(Option<AnyValue>),
    Message(Make, Option<Fields>),
    Attributes(Vec<KeyValue>),
    /// Numbers, or texts.
    Numbers(Takes, Vec<Value>),
    Messages(Make, Vec<Fields>),
}

/// The values that fit a plain field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Takes {
    Bool,
    Int32,
    UInt32,
    /// Any 64 bits.
    Bits64,
    Double,
    Text,
    /// Bytes: so many or none.
    Id(usize),
}

/// One step into a tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Name(&'static str),
    Key(String),
    Index(usize),
}

/// What is done at the end of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    Set(Value),
    Append(Value),
    Delete,
}

/// What came of an edit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Changed {
    Yes,
    No,
    /// A plain field that was zero already was deleted: whether its zero was written, only the bytes know.
    WasZero,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Failure {
    NoSuchField,
    WrongType,
    NotAMap,
    NotAList,
    NoSuchIndex,
    TooDeep,
    BadId,
    TooLarge,
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::NoSuchField(_) => Failure::NoSuchField,
            EditError::WrongType { .. } => Failure::WrongType,
            EditError::NotAMap(_) => Failure::NotAMap,
            EditError::NotAList => Failure::NotAList,
            EditError::NoSuchIndex(_) => Failure::NoSuchIndex,
            EditError::TooDeep => Failure::TooDeep,
            EditError::BadId => Failure::BadId,
            EditError::TooLarge => Failure::TooLarge,
        }
    }
}

pub(super) type Outcome = Result<Changed, Failure>;

impl Thing {
    /// The value at a path, which begins with `resource`, `scope`, `metric` or one of the item's own fields.
    pub(super) fn get(&self, path: &[Word]) -> Option<Value> {
        let (first, rest) = path.split_first()?;
        match (first, rest) {
            (Word::Name("resource"), [Word::Name("schema_url")]) => self.resource.1.get(&[]),
            (Word::Name("resource"), _) => self.resource.0.get(rest),
            (Word::Name("scope"), [Word::Name("schema_url")]) => self.scope.1.get(&[]),
            (Word::Name("scope"), _) => self.scope.0.get(rest),
            (Word::Name("metric"), _) => self.metric.get(rest),
            _ => self.own.get(path),
        }
    }

    /// Makes an edit, or leaves everything as it was.
    pub(super) fn change(&mut self, path: &[Word], change: &Change) -> Outcome {
        let mut changed = self.clone();
        let outcome = changed.try_change(path, change)?;
        if outcome == Changed::Yes {
            changed.judge(self)?;
            *self = changed;
        }
        Ok(outcome)
    }

    fn try_change(&mut self, path: &[Word], change: &Change) -> Outcome {
        let (first, rest) = path.split_first().ok_or(Failure::NoSuchField)?;
        match (first, rest) {
            (Word::Name("resource"), [Word::Name("schema_url")]) => self.resource.1.change(&[], change),
            (Word::Name("resource"), _) => self.resource.0.change(rest, change),
            (Word::Name("scope"), [Word::Name("schema_url")]) => self.scope.1.change(&[], change),
            (Word::Name("scope"), _) => self.scope.0.change(rest, change),
            (Word::Name("metric"), _) => self.metric.change(rest, change),
            _ => self.own.change(path, change),
        }
    }

    /// Whether an item may become this.
    fn judge(&self, before: &Thing) -> Result<(), Failure> {
        let around = self.resource.0.levels().max(self.scope.0.levels()).max(self.metric.levels());
        if self.own.levels().max(around) > 32 {
            return Err(Failure::TooDeep);
        }
        if self.kind != ItemKind::Span {
            return Ok(());
        }
        if self.id_is_odd("trace_id", 16) || self.newly_odd("span_id", before) || self.newly_odd("parent_span_id", before) {
            return Err(Failure::BadId);
        }
        Ok(())
    }

    fn newly_odd(&self, name: &str, before: &Thing) -> bool {
        self.id_is_odd(name, 8) && !before.id_is_odd(name, 8)
    }

    fn id_is_odd(&self, name: &str, length: usize) -> bool {
        match self.own.get_field(name) {
            Some(Node::Plain(_, Value::Bytes(id))) if name == "parent_span_id" => ![0, length].contains(&id.len()),
            Some(Node::Plain(_, Value::Bytes(id))) => id.len() != length || id.iter().all(|byte| *byte == 0),
            _ => true,
        }
    }
}

impl Fields {
    pub(super) fn get_field(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, node)| node)
    }

    pub(super) fn get_field_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|(known, _)| *known == name).map(|(_, node)| node)
    }

    fn get(&self, path: &[Word]) -> Option<Value> {
        match path {
            [Word::Name(name), rest @ ..] => self.get_field(name)?.get(rest),
            _ => None,
        }
    }

    fn change(&mut self, path: &[Word], change: &Change) -> Outcome {
        let [Word::Name(name), rest @ ..] = path else { return Err(Failure::NoSuchField) };
        let place = self.0.iter().position(|(known, _)| known == name).ok_or(Failure::NoSuchField)?;
        let outcome = self.0[place].1.change(rest, change)?;
        if let (Node::OneOf(..), Change::Set(_)) = (&self.0[place].1, change) {
            self.leave_one_of(place);
        }
        Ok(outcome)
    }

    /// Of the members of a oneof only this one stays.
    fn leave_one_of(&mut self, kept: usize) {
        for (place, (_, node)) in self.0.iter_mut().enumerate() {
            if let Node::OneOf(_, value) = node
                && place != kept
            {
                *value = None;
            }
        }
    }

    /// A message made from a map of its fields by name. Of what is said twice the first holds.
    fn made_of(make: Make, value: &Value) -> Result<Fields, Failure> {
        let Value::Map(entries) = value else { return Err(Failure::WrongType) };
        let mut fields = make.empty();
        let (mut said, mut one_of): (Vec<&str>, bool) = (Vec::new(), false);
        for (name, value) in entries {
            let node = fields.get_field(name).ok_or(Failure::NoSuchField)?;
            let is_one_of = matches!(node, Node::OneOf(..));
            if said.contains(&name.as_str()) || (is_one_of && one_of) {
                continue;
            }
            said.push(name);
            one_of |= is_one_of;
            let place = fields.0.iter().position(|(known, _)| *known == name).unwrap();
            fields.0[place].1.change(&[], &Change::Set(value.clone()))?;
        }
        Ok(fields)
    }

    fn to_value(&self) -> Value {
        let there = self.0.iter().filter_map(|(name, node)| Some(((*name).to_owned(), node.get(&[])?)));
        Value::Map(there.collect())
    }

    fn levels(&self) -> u32 {
        self.0.iter().map(|(_, node)| node.levels()).max().unwrap_or(0)
    }
}

impl Node {
    fn get(&self, path: &[Word]) -> Option<Value> {
        match (self, path) {
            (Node::Plain(_, value), []) => Some(value.clone()),
            (Node::Maybe(_, value) | Node::OneOf(_, value), []) => value.clone(),
            (Node::Any(any), _) => get_in_any(any.as_ref()?, path),
            (Node::Message(_, message), []) => message.as_ref().map(Fields::to_value),
            (Node::Message(make, message), _) => message.clone().unwrap_or_else(|| make.empty()).get(path),
            (Node::Attributes(entries), []) => Some(Value::Map(entries.iter().map(entry_value).collect())),
            (Node::Attributes(entries), [Word::Key(key), rest @ ..]) => get_in_entries(entries, key, rest),
            (Node::Numbers(_, values), []) => Some(Value::List(values.clone())),
            (Node::Numbers(_, values), [Word::Index(index)]) => values.get(*index).cloned(),
            (Node::Messages(_, messages), []) => Some(Value::List(messages.iter().map(Fields::to_value).collect())),
            (Node::Messages(_, messages), [Word::Index(index)]) => messages.get(*index).map(Fields::to_value),
            (Node::Messages(_, messages), [Word::Index(index), rest @ ..]) => messages.get(*index)?.get(rest),
            _ => None,
        }
    }

    fn change(&mut self, path: &[Word], change: &Change) -> Outcome {
        match path {
            [] => self.change_whole(change),
            [first, rest @ ..] => self.change_inside(first, rest, change),
        }
    }

    fn change_whole(&mut self, change: &Change) -> Outcome {
        match (&mut *self, change) {
            (Node::Any(any), Change::Append(value)) => return append_to_any(any.get_or_insert_default(), value),
            (Node::Messages(make, messages), Change::Append(value)) => messages.push(Fields::made_of(*make, value)?),
            (Node::Numbers(takes, values), Change::Append(value)) => values.push(takes.checked(value)?),
            (_, Change::Append(_)) => return Err(Failure::NotAList),
            (_, Change::Delete) => return Ok(self.clear()),
            (Node::Plain(takes, held), Change::Set(value)) => *held = takes.checked(value)?,
            (Node::Maybe(takes, held) | Node::OneOf(takes, held), Change::Set(value)) => *held = Some(takes.checked(value)?),
            (Node::Any(any), Change::Set(value)) => *any = Some(any_of(value)),
            (Node::Message(make, message), Change::Set(value)) => *message = Some(Fields::made_of(*make, value)?),
            (Node::Attributes(entries), Change::Set(Value::Map(values))) => {
                *entries = values.iter().map(|(key, value)| entry_of(key, value)).collect();
            }
            (Node::Numbers(takes, held), Change::Set(Value::List(values))) => {
                *held = values.iter().map(|value| takes.checked(value)).collect::<Result<_, _>>()?;
            }
            (Node::Messages(make, messages), Change::Set(Value::List(values))) => {
                *messages = values.iter().map(|value| Fields::made_of(*make, value)).collect::<Result<_, _>>()?;
            }
            (Node::Attributes(_) | Node::Numbers(..) | Node::Messages(..), Change::Set(_)) => return Err(Failure::WrongType),
        }
        Ok(Changed::Yes)
    }

    fn clear(&mut self) -> Changed {
        let zero = match self {
            Node::Plain(takes, held) => {
                let zero = takes.zero();
                return if std::mem::replace(held, zero.clone()) == zero { Changed::WasZero } else { Changed::Yes };
            }
            Node::Maybe(takes, _) => Node::Maybe(*takes, None),
            Node::OneOf(takes, _) => Node::OneOf(*takes, None),
            Node::Any(_) => Node::Any(None),
            Node::Message(make, _) => Node::Message(*make, None),
            Node::Attributes(_) => Node::Attributes(Vec::new()),
            Node::Numbers(takes, _) => Node::Numbers(*takes, Vec::new()),
            Node::Messages(make, _) => Node::Messages(*make, Vec::new()),
        };
        changed_if(std::mem::replace(self, zero.clone()) != zero)
    }

    fn change_inside(&mut self, first: &Word, rest: &[Word], change: &Change) -> Outcome {
        let path = || [std::slice::from_ref(first), rest].concat();
        match (self, first) {
            (Node::Any(None), _) | (Node::Message(_, None), Word::Key(_) | Word::Index(_)) if *change == Change::Delete => Ok(Changed::No),
            (Node::Any(any), _) => change_any(any.get_or_insert_default(), &path(), change),
            (Node::Message(_, None), _) if *change == Change::Delete => Ok(Changed::No),
            (Node::Message(make, message), _) => message.get_or_insert_with(|| make.empty()).change(&path(), change),
            (Node::Attributes(entries), Word::Key(key)) => change_entry(entries, key, rest, change),
            (Node::Numbers(takes, values), Word::Index(index)) => match (values.get_mut(*index), change) {
                (None, Change::Delete) => Ok(Changed::No),
                (None, _) => Err(Failure::NoSuchIndex),
                (_, Change::Append(_)) => Err(Failure::NotAList),
                (Some(held), Change::Set(value)) => takes.checked(value).map(|value| *held = value).map(|()| Changed::Yes),
                (_, Change::Delete) => Ok(values.remove(*index)).map(|_| Changed::Yes),
            },
            (Node::Messages(make, messages), Word::Index(index)) => match (messages.get_mut(*index), rest, change) {
                (None, _, Change::Delete) => Ok(Changed::No),
                (None, ..) => Err(Failure::NoSuchIndex),
                (_, [], Change::Delete) => Ok(messages.remove(*index)).map(|_| Changed::Yes),
                (_, [], Change::Append(_)) => Err(Failure::NotAList),
                (Some(held), [], Change::Set(value)) => Fields::made_of(*make, value).map(|made| *held = made).map(|()| Changed::Yes),
                (Some(held), ..) => held.change(rest, change),
            },
            _ => Err(Failure::NoSuchField),
        }
    }

    fn levels(&self) -> u32 {
        match self {
            Node::Any(any) => any.as_ref().map_or(0, levels),
            Node::Attributes(entries) => entries_levels(entries),
            Node::Message(_, message) => message.as_ref().map_or(0, Fields::levels),
            // An exemplar stands one message deeper than whatever else holds values.
            Node::Messages(make, messages) => {
                let deepest = messages.iter().map(Fields::levels).max().unwrap_or(0);
                deepest + u32::from(*make == Make::Exemplar && deepest > 0)
            }
            _ => 0,
        }
    }
}

impl Takes {
    fn zero(self) -> Value {
        match self {
            Takes::Bool => Value::Bool(false),
            Takes::Double => Value::Double(0.0),
            Takes::Text => Value::String(String::new()),
            Takes::Id(_) => Value::Bytes(Vec::new()),
            Takes::Int32 | Takes::UInt32 | Takes::Bits64 => Value::Int(0),
        }
    }

    fn checked(self, value: &Value) -> Result<Value, Failure> {
        let fits = match (self, value) {
            (Takes::Bool, Value::Bool(_)) | (Takes::Bits64, Value::Int(_)) => true,
            (Takes::Double, Value::Double(_)) | (Takes::Text, Value::String(_)) => true,
            (Takes::Int32, Value::Int(number)) => i32::try_from(*number).is_ok(),
            (Takes::UInt32, Value::Int(number)) => u32::try_from(*number).is_ok(),
            (Takes::Id(length), Value::Bytes(bytes)) => bytes.is_empty() || bytes.len() == length,
            _ => false,
        };
        if fits { Ok(value.clone()) } else { Err(Failure::WrongType) }
    }
}

fn changed_if(changed: bool) -> Changed {
    if changed { Changed::Yes } else { Changed::No }
}
