//! What a component's manual must hold beside its stories: the table of keys that its configuration has.

use crate::component::{Factory, Kind};
use crate::config::keys_table;

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
