//! From JSON to protobuf: the structure of a request, and what becomes of it where something inside is wrong.

use std::ops::Range;

use super::place::Place;
use super::text::{Quoted, Shape, Syntax, Text};
use super::{JsonError, MOST_VALUE_LEVELS, Reason, Rejected};
use crate::telemetry::schema::{self, Field, Message, Presence};
use crate::telemetry::wire::{LEN, close, open, put_length, put_tag};
use crate::telemetry::{ItemKind, utf8};

/// Why reading stops: for good if the text is no JSON, up to the end of the item if only a value is wrong.
pub(super) enum Fault {
    Syntax(Syntax),
    Wrong(Box<Reason>),
}

impl From<Syntax> for Fault {
    fn from(syntax: Syntax) -> Self {
        Fault::Syntax(syntax)
    }
}

/// What a message of the protocol is here: one that holds items further down, an item itself, or a part of either.
#[derive(Clone, Copy)]
enum Role {
    Envelope(&'static Message),
    Item(&'static Message),
    Part,
}

static ENVELOPES: [&Message; 12] = [
    &schema::RESOURCE_SPANS,
    &schema::SCOPE_SPANS,
    &schema::RESOURCE_LOGS,
    &schema::SCOPE_LOGS,
    &schema::RESOURCE_METRICS,
    &schema::SCOPE_METRICS,
    &schema::METRIC,
    &schema::GAUGE,
    &schema::SUM,
    &schema::HISTOGRAM,
    &schema::EXPONENTIAL_HISTOGRAM,
    &schema::SUMMARY,
];

fn role(field: &Field) -> Role {
    match field.message() {
        Some(message) if ItemKind::ALL.iter().any(|kind| kind.message().is(message)) => Role::Item(message),
        Some(message) if ENVELOPES.iter().any(|envelope| envelope.is(message)) => Role::Envelope(message),
        _ => Role::Part,
    }
}

/// What one message has had so far.
#[derive(Default)]
struct Frame {
    /// Place in the table behind the field that came last: senders mostly keep the order of the protocol, so the next is looked for there.
    next: usize,
    /// A bit for every singular field that was given.
    seen: u32,
    /// Where the chosen member of the oneof lies in the output.
    member: Option<Range<usize>>,
}

impl Frame {
    /// The field that a key names, in either spelling.
    #[inline]
    fn named(&mut self, message: &'static Message, key: Quoted<'_>) -> Option<&'static Field> {
        let key = key.text();
        let (before, behind) = message.fields.split_at_checked(self.next)?;
        let place = behind.iter().chain(before).position(|field| field.key.name() == key.as_bytes() || field.name == key)?;
        let place = (self.next + place) % message.fields.len();
        self.next = place + 1;
        message.fields.get(place)
    }
}

/// Whether a zero value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zero {
    Written,
    LeftOut,
}

/// Reads a request and appends its bytes.
pub(super) fn request(message: &'static Message, json: &[u8], out: &mut Vec<u8>) -> Result<Rejected, JsonError> {
    let text = utf8::repair(json);
    let length = out.len();
    let mut reader = Reader { text: Text::new(&text), out, level: 0, items: 0, rejected: Rejected::default() };
    match reader.envelope(message, &Place::REQUEST).and_then(|_| Ok(reader.text.end()?)) {
        Ok(()) => Ok(reader.rejected),
        Err(fault) => {
            reader.out.truncate(length);
            Err(located(&text, reader.text.position(), fault))
        }
    }
}

/// Says where in the text reading stopped.
fn located(text: &str, position: usize, fault: Fault) -> JsonError {
    let (at, problem) = match fault {
        Fault::Syntax(syntax) => (syntax.at, syntax.expected.to_owned()),
        Fault::Wrong(reason) => (position, reason.to_string()),
    };
    let before = &text.as_bytes()[..at.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    JsonError { line, column: at - line_start + 1, problem }
}

/// Reads the text once, from front to back, and appends what it means.
pub(super) struct Reader<'j, 'o> {
    pub(super) text: Text<'j>,
    pub(super) out: &'o mut Vec<u8>,
    /// How many values we are inside of.
    level: u32,
    /// Items written so far.
    items: u64,
    rejected: Rejected,
}

impl Reader<'_, '_> {
    /// Reads a message that holds items further down. False if they are all rejected, since what they share is wrong.
    fn envelope(&mut self, message: &'static Message, place: &Place<'_>) -> Result<bool, Fault> {
        self.open(Shape::Object, place)?;
        let (start, items) = (self.out.len(), self.items);
        let (mut frame, mut first, mut sound) = (Frame::default(), true, true);
        while let Some(key) = self.text.key(&mut first)? {
            match frame.named(message, key) {
                Some(field) => sound &= self.envelope_field(field, &mut frame, &place.field(field))?,
                None => self.text.skip()?,
            }
        }
        if !sound {
            self.out.truncate(start);
            self.rejected.count += self.items - items;
            self.items = items;
        }
        Ok(sound)
    }

    fn envelope_field(&mut self, field: &'static Field, frame: &mut Frame, place: &Place<'_>) -> Result<bool, Fault> {
        match role(field) {
            Role::Part => self.attempt(|reader| reader.field(field, frame, place)),
            _ if self.null()? => Ok(true),
            role if field.is_repeated() => {
                self.open(Shape::List, place)?;
                let (mut first, mut index) = (true, 0);
                while self.text.element(&mut first)? {
                    self.content(field, role, &place.element(index))?;
                    index += 1;
                }
                Ok(true)
            }
            role => {
                let alone = frame.member.replace(0..0).is_none();
                if !alone {
                    self.rejected.note(reason(place, "is a second type of data; expected a metric to have one"));
                }
                self.content(field, role, place)?;
                Ok(alone)
            }
        }
    }

    /// Reads one message that is an item or holds items; nothing is written if it is rejected.
    fn content(&mut self, field: &'static Field, role: Role, place: &Place<'_>) -> Result<(), Fault> {
        let start = self.out.len();
        let body = open(self.out, field.number);
        let kept = match role {
            Role::Item(message) => self.item(message, place)?,
            Role::Envelope(message) => self.envelope(message, place)?,
            Role::Part => false,
        };
        if kept {
            close(self.out, body)
        } else {
            self.out.truncate(start)
        }
        Ok(())
    }

    fn item(&mut self, message: &'static Message, place: &Place<'_>) -> Result<bool, Fault> {
        let kept = self.attempt(|reader| reader.message(message, place))?;
        *(if kept { &mut self.items } else { &mut self.rejected.count }) += 1;
        Ok(kept)
    }

    /// Reads a value that may be wrong without harm to what is around it: then it is stepped over, and the reason kept.
    fn attempt(&mut self, read: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<bool, Fault> {
        let (position, length, level) = (self.text.position(), self.out.len(), self.level);
        match read(self) {
            Ok(()) => Ok(true),
            Err(Fault::Wrong(reason)) => {
                self.text.rewind(position);
                self.text.skip()?;
                self.out.truncate(length);
                self.level = level;
                self.rejected.note(*reason);
                Ok(false)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Reads an item, or a message inside of one.
    fn message(&mut self, message: &'static Message, place: &Place<'_>) -> Result<(), Fault> {
        let deeper = u32::from(message.is(&schema::ANY_VALUE));
        self.level += deeper;
        if self.level > MOST_VALUE_LEVELS {
            return Err(wrong(place, format_args!("is a value nested too deep; expected {MOST_VALUE_LEVELS} levels at most")));
        }
        self.open(Shape::Object, place)?;
        let (mut frame, mut first) = (Frame::default(), true);
        while let Some(key) = self.text.key(&mut first)? {
            match frame.named(message, key) {
                Some(field) => self.field(field, &mut frame, &place.field(field))?,
                None => self.text.skip()?,
            }
        }
        self.level -= deeper;
        Ok(())
    }

    fn field(&mut self, field: &'static Field, frame: &mut Frame, place: &Place<'_>) -> Result<(), Fault> {
        if self.null()? {
            return Ok(());
        }
        match field.presence {
            Presence::Repeated => return self.list(field, place),
            // What a oneof held before is taken out, so that readers need not know which of two counts.
            Presence::OneOf => drop(frame.member.take().map(|before| self.out.drain(before))),
            Presence::Implicit | Presence::Explicit => {}
        }
        // Zero means absent, except where it replaces another value.
        let again = frame.seen & 1 << field.number != 0;
        let zero = if field.presence == Presence::Implicit && !again { Zero::LeftOut } else { Zero::Written };
        let start = self.out.len();
        self.single(field, zero, place)?;
        frame.seen |= 1 << field.number;
        if field.presence == Presence::OneOf {
            frame.member = Some(start..self.out.len());
        }
        Ok(())
    }

    fn list(&mut self, field: &'static Field, place: &Place<'_>) -> Result<(), Fault> {
        self.open(Shape::List, place)?;
        let (start, packed) = (self.out.len(), field.wire_type() != LEN);
        let body = if packed { open(self.out, field.number) } else { start };
        let (mut first, mut index) = (true, 0);
        while self.text.element(&mut first)? {
            let place = &place.element(index);
            index += 1;
            if packed {
                let number = self.number(field.kind, place)?;
                super::value::put(self.out, number);
            } else if field.message().is_some_and(|message| message.is(&schema::ANY_VALUE)) && self.null()? {
                // A list has no holes: null in a list of values is a value that holds nothing.
                put_length(self.out, field.number, 0);
            } else {
                self.single(field, Zero::Written, place)?;
            }
        }
        if packed {
            if index == 0 { self.out.truncate(start) } else { close(self.out, body) }
        }
        Ok(())
    }

    /// Reads one value of a field and appends it, tag and all.
    fn single(&mut self, field: &'static Field, zero: Zero, place: &Place<'_>) -> Result<(), Fault> {
        let start = self.out.len();
        if field.wire_type() != LEN {
            let number = self.number(field.kind, place)?;
            if zero == Zero::Written || !super::value::is_zero(number) {
                put_tag(self.out, field.number, field.wire_type());
                super::value::put(self.out, number);
            }
            return Ok(());
        }
        let body = open(self.out, field.number);
        match field.message() {
            Some(message) => self.message(message, place)?,
            None => self.string(field.kind, place)?,
        }
        // Some senders write zeros where a span has no parent.
        if field.name == "parent_span_id" && self.out[body..] == [0; schema::SPAN_ID] {
            self.out.truncate(body);
        }
        if zero == Zero::LeftOut && self.out.len() == body {
            self.out.truncate(start)
        } else {
            close(self.out, body)
        }
        Ok(())
    }

    /// Takes the opening bracket of what has to be an object or a list.
    fn open(&mut self, expected: Shape, place: &Place<'_>) -> Result<(), Fault> {
        let shape = self.text.shape()?;
        if shape != expected {
            return Err(wrong(place, format_args!("is {}; expected {}", shape.words(), expected.words())));
        }
        self.text.open();
        Ok(())
    }

    /// Takes `null` if it comes next.
    fn null(&mut self) -> Result<bool, Syntax> {
        let null = self.text.shape()? == Shape::Null;
        if null {
            self.text.word("null")?;
        }
        Ok(null)
    }
}

fn reason(place: &Place<'_>, problem: impl std::fmt::Display) -> Reason {
    Reason { path: place.to_string(), problem: problem.to_string() }
}

/// The fault that something at this place is wrong.
#[cold]
pub(super) fn wrong(place: &Place<'_>, problem: impl std::fmt::Display) -> Fault {
    Fault::Wrong(Box::new(reason(place, problem)))
}
