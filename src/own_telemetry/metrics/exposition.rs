//! The two text formats in which Prometheus reads metrics: its own of old (version 0.0.4), and OpenMetrics (1.0.0).

use std::fmt::Write;

use tracetailor_core::component::Distribution;

use super::metric::{Kind, Metric, Unit};
use crate::own_telemetry::keys::Page;

/// All series of one name.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) metric: &'static Metric,
    pub(crate) samples: Vec<Sample>,
}

/// One series and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) stands: Stands,
}

/// Where a series stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stands {
    /// A counter or a gauge that counts things.
    Whole(i128),
    /// One that measures.
    Real(f64),
    /// A histogram.
    Distributed(Distribution),
}

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Prometheus,
    OpenMetrics,
}

/// The label that says which library counts; on a page that wants it.
const SCOPE: (&str, &str) = ("otel_scope_name", "tracetailor");

impl Format {
    /// The one that whoever asks likes best. Prometheus of old is for all who do not say.
    pub(crate) fn wanted(accept: Option<&str>) -> Format {
        let accept = accept.unwrap_or_default();
        let weight = |kind: &str| accept.split(',').filter_map(|choice| weight_of(choice, kind)).fold(0.0, f64::max);
        let (open, text) = (weight("application/openmetrics-text"), weight("text/plain"));
        if open > 0.0 && open >= text { Format::OpenMetrics } else { Format::Prometheus }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The weight that one choice of an `Accept` header gives to a kind, if it is about that kind.
fn weight_of(choice: &str, kind: &str) -> Option<f64> {
    let mut parts = choice.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(kind) {
        return None;
    }
    let quality = parts.filter_map(|part| part.strip_prefix("q=")).next_back();
    Some(quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)))
}

/// The page, families in the order given.
pub(crate) fn write(families: &[Family], page: &Page, format: Format) -> String {
    let mut text = String::with_capacity(64 * 1024);
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        write_family(&mut text, family, page, format);
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn write_family(text: &mut String, family: &Family, page: &Page, format: Format) {
    let name = full_name(family, page);
    // OpenMetrics calls a counter by its name without the suffix, and knows no counter that has none.
    let (shown, kind) = match (format, family.metric.kind, name.strip_suffix("_total")) {
        (Format::OpenMetrics, Kind::Counter, Some(short)) => (short, "counter"),
        (Format::OpenMetrics, Kind::Counter, None) => (name.as_str(), "unknown"),
        (_, kind, _) => (name.as_str(), kind.name()),
    };
    let _ = writeln!(text, "# HELP {shown} {}", escaped(family.metric.meaning, format == Format::OpenMetrics));
    let _ = writeln!(text, "# TYPE {shown} {kind}");
    let scope = page.scope.then_some(SCOPE);
    for sample in &family.samples {
        match &sample.stands {
            Stands::Whole(number) => write_line(text, &name, &sample.labels, scope, None, &number.to_string()),
            Stands::Real(number) => write_line(text, &name, &sample.labels, scope, None, &real(*number)),
            Stands::Distributed(distribution) => write_buckets(text, &name, &sample.labels, scope, distribution, format),
        }
    }
}

/// The Collector's names get behind them what the page wants there; ours have it.
fn full_name(family: &Family, page: &Page) -> String {
    let (mut name, metric) = (family.name.clone(), family.metric);
    if !metric.is_the_collectors() {
        return name;
    }
    let unit = metric.unit.name();
    if page.units && metric.unit != Unit::Number && !name.ends_with(unit) {
        name = format!("{name}_{unit}");
    }
    if page.type_suffix && metric.kind == Kind::Counter {
        name.push_str("_total");
    }
    name
}

fn write_buckets(
    text: &mut String,
    name: &str,
    labels: &[(String, String)],
    scope: Option<(&str, &str)>,
    distribution: &Distribution,
    format: Format,
) {
    let mut so_far = 0;
    let bounds = distribution.bounds.iter().copied().chain([f64::INFINITY]);
    for (bound, count) in bounds.zip(&distribution.counts) {
        so_far += count;
        let bound = match format {
            // Canonical there: a number with a fraction.
            Format::OpenMetrics if bound.is_finite() && bound.fract() == 0.0 => format!("{bound:.1}"),
            _ => real(bound),
        };
        write_line(text, &format!("{name}_bucket"), labels, scope, Some(&bound), &so_far.to_string());
    }
    write_line(text, &format!("{name}_sum"), labels, scope, None, &real(distribution.sum));
    write_line(text, &format!("{name}_count"), labels, scope, None, &so_far.to_string());
}

fn write_line(text: &mut String, name: &str, labels: &[(String, String)], scope: Option<(&str, &str)>, bucket: Option<&str>, number: &str) {
    text.push_str(name);
    let own = labels.iter().map(|(label, value)| (label.as_str(), value.as_str()));
    let mut opening = '{';
    for (label, value) in own.chain(scope).chain(bucket.map(|bound| ("le", bound))) {
        let _ = write!(text, "{opening}{label}=\"{}\"", escaped(value, true));
        opening = ',';
    }
    if opening == ',' {
        text.push('}');
    }
    let _ = writeln!(text, " {number}");
}

fn real(number: f64) -> String {
    if number == f64::INFINITY { "+Inf".to_owned() } else { number.to_string() }
}

fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quotes { text.replace('"', "\\\"") } else { text }
}
