//! Lines as they are written, into a file, with a clock that is turned by hand.

use std::time::Duration;

use tracetailor_core::config::parse;
use tracetailor_core::time::LogTime;
use tracing::{debug, error, info, trace, warn};

use super::*;

/// Logs into a file while `work` runs on this thread, and gives what was written.
fn logged(settings: &str, work: impl FnOnce(&LogHandle, &Clock, &dyn Fn(&str) -> Telemetry)) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gateway.log");
    let settings_of = |logs: &str| -> Telemetry {
        let yaml = format!("logs: {{output_paths: [{}], disable_caller: true, {logs}}}", path.display());
        parse(&yaml, "g.yaml", "service.telemetry").expect("valid")
    };
    let clock = Clock::by_hand(LogTime(1_500_000_000));
    let (layer, handle) = LogLayer::new(&settings_of(settings), clock.clone()).expect("it opens");
    tracing::subscriber::with_default(Registry::default().with(layer), || work(&handle, &clock, &settings_of));
    std::fs::read_to_string(&path).expect("what was written")
}

#[test]
fn console_lines_are_for_people() {
    let text = logged("initial_fields: {cluster: eu-1}", |_, _, _| {
        info!(receiver = "otlp", port = 4317, "listening");
        warn!("two\nlines \u{1b}[31m");
        debug!("not told");
    });
    let expected = "1970-01-01T00:00:01.500Z\tinfo\tlistening\t{\"cluster\":\"eu-1\",\"receiver\":\"otlp\",\"port\":4317}\n\
                    1970-01-01T00:00:01.500Z\twarn\ttwo lines  [31m\t{\"cluster\":\"eu-1\"}\n";
    assert_eq!(text, expected);
}

#[test]
fn json_lines_are_for_machines() {
    let text = logged("encoding: json, level: debug, initial_fields: {shard: 3}", |_, _, _| {
        debug!(error = %"a \"quoted\"\nreason", taken = 1.5, ok = false, id = ?Some(1), "failed");
    });
    let line: serde_json::Value = serde_json::from_str(&text).expect("one object");
    for (key, value) in [
        ("level", serde_json::json!("debug")),
        ("ts", serde_json::json!(1.5)),
        ("msg", serde_json::json!("failed")),
        ("shard", serde_json::json!(3)),
        ("error", serde_json::json!("a \"quoted\"\nreason")),
        ("taken", serde_json::json!(1.5)),
        ("ok", serde_json::json!(false)),
        ("id", serde_json::json!("Some(1)")),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    assert_eq!(line["resource"]["service.name"], "tracetailor");
    assert_eq!(line["resource"]["service.instance.id"].as_str().map(str::len), Some(36));
}

#[test]
fn a_reload_changes_the_level_and_a_bad_one_changes_nothing() {
    let text = logged("level: info", |handle, _, settings| {
        let told = || {
            debug!("debug");
            trace!("trace");
            error!("error");
        };
        told();
        handle.reload(&settings("level: debug")).expect("it opens");
        told();
        let mut nowhere = settings("level: trace");
        nowhere.logs.output_paths = vec!["/nowhere/at/all".to_owned()].into();
        let error = handle.reload(&nowhere).expect_err("no such folder").to_string();
        assert!(error.starts_with("the log cannot be written to /nowhere/at/all: "), "{error}");
        told();
    });
    let told: Vec<&str> = text.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    assert_eq!(told, ["error", "debug", "error", "debug", "error"]);
}

#[test]
fn libraries_are_heard_from_warnings_on() {
    let text = logged("level: trace", |_, _, _| {
        debug!(target: "h2::codec", "headers");
        warn!(target: "rustls", "warned");
        trace!("ours");
    });
    assert!(!text.contains("headers") && text.contains("warned") && text.contains("ours"), "{text}");
}

#[test]
fn what_is_said_without_end_is_thinned_out() {
    let text = logged("sampling: {initial: 2, thereafter: 3, tick: 10s}", |_, clock, _| {
        let say = |n: u64| error!(n, "refused");
        (1..=9).for_each(say);
        info!("another place");
        clock.advance(Duration::from_secs(10));
        say(10);
    });
    let told: Vec<&str> = text.lines().filter_map(|line| line.split('\t').nth(3)).collect();
    assert_eq!(told, ["{\"n\":1}", "{\"n\":2}", "{\"n\":5}", "{\"n\":8}", "{\"n\":10}"]);
    assert!(text.contains("another place"));
    let different = logged("sampling: {initial: 2}", |_, _, _| (1..=50).for_each(|n| warn!("problem {n}")));
    assert_eq!(different.lines().count(), 50, "they are as many different things");
    let all = logged("sampling: {enabled: false}", |_, _, _| (1..=50).for_each(|n| error!(n, "refused")));
    assert_eq!(all.lines().count(), 50);
}

#[test]
fn the_place_in_the_code_is_told_unless_not_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gateway.log");
    let yaml = format!("logs: {{output_paths: ['file://{}']}}", path.display());
    let settings: Telemetry = parse(&yaml, "g.yaml", "service.telemetry").expect("valid");
    let (layer, _handle) = LogLayer::new(&settings, Clock::by_hand(LogTime(0))).expect("it opens");
    tracing::subscriber::with_default(Registry::default().with(layer), || info!("here"));
    let text = std::fs::read_to_string(&path).expect("what was written");
    assert!(text.contains("\tinfo\town_telemetry/log/tests.rs:"), "{text}");
}
