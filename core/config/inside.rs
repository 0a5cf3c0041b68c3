//! The line and column of a place inside of a text, however YAML let the text be spelled: in quotes, with escapes, over several lines.

use super::path::Place;

/// Where the byte `at` of `text` stands. `spelled` is how the text was written from `start` on, where that differs from the text.
///
/// The two are walked side by side. Where they part (a variable was put in) the place is the last at which they were together.
pub(super) fn place(start: &Place, text: &str, spelled: Option<&str>, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let passed = match spelled {
        None => before,
        Some(spelled) => &spelled[..spelled.len() - rest(spelled, before).len()],
    };
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let lines = passed.matches('\n').count();
    let column = match passed.rsplit_once('\n') {
        Some((_, line)) => small(line.chars().count()) + 1,
        None => start.column.saturating_add(small(passed.chars().count())),
    };
    match start.line {
        0 => start.clone(),
        line => Place { file: start.file.clone(), line: line.saturating_add(small(lines)), column },
    }
}

/// What of the spelling is left once `before` was read from it.
fn rest<'a>(spelled: &'a str, before: &str) -> &'a str {
    let quote = spelled.chars().next().filter(|first| matches!(first, '"' | '\''));
    let mut rest = match (quote, spelled.starts_with(['|', '>'])) {
        (Some(_), _) => &spelled[1..],
        (None, true) => spelled.split_once('\n').map_or("", |(_, lines)| lines.trim_start_matches(' ')),
        (None, false) => spelled,
    };
    for letter in before.chars() {
        match step(rest, letter, quote) {
            Some(next) => rest = next,
            None => break,
        }
    }
    // A place at the end of a line is that of the next word.
    if rest.starts_with('\n') { rest.trim_start() } else { rest }
}

/// Steps over one letter of the text; `None` where the spelling is of something else.
fn step<'a>(rest: &'a str, letter: char, quote: Option<char>) -> Option<&'a str> {
    if letter.is_whitespace() && rest.starts_with('\n') {
        return Some(rest.trim_start());
    }
    let escape = match (quote, letter) {
        (Some('"'), _) if rest.starts_with('\\') => return rest.char_indices().nth(2).map_or(Some(""), |(end, _)| rest.get(end..)),
        (Some('\''), '\'') => "''",
        (_, '$') if rest.starts_with("$$") => "$$",
        _ => return rest.strip_prefix(letter).or_else(|| letter.is_whitespace().then_some(rest)),
    };
    rest.strip_prefix(escape)
}

#[cfg(test)]
mod tests {
    use crate::config::{ConfigErrors, Path, Severity, Value, load};

    /// The place of `word` in the text at `key`, as a message shows it.
    fn place_of(yaml: &str, word: &str) -> String {
        let node = load(yaml, "g.yaml").unwrap();
        let Some(Value::Text(text)) = node.get("k").map(|node| &node.value) else { panic!("no text in {yaml}") };
        let mut errors = ConfigErrors::default();
        errors.at("k").inside(Severity::Error, text.find(word).unwrap(), "here", "");
        errors.locate(&node, &Path::ROOT);
        errors.iter().next().unwrap().place.as_ref().unwrap().to_string()
    }

    #[test]
    fn a_place_is_found_however_the_text_is_spelled() {
        for (yaml, place) in [
            ("k: one here", "g.yaml:1:8"),
            ("k: 'one here'", "g.yaml:1:9"),
            ("k: 'it''s here'", "g.yaml:1:11"),
            (r#"k: "a \"b\" here""#, "g.yaml:1:13"),
            ("k: a $$1 here", "g.yaml:1:10"),
            ("k: >\n  one\n  here", "g.yaml:3:3"),
            ("k: |\n    one\n    or here\n", "g.yaml:3:8"),
            ("k: one\n  here", "g.yaml:2:3"),
            ("k: grüße here", "g.yaml:1:10"),
        ] {
            assert_eq!(place_of(yaml, "here"), place, "{yaml}");
        }
    }
}
