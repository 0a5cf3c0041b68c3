//! What replaces a match: text with the match's groups in it.

use regex::bytes::Regex;

use super::Pattern;
use super::given::push;
use crate::ottl::problem::EvalError;

/// `"<$1>"`, read once. `$1` and `$name` reach as far as letters, digits and `_` do; `${1}` says where it ends; `$$` is a dollar, and so is one that
/// introduces nothing. A group that is not there, or took no part in the match, is empty.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Group(usize),
    Named(String),
}

impl Template {
    /// Reads one.
    pub(super) fn new(written: &str) -> Self {
        let mut pieces = vec![];
        let mut rest = written;
        while let Some((before, after)) = rest.split_once('$') {
            put_text(&mut pieces, before);
            if let Some(behind) = after.strip_prefix('$') {
                put_text(&mut pieces, "$");
                rest = behind;
            } else if let Some((name, behind)) = reference(after) {
                pieces.push(group(name));
                rest = behind;
            } else {
                put_text(&mut pieces, "$");
                rest = after;
            }
        }
        put_text(&mut pieces, rest);
        Self(pieces)
    }

    /// The text that one match is replaced with.
    pub(super) fn expanded(&self, found: &regex::bytes::Captures<'_>) -> Result<String, EvalError> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => push(&mut out, text)?,
                Piece::Group(number) => push_match(&mut out, found.get(*number))?,
                Piece::Named(name) => push_match(&mut out, found.name(name))?,
            }
        }
        Ok(out)
    }

    /// What it says whatever was matched, if it names no group.
    fn fixed(&self) -> Option<&str> {
        match &*self.0 {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// Every match in a text replaced by what is made of it; `None` where there is no match.
pub(super) fn replaced(
    pattern: &Pattern,
    text: &str,
    template: &Template,
    finish: Option<&Finishing<'_>>,
) -> Result<Option<String>, EvalError> {
    let mut out = String::new();
    let is_any = put_replaced(pattern, text, template, finish, &mut out)?;
    Ok(is_any.then_some(out))
}

/// What is done with a replacement before it is put in.
pub(super) type Finishing<'f> = dyn Fn(String) -> Result<String, EvalError> + 'f;

/// The same, put into an empty text; what is there is worthless where the answer is that there is no match.
pub(super) fn put_replaced(
    pattern: &Pattern,
    text: &str,
    template: &Template,
    finish: Option<&Finishing<'_>>,
    out: &mut String,
) -> Result<bool, EvalError> {
    if pattern.is_plain() && !pattern.is_match(text.as_bytes()) {
        return Ok(false);
    }
    let regex: &Regex = pattern.regex();
    let mut end = 0;
    if let (Some(fixed), None) = (template.fixed(), finish) {
        let mut all = regex.find_iter(text.as_bytes()).peekable();
        if all.peek().is_none() {
            return Ok(false);
        }
        out.reserve(text.len() + fixed.len());
        for found in all.filter(|found| text.is_char_boundary(found.start())) {
            push(out, between(text, end, found.start()))?;
            push(out, fixed)?;
            end = found.end();
        }
    } else {
        let mut all = regex.captures_iter(text.as_bytes()).peekable();
        if all.peek().is_none() {
            return Ok(false);
        }
        out.reserve(text.len());
        for found in all {
            let Some(whole) = found.get(0).filter(|whole| text.is_char_boundary(whole.start())) else { continue };
            push(out, between(text, end, whole.start()))?;
            let made = template.expanded(&found)?;
            let made = if let Some(finish) = finish { finish(made)? } else { made };
            push(out, &made)?;
            end = whole.end();
        }
    }
    push(out, between(text, end, text.len()))?;
    Ok(true)
}

/// Matches begin and end with characters, but for empty ones, of which those inside of a character were left out.
fn between(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}

fn push_match(out: &mut String, found: Option<regex::bytes::Match<'_>>) -> Result<(), EvalError> {
    found.map_or(Ok(()), |found| push(out, std::str::from_utf8(found.as_bytes()).unwrap_or_default()))
}

fn put_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(before)) => before.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// The name behind a dollar, and what follows it.
fn reference(after: &str) -> Option<(&str, &str)> {
    let (braced, name) = after.strip_prefix('{').map_or((false, after), |name| (true, name));
    let end = name.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(name.len());
    let (name, behind) = name.split_at(end);
    let behind = if braced { behind.strip_prefix('}')? } else { behind };
    (!name.is_empty()).then_some((name, behind))
}

fn group(name: &str) -> Piece {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    match name.parse() {
        Ok(number) if is_number => Piece::Group(number),
        _ => Piece::Named(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ottl::functions::MOST_BYTES;

    fn replace(text: &str, pattern: &str, with: &str) -> Option<String> {
        let pattern = Pattern::new(pattern).unwrap();
        replaced(&pattern, text, &Template::new(with), None).unwrap()
    }

    #[test]
    fn groups_are_put_in() {
        for (pattern, with, made) in [
            ("(l+)", "<$1>", "He<ll>o Wor<l>d"),
            ("(l+)", "$1x", "Heo Word"),
            ("(l+)", "${1}x", "Hellxo Worlxd"),
            ("(?P<two>l+)", "${two}-$two", "Hell-llo Worl-ld"),
            ("(l+)", "$2|$0|$$1|$|$ |${|${x", "He|ll|$1|$|$ |${|${xo Wor|l|$1|$|$ |${|${xd"),
            ("(l+)", "$01", "Heo Word"),
            ("(z)?l", "[$1]", "He[][]o Wor[]d"),
            ("", "-", "-H-e-l-l-o- -W-o-r-l-d-"),
            ("l*", "-", "-H-e-o- -W-o-r-d-"),
            ("o", "$1é", "Hell Wrld"),
        ] {
            assert_eq!(replace("Hello World", pattern, with).as_deref(), Some(made), "{pattern} with {with}");
        }
        assert_eq!(replace("Hello World", "z", "y"), None);
        assert_eq!(replace("aé€", "", "-").as_deref(), Some("-a-é-€-"));
    }

    #[test]
    fn a_text_does_not_grow_without_bound() {
        let pattern = Pattern::new("").unwrap();
        let text = "x".repeat(1 << 12);
        let long = Template::new(&"y".repeat(1 << 10));
        assert!(replaced(&pattern, &text, &long, None).is_err());
        let doubling = Template::new("$0$0");
        let text = "x".repeat(MOST_BYTES);
        assert!(replaced(&Pattern::new("x*").unwrap(), &text, &doubling, None).is_err());
    }
}
