//! JSON read one token at a time, without a tree and without recursion: whoever reads decides how deep to go, and skips the rest.

use std::borrow::Cow;

use super::number;
use crate::telemetry::utf8;

/// The text is no JSON from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) at: usize,
    /// What would be right.
    pub(super) expected: &'static str,
}

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    List,
    String,
    Number,
    True,
    False,
    Null,
}

/// A reading position in a text.
#[derive(Clone, Debug)]
pub(super) struct Text<'j> {
    text: &'j str,
    at: usize,
}

/// A string between its quotes, its escapes checked but not yet resolved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quoted<'j> {
    raw: &'j str,
    escaped: bool,
}

impl<'j> Text<'j> {
    pub(super) fn new(text: &'j str) -> Self {
        // A byte order mark means nothing in UTF-8, and some senders write one.
        Self { text, at: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 } }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Goes back to where the reader was before.
    pub(super) fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    fn rest(&self) -> &'j [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T, Syntax> {
        Err(Syntax { at: self.at, expected })
    }

    /// The next byte that is not white space, without taking it.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// What comes next, without taking it.
    #[inline]
    pub(super) fn shape(&mut self) -> Result<Shape, Syntax> {
        Ok(match self.peek() {
            Some(b'"') => Shape::String,
            Some(b'{') => Shape::Object,
            Some(b'[') => Shape::List,
            Some(b'-' | b'0'..=b'9') => Shape::Number,
            Some(b't') => Shape::True,
            Some(b'f') => Shape::False,
            Some(b'n') => Shape::Null,
            _ => return self.fail("expected a value"),
        })
    }

    /// Takes the bracket that opens an object or a list.
    pub(super) fn open(&mut self) {
        self.at += 1;
    }

    /// Steps to the next element of a list or the next key of an object; false behind the last. `first` is true before the first.
    #[inline(always)]
    fn more(&mut self, close: u8, first: &mut bool) -> Result<bool, Syntax> {
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !*first => {
                self.at += 1;
                Ok(true)
            }
            _ if *first => {
                *first = false;
                Ok(true)
            }
            _ => self.fail(if close == b'}' { "expected `,` or `}`" } else { "expected `,` or `]`" }),
        }
    }

    /// Steps to the next element of a list.
    #[inline]
    pub(super) fn element(&mut self, first: &mut bool) -> Result<bool, Syntax> {
        self.more(b']', first)
    }

    /// Steps to the next value of an object and gives its key, `None` behind the last.
    #[inline(always)]
    pub(super) fn key(&mut self, first: &mut bool) -> Result<Option<Quoted<'j>>, Syntax> {
        if !self.more(b'}', first)? {
            return Ok(None);
        }
        if self.peek() != Some(b'"') {
            return self.fail("expected a key in double quotes");
        }
        let key = self.string()?;
        if self.take(b':') { Ok(Some(key)) } else { self.fail("expected `:` behind the key") }
    }

    /// Takes a string; its opening quote comes next.
    // Inlined, as what calls it: handing the string through memory costs more than finding its end.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Quoted<'j>, Syntax> {
        self.at += 1;
        let start = self.at;
        self.at += plain(self.rest());
        let escaped = self.text.as_bytes().get(self.at) != Some(&b'"');
        if escaped {
            self.string_end()?;
        }
        let raw = self.text.get(start..self.at).unwrap_or_default();
        self.at += 1;
        Ok(Quoted { raw, escaped })
    }

    /// Goes on to the closing quote of a string that has escapes, and checks them.
    #[cold]
    fn string_end(&mut self) -> Result<(), Syntax> {
        loop {
            match self.rest().first() {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.escape()?,
                Some(_) => return self.fail("expected control characters in a string as escapes, such as `\\n`"),
                None => return self.fail("expected `\"` at the end of the string"),
            }
            self.at += plain(self.rest());
        }
    }

    fn escape(&mut self) -> Result<(), Syntax> {
        self.at += match self.rest() {
            [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [_, b'u', digits @ ..] if digits.len() >= 4 && digits[..4].iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return self.fail("expected one of `\"`, `\\`, `/`, `b`, `f`, `n`, `r`, `t` or `u` and four hex digits behind `\\`"),
        };
        Ok(())
    }

    /// Takes a number as it is spelled.
    #[inline]
    pub(super) fn number(&mut self) -> Result<&'j str, Syntax> {
        let Some(length) = number::length(self.rest()) else {
            return self.fail("expected a number such as -1.5e3");
        };
        let number = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        Ok(number)
    }

    /// Takes `true`, `false` or `null`.
    pub(super) fn word(&mut self, word: &'static str) -> Result<(), Syntax> {
        if !self.rest().starts_with(word.as_bytes()) {
            return self.fail("expected `true`, `false` or `null`");
        }
        self.at += word.len();
        Ok(())
    }

    /// Steps over a value, whatever it is and however deep.
    pub(super) fn skip(&mut self) -> Result<(), Syntax> {
        let mut open = Vec::new();
        loop {
            let mut first = self.skip_token(&mut open)?;
            loop {
                let more = match open.last() {
                    None => return Ok(()),
                    Some(Shape::Object) => self.key(&mut first)?.is_some(),
                    Some(_) => self.element(&mut first)?,
                };
                if more {
                    break;
                }
                open.pop();
                first = false;
            }
        }
    }

    /// Steps over a value that has nothing inside, or into one that has; true if so.
    fn skip_token(&mut self, open: &mut Vec<Shape>) -> Result<bool, Syntax> {
        let shape = self.shape()?;
        match shape {
            Shape::Object | Shape::List => {
                self.open();
                open.push(shape);
                return Ok(true);
            }
            Shape::String => drop(self.string()?),
            Shape::Number => drop(self.number()?),
            Shape::True => self.word("true")?,
            Shape::False => self.word("false")?,
            Shape::Null => self.word("null")?,
        }
        Ok(false)
    }

    /// Nothing but white space is left.
    pub(super) fn end(&mut self) -> Result<(), Syntax> {
        if self.peek().is_none() { Ok(()) } else { self.fail("expected nothing behind the request") }
    }
}

impl<'j> Quoted<'j> {
    /// The string itself.
    #[inline(always)]
    pub(super) fn text(self) -> Cow<'j, str> {
        if self.escaped { Cow::Owned(self.resolved()) } else { Cow::Borrowed(self.raw) }
    }

    #[cold]
    fn resolved(self) -> String {
        let mut out = Vec::with_capacity(self.raw.len());
        self.put_resolved(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// The string as it stands in the text, if that is the string itself.
    #[inline]
    pub(super) fn plain(self) -> Option<&'j str> {
        (!self.escaped).then_some(self.raw)
    }

    /// Appends the string with its escapes resolved.
    pub(super) fn put_resolved(self, out: &mut Vec<u8>) {
        let mut rest = self.raw;
        while let Some((plain, escape)) = rest.split_once('\\') {
            out.extend_from_slice(plain.as_bytes());
            let (character, behind) = resolve(escape);
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = behind;
        }
        out.extend_from_slice(rest.as_bytes());
    }
}

/// The character that an escape means, and the text behind it.
fn resolve(escape: &str) -> (char, &str) {
    let mut rest = escape.chars();
    let character = match rest.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return unicode(rest.as_str()),
        other => other.unwrap_or_default(),
    };
    (character, rest.as_str())
}

/// The character of one `\u` escape, or of two that are a surrogate pair. Half a pair is what senders leave that cut a text
/// between the two: it costs that character, not the request.
fn unicode(digits: &str) -> (char, &str) {
    let (unit, rest) = code_unit(digits);
    if let Some((low, behind)) = rest.strip_prefix("\\u").map(code_unit)
        && let Some(Ok(character)) = char::decode_utf16([unit, low]).next()
        && character.len_utf16() == 2
    {
        return (character, behind);
    }
    let character = char::from_u32(u32::from(unit)).unwrap_or_else(|| {
        utf8::count_repair();
        char::REPLACEMENT_CHARACTER
    });
    (character, rest)
}

fn code_unit(digits: &str) -> (u16, &str) {
    let (unit, rest) = digits.split_at_checked(4).unwrap_or((digits, ""));
    (u16::from_str_radix(unit, 16).unwrap_or_default(), rest)
}

/// How many bytes there are before one that ends a string, begins an escape, or may not stand in a string.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // The highest bit of each byte tells whether the byte is special. Borrows can mark a byte behind a special one, never one before it.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let special = (control | zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')))) & (ONES << 7);
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let done = words.len() * 8;
    done + bytes[done..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}
