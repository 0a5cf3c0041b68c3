//! The binary, asked as a shell would ask it.

use std::io;
use std::process::{Command, Output};

const NOT_YET: &str = "this build is the core library; it does not run a gateway yet";

fn tracetailor(arguments: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_tracetailor")).args(arguments).output()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn version_is_that_of_the_package() {
    let output = tracetailor(&["--version"]).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout(&output), concat!("tracetailor ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn without_arguments_it_says_what_it_is_and_what_it_is_not() {
    let output = tracetailor(&[]).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains(NOT_YET), "{}", stdout(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn whatever_needs_a_gateway_is_refused() {
    let asked: [(&[&str], &str); 5] = [
        (&["run"], "error: nothing was started\n"),
        (&["run", "--config", "a.yaml"], "error: nothing was started for a.yaml\n"),
        (&["run", "--config", "a.yaml", "--config", "b.yaml"], "error: nothing was started for a.yaml, b.yaml\n"),
        (&["--config", "a.yaml"], "error: nothing was started for a.yaml\n"),
        (&["validate", "--config", "a.yaml"], "error: nothing was checked for a.yaml\n"),
    ];
    for (arguments, what) in asked {
        let output = tracetailor(arguments).unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(69), "{arguments:?}: {said}");
        assert!(said.starts_with(what), "{arguments:?}: {said}");
        assert!(said.contains(&format!("\n  why: {NOT_YET}\n")), "{arguments:?}: {said}");
        assert!(said.contains("\n  instead: "), "{arguments:?}: {said}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_command_line_that_is_not_understood_is_told_apart() {
    let asked: [&[&str]; 4] =
        [&["validate"], &["run", "--confg", "a.yaml"], &["sew"], &["--config", "a.yaml", "validate", "--config", "b.yaml"]];
    for arguments in asked {
        let output = tracetailor(arguments).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
}

#[test]
fn help_documents_the_exit_codes() {
    let output = tracetailor(&["--help"]).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for line in ["  0   what was asked was done", "  2   the command line was not understood", "  69  what was asked needs a gateway"] {
        assert!(stdout(&output).contains(line), "{line:?} is not in {}", stdout(&output));
    }
}

#[test]
fn the_readme_admits_what_the_binary_admits() {
    let readme = include_str!("../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(readme.contains(NOT_YET));
    assert!(readme.contains("exit code 69"));
}
