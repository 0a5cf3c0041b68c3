//! Bad configurations in tests/bad_configs: each a file, and beside it what `validate` says, to the letter.
//!
//! A line `#! --strict` at the head of a file is an argument of the command, a line `#! NAME=text` a variable of its environment.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{root, run, same_as_file, text, tracetailor};

/// What fits on a screen with some room for the question that led there.
const SCREEN: usize = 40;

/// Validates a file, and holds what must hold for every bad one. Gives what was said.
#[track_caller]
fn refused(command: &mut Command, name: &str) -> String {
    let output = run(command);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{name}: {said}");
    assert_eq!(text(&output.stdout), "", "{name}");
    assert!(said.lines().count() <= SCREEN, "{name}: this is more than a screen\n{said}");
    assert!(said.contains("error: ") && !said.contains("s3cret") && !said.contains("panicked"), "{name}: {said}");
    said
}

fn validate(folder: &Path, file: &str) -> Command {
    let mut command = tracetailor(folder);
    command.args(["validate", "--config", file]);
    command
}

#[test]
fn every_bad_configuration_is_told_to_the_letter() {
    let folder = root().join("tests/bad_configs");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().unwrap().strip_suffix(".yaml").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 60, "there are only {}", names.len());
    for name in names {
        let file = format!("{name}.yaml");
        let mut command = validate(&folder, &file);
        for line in text(&fs::read(folder.join(&file)).unwrap()).lines().filter_map(|line| line.strip_prefix("#! ")) {
            match line.split_once('=') {
                Some((variable, value)) if !line.starts_with('-') => command.env(variable, value),
                _ => command.args(line.split(' ')),
            };
        }
        same_as_file(&folder.join(format!("{name}.txt")), &refused(&mut command, &name));
    }
}

#[test]
fn a_megabyte_of_garbage_is_told_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    // The same garbage each time, so that a failure can be looked into.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let bytes: Vec<u8> = (0..1 << 20).map(|_| byte()).collect();
    let printable: Vec<u8> = bytes.iter().map(|byte| b' ' + byte % 95).collect();
    let lines: Vec<u8> = bytes.iter().map(|byte| if byte % 40 == 0 { b'\n' } else { b' ' + byte % 95 }).collect();
    let zeros = vec![0; 1 << 20];
    let brackets = vec![b'['; 1 << 20];
    for (name, garbage) in [("bytes", bytes), ("printable", printable), ("lines", lines), ("zeros", zeros), ("brackets", brackets)] {
        let file = format!("{name}.yaml");
        fs::write(folder.path().join(&file), garbage).unwrap();
        let said = refused(&mut validate(folder.path(), &file), name);
        assert!(said.starts_with(&file) && said.len() < 500 && said.lines().count() <= 2, "{name}: {said}");
    }
}

#[test]
fn a_file_that_is_far_too_large_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::File::create(folder.path().join("log.yaml")).unwrap().set_len(1 << 40).unwrap();
    let said = refused(&mut validate(folder.path(), "log.yaml"), "log");
    assert_eq!(
        said,
        "log.yaml: error: has 1099511627776 bytes, which is more than a configuration can need\n    name a file of at most 16777216 bytes\n"
    );
}
