//! The configuration for people: what is printed, what is hidden, what the fingerprint is of.

use super::*;
use crate::config::{digest, shown};

#[test]
fn printed_yaml_reads_back_as_the_same() {
    let text = "\
a: {b: 1, \"c: d\": [x, {y: 1, z: [1, 2]}, [], {}, [[1]]], e: }
f: [\"true\", \"1\", \"\", \"a: b\", \" x\", \"ü\", \"a\\nb\", '#', \"no\", 1.5, true, .inf]
g: {h: {i: {}}}
";
    let node = tree(text);
    let (again, told) = expanded(&yaml(&node), &Variables::default());
    assert_eq!(told, "");
    assert_eq!(value(&again), value(&node));
    assert_eq!(yaml(&again), yaml(&node));
}

#[test]
fn dollars_are_doubled_for_the_next_reader() {
    let (node, _) = expanded("a: $${env:X}\nb: 5$", &Variables::default());
    assert_eq!(yaml(&node), "a: \"$${env:X}\"\nb: \"5$$\"\n");
    assert_eq!(print(&node, Format::Json), "{\n  \"a\": \"${env:X}\",\n  \"b\": \"5$\"\n}\n");
}

#[test]
fn nothing_is_shown_of_what_nobody_knows() {
    let node = tree("exporters: {no_such_thing: {user: joe, password: s3cret, port: 5, deep: [{x: y}], tls: true}}\nnonsense: secret");
    assert_eq!(
        yaml(&shown(&node)),
        "\
exporters:
  no_such_thing:
    user: \"[redacted]\"
    password: \"[redacted]\"
    port: \"[redacted]\"
    deep:
      - x: \"[redacted]\"
    tls: true
nonsense: \"[redacted]\"
"
    );
}

#[test]
fn the_fingerprint_is_of_what_is_shown_whatever_its_order() {
    let of = |text: &str| digest(&tree(text));
    assert_eq!(of("service: {lanes: 2, shutdown_timeout: 5s}"), of("{service: {shutdown_timeout: 5s, lanes: 2}}"));
    assert_ne!(of("service: {lanes: 2}"), of("service: {lanes: 3}"));
    assert_ne!(of("service: {extensions: [a, b]}"), of("service: {extensions: [b, a]}"));
    assert_eq!(of("exporters: {no_such_thing: {password: a}}"), of("exporters: {no_such_thing: {password: b}}"));
    assert_eq!(of("service: {lanes: 2}"), "b5834ec8fbd09a2d");
}
