//! Whether two blocks of a configuration say the same, wherever they stand.

use tracetailor_core::config::{Node, Value};

/// Whether a reload may leave a component alone: the same keys with the same values. Places differ as soon as a line is added above.
pub(super) fn same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().all(|entry| other.iter().any(|found| found.key == entry.key && same(&entry.node, &found.node)))
        }
        (Value::List(one), Value::List(other)) => one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other)),
        // Text takes a number as it was written: `1.10` and `1.1` are one number and two versions.
        (value, found) => value == found && one.written == other.written,
    }
}

/// Whether an id is named anywhere in a block: a component that uses another one is built anew with it.
pub(super) fn names(block: &Node, id: &str) -> bool {
    match &block.value {
        Value::Map(entries) => entries.iter().any(|entry| names(&entry.node, id)),
        Value::List(list) => list.iter().any(|element| names(element, id)),
        Value::Text(text) => text == id,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tracetailor_core::config::load;

    use super::*;

    fn block(yaml: &str) -> Node {
        load(yaml, "test.yaml").unwrap()
    }

    #[test]
    fn places_and_order_of_keys_do_not_matter() {
        assert!(same(&block("a: 1\nb: [x, {c: 2}]"), &block("# new\nb: [x, {c: 2}]\na: 1")));
    }

    #[test]
    fn values_matter_and_so_do_their_spellings_and_the_order_of_lists() {
        for (one, other) in [("a: 1", "a: 2"), ("a: 1.10", "a: 1.1"), ("a: [1, 2]", "a: [2, 1]"), ("a: 1", "a: 1\nb: 2")] {
            assert!(!same(&block(one), &block(other)), "{one} {other}");
        }
    }

    #[test]
    fn an_id_is_found_wherever_it_is_named() {
        let receiver = block("protocols: {grpc: {auth: {authenticator: basicauth/clients}}}");
        assert!(names(&receiver, "basicauth/clients") && !names(&receiver, "basicauth"));
    }
}
