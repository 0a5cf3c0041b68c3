//! From text to tokens.

use super::problem::Problem;

/// The longest text that is read.
pub(super) const MOST_TEXT: usize = 1 << 16;

/// A piece of the text, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// `"text"`, its escapes resolved.
    Text(String),
    /// `0x02ff`.
    Bytes(Vec<u8>),
    /// Digits alone; the sign stands before it as a token of its own.
    Int(u64),
    Float(f64),
    /// A word that begins in lower case: a path's part, an editor, `and`, `nil`.
    Lower(String),
    /// A word that begins in upper case: a converter, an enum.
    Upper(String),
    /// `==`, `(`, `+`: signs.
    Sign(&'static str),
    /// Behind the last token.
    End,
}

/// Longer ones first.
const SIGNS: [&str; 20] = ["==", "!=", "<=", ">=", "=>", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ".", ":", "+", "-", "*"];

/// All tokens of a text; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    if text.len() > MOST_TEXT {
        return Err(Problem::new(0, format!("{} bytes are more than an expression may have", text.len()), "write several shorter ones"));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token(&text[at..], first).map_err(|problem| Problem { at: at + problem.at, ..problem })?;
        tokens.push(Token { at, kind });
        at += length;
    }
    tokens.push(Token { at: text.len(), kind: Kind::End });
    Ok(tokens)
}

/// The token that a text begins with, and its length.
fn token(rest: &str, first: char) -> Result<(Kind, usize), Problem> {
    match first {
        '"' => quoted(rest),
        '\'' => Err(Problem::new(0, "text in single quotes", "write text in double quotes: \"text\"")),
        'a'..='z' | 'A'..='Z' => {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let word = rest[..end].to_owned();
            Ok((if first.is_ascii_lowercase() { Kind::Lower(word) } else { Kind::Upper(word) }, end))
        }
        '0'..='9' => number(rest),
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest),
        '/' => Ok((Kind::Sign("/"), 1)),
        '&' | '|' => Err(Problem::new(0, format!("`{first}` is no operator"), "write `and` and `or`")),
        '!' if !rest.starts_with("!=") => Err(Problem::new(0, "`!` is no operator", "write `not`")),
        _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => Ok((Kind::Sign(sign), sign.len())),
            None => Err(Problem::new(0, format!("`{first}` means nothing here"), "put text in double quotes")),
        },
    }
}

fn number(rest: &str) -> Result<(Kind, usize), Problem> {
    if let Some(digits) = rest.strip_prefix("0x") {
        return hex(digits);
    }
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let whole = digits(rest);
    let fraction = match rest[whole..].strip_prefix('.') {
        Some(behind) => digits(behind),
        None => 0,
    };
    let end = if fraction > 0 { whole + 1 + fraction } else { whole };
    if rest[end..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let hint = "a number is digits, with a dot before its fraction; a length of time is Duration(\"5s\")";
        return Err(Problem::new(0, "letters in a number", hint));
    }
    let kind = match fraction {
        0 => rest[..end].parse().ok().filter(|number| *number <= 1 << 63).map(Kind::Int),
        _ => rest[..end].parse().ok().map(Kind::Float),
    };
    kind.map(|kind| (kind, end)).ok_or_else(|| {
        Problem::new(0, format!("{} is larger than a whole number can be", &rest[..end]), "the largest is 9223372036854775807")
    })
}

fn hex(digits: &str) -> Result<(Kind, usize), Problem> {
    let end = digits.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(digits.len());
    let digits = &digits[..end];
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(|pair| byte(pair).filter(|_| pair.len() == 2)).collect();
    match bytes.filter(|bytes| !bytes.is_empty()) {
        Some(bytes) => Ok((Kind::Bytes(bytes), end + 2)),
        None => Err(Problem::new(0, "bytes that are not written in pairs of hex digits", "write 0x02ff")),
    }
}

/// Text in quotes; its escapes are those of Go.
fn quoted(rest: &str) -> Result<(Kind, usize), Problem> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((Kind::Text(text), at + 1)),
            '\\' => {
                let (unescaped, length) = escape(&rest[at + 1..]).ok_or_else(|| unknown_escape(at, &rest[at..]))?;
                text.push(unescaped);
                for _ in 0..length {
                    letters.next();
                }
            }
            letter => text.push(letter),
        }
    }
    Err(Problem::new(0, "text without an end", "close it with a double quote"))
}

/// What follows a backslash: the letter it stands for, and how many letters it took.
fn escape(rest: &str) -> Option<(char, usize)> {
    let coded = |digits: usize| {
        let code = rest.get(1..=digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))?;
        char::from_u32(u32::from_str_radix(code, 16).ok()?).map(|letter| (letter, digits + 1))
    };
    let plain = |letter| Some((letter, 1));
    match rest.chars().next()? {
        'n' => plain('\n'),
        't' => plain('\t'),
        'r' => plain('\r'),
        'a' => plain('\u{7}'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'v' => plain('\u{b}'),
        letter @ ('\\' | '"') => plain(letter),
        'x' => coded(2),
        'u' => coded(4),
        'U' => coded(8),
        _ => None,
    }
}

fn unknown_escape(at: usize, rest: &str) -> Problem {
    let escape: String = rest.chars().take(2).collect();
    Problem::new(at, format!("`{escape}` is no escape"), format!("a backslash is written twice: `\\{escape}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn text_falls_into_tokens() {
        let expected = [
            Kind::Lower("a_1".into()),
            Kind::Sign("["),
            Kind::Text("k\t\"\\é".into()),
            Kind::Sign("]"),
            Kind::Sign(">="),
            Kind::Sign("-"),
            Kind::Float(0.5),
            Kind::Sign("*"),
            Kind::Int(12),
            Kind::Sign("/"),
            Kind::Bytes(vec![2, 255]),
            Kind::Upper("Xy_Z".into()),
            Kind::End,
        ];
        assert_eq!(kinds(r#"a_1["k\t\"\\\u00e9"]>=-.5*12/0x02Ff Xy_Z"#), expected);
    }

    #[test]
    fn what_is_no_token_says_where_and_why() {
        for (text, at, wrong) in [
            ("a == 'x'", 5, "single quotes"),
            ("a == \"x", 5, "without an end"),
            ("\"a\\d\"", 2, "`\\d` is no escape"),
            ("5s", 0, "letters in a number"),
            ("1e5", 0, "letters in a number"),
            ("9223372036854775809", 0, "larger"),
            ("0x123", 0, "pairs"),
            ("0xgg", 0, "pairs"),
            ("a && b", 2, "no operator"),
            ("!a", 0, "`!`"),
            ("a ; b", 2, "means nothing"),
            ("ü", 0, "means nothing"),
        ] {
            let problem = tokens(text).unwrap_err();
            assert!(problem.at == at && problem.wrong.contains(wrong), "{text}: {problem:?}");
        }
    }
}
