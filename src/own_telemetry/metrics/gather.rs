//! All metrics as they stand, gathered from where the numbers lie: nobody copies them anywhere beforehand.

use std::collections::BTreeMap;

use tracetailor_core::component::{Counters, Reading};
use tracetailor_core::ledger::{Books, Column, LineName, LineReport, Report};
use tracetailor_core::telemetry::Signal;
use tracetailor_core::time::{Clock, LogTime};

use super::exposition::{Family, Sample, Stands};
use super::metric::{Kind, Metric};
use super::process::Process;
use crate::own_telemetry::identity;
use crate::own_telemetry::keys::{Level, Resource};
use crate::own_telemetry::names;

/// Where the numbers lie.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What components count.
    pub counters: Counters,
    /// What became of every item.
    pub books: Books,
    /// What time it is.
    pub clock: Clock,
}

/// What gathers: the sources, and what does not change while the gateway runs.
#[derive(Debug)]
pub(crate) struct Gatherer {
    sources: Sources,
    level: Level,
    started: LogTime,
    target: Vec<(String, String)>,
}

impl Gatherer {
    pub(crate) fn new(sources: Sources, level: Level, resource: &Resource) -> Self {
        let started = sources.clock.now();
        let target = identity::attributes(resource).into_iter().map(|(name, value)| (label_name(&name), value)).collect();
        Self { sources, level, started, target }
    }

    /// Everything that the level asks for, in the order of the table.
    pub(crate) fn gather(&self) -> Vec<Family> {
        let mut found = Found::default();
        found.add_counters(&self.sources.counters);
        found.add_books(&self.sources.books.report());
        let uptime = self.sources.clock.now().since(self.started).as_secs_f64();
        found.add_process(&Process::now(), uptime);
        found.add("target_info", self.target.clone(), Stands::Whole(1));
        found.add("tracetailor_build_info", labels([("version", env!("CARGO_PKG_VERSION"))]), Stands::Whole(1));
        found.in_order(self.level)
    }
}

/// What has been found so far, by name.
#[derive(Default)]
struct Found(BTreeMap<String, Vec<Sample>>);

impl Found {
    fn add(&mut self, name: &str, labels: Vec<(String, String)>, stands: Stands) {
        self.0.entry(name.to_owned()).or_default().push(Sample { labels, stands });
    }

    fn add_counters(&mut self, counters: &Counters) {
        for series in counters.read() {
            let stands = match series.reading {
                Reading::Count(count) => Stands::Whole(count.into()),
                Reading::Level(level) => Stands::Whole(level.into()),
                Reading::Distribution(distribution) => Stands::Distributed(distribution),
            };
            let labels = series.labels.into_iter().map(|(name, value)| (label_name(&name), value)).collect();
            self.add(&series.name, labels, stands);
        }
    }

    fn add_books(&mut self, report: &Report) {
        for line in &report.lines {
            self.add_line(line);
        }
        self.add("tracetailor_ledger_open_receipts", Vec::new(), Stands::Whole(report.open_receipts.into()));
        self.add_causes(report);
    }

    /// The sum of a line. Where units only change lines, they leave one as delivered and come into the other as accepted: so each line
    /// reads by itself.
    fn add_line(&mut self, line: &LineReport) {
        let items = line.signal.items();
        let sum = |columns: &[Column]| columns.iter().map(|column| i128::from(line.sums[*column])).sum::<i128>();
        for (name, columns) in [
            ("accepted", &[Column::Accepted, Column::MovedIn][..]),
            ("created", &[Column::Created]),
            ("copied", &[Column::Copied]),
            ("delivered", &[Column::Delivered, Column::MovedOut]),
            ("dropped", &[Column::Dropped]),
            ("rejected", &[Column::Rejected]),
            ("failed", &[Column::Failed]),
            ("dead_lettered", &[Column::DeadLettered]),
        ] {
            self.add(&format!("tracetailor_ledger_{name}_{items}_total"), labels([whose(line)]), Stands::Whole(sum(columns)));
        }
        self.add(&format!("tracetailor_ledger_held_{items}"), labels([whose(line)]), Stands::Whole(line.held_units().into()));
        let of_signal = labels([whose(line), ("signal", line.signal.name())]);
        self.add("tracetailor_ledger_residual", of_signal, Stands::Whole(line.residual().into()));
    }

    /// Why, over all lines: a component may stand in several pipelines.
    fn add_causes(&mut self, report: &Report) {
        let mut sums: BTreeMap<(String, Vec<(String, String)>), i128> = BTreeMap::new();
        for (signal, reason) in Signal::ALL.into_iter().flat_map(|signal| ["unaccounted", "panic"].map(|reason| (signal, reason))) {
            // There from the start, since what begins with its first number has not grown, and no alert would fire.
            sums.insert((format!("tracetailor_lost_{}_total", signal.items()), labels([("reason", reason)])), 0);
        }
        for (line, cause) in report.lines.iter().flat_map(|line| line.causes.iter().map(move |cause| (line, cause))) {
            let (component, reason) = (("component", cause.name.component.as_str()), ("reason", cause.name.reason.as_str()));
            let (told, by) = match cause.column {
                Column::Dropped => ("dropped", labels([component, reason])),
                Column::Rejected => ("rejected", labels([component, reason])),
                Column::Failed => ("failed", labels([component, reason])),
                Column::Lost => ("lost", labels([reason])),
                _ => continue,
            };
            *sums.entry((format!("tracetailor_{told}_{}_total", line.signal.items()), by)).or_default() += i128::from(cause.units);
        }
        for ((name, labels), units) in sums {
            self.add(&name, labels, Stands::Whole(units));
        }
    }

    fn add_process(&mut self, process: &Process, uptime: f64) {
        self.add("otelcol_process_uptime", Vec::new(), Stands::Real(uptime));
        if let Some(seconds) = process.cpu_seconds {
            self.add("otelcol_process_cpu_seconds", Vec::new(), Stands::Real(seconds));
        }
        for (name, number) in [
            ("otelcol_process_memory_rss", process.rss),
            ("tracetailor_process_memory_peak_bytes", process.peak),
            ("tracetailor_process_threads", process.threads),
            ("tracetailor_process_open_files", process.open_files),
            ("tracetailor_process_open_files_limit", process.open_files_limit),
        ] {
            if let Some(number) = number {
                self.add(name, Vec::new(), Stands::Whole(number.into()));
            }
        }
    }

    /// As the table has them. What it does not have, which tests forbid, is told at the end rather than kept from whoever looks.
    fn in_order(mut self, level: Level) -> Vec<Family> {
        let mut families = Vec::new();
        for metric in names::METRICS {
            let names = metric.names().into_iter();
            let there = names.filter_map(|name| self.0.remove(&name).map(|samples| Family { name, metric, samples }));
            families.extend(there.filter(|_| metric.level <= level));
        }
        families.extend(self.0.into_iter().map(|(name, samples)| Family { metric: undescribed(&samples), name, samples }));
        families
    }
}

fn undescribed(samples: &[Sample]) -> &'static Metric {
    static NUMBERS: Metric = Metric::gauge("", &[], "Not described.");
    static BUCKETS: Metric = Metric { kind: Kind::Histogram, ..NUMBERS };
    match samples.first().map(|sample| &sample.stands) {
        Some(Stands::Distributed(_)) => &BUCKETS,
        _ => &NUMBERS,
    }
}

fn whose(line: &LineReport) -> (&'static str, &str) {
    match &line.name {
        LineName::Pipeline(id) => ("pipeline", id),
        LineName::Exporter(id) => ("exporter", id),
    }
}

fn labels<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Attributes have dots where labels have underscores: `otel.signal`.
fn label_name(attribute: &str) -> String {
    let name: String = attribute.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}
