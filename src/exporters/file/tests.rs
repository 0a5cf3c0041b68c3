//! What stands in the file, and which files there are.

use std::fs;
use std::path::Path;
use std::time::Duration;

use futures_util::FutureExt;
use tracetailor_core::component::{BuildContext, Delivered, Exporter, Failing, Part};
use tracetailor_core::ledger::Fate;
use tracetailor_core::telemetry::{Decoded, Signal, json};
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;
use tracetailor_core::testing::{Inlet, START, assert_manual, log, logs, span, trace_of, traces};
use tracetailor_core::time::Clock;

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    assert_manual(&FACTORY);
}

/// A directory, what writes to it, and its clock.
struct Bench {
    directory: tempfile::TempDir,
    context: BuildContext,
    inlet: Inlet,
}

impl Bench {
    fn new() -> Self {
        let context = BuildContext { clock: Clock::by_hand(START), ..BuildContext::alone("file") };
        Self { directory: tempfile::tempdir().unwrap(), context, inlet: Inlet::new() }
    }

    fn exporter(&self, keys: &str) -> Box<dyn Exporter> {
        let path = self.directory.path().join("out.json");
        FACTORY.parse(&format!("{{path: {}, {keys}}}", path.display())).unwrap().build(&self.context).unwrap()
    }

    fn export(&mut self, exporter: &dyn Exporter, request: impl Into<Decoded>) {
        let batch = self.inlet.receive(request);
        assert_eq!(exporter.export(&batch).now_or_never(), Some(Ok(Delivered::ALL)));
        batch.settle(Fate::Delivered);
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.directory.path().join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        names(self.directory.path())
    }
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// What is in a line of JSON.
fn decoded(signal: Signal, line: &[u8]) -> Decoded {
    let mut bytes = Vec::new();
    json::to_protobuf(signal, line, &mut bytes).unwrap();
    Decoded::decode(signal, &bytes).unwrap()
}

/// The parts of a file that have their lengths before them.
fn parts(mut file: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = file.split_first_chunk::<4>() {
        let (part, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        parts.push(part);
        file = rest;
    }
    assert!(file.is_empty());
    parts
}

fn request() -> ExportTraceServiceRequest {
    trace_of("a -> b").request()
}

#[test]
fn every_batch_is_a_line_of_json() {
    let mut bench = Bench::new();
    let exporter = bench.exporter("");
    bench.export(&*exporter, request());
    bench.export(&*exporter, logs([log("one")]));
    let file = bench.read("out.json");
    let lines: Vec<&[u8]> = file.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(decoded(Signal::Traces, lines[0]), request().into());
    assert_eq!(decoded(Signal::Logs, lines[1]), logs([log("one")]).into());
}

#[test]
fn protobuf_has_its_length_before_it() {
    let mut bench = Bench::new();
    let exporter = bench.exporter("format: proto");
    bench.export(&*exporter, request());
    bench.export(&*exporter, request());
    let file = bench.read("out.json");
    assert_eq!(parts(&file), [Decoded::from(request()).encode(), Decoded::from(request()).encode()]);
}

#[test]
fn what_is_compressed_has_its_length_before_it() {
    for format in ["json", "proto"] {
        let mut bench = Bench::new();
        let exporter = bench.exporter(&format!("format: {format}, compression: zstd"));
        bench.export(&*exporter, request());
        bench.export(&*exporter, request());
        let file = bench.read("out.json");
        let parts = parts(&file);
        assert_eq!(parts.len(), 2);
        let plain = zstd::stream::decode_all(parts[1]).unwrap();
        let found = if format == "json" { decoded(Signal::Traces, &plain) } else { Decoded::decode(Signal::Traces, &plain).unwrap() };
        assert_eq!(found, request().into());
    }
}

#[test]
fn lanes_share_the_file_and_a_start_begins_anew() {
    let mut bench = Bench::new();
    for _ in 0..2 {
        // Built twice in one gateway: the second lane does not cut off what the first wrote.
        let exporter = bench.exporter("");
        bench.export(&*exporter, request());
    }
    assert_eq!(bench.read("out.json").iter().filter(|byte| **byte == b'\n').count(), 2);
    let again = Bench { context: BuildContext::alone("file"), directory: bench.directory, inlet: Inlet::new() };
    let _exporter = again.exporter("append: true");
    assert!(!again.read("out.json").is_empty());
    let anew = Bench { context: BuildContext::alone("file"), directory: again.directory, inlet: Inlet::new() };
    let _exporter = anew.exporter("");
    assert!(anew.read("out.json").is_empty());
}

#[test]
fn a_file_that_is_too_large_is_put_aside() {
    let mut bench = Bench::new();
    let exporter = bench.exporter("rotation: {max_megabytes: 1, max_backups: 2}");
    let large = || traces([span("a").attribute("text", "x".repeat(700 << 10).as_str())]);
    for _ in 0..3 {
        bench.export(&*exporter, large());
        bench.context.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(bench.names(), ["out-2023-11-14T22-13-21.000.json", "out-2023-11-14T22-13-22.000.json", "out.json"]);
    // Two at the same moment get names of their own, and the oldest go.
    let still = bench.context.clock.now();
    bench.export(&*exporter, large());
    bench.export(&*exporter, large());
    assert_eq!(bench.context.clock.now(), still);
    assert_eq!(bench.names(), ["out-2023-11-14T22-13-23.000.json", "out-2023-11-14T22-13-23.001.json", "out.json"]);
    assert!(bench.names().iter().all(|name| bench.read(name).iter().filter(|byte| **byte == b'\n').count() == 1));
}

#[test]
fn former_files_go_after_some_days() {
    let mut bench = Bench::new();
    let exporter = bench.exporter("rotation: {max_megabytes: 1, max_days: 2}");
    fs::write(bench.directory.path().join("out-unlike-a-former-file.json"), "stays").unwrap();
    let large = || traces([span("a").attribute("text", "x".repeat(700 << 10).as_str())]);
    for _ in 0..4 {
        bench.export(&*exporter, large());
        bench.context.clock.advance(Duration::from_secs(24 * 60 * 60));
    }
    assert_eq!(
        bench.names(),
        [
            "out-2023-11-15T22-13-20.000.json",
            "out-2023-11-16T22-13-20.000.json",
            "out-2023-11-17T22-13-20.000.json",
            "out-unlike-a-former-file.json",
            "out.json"
        ]
    );
    bench.export(&*exporter, large());
    assert!(!bench.names().contains(&"out-2023-11-15T22-13-20.000.json".to_owned()));
}

#[test]
fn directories_are_made_if_asked_for() {
    let bench = Bench::new();
    let path = bench.directory.path().join("not/yet/out.json");
    let build = |keys: &str| FACTORY.parse(&format!("{{path: {}, {keys}}}", path.display())).unwrap().build(&BuildContext::alone("file"));
    let error = build("").err().unwrap();
    assert!(error.wrong.contains("cannot open") && error.right.contains("create_directory: true"), "{error}");
    assert!(build("create_directory: true, directory_permissions: \"0700\"").is_ok());
    assert_eq!(names(path.parent().unwrap()), ["out.json"]);
}

#[test]
fn what_cannot_be_written_may_pass_later() {
    let mut bench = Bench::new();
    let exporter = FACTORY.parse("{path: /dev/full, append: true}").unwrap().build(&bench.context).unwrap();
    let batch = bench.inlet.receive(request());
    let error = exporter.export(&batch).now_or_never().unwrap().unwrap_err();
    assert_eq!(error.failing, Failing::Retry { after: None });
    assert!(error.message.contains("cannot write /dev/full"), "{error}");
    batch.settle(Fate::Delivered);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let refused = |yaml: &str| FACTORY.parse(yaml).expect_err(yaml).to_string();
    assert!(refused("{}").contains("file.path: is missing"));
    assert!(refused("{path: a, append: true, rotation: {}}").contains("does not go together with rotation"));
    assert!(refused("{path: a, append: true, compression: zstd}").contains("does not go together with compression"));
    assert!(refused("{path: a, rotation: {localtime: true}}").contains("names carry UTC"));
    assert!(refused("{path: a, directory_permissions: rwx}").contains("no permissions in octal"));
    assert!(refused("{path: a, format: xml}").contains("json"));
    assert!(refused("{path: a, encoding: otlp_encoding}").contains("planned"));
    assert!(refused("{path: a, group_by: {enabled: true}}").contains("planned"));
}

#[test]
fn nothing_stands_before_it_unless_asked_for() {
    let Part::Delivering(delivery) = FACTORY.part else { panic!("it has a queue") };
    let delivery = |yaml: &str| delivery(&FACTORY.parse(yaml).unwrap().config).unwrap();
    assert!(!delivery("path: a").sending_queue.enabled && !delivery("path: a").retry_on_failure.enabled);
    assert!(delivery("{path: a, retry_on_failure: {}}").retry_on_failure.enabled);
    assert!(delivery("{path: a, sending_queue: {}}").sending_queue.enabled);
}
