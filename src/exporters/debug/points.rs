//! Metric points of five kinds, so far as they are told alike.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint,
    exemplar, metric::Data, number_data_point,
};

use super::text::{below, hex, time};

/// One point, of whichever kind.
pub(super) enum Point<'a> {
    Number(&'a NumberDataPoint),
    Histogram(&'a HistogramDataPoint),
    Exponential(&'a ExponentialHistogramDataPoint),
    Summary(&'a SummaryDataPoint),
}

/// The points of a metric.
pub(super) fn of(metric: &Metric) -> Vec<Point<'_>> {
    match &metric.data {
        None => Vec::new(),
        Some(Data::Gauge(gauge)) => gauge.data_points.iter().map(Point::Number).collect(),
        Some(Data::Sum(sum)) => sum.data_points.iter().map(Point::Number).collect(),
        Some(Data::Histogram(histogram)) => histogram.data_points.iter().map(Point::Histogram).collect(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.iter().map(Point::Exponential).collect(),
        Some(Data::Summary(summary)) => summary.data_points.iter().map(Point::Summary).collect(),
    }
}

/// What a metric is, line by line.
pub(super) fn descriptor(metric: &Metric) -> String {
    let kind = match &metric.data {
        None => "Empty",
        Some(Data::Gauge(_)) => "Gauge",
        Some(Data::Sum(_)) => "Sum",
        Some(Data::Histogram(_)) => "Histogram",
        Some(Data::ExponentialHistogram(_)) => "ExponentialHistogram",
        Some(Data::Summary(_)) => "Summary",
    };
    let Metric { name, description, unit, .. } = metric;
    let temporality = |number: i32| match AggregationTemporality::try_from(number) {
        Ok(AggregationTemporality::Delta) => "Delta",
        Ok(AggregationTemporality::Cumulative) => "Cumulative",
        _ => "Unspecified",
    };
    let more = match &metric.data {
        Some(Data::Sum(sum)) => {
            let temporality = temporality(sum.aggregation_temporality);
            format!("     -> IsMonotonic: {}\n     -> AggregationTemporality: {temporality}\n", sum.is_monotonic)
        }
        Some(Data::Histogram(h)) => format!("     -> AggregationTemporality: {}\n", temporality(h.aggregation_temporality)),
        Some(Data::ExponentialHistogram(h)) => format!("     -> AggregationTemporality: {}\n", temporality(h.aggregation_temporality)),
        _ => String::new(),
    };
    format!("Descriptor:\n     -> Name: {name}\n     -> Description: {description}\n     -> Unit: {unit}\n     -> DataType: {kind}\n{more}")
}

fn number(value: Option<&number_data_point::Value>) -> String {
    match value {
        None => String::new(),
        Some(number_data_point::Value::AsInt(value)) => value.to_string(),
        Some(number_data_point::Value::AsDouble(value)) => format!("{value:.6}"),
    }
}

fn optional(name: &str, value: Option<f64>) -> String {
    value.map(|value| format!(" {name}={value}")).unwrap_or_default()
}

fn optional_line(name: &str, value: Option<f64>) -> String {
    value.map(|value| format!("{name}: {value:.6}\n")).unwrap_or_default()
}

impl<'a> Point<'a> {
    pub(super) fn attributes(&self) -> &'a [KeyValue] {
        match self {
            Point::Number(point) => &point.attributes,
            Point::Histogram(point) => &point.attributes,
            Point::Exponential(point) => &point.attributes,
            Point::Summary(point) => &point.attributes,
        }
    }

    fn times(&self) -> (u64, u64) {
        match self {
            Point::Number(point) => (point.start_time_unix_nano, point.time_unix_nano),
            Point::Histogram(point) => (point.start_time_unix_nano, point.time_unix_nano),
            Point::Exponential(point) => (point.start_time_unix_nano, point.time_unix_nano),
            Point::Summary(point) => (point.start_time_unix_nano, point.time_unix_nano),
        }
    }

    fn exemplars(&self) -> &'a [Exemplar] {
        match self {
            Point::Number(point) => &point.exemplars,
            Point::Histogram(point) => &point.exemplars,
            Point::Exponential(point) => &point.exemplars,
            Point::Summary(_) => &[],
        }
    }

    /// Its values, on the line of its metric.
    pub(super) fn on_one_line(&self) -> String {
        match self {
            Point::Number(point) => match &point.value {
                Some(number_data_point::Value::AsDouble(value)) => format!(" {value}"),
                value => format!(" {}", number(value.as_ref())),
            },
            Point::Histogram(point) => {
                let values = [("sum", point.sum), ("min", point.min), ("max", point.max)];
                let values: String = values.into_iter().map(|(name, value)| optional(name, value)).collect();
                let bounds = point.explicit_bounds.iter().map(|bound| format!("le{bound}"));
                let buckets = bounds.chain(["leInf".to_owned()]).zip(&point.bucket_counts);
                format!(" count={}{values}{}", point.count, buckets.map(|(bound, count)| format!(" {bound}={count}")).collect::<String>())
            }
            Point::Exponential(point) => {
                let values = [("sum", point.sum), ("min", point.min), ("max", point.max)];
                format!(" count={}{}", point.count, values.into_iter().map(|(name, value)| optional(name, value)).collect::<String>())
            }
            Point::Summary(point) => {
                let quantiles = point.quantile_values.iter().map(|quantile| format!(" q{}={}", quantile.quantile, quantile.value));
                format!(" count={} sum={}{}", point.count, point.sum, quantiles.collect::<String>())
            }
        }
    }

    /// The word for several of its kind.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Point::Number(_) => "NumberDataPoints",
            Point::Histogram(_) => "HistogramDataPoints",
            Point::Exponential(_) => "ExponentialHistogramDataPoints",
            Point::Summary(_) => "SummaryDataPoints",
        }
    }

    /// All of it, line by line.
    pub(super) fn in_detail(&self) -> String {
        let (start, end) = self.times();
        let attributes = below("Data point attributes:", "", self.attributes());
        let times = format!("StartTimestamp: {}\nTimestamp: {}\n", time(start), time(end));
        attributes + &times + &self.values() + &exemplars(self.exemplars())
    }

    fn values(&self) -> String {
        let lines = |of: [(&str, Option<f64>); 3]| of.into_iter().map(|(name, value)| optional_line(name, value)).collect::<String>();
        match self {
            Point::Number(point) => format!("Value: {}\n", number(point.value.as_ref())),
            Point::Histogram(point) => {
                let bounds = point.explicit_bounds.iter().enumerate().map(|(i, bound)| format!("ExplicitBounds #{i}: {bound:.6}\n"));
                let buckets = point.bucket_counts.iter().enumerate().map(|(i, count)| format!("Buckets #{i}, Count: {count}\n"));
                let values = lines([("Sum", point.sum), ("Min", point.min), ("Max", point.max)]);
                format!("Count: {}\n{values}{}{}", point.count, bounds.collect::<String>(), buckets.collect::<String>())
            }
            Point::Exponential(point) => {
                let values = lines([("Sum", point.sum), ("Min", point.min), ("Max", point.max)]);
                let side = |name: &str, offset: i32, counts: &[u64]| {
                    let counts = counts.iter().enumerate().filter(|(_, count)| **count > 0);
                    counts.map(|(i, count)| format!("{name} bucket {}, Count: {count}\n", i64::from(offset) + i as i64)).collect::<String>()
                };
                let positive = point.positive.as_ref().map(|side_| side("Positive", side_.offset, &side_.bucket_counts));
                let negative = point.negative.as_ref().map(|side_| side("Negative", side_.offset, &side_.bucket_counts));
                format!(
                    "Count: {}\n{values}Scale: {}\nZeroCount: {}\n{}{}",
                    point.count,
                    point.scale,
                    point.zero_count,
                    negative.unwrap_or_default(),
                    positive.unwrap_or_default()
                )
            }
            Point::Summary(point) => {
                let quantiles = point.quantile_values.iter().enumerate();
                let quantiles = quantiles.map(|(i, q)| format!("QuantileValue #{i}: Quantile {:.6}, Value {:.6}\n", q.quantile, q.value));
                format!("Count: {}\nSum: {:.6}\n{}", point.count, point.sum, quantiles.collect::<String>())
            }
        }
    }
}

fn exemplars(exemplars: &[Exemplar]) -> String {
    let one = |(index, exemplar): (usize, &Exemplar)| {
        let value = match &exemplar.value {
            None => String::new(),
            Some(exemplar::Value::AsInt(value)) => value.to_string(),
            Some(exemplar::Value::AsDouble(value)) => format!("{value:.6}"),
        };
        let (trace, span) = (hex(&exemplar.trace_id), hex(&exemplar.span_id));
        let attributes = below("FilteredAttributes:", "     ", &exemplar.filtered_attributes);
        let at = time(exemplar.time_unix_nano);
        format!(
            "Exemplar #{index}\n     -> Trace ID: {trace}\n     -> Span ID: {span}\n     -> Timestamp: {at}\n     -> Value: {value}\n{attributes}"
        )
    };
    if exemplars.is_empty() {
        return String::new();
    }
    format!("Exemplars:\n{}", exemplars.iter().enumerate().map(one).collect::<String>())
}
