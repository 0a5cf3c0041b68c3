//! The chart's schema of values: written by hand but for `config`, which has the schema that the binary has.

use std::fs;

use serde_json::{Map, Value};

use crate::{root, run, same_as_file, tracetailor};

/// What an editor shows and a check does not need; two thirds of it all, and Helm keeps the schema in every release.
const FOR_EDITORS: [&str; 5] = ["$schema", "title", "description", "default", "format"];
/// Keys below which the names are the user's.
const NAMED: [&str; 3] = ["properties", "patternProperties", "$defs"];
/// What is shorter stands on one line.
const WIDTH: usize = 150;

#[test]
fn the_chart_types_its_config_by_the_binarys_schema() {
    let by_hand = fs::read_to_string(root().join("helm/schema/values.json")).unwrap();
    let mut values: Value = serde_json::from_str(&by_hand).unwrap();
    let output = run(tracetailor(&root()).arg("schema"));
    let mut gateway = without_words(serde_json::from_slice(&output.stdout).unwrap(), false);
    let theirs = gateway.as_object_mut().and_then(|schema| schema.remove("$defs")).unwrap();
    let ours = values["$defs"].as_object_mut().unwrap();
    assert_eq!(theirs.as_object().unwrap().keys().find(|name| ours.contains_key(*name)), None, "two definitions have one name");
    ours.append(&mut theirs.as_object().unwrap().clone());
    ours.insert("gateway".to_owned(), gateway);
    let mut text = String::new();
    write(&values, 0, &mut text);
    text.push('\n');
    same_as_file(&root().join("helm/values.schema.json"), &text);
}

fn without_words(schema: Value, is_named: bool) -> Value {
    let kept = |key: &str| is_named || !FOR_EDITORS.contains(&key);
    match schema {
        Value::Array(list) => list.into_iter().map(|schema| without_words(schema, false)).collect(),
        Value::Object(object) => {
            let entries = object.into_iter().filter(|(key, _)| kept(key));
            Value::Object(
                entries
                    .map(|(key, value)| {
                        let below = without_words(value, !is_named && NAMED.contains(&key.as_str()));
                        (key, below)
                    })
                    .collect(),
            )
        }
        plain => plain,
    }
}

/// Lines by which two changes to the schema seldom meet.
fn write(value: &Value, depth: usize, text: &mut String) {
    let short = value.to_string();
    let pad = |depth: usize| format!("\n{}", " ".repeat(depth));
    match value {
        Value::Object(object) if short.len() > WIDTH => {
            write_entries(object, depth, text);
        }
        Value::Array(list) if short.len() > WIDTH => {
            text.push('[');
            for (at, value) in list.iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                text.push_str(&pad(depth + 1));
                write(value, depth + 1, text);
            }
            text.push_str(&pad(depth));
            text.push(']');
        }
        _ => text.push_str(&short),
    }
}

fn write_entries(object: &Map<String, Value>, depth: usize, text: &mut String) {
    text.push('{');
    for (at, (key, value)) in object.iter().enumerate() {
        text.push_str(if at > 0 { "," } else { "" });
        text.push_str(&format!("\n{}{}: ", " ".repeat(depth + 1), Value::from(key.as_str())));
        write(value, depth + 1, text);
    }
    text.push_str(&format!("\n{}}}", " ".repeat(depth)));
}
