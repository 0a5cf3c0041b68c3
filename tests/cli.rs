//! The binary, asked as a shell would ask it.

use std::io;
use std::process::{Command, Output};

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
fn without_arguments_it_says_what_it_is() {
    let output = tracetailor(&[]).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("tracetailor validate --config gateway.yaml"), "{}", stdout(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_command_line_that_is_not_understood_is_told_apart() {
    let asked: [&[&str]; 8] = [
        &["validate"],
        &["run"],
        &["--strict"],
        &["run", "--confg", "a.yaml"],
        &["sew"],
        &["--config", "a.yaml", "validate", "--config", "b.yaml"],
        &["explain", "sewing_machine"],
        &["completions", "tcsh"],
    ];
    for arguments in asked {
        let output = tracetailor(arguments).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_configuration_that_is_not_there_is_wrong() {
    for command in ["validate", "run", "print-config"] {
        let output = tracetailor(&[command, "--config", "no/such.yaml"]).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert_eq!(stdout(&output), "", "{command}");
        assert!(stderr(&output).starts_with("no/such.yaml: error: cannot be read: "), "{command}: {}", stderr(&output));
    }
}

#[test]
fn a_gateway_that_does_not_answer_is_in_the_way() {
    // Port 1 is nobody's.
    let output = tracetailor(&["reload", "--admin", "127.0.0.1:1"]).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).starts_with("error: no gateway answers at 127.0.0.1:1: "), "{}", stderr(&output));
}

#[test]
fn shells_can_complete_it() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = tracetailor(&["completions", shell]).unwrap();
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(stdout(&output).contains("print-config"), "{shell}");
    }
}

#[test]
fn help_documents_the_exit_codes() {
    let output = tracetailor(&["--help"]).unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = stdout(&output);
    for line in
        ["  0  what was asked was done", "  1  the configuration is wrong", "  2  the command line was not understood", "  3  something"]
    {
        assert!(help.contains(line), "{line:?} is not in {help}");
    }
    let readme = include_str!("../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(readme.contains("exit code 1") && readme.contains("exit code 2") && readme.contains("exit code 3"));
}

#[test]
fn an_expression_is_drawn_and_asked() {
    let output = tracetailor(&["ottl", "span.name == \"a\" and resource.attributes[\"env\"] != nil"]).unwrap();
    assert_eq!(output.status.code(), Some(0));
    let drawn = "A condition of the context span.\n\nand\n  ==\n    span.name\n    \"a\"\n  !=\n    resource.attributes[\"env\"]\n    nil\n\n\
                 reads:\n  span.name\n  resource.attributes[\"env\"]\n";
    assert_eq!(stdout(&output), drawn);

    let output = tracetailor(&["ottl", "span.nme == \"a\""]).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "error: character 6: there is no path nme in the context span; did you mean name?\n");
    let output = tracetailor(&["ottl", "--context", "spam", "name == \"a\""]).unwrap();
    assert_eq!(output.status.code(), Some(2));

    let file = std::env::temp_dir().join(format!("tracetailor-ottl-{}.json", std::process::id()));
    let span = r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00f067aa0ba902b7","name":"a"}"#;
    std::fs::write(&file, format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#)).unwrap();
    let path = file.to_string_lossy();
    let output = tracetailor(&["ottl", "--span", &path, "span.name == \"a\""]).unwrap();
    assert!(stdout(&output).ends_with("\n\"a\": holds\n"), "{}", stdout(&output));
    let output = tracetailor(&["ottl", "--span", &path, "set(span.name, \"b\") where span.name == \"a\""]).unwrap();
    assert!(stdout(&output).contains(r#""name":"b""#), "{}", stdout(&output));
    std::fs::remove_file(file).unwrap();
}
