//! The pattern of every `match` key: `*` and `?`, whatever the case.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A pattern that a whole text must fit: `*` stands for any characters, also none, `?` for exactly one, everything else for itself,
/// whatever its case. To look for a part, write `*part*`.
///
/// ```
/// use tracetailor_core::config::Glob;
///
/// let health = Glob::new("/health*");
/// assert!(health.matches("/healthz"));
/// assert!(health.matches("/Health/live"));
/// assert!(!health.matches("/api/health"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    text: String,
    pattern: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Token {
    /// Any characters, also none.
    Any,
    /// Exactly one.
    One,
    /// This one, in lower case.
    Letter(char),
}

impl Glob {
    /// A pattern from its text; every text is one.
    pub fn new(text: &str) -> Glob {
        let mut pattern = Vec::new();
        for letter in text.chars() {
            match letter {
                // Two stars say no more than one and would cost twice the attempts.
                '*' if pattern.last() == Some(&Token::Any) => {}
                '*' => pattern.push(Token::Any),
                '?' => pattern.push(Token::One),
                letter => pattern.push(Token::Letter(fold(letter))),
            }
        }
        Glob { text: text.to_owned(), pattern }
    }

    /// True when the whole text fits.
    ///
    /// It takes at most the length of the text times that of the pattern, whatever they are: after a mismatch only the last star is tried
    /// again.
    pub fn matches(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut at = 0;
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if self.pattern.get(at) == Some(&Token::Any) {
                retry = Some((at + 1, rest.clone()));
                at += 1;
                continue;
            }
            let letter = rest.next();
            match (self.pattern.get(at), letter) {
                (None, None) => return true,
                (Some(Token::One), Some(_)) => at += 1,
                (Some(Token::Letter(wanted)), Some(letter)) if *wanted == fold(letter) => at += 1,
                (_, None) => return false,
                _ => {
                    let Some((after_star, from)) = &mut retry else { return false };
                    // The star swallows one letter more.
                    from.next();
                    (at, rest) = (*after_star, from.clone());
                }
            }
        }
    }

    /// True for `*`, which every text fits.
    pub fn is_everything(&self) -> bool {
        self.pattern == [Token::Any]
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn fold(letter: char) -> char {
    if letter.is_ascii() { letter.to_ascii_lowercase() } else { letter.to_lowercase().next().unwrap_or(letter) }
}

impl FromStr for Glob {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Glob, Infallible> {
        Ok(Glob::new(text))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Glob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Glob::new(&text))
    }
}

impl serde::Serialize for Glob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl schemars::JsonSchema for Glob {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "glob".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "title": "glob", "type": "string" })
    }
}
