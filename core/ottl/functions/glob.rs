//! Patterns of whole texts, as file names are matched: `*`, `?`, `[a-z]`, `{a,b}`.

use regex::Regex;
use regex::RegexBuilder;

/// A glob. `*` and `**` stand for any signs, `/` among them; `?` for one; `[abc]`, `[a-z]` and their opposites `[!abc]`, `[!a-z]` for one of a list;
/// `{a,b*}` for either; a backslash takes the meaning from what follows.
#[derive(Clone, Debug)]
pub(super) struct Glob(Regex);

/// How deep alternatives may stand in alternatives.
const MOST_LEVELS: usize = 16;

impl Glob {
    /// Reads one, or says in words what is wrong with it.
    pub(super) fn new(written: &str) -> Result<Self, String> {
        let mut pattern = String::from("(?s)\\A");
        let signs: Vec<char> = written.chars().collect();
        let mut levels = 0;
        let mut at = 0;
        while let Some(&sign) = signs.get(at) {
            at += 1;
            match sign {
                '*' => pattern.push_str(".*"),
                '?' => pattern.push('.'),
                '\\' => {
                    put(&mut pattern, signs.get(at).copied().unwrap_or('\\'));
                    at += 1;
                }
                '[' => at = list(&signs, at, &mut pattern)?,
                '{' if closes(&signs[at..]) => {
                    levels += 1;
                    if levels > MOST_LEVELS {
                        return Err(format!("has alternatives more than {MOST_LEVELS} deep"));
                    }
                    pattern.push_str("(?:");
                }
                ',' if levels > 0 => pattern.push('|'),
                '}' if levels > 0 => {
                    levels -= 1;
                    pattern.push(')');
                }
                other => put(&mut pattern, other),
            }
        }
        pattern.push_str("\\z");
        let regex = RegexBuilder::new(&pattern).size_limit(super::pattern::MOST_MEMORY).dfa_size_limit(super::pattern::MOST_MEMORY).build();
        regex.map(Self).map_err(|_| "is too large for a glob".to_owned())
    }

    /// Whether the whole text is like that.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// A sign that means itself.
fn put(pattern: &mut String, sign: char) {
    if sign.is_ascii_punctuation() {
        pattern.push('\\');
    }
    pattern.push(sign);
}

/// Whether a brace that was opened is closed again.
fn closes(rest: &[char]) -> bool {
    let mut open = 1_usize;
    let mut signs = rest.iter();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => drop(signs.next()),
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return true;
        }
    }
    false
}

/// A list, whose bracket is read; gives the place behind it.
fn list(signs: &[char], start: usize, pattern: &mut String) -> Result<usize, String> {
    let length = signs[start..].iter().position(|sign| *sign == ']').ok_or("has a bracket [ that is never closed")?;
    let inside = &signs[start..start + length];
    let (is_not, inside) = inside.strip_prefix(&['!']).map_or((false, inside), |inside| (true, inside));
    if inside.is_empty() {
        return Err("has brackets with nothing in them".to_owned());
    }
    pattern.push_str(if is_not { "[^" } else { "[" });
    match inside {
        [low, '-', high] if low <= high => {
            put(pattern, *low);
            pattern.push('-');
            put(pattern, *high);
        }
        [low, '-', high] => return Err(format!("has a range {low}-{high} that runs backwards")),
        signs => signs.iter().for_each(|sign| put(pattern, *sign)),
    }
    pattern.push(']');
    Ok(start + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_texts() {
        for (glob, text, is_match) in [
            ("/users/*/orders/*", "/users/1/orders/2", true),
            ("/users/*", "/users/1/orders/2", true),
            ("/users", "/users/1", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("a*b", "a\nb", true),
            ("{Hello,{Bye,Hi}} W*", "Hi World", true),
            ("{Hel*,x}", "Hello", true),
            ("{Hello", "{Hello", true),
            ("Hello}", "Hello}", true),
            ("Hello,*", "Hello, you", true),
            ("[A-Z]x", "Bx", true),
            ("[!A-Z]x", "Bx", false),
            ("[^W]x", "Wx", true),
            ("[abc]", "b", true),
            ("[!abc]", "b", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("a.c", "abc", false),
            ("x\\", "x\\", true),
        ] {
            assert_eq!(Glob::new(glob).unwrap().is_match(text), is_match, "{glob} on {text}");
        }
    }

    #[test]
    fn what_is_no_glob_is_refused() {
        for glob in ["[a", "[]", "[!]", "[z-a]"] {
            assert!(Glob::new(glob).is_err(), "{glob}");
        }
        let deep = "{a,".repeat(40) + &"}".repeat(40);
        assert!(Glob::new(&deep).is_err());
    }
}
