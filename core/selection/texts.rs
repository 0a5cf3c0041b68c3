//! Texts that are compared with a list: as they are, or by regular expressions.

use regex::RegexSet;

use super::properties::MatchType;
use crate::component::BuildError;

/// The kinds of spans, by the numbers of the protocol.
pub(super) const KINDS: [&str; 6] =
    ["SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"];

/// A list of texts of which one must fit.
#[derive(Clone, Debug)]
pub(super) enum Texts {
    Strict(Vec<String>),
    Regexp(RegexSet),
}

impl Texts {
    /// None of an empty list: it asks for nothing.
    pub(super) fn of(texts: &[String], match_type: MatchType) -> Result<Option<Self>, BuildError> {
        if texts.is_empty() {
            return Ok(None);
        }
        Ok(Some(match match_type {
            MatchType::Strict => Texts::Strict(texts.to_vec()),
            MatchType::Regexp => Texts::Regexp(
                RegexSet::new(texts)
                    .map_err(|error| BuildError::new(format!("no regular expression: {error}"), "the syntax is that of RE2"))?,
            ),
        }))
    }

    /// Whether one fits.
    pub(super) fn fit(&self, text: &str) -> bool {
        match self {
            Texts::Strict(texts) => texts.iter().any(|known| known == text),
            Texts::Regexp(patterns) => patterns.is_match(text),
        }
    }
}

/// What is wrong with a regular expression, if anything is.
pub(super) fn bad_pattern(pattern: &str) -> Option<String> {
    let error = regex::Regex::new(pattern).err()?.to_string();
    Some(format!("is no regular expression: {}", error.lines().last().unwrap_or_default().trim_start_matches("error: ")))
}
