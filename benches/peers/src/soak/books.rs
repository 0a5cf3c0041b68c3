//! The gateway's own books, as its metrics tell them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Result, ensure};
use http::Request;

use crate::message::{self, Message};

/// What ends an item without delivering it.
const FATES: [&str; 4] = ["dropped", "rejected", "failed", "dead_lettered"];

/// One reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Books {
    /// By the line, its label as it stands there, and by what the column counts.
    lines: BTreeMap<String, BTreeMap<String, f64>>,
    /// Items gone without a decision, of all signals.
    pub(super) lost: f64,
    /// Who ended how many otherwise than by delivering them, and why, as it stands in the metrics.
    reasons: Vec<String>,
    /// Spans that receivers say they took.
    pub(super) taken_in: f64,
}

impl Books {
    /// Asks for them.
    pub(super) async fn read(at: SocketAddr) -> Result<Self> {
        let mut sender = message::connect_http(at).await?;
        let request = Request::get("/metrics").header("host", at.to_string()).body(Message::default())?;
        let (parts, body) = sender.send_request(request).await?.into_parts();
        ensure!(parts.status == 200, "the metrics answer {}", parts.status);
        Ok(Self::of(&String::from_utf8_lossy(&message::collect(body).await?.0)))
    }

    fn of(page: &str) -> Self {
        let mut books = Self::default();
        for (name, labels, value) in page.lines().filter_map(sample) {
            if name.starts_with("tracetailor_lost_") {
                books.lost += value;
            } else if let Some(fate) = FATES.iter().find(|fate| value > 0.0 && name == format!("tracetailor_{fate}_spans_total")) {
                books.reasons.push(format!("{fate} {value} ({labels})"));
            } else if name.starts_with("otelcol_receiver_accepted_spans") {
                books.taken_in += value;
            } else if let Some(column) = name.strip_prefix("tracetailor_ledger_").and_then(column) {
                let line = labels.split(',').find(|label| label.starts_with("pipeline=") || label.starts_with("exporter="));
                *books.lines.entry(line.unwrap_or_default().to_owned()).or_default().entry(column.to_owned()).or_default() += value;
            }
        }
        books
    }

    fn of_line(line: &BTreeMap<String, f64>, columns: &[&str]) -> f64 {
        columns.iter().filter_map(|column| line.get(*column)).sum()
    }

    /// What the columns come to in all lines.
    fn sum(&self, columns: &[&str]) -> f64 {
        self.lines.values().map(|line| Self::of_line(line, columns)).sum()
    }

    /// Spans that ended without being delivered.
    pub(super) fn ended_otherwise(&self) -> f64 {
        self.sum(&FATES)
    }

    /// Spans that exporters delivered.
    pub(super) fn delivered(&self) -> f64 {
        self.lines.iter().filter(|(name, _)| name.starts_with("exporter=")).map(|(_, line)| Self::of_line(line, &["delivered"])).sum()
    }

    /// Whether nothing is held or under way, so that there is nothing more to wait for.
    pub(super) fn are_closed(&self) -> bool {
        self.lines.values().all(|line| Self::of_line(line, &["held"]) == 0.0 && Self::of_line(line, &["residual"]) == 0.0)
    }

    /// What does not add up by itself. To be asked when nothing is under way.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.delivered() == 0.0 {
            complaints.push("the books know of no delivery".to_owned());
        }
        if self.lost != 0.0 {
            complaints.push(format!("the gateway counts {} items as lost", self.lost));
        }
        for (name, line) in &self.lines {
            let (residual, held) = (Self::of_line(line, &["residual"]), Self::of_line(line, &["held"]));
            if residual != 0.0 || held != 0.0 {
                complaints.push(format!("{name} has a residual of {residual} and holds {held} at the end"));
            }
            let came = Self::of_line(line, &["accepted", "created", "copied"]);
            let ended = Self::of_line(line, &["delivered", "held"]) + Self::of_line(line, &FATES);
            if came != ended {
                complaints.push(format!("of {came} spans that came into {name}, {ended} have ended"));
            }
        }
        complaints
    }
}

impl std::fmt::Display for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, line) in &self.lines {
            let columns: Vec<String> = line.iter().map(|(column, value)| format!("{column} {value}")).collect();
            writeln!(f, "books of {name}: {}", columns.join(", "))?;
        }
        let reasons = if self.reasons.is_empty() { "none".to_owned() } else { self.reasons.join("; ") };
        write!(f, "ends that are no delivery: {reasons}; lost: {}", self.lost)
    }
}

/// The column that a name of the ledger stands for, where it counts spans or all.
fn column(name: &str) -> Option<&str> {
    let name = name.strip_suffix("_total").unwrap_or(name);
    name.strip_suffix("_spans").or_else(|| (name == "residual").then_some(name))
}

/// Name, labels and value of a line in Prometheus' text format.
fn sample(line: &str) -> Option<(&str, &str, f64)> {
    let (series, value) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))?;
    let (name, labels) = series.split_once('{').map_or((series, ""), |(name, labels)| (name, labels.trim_end_matches('}')));
    Some((name, labels, value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"# TYPE tracetailor_ledger_accepted_spans_total counter
tracetailor_ledger_accepted_spans_total{pipeline="traces"} 30
tracetailor_ledger_delivered_spans_total{pipeline="traces"} 28
tracetailor_ledger_dropped_spans_total{pipeline="traces"} 2
tracetailor_ledger_accepted_spans_total{exporter="otlp_grpc"} 28
tracetailor_ledger_delivered_spans_total{exporter="otlp_grpc"} 27
tracetailor_ledger_failed_spans_total{exporter="otlp_grpc"} 1
tracetailor_ledger_held_spans{exporter="otlp_grpc"} 0
tracetailor_ledger_residual{exporter="otlp_grpc",signal="traces"} 0
tracetailor_ledger_open_receipts 0
tracetailor_failed_spans_total{component="exporter/otlp_grpc",reason="refused"} 1
otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"} 10
otelcol_receiver_accepted_spans{receiver="otlp",transport="http"} 20
tracetailor_lost_spans_total{reason="panic"} 0
"#;

    #[test]
    fn books_are_read_and_add_up() {
        let books = Books::of(PAGE);
        assert_eq!((books.delivered(), books.ended_otherwise(), books.taken_in, books.lost), (27.0, 3.0, 30.0, 0.0));
        assert!(books.are_closed());
        assert_eq!(books.reasons, ["failed 1 (component=\"exporter/otlp_grpc\",reason=\"refused\")"]);
        assert_eq!(books.complaints(), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_add_up_is_named() {
        let held = Books::of(&PAGE.replace("held_spans{exporter=\"otlp_grpc\"} 0", "held_spans{exporter=\"otlp_grpc\"} 4"));
        assert!(!held.are_closed());
        assert_eq!(held.complaints().len(), 2);
        assert_eq!(Books::of(&PAGE.replace("panic\"} 0", "panic\"} 3")).complaints(), ["the gateway counts 3 items as lost"]);
        assert_eq!(Books::of("").complaints(), ["the books know of no delivery"]);
    }
}
