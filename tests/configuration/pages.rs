//! What the pages tell people to write and to type: every configuration is one, every command does what the page says, or is run by
//! another check that is named here.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::{folder_with, root, run, text, tracetailor, write};

/// Commands that another check runs, by how they begin.
const RUN_BY_OTHERS: &[(&str, &str)] = &[
    ("cargo run --release", ".ci/run builds the binary that way; what it says is in tests/cli.rs"),
    ("cargo test --workspace", ".ci/run"),
    ("cargo bench", "scripts/benchmarks"),
    ("target/release/tracetailor-peers ", "benches/peers/README.md: by whoever measures"),
    ("cargo build --release", "benches/peers/README.md: by whoever measures"),
    ("tracetailor --config ", "tests/gateway runs the binary"),
    ("tracetailor send", "tests/gateway sends through the binary"),
    ("tracetailor why ", "tests/gateway asks through the binary"),
    ("helm ", "helm/test renders what they install"),
    ("helm/test", "scripts/check runs what it can of it, helm/test-install is for a person with a quarter of an hour"),
    ("kubectl ", "helm/test renders what is asked for"),
    ("podman ", "helm/test lints the Containerfile; there is nothing here that could build it"),
    ("scripts/", ".ci/run"),
];

/// Commands that are meant to find something wrong.
const FINDS_FAULTS: [&str; 1] = ["tracetailor validate --config your-collector.yaml"];

const COLLECTORS: &str = "
receivers: {otlp: {protocols: {grpc: {}}}}
processors: {k8sattributes: {}, batch: {}}
exporters: {otlp: {endpoint: 'localhost:14317', sending_queue: {storage: file_storage}}}
extensions: {file_storage: {}}
service:
  extensions: [file_storage]
  pipelines: {traces: {receivers: [otlp], processors: [k8sattributes, batch], exporters: [otlp]}}
";

/// The pages for users, with their text.
fn pages() -> BTreeMap<PathBuf, String> {
    let docs = fs::read_dir(root().join("docs")).into_iter().flatten().flatten().map(|entry| entry.path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let pages = pages.chain(["README.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    pages.map(|path| (path.clone(), fs::read_to_string(path).unwrap_or_default())).collect()
}

/// The blocks of a language, with the line before each.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") && line.len() > 3 {
            let block: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            if &line[3..] == language {
                blocks.push(block.join("\n") + "\n");
            }
        }
    }
    blocks
}

fn validate(name: &str, yaml: &str) -> Result<(), String> {
    let folder = folder_with("gateway.yaml", yaml);
    let environment = [("PRIVATE_KEY", "a".repeat(36)), ("REDACTION_KEY", "k".repeat(64)), ("POD_IP", "127.0.0.1".to_owned())];
    let output = run(tracetailor(folder.path()).args(["validate", "--config", "gateway.yaml"]).envs(environment));
    if output.status.success() { Ok(()) } else { Err(format!("{name}:\n{yaml}\n{}", text(&output.stderr))) }
}

#[test]
fn every_configuration_on_the_pages_is_one() {
    let mut whole = 0;
    for (path, page) in pages() {
        for yaml in blocks(&page, "yaml").iter().filter(|yaml| yaml.contains("\nservice:") && yaml.contains("pipelines:")) {
            whole += 1;
            validate(&path.display().to_string(), yaml).unwrap();
        }
    }
    assert!(whole >= 3, "the README has three");
}

#[test]
fn the_compose_file_has_a_configuration() {
    let compose = fs::read_to_string(root().join("docs/compose.yaml")).unwrap();
    let (_, yaml) = compose.split_once("content: |\n").unwrap();
    let yaml: String = yaml.lines().map(|line| line.strip_prefix("      ").unwrap_or(line).to_owned() + "\n").collect();
    validate("docs/compose.yaml", &yaml).unwrap();
}

#[test]
fn every_command_on_the_pages_does_what_it_should() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let folder = folder_with("gateway.yaml", &blocks(&readme, "yaml")[0]);
    write(&folder.path().join("your-collector.yaml"), COLLECTORS);
    for (path, page) in pages() {
        for block in blocks(&page, "sh") {
            for command in block.replace("\\\n", " ").lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
                if RUN_BY_OTHERS.iter().any(|(beginning, _)| command.starts_with(beginning)) {
                    continue;
                }
                let Some(arguments) = command.strip_prefix("tracetailor ") else {
                    panic!("{}: nothing runs `{command}`: say in RUN_BY_OTHERS what does", path.display());
                };
                let output = run(tracetailor(folder.path()).args(words(arguments)).env("REDACTION_KEY", "k".repeat(64)));
                let wanted = if FINDS_FAULTS.contains(&command) { Some(1) } else { Some(0) };
                assert_eq!(output.status.code(), wanted, "{}: {command}\n{}", path.display(), text(&output.stderr));
            }
        }
    }
}

/// The words of a command, in which single quotes hold together what belongs together.
fn words(arguments: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in arguments.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
