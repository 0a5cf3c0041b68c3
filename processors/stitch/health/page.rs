//! The page `/health/traces`.

use std::fmt::Write;

use serde_json::{Value, json};
use tracetailor_core::component::Report;

use super::Health;
use super::findings::{Finding, Sum, percent};

/// So many services and edges are told as text; as JSON all are.
const LINES: usize = 50;
/// So many pairs of clocks.
const CLOCKS: usize = 20;
/// Clocks that differ by less are right, as text goes.
const NOTABLE: u64 = 1_000_000;

impl Report for Health {
    fn json(&self, _question: &str) -> Value {
        let sum = Sum::of(self);
        let findings: Vec<Value> = sum.findings().into_iter().map(finding).collect();
        let services: Vec<Value> = sum
            .services
            .iter()
            .map(|(name, service)| {
                json!({
                    "service": name, "spans": service.spans, "traces": service.traces, "complete": service.complete, "alone": service.alone,
                    "begins": service.begins, "continues": service.continues, "orphans": service.orphans, "unanswered": service.unanswered,
                    "invalid_ids": service.invalid,
                })
            })
            .collect();
        let edges: Vec<Value> = sum.edges.iter().map(|((from, to), edge)| {
            json!({ "from": from, "to": to, "answered": edge.answered, "unanswered": edge.unanswered, "orphans": edge.orphans })
        }).collect();
        let clocks: Vec<Value> = self.skews.largest(CLOCKS).into_iter().map(|([first, second], ahead, traces)| {
            json!({ "process": second, "ahead_of": first, "microseconds": ahead / 1_000, "traces": traces })
        }).collect();
        let totals = sum.totals;
        json!({
            "traces": totals.traces, "complete": totals.complete, "with_several_roots": totals.two_roots, "orphans": totals.orphans,
            "cut_short": totals.cut_short, "beyond": totals.beyond,
            "findings": findings, "services": services, "edges": edges, "clocks": clocks,
        })
    }

    fn text(&self, _question: &str) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }
}

fn finding(Finding { kind, services, count, of, text }: Finding) -> Value {
    json!({ "kind": kind, "services": services, "count": count, "of": of, "text": text })
}

impl Health {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        let sum = Sum::of(self);
        let totals = sum.totals;
        if totals.traces == 0 {
            return writeln!(out, "no trace has been decided yet");
        }
        let whole = percent(totals.complete as f64 / totals.traces as f64);
        writeln!(out, "{} traces, {whole} of them complete; {} spans without their parent", totals.traces, totals.orphans)?;
        if totals.cut_short > 0 {
            writeln!(out, "{} more had less time than configured, and are not counted", totals.cut_short)?;
        }
        let findings = sum.findings();
        writeln!(out, "\n{}", if findings.is_empty() { "nothing looks wrong" } else { "findings, by what to look at first:" })?;
        for Finding { text, .. } in findings.iter().take(LINES) {
            writeln!(out, "  {text}")?;
        }
        more(out, findings.len())?;
        writeln!(
            out,
            "\n{:>10} {:>9} {:>8} {:>8} {:>9} {:>8} {:>8}  service",
            "spans", "traces", "complete", "begins", "continues", "alone", "orphans"
        )?;
        let mut services: Vec<_> = sum.services.iter().collect();
        services.sort_by(|a, b| b.1.spans.cmp(&a.1.spans).then(a.0.cmp(b.0)));
        for (name, service) in services.iter().take(LINES) {
            let whole = percent(service.complete as f64 / service.traces.max(1) as f64);
            let [spans, traces, begins] = [service.spans, service.traces, service.begins];
            let [continues, alone, orphans] = [service.continues, service.alone, service.orphans];
            writeln!(out, "{spans:>10} {traces:>9} {whole:>8} {begins:>8} {continues:>9} {alone:>8} {orphans:>8}  {name}")?;
        }
        more(out, services.len())?;
        self.write_edges(&sum, out)?;
        if totals.beyond > 0 {
            writeln!(out, "\nthere was no place for {} more services, edges or faults", totals.beyond)?;
        }
        Ok(())
    }

    fn write_edges(&self, sum: &Sum, out: &mut String) -> std::fmt::Result {
        let mut edges: Vec<_> = sum.edges.iter().collect();
        edges.sort_by(|a, b| (b.1.orphans + b.1.unanswered).cmp(&(a.1.orphans + a.1.unanswered)).then(a.0.cmp(b.0)));
        writeln!(out, "\n{:>10} {:>10} {:>8}  from -> to", "answered", "unanswered", "orphans")?;
        for ((from, to), edge) in edges.iter().take(LINES) {
            writeln!(out, "{:>10} {:>10} {:>8}  {from} -> {to}", edge.answered, edge.unanswered, edge.orphans)?;
        }
        more(out, edges.len())?;
        let clocks = self.skews.largest(CLOCKS);
        for ([first, second], ahead, traces) in clocks.iter().filter(|(_, ahead, _)| ahead.unsigned_abs() >= NOTABLE) {
            let milliseconds = *ahead as f64 / 1e6;
            let (late, early) = if milliseconds < 0.0 { (first, second) } else { (second, first) };
            writeln!(out, "\nthe clock of {late} is some {:.1} ms ahead of that of {early}, by {traces} traces", milliseconds.abs())?;
        }
        Ok(())
    }
}

fn more(out: &mut String, count: usize) -> std::fmt::Result {
    if count > LINES { writeln!(out, "  and {} more; ?format=json tells them", count - LINES) } else { Ok(()) }
}
