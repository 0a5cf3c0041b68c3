//! From JSON to protobuf: single values, each of which may be spelled in several ways.

use std::fmt;

use super::encoding;
use super::number::{self, Unfit};
use super::place::Place;
use super::read::{Fault, Reader, wrong};
use super::text::Shape;
use crate::telemetry::schema::Kind;
use crate::telemetry::wire::{Raw, put_varint};

impl Reader<'_, '_> {
    /// Reads a value that is a number on the wire.
    #[inline]
    pub(super) fn number(&mut self, kind: Kind, place: &Place<'_>) -> Result<Raw<'static>, Fault> {
        match kind {
            Kind::Bool => self.bool(place),
            Kind::Double => self.double(place),
            _ => self.integer(kind, place),
        }
    }

    fn bool(&mut self, place: &Place<'_>) -> Result<Raw<'static>, Fault> {
        let value = match self.text.shape()? {
            Shape::True => true,
            Shape::False => false,
            shape => return Err(misshapen(place, shape, Kind::Bool)),
        };
        self.text.word(if value { "true" } else { "false" })?;
        Ok(Raw::Varint(value.into()))
    }

    fn double(&mut self, place: &Place<'_>) -> Result<Raw<'static>, Fault> {
        let value = match self.text.shape()? {
            Shape::Number => number::double(self.text.number()?),
            Shape::String => match &*self.text.string()?.text() {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                text if is_number(text) => number::double(text),
                _ => return Err(unlike(place, "is a string that is no number", Kind::Double)),
            },
            shape => return Err(misshapen(place, shape, Kind::Double)),
        };
        value.map(|value| Raw::Fixed64(value.to_bits())).map_err(|unfit| unlike(place, unfit.words(), Kind::Double))
    }

    fn integer(&mut self, kind: Kind, place: &Place<'_>) -> Result<Raw<'static>, Fault> {
        let value = match (self.text.shape()?, kind) {
            (Shape::Number, _) => number::integer(self.text.number()?),
            (Shape::String, _) => {
                let text = self.text.string()?.text();
                match enum_named(kind, &text) {
                    Some(number) => Ok(number.into()),
                    None if is_number(&text) => number::integer(&text),
                    None => return Err(unlike(place, "is a string that is no number", kind)),
                }
            }
            (shape, _) => return Err(misshapen(place, shape, kind)),
        };
        let value = value.map_err(|unfit| unlike(place, unfit.words(), kind))?;
        fitted(kind, value).ok_or_else(|| unlike(place, Unfit::OutOfRange.words(), kind))
    }

    /// Reads a value that is a string in JSON and appends what is to lie on the wire.
    #[inline]
    pub(super) fn string(&mut self, kind: Kind, place: &Place<'_>) -> Result<(), Fault> {
        let shape = self.text.shape()?;
        if shape != Shape::String {
            return Err(misshapen(place, shape, kind));
        }
        let string = self.text.string()?;
        match (kind, string.plain()) {
            (Kind::Id(bytes), _) => self.id(bytes, &string.text(), place)?,
            (Kind::Bytes, _) if !encoding::put_unbase64(self.out, &string.text()) => {
                return Err(unlike(place, "is not base64", kind));
            }
            (Kind::Bytes, _) => {}
            (_, Some(plain)) => self.out.extend_from_slice(plain.as_bytes()),
            (_, None) => string.put_resolved(self.out),
        }
        Ok(())
    }

    /// Any whole number of bytes will do here; whether it is the right one is for the check on receipt to say.
    fn id(&mut self, bytes: usize, text: &str, place: &Place<'_>) -> Result<(), Fault> {
        if encoding::put_unhexed(self.out, text) {
            return Ok(());
        }
        let digits = bytes * 2;
        Err(if encoding::is_hex(text) {
            wrong(place, format_args!("has {} hex digits; expected {digits}", text.len()))
        } else if encoding::looks_like_base64(text, bytes) {
            wrong(place, format_args!("looks like base64 (protobuf's own JSON form); OTLP/JSON wants {digits} hex digits"))
        } else {
            unlike(place, "is not hex", Kind::Id(bytes))
        })
    }
}

/// Appends a number as it lies on the wire, without a tag.
#[inline]
pub(super) fn put(out: &mut Vec<u8>, number: Raw<'_>) {
    match number {
        Raw::Varint(value) => put_varint(out, value),
        Raw::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
        Raw::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Raw::Len(_) | Raw::Group => {}
    }
}

/// True for what a field has that was never given.
#[inline]
pub(super) fn is_zero(raw: Raw<'_>) -> bool {
    matches!(raw, Raw::Varint(0) | Raw::Fixed64(0) | Raw::Fixed32(0) | Raw::Len([]))
}

fn is_number(text: &str) -> bool {
    number::length(text.as_bytes()) == Some(text.len())
}

fn enum_named(kind: Kind, name: &str) -> Option<i32> {
    let Kind::Enum(names) = kind else { return None };
    names.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
}

/// An integer as a field of that kind has it on the wire, if it fits in.
fn fitted(kind: Kind, value: i128) -> Option<Raw<'static>> {
    let (least, most) = range(kind);
    if value < least || value > most {
        return None;
    }
    Some(match kind {
        Kind::Fixed64 | Kind::SFixed64 => Raw::Fixed64(value as u64),
        Kind::Fixed32 => Raw::Fixed32(value as u32),
        Kind::SInt32 => Raw::Varint((value << 1 ^ value >> 127) as u64),
        _ => Raw::Varint(value as u64),
    })
}

fn range(kind: Kind) -> (i128, i128) {
    match kind {
        Kind::UInt32 | Kind::Fixed32 => (0, u32::MAX.into()),
        Kind::UInt64 | Kind::Fixed64 => (0, u64::MAX.into()),
        Kind::Int64 | Kind::SFixed64 => (i64::MIN.into(), i64::MAX.into()),
        _ => (i32::MIN.into(), i32::MAX.into()),
    }
}

impl Unfit {
    fn words(self) -> &'static str {
        match self {
            Unfit::Fraction => "is not a whole number",
            Unfit::OutOfRange => "is out of range",
        }
    }
}

impl Shape {
    pub(super) fn words(self) -> &'static str {
        match self {
            Shape::Object => "an object",
            Shape::List => "a list",
            Shape::String => "a string",
            Shape::Number => "a number",
            Shape::True => "true",
            Shape::False => "false",
            Shape::Null => "null",
        }
    }
}

/// What would be right.
struct Expected(Kind);

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Bool => out.write_str("true or false"),
            Kind::Double => out.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\""),
            Kind::String => out.write_str("a string"),
            Kind::Bytes => out.write_str("a string in base64"),
            Kind::Id(bytes) => write!(out, "{} hex digits", bytes * 2),
            Kind::Message(_) => out.write_str("an object"),
            Kind::Enum(names) => {
                let example = names.get(1).map_or("its name", |(_, name)| name);
                write!(out, "a number, or a name such as {example}")
            }
            kind => {
                let (least, most) = range(kind);
                write!(out, "a whole number from {least} to {most}")
            }
        }
    }
}

#[cold]
fn unlike(place: &Place<'_>, problem: &str, kind: Kind) -> Fault {
    wrong(place, format_args!("{problem}; expected {}", Expected(kind)))
}

#[cold]
fn misshapen(place: &Place<'_>, shape: Shape, kind: Kind) -> Fault {
    wrong(place, format_args!("is {}; expected {}", shape.words(), Expected(kind)))
}
