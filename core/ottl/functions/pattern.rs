//! A regular expression, compiled once; the plain ones are not run as such.
//!
//! The language is the Collector's: [`re2`](super::re2) says where that is not the crate's own.

use regex::bytes::{Regex, RegexBuilder};

/// A regular expression over text. Linear in the text, whatever it says.
#[derive(Clone, Debug)]
pub struct Pattern {
    shortcut: Shortcut,
    regex: Regex,
}

/// What most patterns are: a literal at a known place.
#[derive(Clone, Debug)]
enum Shortcut {
    Begins(Box<[u8]>),
    Ends(Box<[u8]>),
    Is(Box<[u8]>),
    None,
}

/// The most memory that a compiled pattern may take.
pub(super) const MOST_MEMORY: usize = 1 << 20;

impl Pattern {
    /// Compiles one, or says in words what is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let translated = super::re2::translated(pattern).map_err(|wrong| format!("is no regular expression: {wrong}"))?;
        let regex = RegexBuilder::new(&translated).size_limit(MOST_MEMORY).dfa_size_limit(MOST_MEMORY).build();
        let regex = regex.map_err(|error| {
            let error = error.to_string();
            format!("is no regular expression: {}", error.lines().last().unwrap_or_default().trim_start_matches("error: "))
        })?;
        Ok(Self { shortcut: Shortcut::of(pattern), regex })
    }

    /// Whether it matches anywhere in the text.
    #[inline]
    pub fn is_match(&self, text: &[u8]) -> bool {
        match &self.shortcut {
            Shortcut::Begins(literal) => text.starts_with(literal),
            Shortcut::Ends(literal) => text.ends_with(literal),
            Shortcut::Is(literal) => text == &**literal,
            Shortcut::None => self.regex.is_match(text),
        }
    }

    /// Whether [`is_match`](Self::is_match) costs next to nothing.
    pub fn is_plain(&self) -> bool {
        !matches!(self.shortcut, Shortcut::None)
    }

    /// The whole machine, over bytes: to find matches and groups.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

impl Shortcut {
    fn of(pattern: &str) -> Self {
        let begins = pattern.starts_with('^');
        let literal = pattern.strip_prefix('^').unwrap_or(pattern);
        let ends = literal.ends_with('$');
        let literal = literal.strip_suffix('$').unwrap_or(literal);
        // Behind a beginning, `.*` says nothing more, unless it must reach the end over a line break.
        let literal = if begins && !ends { literal.strip_suffix(".*").unwrap_or(literal) } else { literal };
        if literal.contains(['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$']) {
            return Shortcut::None;
        }
        match (begins, ends) {
            (true, false) => Shortcut::Begins(literal.as_bytes().into()),
            (false, true) => Shortcut::Ends(literal.as_bytes().into()),
            (true, true) => Shortcut::Is(literal.as_bytes().into()),
            (false, false) => Shortcut::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortcut_finds_what_the_machine_finds() {
        for pattern in ["^GET", "^GET.*", "^/health$", "health$", "^", "$", "", "^$", "a.c", "^GET.*$", "lit", "^a|b$", "x\\.y$"] {
            let pattern = Pattern::new(pattern).unwrap();
            for text in ["GET /", "GET\n/", "FORGET", "/health", "/healthz", "a/health", "", "abc", "lit", "split", "b", "x.y", "xzy"] {
                assert_eq!(pattern.is_match(text.as_bytes()), pattern.regex.is_match(text.as_bytes()), "{pattern:?} on {text:?}");
            }
        }
    }

    #[test]
    fn what_does_not_compile_says_why() {
        assert_eq!(Pattern::new("[").unwrap_err(), "is no regular expression: the bracket [ is never closed");
        assert!(Pattern::new("(a{1000}){1000}").unwrap_err().contains("size limit"));
    }
}
