//! Holds what the compiler cannot: who imports whom, how files open and how long they are, what folders must contain.
//!
//! Each rule is a function of a path and a text, tried on samples that break it beside where it is written. Here the rules meet the
//! tree as it is. A rule about folders that do not exist yet waits for them.

#[path = "architecture/folders.rs"]
mod folders;
#[path = "architecture/imports.rs"]
mod imports;
#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/texts.rs"]
mod texts;
#[path = "architecture/tree.rs"]
mod tree;

use tree::Tree;

fn repository() -> Tree {
    tree::repository().unwrap_or_else(|error| panic!("the repository cannot be read: {error}"))
}

/// The violations of a rule over all files whose names end so. That there are such files is part of the test.
fn over(tree: &Tree, ends: &[&str], rule: impl Fn(&str, &str) -> Vec<String>) -> Vec<String> {
    let files: Vec<_> = tree.iter().filter(|(path, _)| ends.iter().any(|end| path.ends_with(end))).collect();
    assert!(!files.is_empty(), "no file ends with any of {ends:?}");
    files.into_iter().flat_map(|(path, text)| rule(path, text)).collect()
}

#[track_caller]
fn none(violations: Vec<String>) {
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn every_part_imports_only_what_stands_below_it() {
    let tree = repository();
    let components = imports::FAMILIES
        .iter()
        .flat_map(|family| tree::folders(&tree, &format!("src/{family}")).into_iter().map(move |name| format!("{family}/{name}")));
    let components: Vec<String> = components.collect();
    none(over(&tree, &[".rs"], |path, text| imports::violations(path, text, &components)));
    none(over(&tree, &["Cargo.toml"], imports::manifest_violations));
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    none(over(&repository(), &[".rs"], |path, text| texts::opening_violation(path, text).into_iter().collect()));
}

#[test]
fn no_file_is_longer_than_an_idea() {
    none(over(&repository(), &[".rs"], |path, text| texts::length_violation(path, text).into_iter().collect()));
}

#[test]
fn nothing_is_left_unfinished() {
    none(over(&repository(), &[".rs", ".md", ".toml", ".yaml", "/check", "/fix", "/run", ".sh"], texts::unfinished_violations));
}

#[test]
fn links_between_pages_lead_somewhere() {
    let tree = repository();
    none(over(&tree, &[".md"], |path, text| texts::link_violations(path, text, &tree)));
}

#[test]
fn processors_are_listed_and_complete() {
    none(folders::processor_violations(&repository()));
}

#[test]
fn decisions_are_numbered_and_complete() {
    none(folders::decision_violations(&repository()));
}

#[test]
fn the_changelog_is_ready_for_the_next_change() {
    none(over(&repository(), &["CHANGELOG.md"], |_, text| folders::changelog_violation(text).into_iter().collect()));
}
