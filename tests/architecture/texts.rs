//! What single files must hold: how they open, how long they are, what no file may contain, where links lead.

use crate::tree::Tree;

const LINES: usize = 600;

/// The first line of every Rust file says to a stranger what the file is for, or takes a README that does.
pub(crate) fn opening_violation(path: &str, text: &str) -> Option<String> {
    let first = text.lines().next().unwrap_or_default();
    let says = first.strip_prefix("//! ").is_some_and(|sentence| sentence.split_whitespace().count() > 1);
    (!says && !first.starts_with("#![doc = ")).then(|| format!("{path}: does not open with `//!` and a sentence"))
}

/// A file that is longer holds a second idea. Tests and benches are lists, and lists may be long.
pub(crate) fn length_violation(path: &str, text: &str) -> Option<String> {
    let is_list = path.ends_with("tests.rs") || path.split('/').any(|folder| folder == "tests" || folder == "benches");
    let lines = text.lines().count();
    (!is_list && lines > LINES)
        .then(|| format!("{path}: has {lines} lines, {LINES} are the most; which idea can move to a file of its own?"))
}

/// What is unfinished is not committed; what is to come stands in the documents.
pub(crate) fn unfinished_violations(path: &str, text: &str) -> Vec<String> {
    // Put together here, or this file would be the first to be found.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!"), concat!("unimplemented", "!")];
    let found = |line: &str| words.iter().any(|word| contains_word(line, word));
    text.lines().enumerate().filter(|(_, line)| found(line)).map(|(at, _)| format!("{path}:{}: is unfinished", at + 1)).collect()
}

fn contains_word(line: &str, word: &str) -> bool {
    let is_inside = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(is_inside) && !line[at + word.len()..].starts_with(is_inside))
}

/// Links to other files of the tree that lead nowhere.
pub(crate) fn link_violations(path: &str, text: &str, tree: &Tree) -> Vec<String> {
    links(text).into_iter().filter(|link| !leads_somewhere(path, link, tree)).map(|link| format!("{path}: {link} leads nowhere")).collect()
}

fn links(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let prose = text.lines().filter(move |line| {
        in_code ^= line.trim_start().starts_with("```");
        !in_code
    });
    let targets = prose.flat_map(|line| line.split("](").skip(1)).filter_map(|rest| Some(rest.split_once(')')?.0));
    targets
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

fn leads_somewhere(path: &str, link: &str, tree: &Tree) -> bool {
    let mut place: Vec<&str> = path.split('/').collect();
    place.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." if place.pop().is_none() => return false,
            ".." => {}
            name => place.push(name),
        }
    }
    let target = place.join("/");
    let folder = format!("{target}/");
    tree.contains_key(&target) || tree.range(folder.clone()..).next().is_some_and(|(path, _)| path.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_opens_with_a_sentence() {
        for bad in ["", "use std::fs;", "//!", "//! mod", "// A comment, but no page.", "\n//! A line too late."] {
            assert!(opening_violation("core/x.rs", bad).is_some(), "{bad:?}");
        }
        assert!(opening_violation("core/x.rs", "//! What it is for.\n").is_none());
        assert!(opening_violation("processors/x/mod.rs", "#![doc = include_str!(\"README.md\")]\n").is_none());
    }

    #[test]
    fn a_file_ends_in_time() {
        let long = "\n".repeat(LINES + 1);
        assert!(length_violation("core/x.rs", &long).is_some());
        assert!(length_violation("core/contests.rs/x.rs", &long).is_some());
        assert!(length_violation("core/x.rs", &long[1..]).is_none());
        assert!(length_violation("core/x/tests.rs", &long).is_none());
        assert!(length_violation("core/x/tests/y.rs", &long).is_none());
        assert!(length_violation("benches/x.rs", &long).is_none());
    }

    #[test]
    fn unfinished_words_are_found_as_words() {
        let unfinished = |text: &str| unfinished_violations("x", text);
        assert_eq!(unfinished(concat!("a\n// TO", "DO: b\n")), ["x:2: is unfinished"]);
        assert_eq!(unfinished(concat!("FIX", "ME")).len(), 1);
        assert_eq!(unfinished(concat!("fn f() { todo", "!() }")).len(), 1);
        assert_eq!(unfinished(concat!("unimplemented", "!(\"x\")")).len(), 1);
        assert!(unfinished("todo = \"deny\"\nMASTODON MASTO_DOTED").is_empty());
    }

    #[test]
    fn links_lead_somewhere() {
        let tree: Tree = ["README.md", "docs/a.md", "docs/b/c.md"].map(|path| (path.to_owned(), String::new())).into();
        let broken = |path, text| link_violations(path, text, &tree);
        assert_eq!(broken("README.md", "[a](docs/a.md) and [x](docs/x.md)"), ["README.md: docs/x.md leads nowhere"]);
        assert_eq!(broken("docs/b/c.md", "[up](../../README.md) [out](../../../README.md)").len(), 1);
        assert_eq!(broken("docs/a.md", "[c](b/d.md)").len(), 1);
        assert!(broken("docs/a.md", "[c](./b/c.md#part) [b](b/) [b](b) [self](#part) [web](https://example.org/x)").is_empty());
        assert!(broken("docs/a.md", "```sh\n[x](nowhere.md)\n```\n").is_empty());
    }
}
