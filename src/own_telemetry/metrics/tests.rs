//! The page of metrics: what is on it, and that it is well written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tracetailor_core::component::Counters;
use tracetailor_core::ledger::{Books, Fate, LineName, Nobody, Receipt};
use tracetailor_core::telemetry::Signal;
use tracetailor_core::time::{Clock, LogTime};

use super::exposition::{Family, Sample, Stands};
use super::*;
use crate::own_telemetry::keys::{Level, Metrics, Page, Telemetry};
use crate::own_telemetry::{Reloads, names};

fn plain() -> Page {
    Metrics::default().pages().remove(0)
}

fn suffixed() -> Page {
    Page { scope: true, type_suffix: true, units: true, ..plain() }
}

fn sources() -> Sources {
    Sources { counters: Counters::default(), books: Books::new(), clock: Clock::by_hand(LogTime(1_000_000_000)) }
}

fn page_of(sources: &Sources, level: Level, page: &Page, format: Format) -> String {
    let text = write(&Gatherer::new(sources.clone(), level, &Telemetry::default().resource).gather(), page, format);
    well_written(&text, format);
    text
}

fn line<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in:\n{text}"))
}

/// Holds a page to the grammar of its format: HELP and TYPE before the samples of a name, a name in one block only, a series once, numbers
/// that are numbers, and buckets that grow up to their count.
fn well_written(text: &str, format: Format) {
    let (mut families, mut series) = (BTreeSet::new(), BTreeSet::new());
    let mut current = (String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, _) = rest.split_once(' ').expect("a name and words");
            assert!(families.insert(name.to_owned()), "{name} is in two blocks");
            current.0 = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert_eq!(name, current.0);
            assert!(["counter", "gauge", "histogram", "unknown"].contains(&kind), "{line}");
            current.1 = kind.to_owned();
        } else if line == "# EOF" {
            assert!(format == Format::OpenMetrics && text.ends_with("\n# EOF\n"));
        } else {
            let (sample, number) = line.rsplit_once(' ').expect("a series and a number");
            number.parse::<f64>().expect(line);
            assert!(series.insert(sample.to_owned()), "{sample} is there twice");
            let (name, labels) = sample.split_once('{').map_or((sample, None), |(name, labels)| (name, Some(labels)));
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{line}");
            let suffixes: &[&str] = match (format, current.1.as_str()) {
                (_, "histogram") => &["_bucket", "_sum", "_count"],
                (Format::OpenMetrics, "counter") => &["_total"],
                _ => &[""],
            };
            assert!(suffixes.iter().any(|suffix| name == format!("{}{suffix}", current.0)), "{line} is not of {current:?}");
            labels_are_well_written(labels);
        }
    }
    assert!(text.ends_with('\n'));
}

fn labels_are_well_written(labels: Option<&str>) {
    let Some(labels) = labels else { return };
    let mut rest = labels.strip_suffix('}').expect("a brace at the end");
    let mut seen = BTreeSet::new();
    while !rest.is_empty() {
        let (name, behind) = rest.split_once("=\"").expect("a value in quotes");
        assert!(seen.insert(name) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{labels}");
        let mut escaped = false;
        let end = behind.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        rest = behind[end.expect("a closing quote") + 1..].trim_start_matches(',');
    }
}

#[test]
fn the_books_are_told_line_by_line_and_add_up() {
    let sources = sources();
    let pipeline = sources.books.line(LineName::Pipeline("traces/edge".into()), Signal::Traces);
    let exporter = sources.books.line(LineName::Exporter("otlp".into()), Signal::Traces);
    let receipt = Receipt::open(&sources.books, Arc::new(Nobody), 0);
    let mut share = receipt.accept(&pipeline, 10);
    receipt.close();
    share.settle_some(4, Fate::Dropped(sources.books.cause("filter", "health")));
    share.enter(&exporter);
    share.settle_some(1, Fate::Failed(sources.books.cause("otlp", "retries_exhausted")));
    let held = exporter.held("queue");
    held.add(2);
    let (in_queue, mut sent) = {
        let rest = share.take(3);
        (share, rest)
    };
    sent.settle_some(3, Fate::Delivered);
    let text = page_of(&sources, Level::Basic, &plain(), Format::Prometheus);
    for expected in [
        "tracetailor_ledger_accepted_spans_total{pipeline=\"traces/edge\"} 10",
        "tracetailor_ledger_dropped_spans_total{pipeline=\"traces/edge\"} 4",
        "tracetailor_ledger_delivered_spans_total{pipeline=\"traces/edge\"} 6",
        "tracetailor_ledger_residual{pipeline=\"traces/edge\",signal=\"traces\"} 0",
        "tracetailor_ledger_accepted_spans_total{exporter=\"otlp\"} 6",
        "tracetailor_ledger_failed_spans_total{exporter=\"otlp\"} 1",
        "tracetailor_ledger_delivered_spans_total{exporter=\"otlp\"} 3",
        "tracetailor_ledger_held_spans{exporter=\"otlp\"} 2",
        "tracetailor_ledger_residual{exporter=\"otlp\",signal=\"traces\"} 0",
        "tracetailor_dropped_spans_total{component=\"filter\",reason=\"health\"} 4",
        "tracetailor_failed_spans_total{component=\"otlp\",reason=\"retries_exhausted\"} 1",
        "tracetailor_lost_spans_total{reason=\"unaccounted\"} 0",
        "tracetailor_ledger_open_receipts 1",
    ] {
        assert!(text.lines().any(|line| line == expected), "no {expected} in:\n{text}");
    }
    held.sub(2);
    in_queue.settle(Fate::Delivered);
    sources.books.report().assert_balanced();
}

#[test]
fn the_collectors_names_are_as_the_reader_wants_them() {
    let sources = sources();
    let accepted = sources.counters.counter("otelcol_receiver_accepted_spans", &[("receiver", "otlp"), ("transport", "grpc")]);
    accepted.add(7);
    let incoming = sources.counters.counter("otelcol_processor_incoming_items", &[("processor", "batch"), ("otel.signal", "traces")]);
    incoming.add(1);
    let text = page_of(&sources, Level::Normal, &plain(), Format::Prometheus);
    line(&text, "otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"grpc\"} 7");
    line(&text, "otelcol_processor_incoming_items{processor=\"batch\",otel_signal=\"traces\"} 1");
    line(&text, "# TYPE otelcol_receiver_accepted_spans counter");
    line(&text, "otelcol_process_memory_rss ");
    let text = page_of(&sources, Level::Normal, &suffixed(), Format::Prometheus);
    line(&text, "otelcol_receiver_accepted_spans_total{receiver=\"otlp\",transport=\"grpc\",otel_scope_name=\"tracetailor\"} 7");
    line(&text, "otelcol_process_memory_rss_bytes{");
    line(&text, "otelcol_process_cpu_seconds_total{");
    line(&text, "otelcol_process_uptime_seconds_total{");
    let text = page_of(&sources, Level::Normal, &plain(), Format::OpenMetrics);
    line(&text, "# TYPE otelcol_receiver_accepted_spans unknown");
    line(&text, "# TYPE tracetailor_lost_spans counter");
    line(&text, "tracetailor_lost_spans_total{reason=\"unaccounted\"} 0");
}

#[test]
fn histograms_are_told_in_detail_only_and_grow_to_their_count() {
    static WAITED: Metric = Metric::histogram("tracetailor_waited_seconds", &[], "Waited \"long\"\nin \\.");
    let family = Family {
        name: "tracetailor_waited_seconds".to_owned(),
        metric: &WAITED,
        samples: vec![Sample {
            labels: vec![("receiver".to_owned(), "a\"b\\c\nd".to_owned())],
            stands: Stands::Distributed(tracetailor_core::component::Distribution {
                bounds: &[0.5, 1.0],
                counts: vec![1, 0, 2],
                sum: 7.25,
            }),
        }],
    };
    let text = write(std::slice::from_ref(&family), &plain(), Format::OpenMetrics);
    well_written(&text, Format::OpenMetrics);
    let expected = r#"# HELP tracetailor_waited_seconds Waited \"long\"\nin \\.
# TYPE tracetailor_waited_seconds histogram
tracetailor_waited_seconds_bucket{receiver="a\"b\\c\nd",le="0.5"} 1
tracetailor_waited_seconds_bucket{receiver="a\"b\\c\nd",le="1.0"} 1
tracetailor_waited_seconds_bucket{receiver="a\"b\\c\nd",le="+Inf"} 3
tracetailor_waited_seconds_sum{receiver="a\"b\\c\nd"} 7.25
tracetailor_waited_seconds_count{receiver="a\"b\\c\nd"} 3
# EOF
"#;
    assert_eq!(text, expected);
    let text = write(&[family], &plain(), Format::Prometheus);
    well_written(&text, Format::Prometheus);
    line(&text, "tracetailor_waited_seconds_bucket{receiver=\"a\\\"b\\\\c\\nd\",le=\"1\"} 1");
    line(&text, "# HELP tracetailor_waited_seconds Waited \"long\"\\nin \\\\.");
}

#[test]
fn the_level_decides_how_much_is_told() {
    let sources = sources();
    let basic = page_of(&sources, Level::Basic, &plain(), Format::Prometheus);
    let normal = page_of(&sources, Level::Normal, &plain(), Format::Prometheus);
    assert!(!basic.contains("tracetailor_process_threads") && normal.contains("tracetailor_process_threads"));
}

#[test]
fn reloads_are_told_with_the_fingerprint_in_force_alone() {
    let sources = sources();
    let reloads = Reloads::started(&sources.counters, "aaaa", sources.clock.now());
    let text = || page_of(&sources, Level::Basic, &plain(), Format::Prometheus);
    line(&text(), "tracetailor_config_reload_failed 0");
    reloads.refused();
    let refused = text();
    line(&refused, "tracetailor_config_reload_failed 1");
    line(&refused, "tracetailor_config_info{digest=\"aaaa\"} 1");
    sources.clock.advance(Duration::from_secs(9));
    reloads.took("bbbb", sources.clock.now());
    let taken = text();
    line(&taken, "tracetailor_config_reload_failed 0");
    line(&taken, "tracetailor_config_reload_taken_timestamp_seconds 10");
    line(&taken, "tracetailor_config_info{digest=\"bbbb\"} 1");
    line(&taken, "tracetailor_config_reloads_total{outcome=\"refused\"} 1");
    assert!(!taken.contains("aaaa"), "{taken}");
    line(&taken, "otelcol_process_uptime ");
}

#[test]
fn whoever_asks_is_given_what_he_reads() {
    let prometheus_server = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    for (accept, format) in [
        (None, Format::Prometheus),
        (Some("*/*"), Format::Prometheus),
        (Some("text/plain"), Format::Prometheus),
        (Some("text/html, application/xhtml+xml, */*;q=0.8"), Format::Prometheus),
        (Some(prometheus_server), Format::OpenMetrics),
        (Some("application/openmetrics-text;q=0.1, text/plain;q=0.9"), Format::Prometheus),
        (Some("Application/OpenMetrics-Text; q=0"), Format::Prometheus),
        (Some("application/openmetrics-text; q=nonsense"), Format::Prometheus),
    ] {
        assert_eq!(Format::wanted(accept), format, "{accept:?}");
    }
}

#[test]
fn the_table_is_consistent_in_itself() {
    let mut seen = BTreeSet::new();
    for metric in names::METRICS {
        for name in metric.names() {
            assert!(names::find(&name).is_some(), "{name}");
            assert!(seen.insert(name.clone()), "{name} is there twice");
            let ours = name.starts_with("tracetailor_") || metric.is_the_collectors() || name == "target_info";
            assert!(ours && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            let total = name.ends_with("_total");
            let wanted = metric.kind == Kind::Counter && !metric.is_the_collectors();
            assert_eq!(total, wanted, "{name}: our counters end in _total, nothing else does");
        }
        assert!(metric.meaning.ends_with('.'), "{}", metric.name);
        assert!(!metric.meaning.contains('|'), "{} would break its table", metric.name);
    }
}

/// Prometheus' own tool, where it is installed. With suffixes, so that its rules for names hold for the Collector's as well.
#[test]
fn promtool_finds_nothing_to_object_to() {
    let sources = sources();
    for metric in names::METRICS.iter().filter(|metric| !metric.labels.contains(&"…")) {
        let labels: Vec<(&str, &str)> = metric.labels.iter().map(|label| (*label, "x\"y\\")).collect();
        for name in metric.names() {
            match metric.kind {
                Kind::Counter => sources.counters.counter(&name, &labels).add(1),
                Kind::Gauge => sources.counters.gauge(&name, &labels).set(1),
                Kind::Histogram => sources.counters.histogram(&name, &labels, &[0.5, 1.0]).record(0.7),
            }
        }
    }
    let gatherer = Gatherer::new(sources, Level::Detailed, &Telemetry::default().resource);
    let mut families = gatherer.gather();
    // What is gathered elsewhere was counted here once more: a label apart in the books, twice the same where there are no labels.
    families.iter_mut().for_each(|family| family.samples.dedup_by(|a, b| a.labels == b.labels));
    let text = write(&families, &suffixed(), Format::Prometheus);
    well_written(&text, Format::Prometheus);
    let mut promtool = std::process::Command::new("promtool");
    let promtool = promtool.args(["check", "metrics"]).stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let Ok(mut promtool) = promtool.spawn() else { return };
    std::io::Write::write_all(&mut promtool.stdin.take().expect("a pipe"), text.as_bytes()).expect("it reads");
    let said = promtool.wait_with_output().expect("it ends");
    assert!(said.status.success(), "{}\n{text}", String::from_utf8_lossy(&said.stderr));
}
