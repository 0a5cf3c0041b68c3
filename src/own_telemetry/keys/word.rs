//! Words that the Collector takes in any case: `NONE`, `Info`.

use serde::Deserialize;
use serde::de::Deserializer;
use tracetailor_core::config::{KeyError, quoted, suggest};

/// Reads a word of a list. Only the words that stand before `also` are told where it is none of them.
pub(super) fn read<'de, T: Copy, D: Deserializer<'de>>(deserializer: D, known: &[(&str, T)], also: &[(&str, T)]) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    match known.iter().chain(also).find(|(word, _)| word.eq_ignore_ascii_case(&text)) {
        Some((_, meant)) => Ok(*meant),
        None => {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            Err(KeyError::new(format!("{} is not a choice here", quoted(&text)), suggest(&text, &words)).into_serde())
        }
    }
}
