//! The directives of `Format`: Go's, which users know from the Collector.

use super::given::push;
use crate::ottl::problem::EvalError;

/// A format, read once.
#[derive(Clone, Debug)]
pub(super) struct Layout(pub(super) Vec<Piece>);

/// What a format is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Directive(Directive),
    /// A directive without its letter.
    NoVerb,
}

/// `%[2]*.3d`: what to do with an argument.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Directive {
    pub(super) flags: Flags,
    pub(super) width: Option<Size>,
    pub(super) precision: Option<Size>,
    /// The argument, told by its number; else the next.
    pub(super) index: Option<Index>,
    pub(super) verb: char,
    /// Numbers in brackets stand where none can.
    pub(super) is_misplaced: bool,
}

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Flags {
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
}

/// A width or a precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Size {
    Of(usize),
    /// An argument says it: the next one, or the one of that number.
    Argument(Option<Index>),
}

/// The number of an argument, from zero; `None` for what is no number.
pub(super) type Index = Option<usize>;

/// The widest that anything is written.
const MOST_WIDTH: usize = 1_000_000;

impl Layout {
    /// Reads a format. Nothing is refused: what is odd shows in what is made of it.
    pub(super) fn new(format: &str) -> Self {
        let mut pieces = vec![];
        let mut rest = format;
        while let Some((before, after)) = rest.split_once('%') {
            put(&mut pieces, before);
            let mut reader = Reader { rest: after };
            let piece = reader.directive();
            rest = reader.rest;
            match piece {
                Piece::Directive(Directive { verb: '%', .. }) => put(&mut pieces, "%"),
                piece => pieces.push(piece),
            }
        }
        put(&mut pieces, rest);
        Self(pieces)
    }
}

fn put(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(before)) => before.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn directive(&mut self) -> Piece {
        let mut directive = Directive { flags: self.flags(), ..Directive::default() };
        let mut index = self.index();
        if self.takes('*') {
            directive.width = Some(Size::Argument(index.take()));
        } else if let Some(width) = self.number() {
            directive.is_misplaced |= index.is_some();
            directive.width = Some(Size::Of(width));
        }
        if self.takes('.') {
            directive.is_misplaced |= index.is_some();
            index = self.index();
            if self.takes('*') {
                directive.precision = Some(Size::Argument(index.take()));
            } else {
                directive.precision = Some(Size::Of(self.number().unwrap_or(0)));
            }
        }
        directive.index = index.or_else(|| self.index());
        let Some(verb) = self.rest.chars().next() else { return Piece::NoVerb };
        self.rest = &self.rest[verb.len_utf8()..];
        directive.verb = verb;
        Piece::Directive(directive)
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        loop {
            match self.rest.bytes().next() {
                Some(b'+') => flags.plus = true,
                Some(b'-') => flags.minus = true,
                Some(b'#') => flags.sharp = true,
                Some(b' ') => flags.space = true,
                Some(b'0') => flags.zero = true,
                _ => return flags,
            }
            self.rest = &self.rest[1..];
        }
    }

    fn takes(&mut self, sign: char) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A number; one that is too large ends the format.
    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(digits);
        if digits.is_empty() {
            return None;
        }
        let number = digits.parse().ok().filter(|number| *number <= MOST_WIDTH);
        self.rest = if number.is_some() { rest } else { "" };
        number
    }

    /// `[2]`.
    fn index(&mut self) -> Option<Index> {
        let inside = self.rest.strip_prefix('[')?;
        let Some((number, rest)) = inside.split_once(']') else {
            self.rest = inside;
            return Some(None);
        };
        self.rest = rest;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        Some(number.parse::<usize>().ok().filter(|_| is_number).and_then(|number| number.checked_sub(1)))
    }
}

/// Writes in a width: with spaces or zeros before, or spaces behind.
pub(super) fn pad(out: &mut String, text: &str, flags: Flags, width: Option<usize>) -> Result<(), EvalError> {
    let missing = width.unwrap_or(0).saturating_sub(text.chars().count());
    if missing == 0 {
        return push(out, text);
    }
    if flags.minus {
        push(out, text)?;
        return push(out, &" ".repeat(missing));
    }
    push(out, &if flags.zero { "0" } else { " " }.repeat(missing))?;
    push(out, text)
}
