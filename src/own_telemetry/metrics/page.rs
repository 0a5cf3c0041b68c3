//! `docs/metrics.md`, written from the table of names.

use std::fmt::Write;

use super::metric::{Metric, Unit};
use crate::own_telemetry::names::METRICS;

const HEAD: &str = "\
# Metrics

What the gateway says of itself at `http://127.0.0.1:8888/metrics`, in Prometheus' text format, or in OpenMetrics for whoever asks for it.
[operating.md](operating.md) says what to watch. This page is written from `src/own_telemetry/names.rs` by `scripts/fix`.

- `{items}` in a name stands for `spans`, `log_records` and `metric_points`: three metrics in one row.
- Names with `otelcol_` are the Collector's, so that dashboards and alerts for it go on working. They have no `_total`, `_seconds` or
  `_bytes` behind them, as the Collector's own default has it. A reader in `service.telemetry.metrics.readers` adds them where
  `without_type_suffix` and `without_units` are false there, as in the Collector.
- No label is chosen by a client: the configuration bounds the number of series.
- `basic`, `normal` and `detailed` are values of `service.telemetry.metrics.level`, from which on a metric is told.

The books hold for every line, be it a pipeline's (label `pipeline`) or an exporter's (label `exporter`), whenever nothing is on its way:

    accepted + created + copied = delivered + dropped + rejected + failed + dead_lettered + lost + held

";

/// The page as it must be.
pub fn metrics_page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| metric | kind | labels | level | what it tells |\n|---|---|---|---|---|\n");
    for metric in METRICS {
        write_row(&mut page, metric);
    }
    page
}

fn write_row(page: &mut String, metric: &Metric) {
    let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    let unit = if metric.unit == Unit::Number { String::new() } else { format!(", {}", metric.unit.name()) };
    let level = format!("{:?}", metric.level).to_lowercase();
    let (name, kind, meaning) = (metric.name, metric.kind.name(), metric.meaning);
    let _ = writeln!(page, "| `{name}` | {kind}{unit} | {} | {level} | {meaning} |", labels.join(", "));
}
