//! Several sources into one: which wins, and what each may be.

use std::fs;

use super::*;
use crate::config::{Loaded, Sources, load_with};

fn read(configs: &[&str], set: &[&str], variables: &Variables) -> Loaded {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    load_with(&Sources { configs: owned(configs), set: owned(set), ..Sources::default() }, variables)
}

/// The problems that have to do with sources, without those of what is in them.
fn told(loaded: &Loaded, about: &str) -> Vec<String> {
    loaded.problems.iter().filter(|problem| problem.to_string().contains(about)).map(ToString::to_string).collect()
}

#[test]
fn blocks_merge_and_all_else_is_replaced() {
    let loaded =
        read(&["yaml:{exporters: {a: {x: 1, list: [1, 2]}}}", "yaml:{exporters: {a: {u: 2, list: [3]}, b: }}"], &[], &Variables::default());
    assert_eq!(yaml(&loaded.effective), "exporters:\n  a:\n    x: 1\n    list: [3]\n    u: 2\n  b: null\n");
}

#[test]
fn two_colons_lead_into_a_block() {
    let loaded = read(&["yaml:{exporters: {a: {x: 1}}}", "yaml:exporters::a::u: 2"], &[], &Variables::default());
    assert_eq!(yaml(&loaded.effective), "exporters:\n  a:\n    x: 1\n    u: 2\n");
}

#[test]
fn an_empty_key_removes_what_was_there_with_a_warning() {
    let loaded = read(&["yaml:{exporters: {a: {x: 1}}}", "yaml:{exporters: }"], &[], &Variables::default());
    assert_eq!(yaml(&loaded.effective), "exporters: null\n");
    assert_eq!(
        told(&loaded, "removes all"),
        [
            "yaml::1:11: warning: exporters: is empty, and that removes all that yaml::1:13 has under this key\n    leave the key out to keep it, or write {} to add nothing"
        ]
    );
}

#[test]
fn settings_win_over_files_wherever_they_stand() {
    let set = ["exporters.a.x=2", "exporters::a::u=[1, b]", "exporters.a.z=a$$b", "service.lanes="];
    let loaded = read(&["yaml:{exporters: {a: {x: 1}}}"], &set, &Variables::default());
    assert_eq!(yaml(&loaded.effective), "exporters:\n  a:\n    x: 2\n    u: [1, b]\n    z: \"a$$b\"\nservice:\n  lanes: null\n");
    let node = loaded.effective.get("exporters").unwrap().get("a").unwrap().get("x").unwrap();
    assert_eq!(node.place.to_string(), "--set exporters.a.x");
}

#[test]
fn a_variable_may_hold_a_whole_configuration() {
    let loaded = read(&["env:CONFIG"], &[], &[("CONFIG", "exporters: {a: {x: 1}}")].into());
    assert_eq!(yaml(&loaded.effective), "exporters:\n  a:\n    x: 1\n");
}

#[test]
fn what_cannot_be_a_source_is_told() {
    let cases = [
        ("s3:bucket/a.yaml", "s3:bucket/a.yaml: error: there is no scheme s3:\n    there are env:, file: and yaml:"),
        ("env:NONE", "env:NONE: error: the environment has no variable NONE\n    set it, or name a file"),
        ("env:1", "env:1: error: ${env:1} names no variable that could be\n    write a letter or _, then letters, digits or _"),
        (
            "http://h/a.yaml",
            "http://h/a.yaml: error: the Collector reads a configuration over http; here that is planned and does not work yet\n    fetch it beforehand, for example with curl, and name the file",
        ),
        (
            "yaml:5",
            "yaml::1:1: error: the configuration is a number, not a block of keys\n    write keys and values: receivers, exporters, service",
        ),
        ("src", "src: error: is a folder, not a file\n    name a file in it"),
        // One letter is a drive.
        (
            "C:\\no\\such.yaml",
            "C:\\no\\such.yaml: error: cannot be read: No such file or directory (os error 2)\n    name a file that is there and readable",
        ),
    ];
    for (config, message) in cases {
        let loaded = read(&[config], &[], &Variables::default());
        assert_eq!(loaded.problems.iter().next().unwrap().to_string(), message, "{config}");
        assert_eq!(loaded.problems.len(), 1, "{}", loaded.problems);
        assert!(loaded.plan.is_none());
    }
}

#[test]
fn a_setting_needs_a_key_and_a_value() {
    let loaded = read(&["yaml:{}"], &["service.lanes", "=5"], &Variables::default());
    assert_eq!(
        loaded.problems.to_string(),
        "\
--set: error: \"service.lanes\" has no value
    write the path of a key, =, and a value: --set service.lanes=2
--set: error: \"=5\" names no key
    write its path before the =: service.lanes=2
"
    );
}

#[test]
fn files_may_be_written_in_every_usual_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let text = "exporters:\n  a: {x: grün}\n";
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| {
        ['\u{feff}'].into_iter().chain(text.chars()).flat_map(|c| bytes(u16::try_from(u32::from(c)).unwrap())).collect()
    };
    let files: [(&str, Vec<u8>); 6] = [
        ("plain", text.into()),
        ("mark", format!("\u{feff}{text}").into()),
        ("windows", text.replace('\n', "\r\n").into()),
        ("old", text.replace('\n', "\r").into()),
        ("little", utf_16(u16::to_le_bytes)),
        ("big", utf_16(u16::to_be_bytes)),
    ];
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let loaded = read(&[&path.display().to_string()], &[], &Variables::default());
        assert_eq!(yaml(&loaded.effective), "exporters:\n  a:\n    x: \"grün\"\n", "{name}: {}", loaded.problems);
        assert_eq!(loaded.files, [path], "{name}");
    }
}
