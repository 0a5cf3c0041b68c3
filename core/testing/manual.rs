//! What a component's manual must hold beside its stories, the table of keys that its configuration has; and what its keys are told.

use crate::component::{Factory, Kind};
use crate::config::{self, ConfigErrors, Severity, keys_table};

/// Panics unless the README of a component opens with its name and what it does on one line, and holds the table of its keys as the struct
/// has them. A component without keys says so instead of a table.
#[track_caller]
pub fn assert_manual<K: Kind>(factory: &Factory<K>) {
    let (name, readme) = (factory.name, factory.readme);
    let mut lines = readme.lines().filter(|line| !line.is_empty());
    assert_eq!(lines.next(), Some(format!("# {name}").as_str()), "the README of {name} opens with its name");
    assert!(lines.next().is_some_and(|line| line.ends_with('.')), "the README of {name} says on one line what it does");
    let keys = factory.keys();
    let section = readme.split("\n## ").find(|section| section.starts_with("Keys\n")).unwrap_or_default();
    if keys.is_empty() {
        assert!(section.contains("None."), "{name} has no keys; below `## Keys` stands `None.`");
        return;
    }
    let table = keys_table(&keys);
    assert!(section.contains(table.trim_end()), "the README of {name} does not hold the table of its keys below `## Keys`:\n\n{table}");
}

/// What is wrong with a block of a component, as a user is told: how bad it is, the key, and the words.
///
/// # Panics
///
/// When the block is no YAML.
#[track_caller]
pub fn problems<K: Kind>(factory: &Factory<K>, yaml: &str) -> Vec<(Severity, String)> {
    let node = match config::load(yaml, "f") {
        Ok(node) => node,
        Err(error) => panic!("{yaml} is no YAML: {error:?}"),
    };
    let mut errors = ConfigErrors::default();
    factory.read(&node, &config::Path::ROOT, &mut errors);
    errors.iter().map(|error| (error.severity, format!("{}: {}", error.path, error.wrong))).collect()
}
