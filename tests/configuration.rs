//! Configurations, read by the real binary: bad ones and what is said about them, and the files that are written from the code.
//!
//! `TRACETAILOR_WRITE=1 cargo test --test configuration` writes what is compared here; scripts/fix does it. Then it is for a person to
//! see whether what changed reads well.

#[path = "configuration/bad.rs"]
mod bad;
#[path = "configuration/chart.rs"]
mod chart;
#[path = "configuration/derived.rs"]
mod derived;
#[path = "configuration/good.rs"]
mod good;
#[path = "configuration/pages.rs"]
mod pages;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The binary in a folder, with nothing in its environment but what a case says.
fn tracetailor(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracetailor"));
    command.env_clear().current_dir(folder);
    command
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("the binary cannot be started: {error}"))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}

/// A folder with one file in it.
fn folder_with(name: &str, yaml: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("there is no folder: {error}"));
    write(&folder.path().join(name), yaml);
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Compares a file with what it should be, or writes it.
#[track_caller]
fn same_as_file(path: &Path, should: &str) {
    if std::env::var_os("TRACETAILOR_WRITE").is_some() {
        return write(path, should);
    }
    let is = fs::read_to_string(path).unwrap_or_default();
    let line =
        is.lines().zip(should.lines()).position(|(is, should)| is != should).unwrap_or(is.lines().count().min(should.lines().count()));
    assert!(
        is == should,
        "{} differs from line {} on; run scripts/fix, and see whether it reads well\n--- the file\n{}\n--- it should be\n{}",
        path.display(),
        line + 1,
        is.lines().skip(line).take(6).collect::<Vec<_>>().join("\n"),
        should.lines().skip(line).take(6).collect::<Vec<_>>().join("\n"),
    );
}
