//! `Format`: values written into a text.

use std::fmt::Write;

use super::given::{expected, push};
use super::moments::Moment;
use super::printf::{Directive, Flags, Index, Layout, Piece, Size, pad};
use super::{Converter, Parameter, Run, Takes, durations, go_float};
use crate::ottl::problem::EvalError;
use crate::ottl::text::hex;
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[FORMAT];

/// `Format("%s-%03d", [name, 7])`: Go's directives; what does not fit shows in the text, as `%!d(string=x)`.
const FORMAT: Converter = Converter {
    name: "Format",
    parameters: &[Parameter::known("format", Takes::String), Parameter::needed("vals", Takes::List)],
    gives: Type::String,
    make: |arguments| {
        let layout = Layout::new(arguments.text("format").unwrap_or_default());
        Ok(Run::values(move |values| {
            let Value::List(list) = std::mem::take(&mut values[1]) else { return Err(expected(Type::List, &values[1])) };
            Printer { out: String::new(), values: list.into_values(), next: 0, is_ordered: true }.print(&layout).map(Value::from)
        }))
    },
};

struct Printer<'a> {
    out: String,
    values: Vec<Value<'a>>,
    next: usize,
    /// No argument was told by its number, so those that are left over are too many.
    is_ordered: bool,
}

/// How one value is written.
#[derive(Clone, Copy)]
struct Way {
    flags: Flags,
    width: Option<usize>,
    precision: Option<usize>,
    verb: char,
}

impl Printer<'_> {
    fn print(mut self, layout: &Layout) -> Result<String, EvalError> {
        for piece in &layout.0 {
            match piece {
                Piece::Text(text) => push(&mut self.out, text)?,
                Piece::NoVerb => push(&mut self.out, "%!(NOVERB)")?,
                Piece::Directive(directive) => self.directive(directive)?,
            }
        }
        if self.is_ordered && self.next < self.values.len() {
            push(&mut self.out, "%!(EXTRA ")?;
            let plain = Way { flags: Flags::default(), width: None, precision: None, verb: 'v' };
            for (place, value) in self.values[self.next..].iter().enumerate() {
                push(&mut self.out, if place > 0 { ", " } else { "" })?;
                put_typed(&mut self.out, value, plain)?;
            }
            push(&mut self.out, ")")?;
        }
        Ok(self.out)
    }

    fn directive(&mut self, directive: &Directive) -> Result<(), EvalError> {
        let mut flags = directive.flags;
        let width = match directive.width {
            Some(Size::Argument(index)) => match self.size(index) {
                Some(width) => {
                    flags.minus |= width < 0;
                    usize::try_from(width.unsigned_abs()).ok()
                }
                None => {
                    push(&mut self.out, "%!(BADWIDTH)")?;
                    None
                }
            },
            Some(Size::Of(width)) => Some(width),
            None => None,
        };
        let precision = match directive.precision {
            Some(Size::Argument(index)) => {
                let precision = self.size(index).and_then(|precision| usize::try_from(precision).ok());
                push(&mut self.out, if precision.is_none() { "%!(BADPREC)" } else { "" })?;
                precision
            }
            Some(Size::Of(precision)) => Some(precision),
            None => None,
        };
        let way = Way { flags, width, precision, verb: directive.verb };
        let is_good = !directive.is_misplaced && directive.index.is_none_or(|index| self.choose(index));
        if !is_good {
            return self.complain(directive.verb, "BADINDEX");
        }
        let Some(value) = self.values.get(self.next) else { return self.complain(directive.verb, "MISSING") };
        self.next += 1;
        put(&mut self.out, value, way)
    }

    fn complain(&mut self, verb: char, what: &str) -> Result<(), EvalError> {
        push(&mut self.out, &format!("%!{verb}({what})"))
    }

    /// Goes on from the argument of a number; false where there is none of that number.
    fn choose(&mut self, index: Index) -> bool {
        self.is_ordered = false;
        match index.filter(|index| *index < self.values.len()) {
            Some(index) => self.next = index,
            None => return false,
        }
        true
    }

    /// A width or a precision that an argument says.
    fn size(&mut self, index: Option<Index>) -> Option<i64> {
        if index.is_some_and(|index| !self.choose(index)) {
            return None;
        }
        let value = self.values.get(self.next);
        self.next += 1;
        match value {
            Some(Value::Int(size)) if size.unsigned_abs() <= 1_000_000 => Some(*size),
            _ => None,
        }
    }
}

/// A value in the way that is asked for, or what it is where it cannot be written in that way.
fn put(out: &mut String, value: &Value<'_>, way: Way) -> Result<(), EvalError> {
    match (way.verb, value) {
        ('T', _) => put_text(out, type_name(value), way),
        ('v', Value::Nil) => pad(out, "<nil>", way.flags, way.width),
        ('t' | 'v', Value::Bool(truth)) => pad(out, if *truth { "true" } else { "false" }, way.flags, way.width),
        ('v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' | 'c' | 'q' | 'U', Value::Int(number)) => put_int(out, *number, way),
        ('d' | 'b' | 'o' | 'O' | 'c' | 'U', Value::Duration(nanos)) => put_int(out, *nanos, way),
        ('v' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'b' | 'x' | 'X', Value::Float(number)) => put_float(out, *number, way),
        ('v' | 's' | 'q' | 'x' | 'X', Value::String(text)) => put_text(out, text, way),
        ('v' | 's' | 'q' | 'x' | 'X', Value::Duration(nanos)) => put_text(out, &durations::spelled(*nanos), way),
        ('v' | 's' | 'q' | 'x' | 'X', Value::Time(nanos)) => put_text(out, &Moment::at(*nanos).to_string(), way),
        ('v' | 's' | 'x' | 'X' | 'd', Value::Bytes(bytes)) => put_bytes(out, bytes, way),
        (_, Value::List(list)) => {
            push(out, "[")?;
            for (place, value) in list.iter().enumerate() {
                push(out, if place > 0 { " " } else { "" })?;
                put(out, &value, way)?;
            }
            push(out, "]")
        }
        (_, Value::Map(map)) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            push(out, "map[")?;
            for (place, (key, value)) in entries.iter().enumerate() {
                push(out, if place > 0 { " " } else { "" })?;
                push(out, key)?;
                push(out, ":")?;
                put(out, value, way)?;
            }
            push(out, "]")
        }
        (verb, value) => {
            push(out, &format!("%!{verb}("))?;
            put_typed(out, value, Way { verb: 'v', ..way })?;
            push(out, ")")
        }
    }
}

fn put_typed(out: &mut String, value: &Value<'_>, way: Way) -> Result<(), EvalError> {
    if value.is_nil() {
        return push(out, "<nil>");
    }
    push(out, type_name(value))?;
    push(out, "=")?;
    put(out, value, way)
}

/// As the Collector's language calls it.
fn type_name(value: &Value<'_>) -> &'static str {
    match value {
        Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::String(_) => "string",
        Value::Bytes(_) => "[]uint8",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
        Value::Time(_) => "time.Time",
        Value::Duration(_) => "time.Duration",
    }
}

/// A whole number. A precision is the least number of digits.
fn put_int(out: &mut String, number: i64, way: Way) -> Result<(), EvalError> {
    let size = number.unsigned_abs();
    let (marker, digits) = match way.verb {
        'c' => return put_text(out, &character(number).to_string(), Way { verb: 's', ..way }),
        'q' => return pad(out, &quoted(&character(number).to_string(), '\'', way.flags.plus), way.flags, way.width),
        'U' => return put_code_point(out, number, way),
        'b' => (if way.flags.sharp { "0b" } else { "" }, format!("{size:b}")),
        'o' => (if way.flags.sharp { "0" } else { "" }, format!("{size:o}")),
        'O' => ("0o", format!("{size:o}")),
        'x' => (if way.flags.sharp { "0x" } else { "" }, format!("{size:x}")),
        'X' => (if way.flags.sharp { "0X" } else { "" }, format!("{size:X}")),
        _ => ("", size.to_string()),
    };
    let sign = if number < 0 { "-" } else { plus(way.flags) };
    let least = match (way.precision, way.width) {
        (Some(0), _) if number == 0 => return pad(out, "", Flags { zero: false, ..way.flags }, way.width),
        (Some(precision), _) => precision,
        (None, Some(width)) if way.flags.zero && !way.flags.minus => width.saturating_sub(sign.len()),
        _ => 0,
    };
    let zeros = "0".repeat(least.saturating_sub(digits.len()));
    let marker = if marker == "0" && !zeros.is_empty() { "" } else { marker };
    pad(out, &format!("{sign}{marker}{zeros}{digits}"), Flags { zero: false, ..way.flags }, way.width)
}

fn plus(flags: Flags) -> &'static str {
    if flags.plus {
        "+"
    } else if flags.space {
        " "
    } else {
        ""
    }
}

fn character(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `U+0041`; with `#`, the character too.
fn put_code_point(out: &mut String, number: i64, way: Way) -> Result<(), EvalError> {
    let digits = format!("{number:X}");
    let zeros = "0".repeat(way.precision.unwrap_or(4).max(4).saturating_sub(digits.len()));
    let mut text = format!("U+{zeros}{digits}");
    if way.flags.sharp {
        let _ = write!(text, " '{}'", character(number));
    }
    pad(out, &text, Flags { zero: false, ..way.flags }, way.width)
}

fn put_float(out: &mut String, number: f64, way: Way) -> Result<(), EvalError> {
    let digits = match way.verb {
        'e' | 'E' | 'f' | 'F' => Some(way.precision.unwrap_or(6)),
        _ => way.precision,
    };
    let form = if way.verb == 'F' { 'f' } else { way.verb };
    let written = go_float::spelled(number, form, digits);
    let (sign, size) = match written.as_bytes() {
        [b'-', ..] => ("-", &written[1..]),
        [b'+', ..] => ("+", &written[1..]),
        _ => (plus(way.flags), &*written),
    };
    let zero = way.flags.zero && number.is_finite();
    match way.width {
        Some(width) if zero && !way.flags.minus => {
            push(out, sign)?;
            pad(out, size, way.flags, Some(width.saturating_sub(sign.len())))
        }
        width => pad(out, &format!("{sign}{size}"), Flags { zero: false, ..way.flags }, width),
    }
}

/// Text. A precision is the most characters.
fn put_text(out: &mut String, text: &str, way: Way) -> Result<(), EvalError> {
    if matches!(way.verb, 'x' | 'X') {
        return put_hex(out, text.as_bytes(), way);
    }
    let end = way.precision.and_then(|most| text.char_indices().nth(most)).map_or(text.len(), |(at, _)| at);
    let text = &text[..end];
    match way.verb {
        'q' if way.flags.sharp && !text.contains(|sign: char| sign == '`' || (sign.is_control() && sign != '\t')) => {
            pad(out, &format!("`{text}`"), way.flags, way.width)
        }
        'q' => pad(out, &quoted(text, '"', way.flags.plus), way.flags, way.width),
        _ => pad(out, text, way.flags, way.width),
    }
}

/// An id is its digits, and no id is nothing; other bytes are numbers in brackets, or the text that they are.
fn put_bytes(out: &mut String, bytes: &[u8], way: Way) -> Result<(), EvalError> {
    match (way.verb, bytes.len()) {
        ('x' | 'X', _) => put_hex(out, bytes, way),
        ('v' | 's', 8 | 16) if bytes.iter().all(|byte| *byte == 0) => pad(out, "", way.flags, way.width),
        ('v' | 's', 8 | 16) => pad(out, &hex(bytes), way.flags, way.width),
        ('s', _) => put_text(out, &String::from_utf8_lossy(bytes), way),
        _ => {
            push(out, "[")?;
            for (place, byte) in bytes.iter().enumerate() {
                push(out, if place > 0 { " " } else { "" })?;
                put_int(out, i64::from(*byte), Way { verb: 'd', ..way })?;
            }
            push(out, "]")
        }
    }
}

/// Two digits a byte. With a space, bytes stand apart; with `#`, each has a mark. A precision is the most bytes.
fn put_hex(out: &mut String, bytes: &[u8], way: Way) -> Result<(), EvalError> {
    let bytes = &bytes[..way.precision.unwrap_or(bytes.len()).min(bytes.len())];
    let mark = if way.flags.sharp { if way.verb == 'X' { "0X" } else { "0x" } } else { "" };
    let mut text = String::new();
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 && way.flags.space {
            text.push(' ');
        }
        if place == 0 || way.flags.space {
            text.push_str(mark);
        }
        let _ = if way.verb == 'X' { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
    }
    pad(out, &text, Flags { zero: false, ..way.flags }, way.width)
}

/// In quotes, with escapes for what cannot be seen.
fn quoted(text: &str, quote: char, ascii: bool) -> String {
    let mut out = String::from(quote);
    for sign in text.chars() {
        match sign {
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            sign if sign == quote => out.extend(['\\', sign]),
            sign if sign.is_ascii_control() => out.push_str(&format!("\\x{:02x}", sign as u32)),
            sign if sign.is_ascii() || (!ascii && is_visible(sign)) => out.push(sign),
            sign if sign as u32 <= 0xffff => out.push_str(&format!("\\u{:04x}", sign as u32)),
            sign => out.push_str(&format!("\\U{:08x}", sign as u32)),
        }
    }
    out.push(quote);
    out
}

fn is_visible(sign: char) -> bool {
    !sign.is_control() && (sign == '\u{fffd}' || sign.escape_debug().count() == 1)
}
