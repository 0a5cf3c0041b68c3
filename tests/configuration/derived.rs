//! Files that are written from the code: the example configuration, the table of components in README.md.

use std::fs;

use tracetailor::config::{catalogue, example};

use crate::{folder_with, root, run, same_as_file, text, tracetailor};

#[test]
fn the_example_is_written_from_the_code() {
    same_as_file(&root().join("config.example.yaml"), &example());
}

/// What is said of it is only that some of its components do nothing here, and what takes their place.
#[test]
fn the_example_is_valid() {
    let folder = folder_with("example.yaml", &example());
    let output = run(tracetailor(folder.path()).args(["validate", "--config", "example.yaml"]));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for line in said.lines().filter(|line| !line.starts_with("    ")) {
        let expected = ["extensions.pprof: ", "extensions.zpages: "].iter().any(|extension| line.contains(extension));
        assert!(expected && line.contains(": warning: "), "{said}");
    }
}

#[test]
fn the_table_of_components_is_written_from_the_code() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- components: written by scripts/fix -->\n", "<!-- /components -->");
    let (before, rest) = readme.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    same_as_file(&path, &format!("{before}{begin}{}{end}{after}", catalogue::table()));
}

#[test]
fn every_component_can_be_explained_and_is_listed() {
    let listed = text(&run(tracetailor(&root()).arg("components")).stdout);
    for entry in catalogue::entries() {
        assert!(listed.contains(&format!("  - name: {}\n", entry.name)), "{listed}");
        let name = format!("{}.{}", entry.section, entry.name);
        let output = run(tracetailor(&root()).args(["explain", &name]));
        assert_eq!(text(&output.stdout).trim_end(), entry.readme.trim_end(), "{name}");
    }
}

/// The schema is for editors; that it is one is checked as far as it goes without them: every reference leads somewhere.
#[test]
fn the_schema_is_whole() {
    let output = run(tracetailor(&root()).arg("schema"));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = 0;
    references(&schema, &mut |reference| {
        let name = reference.strip_prefix("#/$defs/").unwrap();
        assert!(schema["$defs"].get(name).is_some(), "{reference} leads nowhere");
        found += 1;
    });
    assert!(found > 10, "{found}");
    assert!(schema["properties"]["receivers"]["patternProperties"]["^otlp(/.+)?$"].is_object());
    let pipelines = &schema["properties"]["service"]["properties"]["pipelines"]["anyOf"][0]["patternProperties"];
    assert!(pipelines["^(traces|logs|metrics)(/.+)?$"].is_object(), "{pipelines}");
}

fn references(schema: &serde_json::Value, found: &mut impl FnMut(&str)) {
    match schema {
        serde_json::Value::Array(list) => list.iter().for_each(|schema| references(schema, found)),
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("$ref", serde_json::Value::String(reference)) => found(reference),
                    _ => references(value, found),
                }
            }
        }
        _ => {}
    }
}
