//! A tokenizer of SQL, as far as literals go: where numbers, strings and comments stand.
//!
//! It is written by hand because a parser would refuse what it does not know, and every database knows something that others do not. A tokenizer needs to know only
//! how a literal begins and ends, which is the same nearly everywhere, takes time in proportion to the text, and never fails: what does not end is told apart.

use std::ops::Range;

/// What differs between databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `"` holds text, `` ` `` a name, `#` begins a comment.
    MySql,
    /// `"` holds a name.
    Standard,
}

impl Dialect {
    /// That of a database, by its name in lower case.
    pub(super) fn of(system: &str) -> Self {
        if system == "mysql" { Dialect::MySql } else { Dialect::Standard }
    }
}

/// What a piece of a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A number, with its sign.
    Number,
    /// Text between single quotes, or between dollars.
    Text,
    /// What stands between double quotes.
    Quoted,
    /// A parameter by its place: `$1`.
    Positional,
    /// A parameter by its name: `:name`, `@name`.
    Named,
    /// A name or a keyword.
    Word,
    /// A comment.
    Comment,
    /// Anything else, spaces too.
    Other,
    /// Something that begins and does not end.
    Endless,
}

/// The pieces of a statement, in order and without gaps.
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    dialect: Dialect,
}

/// Takes a statement to pieces.
pub(super) fn tokens(text: &[u8], dialect: Dialect) -> Tokens<'_> {
    Tokens { text, at: 0, dialect }
}

impl Iterator for Tokens<'_> {
    type Item = (Token, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let first = *self.text.get(start)?;
        let token = self.token(first);
        Some((token, start..self.at))
    }
}

impl Tokens<'_> {
    fn token(&mut self, first: u8) -> Token {
        let next = self.text.get(self.at + 1).copied().unwrap_or(0);
        match first {
            b'0'..=b'9' => self.number(),
            b'-' if next == b'-' => self.line_comment(),
            b'#' if self.dialect == Dialect::MySql => self.line_comment(),
            b'-' | b'+' if next.is_ascii_digit() && !self.follows_comparison() => {
                self.at += 1;
                self.number()
            }
            b'/' if next == b'*' => self.until(b"*/", 2, Token::Comment),
            b'\'' => self.quoted(b'\'', Token::Text),
            b'"' => self.quoted(b'"', Token::Quoted),
            b'`' if self.dialect == Dialect::MySql => self.quoted(b'`', Token::Word),
            b'$' => self.dollar(next),
            b':' if next == b':' => {
                self.at += 2;
                Token::Other
            }
            b':' | b'@' if is_name(next) && !next.is_ascii_digit() => {
                self.at += 1;
                self.name(Token::Named)
            }
            _ if is_name(first) => self.name(Token::Word),
            _ => {
                self.at += 1;
                Token::Other
            }
        }
    }

    /// A sign that touches a comparison is taken for a part of it.
    fn follows_comparison(&self) -> bool {
        self.text[..self.at].last().is_some_and(|byte| matches!(byte, b'=' | b'<' | b'>' | b'!'))
    }

    fn number(&mut self) -> Token {
        let digits = &self.text[self.at..];
        let is_hex = digits.len() > 2 && digits[0] == b'0' && matches!(digits[1], b'x' | b'X');
        let mut length = if is_hex { 2 } else { 0 };
        while let Some(byte) = digits.get(length) {
            let signed = matches!(digits.get(length + 1), Some(b'+' | b'-')) && digits.get(length + 2).is_some_and(u8::is_ascii_digit);
            length += match byte {
                b'0'..=b'9' | b'.' => 1,
                b'a'..=b'f' | b'A'..=b'F' if is_hex => 1,
                b'e' | b'E' if signed => 2,
                b'e' | b'E' if digits.get(length + 1).is_some_and(u8::is_ascii_digit) => 1,
                _ => break,
            };
        }
        self.at += length;
        Token::Number
    }

    fn name(&mut self, token: Token) -> Token {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len()).max(1);
        token
    }

    fn line_comment(&mut self) -> Token {
        let rest = &self.text[self.at..];
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        Token::Comment
    }

    /// Up to the next occurrence of `end`, which is looked for behind the first `skip` bytes.
    fn until(&mut self, end: &[u8], skip: usize, token: Token) -> Token {
        let behind = self.text.get(self.at + skip..).unwrap_or_default();
        match memchr::memmem::find(behind, end) {
            Some(found) => {
                self.at += skip + found + end.len();
                token
            }
            None => {
                self.at = self.text.len();
                if token == Token::Comment { Token::Comment } else { Token::Endless }
            }
        }
    }

    /// Up to the closing quote; a backslash takes the next byte along.
    fn quoted(&mut self, quote: u8, token: Token) -> Token {
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            self.at += 1;
            match *byte {
                b'\\' => self.at = (self.at + 1).min(self.text.len()),
                byte if byte == quote => return token,
                _ => {}
            }
        }
        if token == Token::Text { Token::Text } else { Token::Endless }
    }

    fn dollar(&mut self, next: u8) -> Token {
        if next.is_ascii_digit() {
            let digits = self.text[self.at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.at += 1 + digits;
            return Token::Positional;
        }
        let tag = self.text[self.at + 1..].iter().take_while(|byte| is_name(**byte) && **byte != b'$').count();
        if self.text.get(self.at + 1 + tag) != Some(&b'$') {
            self.at += 1;
            return Token::Other;
        }
        let text = self.text;
        self.until(&text[self.at..self.at + tag + 2], tag + 2, Token::Text)
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether there may be a literal or a comment in a statement of the standard: a digit that does not go on with a name, a quote, a dollar, two dashes, a slash and a star.
pub(super) fn may_hold_literals(text: &[u8]) -> bool {
    /// So many are looked at together, each with the one before it.
    const TOGETHER: usize = 16;
    let Some(first) = text.first() else { return false };
    if begins_literal(b' ', *first) {
        return true;
    }
    let mut found = [0u8; TOGETHER];
    let mut look = |seventeen: &[u8; TOGETHER + 1]| {
        for place in 0..TOGETHER {
            found[place] |= u8::from(begins_literal(seventeen[place], seventeen[place + 1]));
        }
    };
    let Some(last) = text.last_chunk() else { return text.windows(2).any(|two| begins_literal(two[0], two[1])) };
    let mut rest = text;
    while let Some(next) = rest.first_chunk() {
        look(next);
        rest = &rest[TOGETHER..];
    }
    look(last);
    found != [0; TOGETHER]
}

/// Without a branch, so that many are looked at by one instruction.
#[inline(always)]
fn begins_literal(before: u8, byte: u8) -> bool {
    let is_in_name = ((before | 0x20).wrapping_sub(b'a') < 26) | (before.wrapping_sub(b'0') < 10) | (before == b'_') | (before >= 0x80);
    (byte.wrapping_sub(b'0') < 10) & !is_in_name
        | (byte == b'\'')
        | (byte == b'"')
        | (byte == b'$')
        | (byte == b'-') & (before == b'-')
        | (byte == b'*') & (before == b'/')
}

/// The statement with `?` for literals, digits in names and positional parameters, as the Collector leaves it.
pub(super) fn obfuscated(text: &str, dialect: Dialect) -> String {
    let mut out = String::with_capacity(text.len());
    for (token, range) in tokens(text.as_bytes(), dialect) {
        let piece = text.get(range).unwrap_or_default();
        match token {
            Token::Number | Token::Text | Token::Positional => out.push('?'),
            Token::Quoted | Token::Endless if dialect == Dialect::MySql && piece.starts_with('"') => out.push('?'),
            Token::Word if ["true", "false", "null"].iter().any(|word| piece.eq_ignore_ascii_case(word)) => out.push('?'),
            Token::Word | Token::Quoted => without_digits(piece, &mut out),
            Token::Named | Token::Comment | Token::Other | Token::Endless => out.push_str(piece),
        }
    }
    out.trim().to_owned()
}

/// Names with a number are mostly many: `orders_2024`.
fn without_digits(name: &str, out: &mut String) {
    let mut was_digit = false;
    for letter in name.chars() {
        let is_digit = letter.is_ascii_digit();
        if !is_digit {
            out.push(letter);
        } else if !was_digit {
            out.push('?');
        }
        was_digit = is_digit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_lose_their_literals_as_in_the_collector() {
        let cases = [
            ("SELECT * FROM users WHERE id = 5 AND name = 'joe'", "SELECT * FROM users WHERE id = ? AND name = ?"),
            ("y='it''s' -- comment 5\n limit 10", "y=?? -- comment 5\n limit ?"),
            ("a=1.5e3, b=NULL, c=true, d=0x1F, e=-9, f*+9", "a=?, b=?, c=?, d=?, e=-?, f*?"),
            ("SELECT a FROM t1 WHERE c = $1 AND e = :name AND f = @v", "SELECT a FROM t? WHERE c = ? AND e = :name AND f = @v"),
            ("SELECT $$body$$, E'esc\\'aped', N'x', b'01'", "SELECT ?, E?, N?, b?"),
            ("1.5, .5, 1., 1e5, 1e-5, 0b11, 1_000, 5a, 5.5.5, 2020-01-01", "?, .?, ?, ?, ?, ?b?, ?_?, ?a, ?, ???"),
            ("SELECT 'unterminated", "SELECT ?"),
            ("  lead 1 trail 2  ", "lead ? trail ?"),
            ("SELECT a::int4, -5", "SELECT a::int?, ?"),
            ("SELECT \"a1\" FROM [t2] /* 6 */", "SELECT \"a?\" FROM [t?] /* 6 */"),
        ];
        for (before, after) in cases {
            assert_eq!(obfuscated(before, Dialect::Standard), after, "{before}");
        }
        assert_eq!(obfuscated("SELECT \"col\" FROM `t1` # 5", Dialect::MySql), "SELECT ? FROM `t?` # 5");
        assert_eq!(obfuscated("\"unterminated 5", Dialect::MySql), "?");
    }

    #[test]
    fn what_may_be_a_literal_is_seen_wherever_it_stands() {
        for before in 0..70 {
            for (piece, is_seen) in [
                ("= 5", true),
                ("'", true),
                ("\"", true),
                ("$", true),
                ("--", true),
                ("/*", true),
                ("t5", false),
                ("é5", false),
                ("- -/ *_0", false),
            ] {
                let text = format!("{}{piece}{}", "x".repeat(before), "y".repeat(before % 19));
                assert_eq!(may_hold_literals(text.as_bytes()), is_seen, "{text}");
            }
        }
        assert!(!may_hold_literals(b"") && may_hold_literals(b"5") && !may_hold_literals(b"x"));
    }

    #[test]
    fn nothing_is_lost_between_tokens() {
        for text in ["SELECT '", "$$", "$a$b", "--", "/*", "ä1'ö", "\\", "'\\", "$1$", "0x", "1e", "@", ":"] {
            let mut at = 0;
            for (_, range) in tokens(text.as_bytes(), Dialect::Standard) {
                assert_eq!(range.start, at, "{text}");
                assert!(range.end > at, "{text}");
                at = range.end;
            }
            assert_eq!(at, text.len(), "{text}");
        }
    }
}
