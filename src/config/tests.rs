//! Configurations as users write them, and what becomes of them.

mod expanding;
mod leaving_out;
mod merging;
mod showing;
mod unnamed;

use std::path::PathBuf;

use tracetailor_core::config::{ConfigErrors, Node, Value, load};

use super::expand::{Variables, expand};
use super::print::{Format, print};

/// A tree from text.
fn tree(yaml: &str) -> Node {
    load(yaml, "gateway.yaml").unwrap_or_else(|errors| panic!("{errors}"))
}

/// What a tree comes to, and what is said about it.
fn expanded(yaml: &str, variables: &Variables) -> (Node, String) {
    let (mut node, mut problems, mut files) = (tree(yaml), ConfigErrors::default(), Vec::<PathBuf>::new());
    expand(&mut node, variables, false, &mut files, &mut problems);
    (node, problems.to_string())
}

/// A tree as YAML, to compare.
fn yaml(node: &Node) -> String {
    print(node, Format::Yaml)
}

/// As what a key that takes anything sees it.
fn value(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => format!("text {text}"),
        Value::Whole(value) => format!("whole {value}"),
        Value::Real(value) => format!("real {value}"),
        Value::Bool(value) => format!("bool {value}"),
        Value::Null => "nothing".to_owned(),
        Value::Cut => "cut".to_owned(),
        _ => print(node, Format::Json).split_whitespace().collect(),
    }
}

/// As a key that takes text sees it.
fn text(node: &Node) -> String {
    let mut errors = ConfigErrors::default();
    node.read::<String>(&tracetailor_core::config::Path::ROOT, &mut errors).unwrap_or_else(|| errors.to_string())
}
