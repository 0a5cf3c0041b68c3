//! The names of metrics, wherever they stand: in the table, in code, on the page made from the table, and in what operators are told.
#![expect(clippy::expect_used, reason = "a test that cannot go on says where")]

#[path = "metrics/mentions.rs"]
mod mentions;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tracetailor::own_telemetry::metrics::{Kind, metrics_page};
use tracetailor::own_telemetry::names::{METRICS, find};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below some folders whose names end so, with their texts.
fn files(folders: &[&str], end: &str) -> Vec<(String, String)> {
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.to_string_lossy().ends_with(end) {
            let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&path).expect("a text")));
        }
    }
    found.sort();
    found
}

/// What code says, apart from the table and from tests.
fn said_in_code() -> Vec<(String, String)> {
    let is_test = |path: &str| path.contains("/tests");
    let code = files(&["src", "processors", "net"], ".rs").into_iter();
    let code = code.filter(|(path, _)| !is_test(path) && path != "src/own_telemetry/names.rs");
    code.flat_map(|(path, text)| mentions::in_code(&text).into_iter().map(move |name| (path.clone(), name))).collect()
}

#[test]
fn code_uses_no_name_that_is_not_in_the_table() {
    let names: Vec<String> = METRICS.iter().flat_map(|metric| metric.names()).collect();
    let unknown: Vec<_> =
        said_in_code().into_iter().filter(|(_, said)| !names.iter().any(|name| mentions::stands_for(said, name))).collect();
    assert!(unknown.is_empty(), "not in src/own_telemetry/names.rs: {unknown:?}");
}

#[test]
fn no_name_is_in_the_table_that_nothing_uses() {
    let said: BTreeSet<String> = said_in_code().into_iter().map(|(_, said)| said).collect();
    let names = METRICS.iter().flat_map(|metric| metric.names());
    let unused: Vec<String> = names.filter(|name| !said.iter().any(|said| mentions::stands_for(said, name))).collect();
    assert!(unused.is_empty(), "in src/own_telemetry/names.rs, and nothing counts it: {unused:?}");
}

#[test]
fn the_page_is_as_the_table_has_it() {
    if std::env::var_os("TRACETAILOR_WRITE").is_some() {
        fs::write(root().join("docs/metrics.md"), metrics_page()).expect("the page can be written");
    }
    assert!(read("docs/metrics.md") == metrics_page(), "docs/metrics.md is not what src/own_telemetry/names.rs says: run scripts/fix");
}

#[test]
fn pages_speak_of_metrics_that_there_are() {
    let mut pages = files(&["src", "processors"], "README.md");
    pages.extend(files(&["docs/runbooks"], ".md"));
    pages.extend(["docs/operating.md", "helm/files/dashboard.json"].map(|path| (path.to_owned(), read(path))));
    let unknown: Vec<_> = pages
        .iter()
        .flat_map(|(path, text)| mentions::in_prose(text).into_iter().map(move |name| (path, name)))
        .filter(|(_, name)| !is_a_metric(name))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// A name of the table, or of a part of a histogram.
fn is_a_metric(name: &str) -> bool {
    let parts = ["_bucket", "_sum", "_count"].iter().filter_map(|part| find(name.strip_suffix(part)?));
    find(name).is_some() || parts.into_iter().any(|metric| metric.kind == Kind::Histogram)
}

#[test]
fn alerts_name_labels_that_their_metrics_have() {
    // In the dashboard quotes are escaped.
    let page = read("docs/operating.md") + &read("helm/files/dashboard.json").replace('\\', "");
    for (name, label) in mentions::labels(&page).into_iter().filter(|(_, label)| !["job", "instance"].contains(&label.as_str())) {
        let metric = find(&name).unwrap_or_else(|| panic!("{name} is no metric"));
        assert!(metric.labels.contains(&label.as_str()), "{name} has no label {label}");
    }
}

/// What a reader copies is what the chart installs.
#[test]
fn the_page_has_the_alerts_of_the_chart() {
    let page = read("docs/operating.md");
    let (before, rest) = page.split_once("```yaml\ngroups:\n").expect("docs/operating.md has a block of rules");
    let (_, after) = rest.split_once("```\n").expect("the block ends");
    let should = format!("{before}```yaml\n{}```\n{after}", read("helm/files/alerts.yaml"));
    if std::env::var_os("TRACETAILOR_WRITE").is_some() {
        return fs::write(root().join("docs/operating.md"), should).expect("the page can be written");
    }
    assert!(page == should, "docs/operating.md has not the alerts of helm/files/alerts.yaml: run scripts/fix");
}

/// Prometheus' own tool, where it is installed.
#[test]
fn alerts_are_rules() {
    let path = root().join("helm/files/alerts.yaml");
    let Ok(said) = Command::new("promtool").args(["check", "rules"]).arg(&path).output() else { return };
    assert!(said.status.success(), "{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
}
