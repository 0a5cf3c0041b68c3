//! Several trees into one: what comes later wins, blocks are merged key by key, everything else is replaced whole.

use tracetailor_core::config::{ConfigError, ConfigErrors, Entry, Node, Path, Severity, Value};

/// Merges `over` into `under`.
pub(super) fn merge(under: &mut Node, over: Node, path: &Path, problems: &mut ConfigErrors) {
    match (&mut under.value, over.value) {
        (Value::Map(entries), Value::Map(later)) => {
            for entry in later {
                let at = path.key(&entry.key);
                match entries.iter_mut().find(|earlier| earlier.key == entry.key) {
                    Some(earlier) => {
                        merge(&mut earlier.node, entry.node, &at, problems);
                        earlier.place = entry.place;
                    }
                    None => entries.push(entry),
                }
            }
        }
        (earlier, value) => {
            if value == Value::Null && matches!(earlier, Value::Map(entries) if !entries.is_empty()) {
                problems.push(erases(&over.place, &under.place, path));
            }
            *under = Node { value, place: over.place, written: over.written, spelled: over.spelled };
        }
    }
}

/// `processors:` with nothing below counts as a value. It is rarely meant so.
fn erases(place: &tracetailor_core::config::Place, earlier: &tracetailor_core::config::Place, path: &Path) -> ConfigError {
    let wrong = format!("is empty, and that removes all that {earlier} has under this key");
    let right = "leave the key out to keep it, or write {} to add nothing".to_owned();
    ConfigError { severity: Severity::Warning, place: Some(place.clone()), path: path.clone(), wrong, right }
}

/// `a::b: x` is `a: {b: x}`, as the Collector has it, on every level.
pub(super) fn unfold(mut node: Node) -> Node {
    match std::mem::replace(&mut node.value, Value::Null) {
        Value::Map(entries) => {
            let mut unfolded = Node::new(Value::Map(Vec::with_capacity(entries.len())), node.place.clone());
            for entry in entries {
                let Entry { key, place, node } = entry;
                let inner = unfold(node);
                let nested = key.split("::").collect::<Vec<_>>().into_iter().rev().fold(inner, |node, key| {
                    Node::new(Value::Map(vec![Entry { key: key.to_owned(), place: place.clone(), node }]), place.clone())
                });
                merge(&mut unfolded, nested, &Path::ROOT, &mut ConfigErrors::default());
            }
            node.value = unfolded.value;
        }
        Value::List(list) => node.value = Value::List(list.into_iter().map(unfold).collect()),
        other => node.value = other,
    }
    node
}
