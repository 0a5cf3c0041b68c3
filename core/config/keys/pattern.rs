//! The pattern of every `pattern` key: a regular expression, compiled when the file is read.

use std::fmt;
use std::str::FromStr;

use regex::Regex;

use super::text::{KeyError, text_key};

/// A regular expression in the syntax of RE2, which may match anywhere in a text: `^` and `$` hold it to the ends. It takes time in proportion to the
/// text, whatever it looks for.
///
/// ```
/// use tracetailor_core::config::Pattern;
///
/// let document: Pattern = r"^/document/(?P<id>\d+)".parse()?;
/// assert!(document.regex().is_match("/document/17/update"));
/// assert!("(".parse::<Pattern>().is_err());
/// # Ok::<(), tracetailor_core::config::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

text_key!(Pattern, "regular expression", "a regular expression such as '^/health'");

impl Pattern {
    /// The expression, compiled.
    pub fn regex(&self) -> &Regex {
        &self.0
    }
}

impl FromStr for Pattern {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Regex::new(text).map(Pattern).map_err(|error| {
            // The lines before the last show the pattern with a mark under it, which no longer stands right in a message of one line.
            let last = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            KeyError::new(format!("is no regular expression: {last}"), "the syntax is that of RE2")
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}
