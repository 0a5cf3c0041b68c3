//! What folders must hold: the processors and their list, the decisions and their numbers, the changelog.

use crate::tree::{Tree, folders};

const FILES: [&str; 3] = ["README.md", "mod.rs", "tests.rs"];
const HEADINGS: [&str; 5] = ["When to use it", "Story", "Keys", "What it drops", "Limits"];

/// Every folder of `processors` is in the list, every line of the list has a folder, and each folder is complete.
pub(crate) fn processor_violations(tree: &Tree) -> Vec<String> {
    let list = tree.get("processors/lib.rs").map(String::as_str).unwrap_or_default();
    let listed: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let there = folders(tree, "processors");
    let mut found = Vec::new();
    if !listed.is_sorted() {
        found.push("processors/lib.rs: the list is not sorted".to_owned());
    }
    found.extend(there.iter().filter(|name| !listed.contains(name)).map(|name| format!("processors/{name}: is not in the list of lib.rs")));
    for name in &listed {
        let folder = format!("processors/{name}");
        let missing = FILES.iter().map(|file| format!("{folder}/{file}")).filter(|path| !tree.contains_key(path));
        found.extend(missing.map(|path| format!("{path}: is missing")));
        found.extend(tree.get(&format!("{folder}/README.md")).and_then(|readme| heading_violation(&folder, readme)));
    }
    found
}

/// A processor's README is its manual, so a reader finds the same headings in the same order in all of them.
fn heading_violation(folder: &str, readme: &str) -> Option<String> {
    let mut headings = readme.lines().filter_map(|line| line.strip_prefix("## "));
    let missing = HEADINGS.iter().find(|wanted| !headings.any(|heading| heading.starts_with(**wanted)))?;
    Some(format!("{folder}/README.md: has no heading `{missing}`, or has it out of order"))
}

/// Decisions are numbered without gaps, titled as they are named, and have a status and their three headings.
pub(crate) fn decision_violations(tree: &Tree) -> Vec<String> {
    let pages = tree.iter().filter_map(|(path, text)| Some((path, path.strip_prefix("docs/decisions/")?, text)));
    let objection = |(index, (path, name, text)): (usize, (&String, &str, &String))| {
        let number = format!("{:04}", index + 1);
        if !name.starts_with(&format!("{number}-")) || !name.ends_with(".md") {
            return Some(format!("{path}: should be number {number}, as NNNN-what-was-decided.md"));
        }
        let parts =
            [format!("# {number}: "), "\nStatus: ".into(), "\n## Why\n".into(), "\n## Decision\n".into(), "\n## Consequences\n".into()];
        let missing = parts.iter().find(|part| !text.contains(*part))?;
        Some(format!("{path}: lacks `{}`", missing.trim()))
    };
    pages.enumerate().filter_map(objection).collect()
}

/// What the next version brings has a place to be written down.
pub(crate) fn changelog_violation(text: &str) -> Option<String> {
    let first = text.lines().find_map(|line| line.strip_prefix("## "));
    (first != Some("[Unreleased]")).then(|| "CHANGELOG.md: does not begin with a section [Unreleased]".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# stitch\nPuts orphans back.\n## When to use it\n## Story: one orphan\n## Keys\n## What it drops\n## Limits\n";
    const DECISION: &str = "# 0001: Title\n\nStatus: accepted.\n\n## Why\n\n## Decision\n\n## Consequences\n";

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    fn processor(list: &str, name: &str, readme: &str) -> Tree {
        let file = |file: &str| format!("processors/{name}/{file}");
        tree(&[("processors/lib.rs", list), (&file("README.md"), readme), (&file("mod.rs"), ""), (&file("tests.rs"), "")])
    }

    #[test]
    fn a_processor_is_listed_and_complete() {
        assert_eq!(processor_violations(&processor("pub mod stitch;\n", "stitch", README)), Vec::<String>::new());
        assert_eq!(processor_violations(&processor("", "stitch", README)), ["processors/stitch: is not in the list of lib.rs"]);
        let mut without_tests = processor("pub mod stitch;\n", "stitch", README);
        without_tests.remove("processors/stitch/tests.rs");
        assert_eq!(processor_violations(&without_tests), ["processors/stitch/tests.rs: is missing"]);
        assert_eq!(processor_violations(&tree(&[("processors/lib.rs", "pub mod stitch;\n")])).len(), 3);
        let unsorted = processor_violations(&processor("pub mod stitch;\npub mod redaction;\n", "stitch", README));
        assert_eq!(unsorted[0], "processors/lib.rs: the list is not sorted");
    }

    #[test]
    fn a_processor_has_a_manual() {
        let without_limits = README.replace("## Limits\n", "");
        assert!(processor_violations(&processor("pub mod stitch;\n", "stitch", &without_limits))[0].contains("`Limits`"));
        let out_of_order = format!("{without_limits}## Story: another\n").replace("## Story: one orphan\n", "");
        assert!(processor_violations(&processor("pub mod stitch;\n", "stitch", &out_of_order))[0].contains("`Keys`"));
    }

    #[test]
    fn decisions_are_numbered_without_gaps() {
        assert!(decision_violations(&tree(&[("docs/decisions/0001-a.md", DECISION)])).is_empty());
        assert_eq!(decision_violations(&tree(&[("docs/decisions/0002-a.md", DECISION)])).len(), 1);
        assert_eq!(decision_violations(&tree(&[("docs/decisions/0001-a.md", DECISION), ("docs/decisions/0001-b.md", DECISION)])).len(), 1);
        assert_eq!(decision_violations(&tree(&[("docs/decisions/0001-a.md", DECISION), ("docs/decisions/note.md", DECISION)])).len(), 1);
        for part in ["# 0001: ", "Status: ", "## Why", "## Decision", "## Consequences"] {
            assert_eq!(decision_violations(&tree(&[("docs/decisions/0001-a.md", &DECISION.replace(part, ""))])).len(), 1, "{part}");
        }
    }

    #[test]
    fn the_changelog_has_a_place_for_the_next_change() {
        assert!(changelog_violation("# Changelog\n\n## [Unreleased]\n\n## [0.1.0]\n").is_none());
        assert!(changelog_violation("# Changelog\n\n## [0.1.0]\n\n## [Unreleased]\n").is_some());
        assert!(changelog_violation("").is_some());
    }
}
