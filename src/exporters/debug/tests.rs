//! What is written, where, and how often.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tracetailor_core::component::{BuildContext, Delivered, Exporter, Part};
use tracetailor_core::ledger::Fate;
use tracetailor_core::telemetry::{Decoded, Signal};
use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, SpanKind};
use tracetailor_core::testing::{
    Inlet, START, assert_manual, attribute, exponential_histogram, gauge, histogram, list, log, logs, map, metrics, span, sum, summary,
    traces,
};
use tracetailor_core::time::Clock;

use super::FACTORY;

/// An exporter that writes to a file, and what stands in it.
struct Written {
    exporter: Box<dyn Exporter>,
    clock: Clock,
    file: tempfile::NamedTempFile,
    inlet: Inlet,
}

impl Written {
    fn with(keys: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display();
        let yaml = format!("{{use_internal_logger: false, output_paths: [\"{path}\"], {keys}}}");
        let clock = Clock::by_hand(START);
        let context = BuildContext { clock: clock.clone(), ..BuildContext::alone("debug") };
        let exporter = FACTORY.parse(&yaml).unwrap().build(&context).unwrap();
        Self { exporter, clock, file, inlet: Inlet::new() }
    }

    fn export(&mut self, request: impl Into<Decoded>) {
        let batch = self.inlet.receive(request);
        assert_eq!(self.exporter.export(&batch).now_or_never(), Some(Ok(Delivered::ALL)));
        batch.settle(Fate::Delivered);
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file.path()).unwrap()
    }
}

/// The span of the README.
fn request() -> ExportTraceServiceRequest {
    traces([span("GET /cart")
        .change(|span| {
            span.trace_id = 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c_u128.to_be_bytes().to_vec();
        })
        .id(0xeee1_9b7e_c3c1_b174)
        .service("cart")
        .scope("http", "1.2")
        .kind(SpanKind::Server)
        .attribute("http.route", "/cart")
        .event(1, "cache.miss", [attribute("key", "cart:7")])
        .status_error("timed out")])
}

/// The blocks of text in the README.
fn told() -> Vec<&'static str> {
    FACTORY.readme.split("```text\n").skip(1).map(|block| block.split("```").next().unwrap_or_default()).collect()
}

#[test]
fn the_readme_tells_the_truth() {
    let mut basic = Written::with("verbosity: basic");
    basic.export(request());
    assert_eq!(basic.text(), told()[0]);
    for (verbosity, block) in [("normal", told()[1]), ("detailed", told()[2])] {
        let mut written = Written::with(&format!("verbosity: {verbosity}"));
        written.export(request());
        assert_eq!(written.text(), format!("{}2023-11-14T22:13:20.000Z\tINFO\t{block}", told()[0]), "{verbosity}");
    }
    assert_manual(&FACTORY);
}

#[test]
fn of_spans_everything_is_told() {
    let mut written = Written::with("verbosity: Detailed");
    let full = span("a").parent(7).trace_state("k=v").link(9, 8).attribute("list", list(["x", "y"])).attribute("map", map([("k", 1)]));
    written.export(traces([full.attribute("none", None::<tracetailor_core::testing::otlp::Value>).schema_urls("r", "s")]));
    let text = written.text();
    for line in [
        "Resource SchemaURL: r\n",
        "ScopeSpans SchemaURL: s\n",
        "    Parent ID      : 0000000000000007\n",
        "    TraceState     : k=v\n",
        "    Status code    : Unset\n",
        "     -> list: Slice([\"x\",\"y\"])\n",
        "     -> map: Map({\"k\":1})\n",
        "     -> none: Empty()\n",
        "SpanLink #0\n     -> Trace ID: 00000000000000000000000000000009\n     -> ID: 0000000000000008\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn log_records_are_told() {
    let record =
        || logs([log("empty").service("cart").severity(10).trace(1).span(2).attribute("n", 5).event_name("cart.empty").times(0, 1)]);
    let mut normal = Written::with("verbosity: normal");
    normal.export(record());
    assert!(normal.text().contains("Logs\t{\"resource logs\": 1, \"log records\": 1}\n"), "{}", normal.text());
    assert!(normal.text().ends_with("INFO\tResourceLog #0 service.name=cart\nScopeLog #0\nempty n=5\n"), "{}", normal.text());
    let mut detailed = Written::with("verbosity: detailed");
    detailed.export(record());
    let told = "LogRecord #0\nObservedTimestamp: 2023-11-14 22:13:20.001 +0000 UTC\nTimestamp: 2023-11-14 22:13:20 +0000 UTC\nSeverityText: \
                \nSeverityNumber: Info2(10)\nEventName: cart.empty\nBody: Str(empty)\nAttributes:\n     -> n: Int(5)\nTrace ID: \
                00000000000000000000000000000001\nSpan ID: 0000000000000002\nFlags: 0\n";
    assert!(detailed.text().ends_with(told), "{}", detailed.text());
}

#[test]
fn points_of_five_kinds_are_told() {
    let request = || {
        metrics([
            gauge("queue").value(7).attribute("host", "a").value(0.5),
            sum("requests").delta().value(3).times(0, 60_000).exemplar(1.0, "checkout", "a"),
            histogram("duration").buckets(12.0, &[1.0, 5.0], &[3, 2, 1]),
            exponential_histogram("size").exponential(9.0, 2, -3, &[1, 0, 4]),
            summary("pause").quantiles(10, 4.0, &[(0.5, 0.2), (0.99, 1.0)]),
        ])
    };
    let mut normal = Written::with("verbosity: normal");
    normal.export(request());
    let text = normal.text();
    assert!(text.contains("Metrics\t{\"resource metrics\": 1, \"metrics\": 5, \"data points\": 6}\n"), "{text}");
    for line in [
        "queue{host=a} 7\n",
        "queue{} 0.5\n",
        "duration{} count=6 sum=12 le1=3 le5=2 leInf=1\n",
        "pause{} count=10 sum=4 q0.5=0.2 q0.99=1\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let mut detailed = Written::with("verbosity: detailed");
    detailed.export(request());
    let text = detailed.text();
    for line in [
        "     -> DataType: Sum\n     -> IsMonotonic: ",
        "     -> AggregationTemporality: Delta\n",
        "NumberDataPoints #0\n",
        "Value: 0.500000\n",
        "Buckets #2, Count: 1\n",
        "Positive bucket -1, Count: 4\n",
        "QuantileValue #1: Quantile 0.990000, Value 1.000000\n",
        "Exemplar #0\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn in_each_second_some_are_told() {
    let mut written = Written::with("sampling_initial: 2, sampling_thereafter: 3");
    let told = |written: &Written| written.text().lines().count();
    (0..10).for_each(|_| written.export(request()));
    assert_eq!(told(&written), 2 + 2);
    written.export(logs([log("of its own")]));
    assert_eq!(told(&written), 5, "each signal counts for itself");
    written.clock.advance(Duration::from_secs(1));
    written.export(request());
    assert_eq!(told(&written), 6);
    let mut few = Written::with("sampling_initial: 1, sampling_thereafter: 0");
    (0..10).for_each(|_| few.export(request()));
    assert_eq!(told(&few), 1);
}

#[test]
fn lanes_share_their_file() {
    let mut written = Written::with("sampling_initial: 1, sampling_thereafter: 0");
    let yaml = format!("{{use_internal_logger: false, output_paths: [\"{}\"]}}", written.file.path().display());
    let context = BuildContext { clock: written.clock.clone(), ..BuildContext::alone("debug") };
    let parsed = FACTORY.parse(&yaml).unwrap();
    for _ in 0..2 {
        written.exporter = parsed.build(&context).unwrap();
        written.export(request());
    }
    assert_eq!(written.text(), told()[0].repeat(2));
}

/// What a log would get.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_gateways_own_log_gets_it_unless_told_otherwise() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(move || writer.clone()).finish();
    let mut inlet = Inlet::new();
    let exporter = FACTORY.parse("verbosity: normal").unwrap().build(&BuildContext::alone("debug/a")).unwrap();
    let batch = inlet.receive(request());
    tracing::subscriber::with_default(log, || assert_eq!(exporter.export(&batch).now_or_never(), Some(Ok(Delivered::ALL))));
    batch.settle(Fate::Delivered);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("Traces component=\"debug/a\" resource spans=1 spans=1\n"), "{text}");
    assert!(text.contains("GET /cart 5b8efff798038103d269b633813fc60c eee19b7ec3c1b174 http.route=/cart"), "{text}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let refused = |yaml: &str| FACTORY.parse(yaml).expect_err(yaml).to_string();
    assert!(refused("output_paths: [stderr]").contains("has no effect with the internal logger"));
    assert!(refused("verbosity: loud").contains("verbosity"));
    assert!(FACTORY.parse("output_paths: [stdout]").is_ok());
    let parsed = FACTORY.parse("{use_internal_logger: false, output_paths: [/nowhere/at/all]}").unwrap();
    let error = parsed.build(&BuildContext::alone("debug")).err().unwrap();
    assert!(error.wrong.contains("cannot open /nowhere/at/all"), "{error}");
}

#[test]
fn its_queue_is_off_unless_asked_for() {
    let Part::Delivering(delivery) = FACTORY.part else { panic!("it has a queue") };
    let enabled = |yaml: &str| delivery(&FACTORY.parse(yaml).unwrap().config).unwrap().sending_queue.enabled;
    assert!(!enabled(""));
    assert!(enabled("sending_queue: {queue_size: 5}"));
    let refused = FACTORY.parse("sending_queue: {queue_size: 0}").unwrap_err().to_string();
    assert!(refused.contains("debug.sending_queue.queue_size"), "{refused}");
    assert_eq!(FACTORY.signals, Signal::ALL);
}
