//! Metrics of the five kinds and requests of them, spelled out: `metrics([gauge("queue").value(7).attribute("host", "a").value(9)])`.

use super::built::{Built, grouped};
use super::ids::{IntoSpanId, IntoTraceId};
use super::otlp::{
    AggregationTemporality, Buckets, Data, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, ExportMetricsServiceRequest,
    Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint,
    ValueAtQuantile, exemplar, number_data_point,
};
use super::spans::nanos;
use super::value::{IntoValue, attribute};

/// A number as a metric point has it: `7` or `0.5`.
pub trait IntoNumber {
    /// The number as OTLP has it.
    fn into_number(self) -> number_data_point::Value;
}

impl IntoNumber for i64 {
    fn into_number(self) -> number_data_point::Value {
        number_data_point::Value::AsInt(self)
    }
}

impl IntoNumber for f64 {
    fn into_number(self) -> number_data_point::Value {
        number_data_point::Value::AsDouble(self)
    }
}

/// A gauge without points.
pub fn gauge(name: &str) -> Built<Metric> {
    metric(name, Data::Gauge(Gauge::default()))
}

/// A cumulative, monotonic sum without points.
pub fn sum(name: &str) -> Built<Metric> {
    let aggregation_temporality = AggregationTemporality::Cumulative.into();
    metric(name, Data::Sum(Sum { aggregation_temporality, is_monotonic: true, data_points: Vec::new() }))
}

/// A cumulative histogram without points.
pub fn histogram(name: &str) -> Built<Metric> {
    let aggregation_temporality = AggregationTemporality::Cumulative.into();
    metric(name, Data::Histogram(Histogram { aggregation_temporality, data_points: Vec::new() }))
}

/// A cumulative exponential histogram without points.
pub fn exponential_histogram(name: &str) -> Built<Metric> {
    let aggregation_temporality = AggregationTemporality::Cumulative.into();
    metric(name, Data::ExponentialHistogram(ExponentialHistogram { aggregation_temporality, data_points: Vec::new() }))
}

/// A summary without points.
pub fn summary(name: &str) -> Built<Metric> {
    metric(name, Data::Summary(Summary::default()))
}

fn metric(name: &str, data: Data) -> Built<Metric> {
    Built::new(Metric { name: name.to_owned(), data: Some(data), ..Metric::default() })
}

/// A request of these metrics, grouped by resource and scope in the order of first appearance.
pub fn metrics(built: impl IntoIterator<Item = Built<Metric>>) -> ExportMetricsServiceRequest {
    let resource_metrics = grouped(built).into_iter().map(|(place, scopes)| ResourceMetrics {
        resource: place.resource,
        schema_url: place.resource_schema_url,
        scope_metrics: scopes
            .into_iter()
            .map(|(place, metrics)| ScopeMetrics { scope: place.scope, schema_url: place.scope_schema_url, metrics })
            .collect(),
    });
    ExportMetricsServiceRequest { resource_metrics: resource_metrics.collect() }
}

/// Does the same to the point added last, whatever its kind.
macro_rules! last_point {
    ($metric:expr, $point:ident => $change:expr) => {
        match &mut $metric.item.data {
            Some(Data::Gauge(gauge)) => gauge.data_points.last_mut().map(|$point| $change),
            Some(Data::Sum(sum)) => sum.data_points.last_mut().map(|$point| $change),
            Some(Data::Histogram(histogram)) => histogram.data_points.last_mut().map(|$point| $change),
            Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.last_mut().map(|$point| $change),
            Some(Data::Summary(summary)) => summary.data_points.last_mut().map(|$point| $change),
            None => None,
        }
        .unwrap_or_else(|| panic!("{} has no point yet: add one before describing it", $metric.item.name))
    };
}

impl Built<Metric> {
    /// The metric as it stands.
    pub fn build(self) -> Metric {
        self.item
    }

    /// Its unit and description.
    pub fn described(mut self, unit: &str, description: &str) -> Self {
        unit.clone_into(&mut self.item.unit);
        description.clone_into(&mut self.item.description);
        self
    }

    /// One more entry of its metadata.
    pub fn metadata(mut self, key: &str, value: impl IntoValue) -> Self {
        self.item.metadata.push(attribute(key, value));
        self
    }

    /// Delta instead of cumulative. Panics where the kind knows no such thing.
    pub fn delta(mut self) -> Self {
        let delta = AggregationTemporality::Delta.into();
        match &mut self.item.data {
            Some(Data::Sum(sum)) => sum.aggregation_temporality = delta,
            Some(Data::Histogram(histogram)) => histogram.aggregation_temporality = delta,
            Some(Data::ExponentialHistogram(histogram)) => histogram.aggregation_temporality = delta,
            _ => panic!("{} is neither a sum nor a histogram", self.item.name),
        }
        self
    }

    /// One more point of a gauge or sum, at time 0.
    pub fn value(mut self, value: impl IntoNumber) -> Self {
        let point = NumberDataPoint { value: Some(value.into_number()), time_unix_nano: nanos(0), ..NumberDataPoint::default() };
        match &mut self.item.data {
            Some(Data::Gauge(gauge)) => gauge.data_points.push(point),
            Some(Data::Sum(sum)) => sum.data_points.push(point),
            _ => panic!("{} is neither a gauge nor a sum", self.item.name),
        }
        self
    }

    /// One more point of a histogram; count is that of the buckets, and there is one bucket more than bounds.
    pub fn buckets(mut self, sum: f64, bounds: &[f64], counts: &[u64]) -> Self {
        let Some(Data::Histogram(histogram)) = &mut self.item.data else { panic!("{} is no histogram", self.item.name) };
        histogram.data_points.push(HistogramDataPoint {
            time_unix_nano: nanos(0),
            count: counts.iter().sum(),
            sum: Some(sum),
            bucket_counts: counts.to_vec(),
            explicit_bounds: bounds.to_vec(),
            ..HistogramDataPoint::default()
        });
        self
    }

    /// One more point of an exponential histogram, with its positive buckets alone.
    pub fn exponential(mut self, sum: f64, scale: i32, offset: i32, counts: &[u64]) -> Self {
        let Some(Data::ExponentialHistogram(histogram)) = &mut self.item.data else {
            panic!("{} is no exponential histogram", self.item.name)
        };
        histogram.data_points.push(ExponentialHistogramDataPoint {
            time_unix_nano: nanos(0),
            count: counts.iter().sum(),
            sum: Some(sum),
            scale,
            positive: Some(Buckets { offset, bucket_counts: counts.to_vec() }),
            ..ExponentialHistogramDataPoint::default()
        });
        self
    }

    /// One more point of a summary: count, sum, and pairs of quantile and value.
    pub fn quantiles(mut self, count: u64, sum: f64, quantiles: &[(f64, f64)]) -> Self {
        let Some(Data::Summary(summary)) = &mut self.item.data else { panic!("{} is no summary", self.item.name) };
        let quantile_values = quantiles.iter().map(|&(quantile, value)| ValueAtQuantile { quantile, value }).collect();
        summary.data_points.push(SummaryDataPoint { time_unix_nano: nanos(0), count, sum, quantile_values, ..SummaryDataPoint::default() });
        self
    }

    /// The last point's start and time, in milliseconds after [`START`](super::START).
    pub fn times(mut self, start: u64, time: u64) -> Self {
        last_point!(self, point => {
            point.start_time_unix_nano = nanos(start);
            point.time_unix_nano = nanos(time);
        });
        self
    }

    /// One more attribute of the last point.
    pub fn attribute(mut self, key: &str, value: impl IntoValue) -> Self {
        last_point!(self, point => point.attributes.push(attribute(key, value)));
        self
    }

    /// The last point's flags (1: no value was recorded).
    pub fn flags(mut self, flags: u32) -> Self {
        last_point!(self, point => point.flags = flags);
        self
    }

    /// One more exemplar of the last point. A summary's points have none.
    pub fn exemplar(mut self, value: f64, trace: impl IntoTraceId, span: impl IntoSpanId) -> Self {
        let exemplar = Exemplar {
            time_unix_nano: nanos(0),
            trace_id: trace.trace_id_bytes(),
            span_id: span.span_id_bytes(),
            value: Some(exemplar::Value::AsDouble(value)),
            filtered_attributes: Vec::new(),
        };
        self.exemplars().push(exemplar);
        self
    }

    fn exemplars(&mut self) -> &mut Vec<Exemplar> {
        let name = &self.item.name;
        match &mut self.item.data {
            Some(Data::Gauge(gauge)) => gauge.data_points.last_mut().map(|point| &mut point.exemplars),
            Some(Data::Sum(sum)) => sum.data_points.last_mut().map(|point| &mut point.exemplars),
            Some(Data::Histogram(histogram)) => histogram.data_points.last_mut().map(|point| &mut point.exemplars),
            Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.last_mut().map(|point| &mut point.exemplars),
            _ => None,
        }
        .unwrap_or_else(|| panic!("{name} has no point that could have an exemplar"))
    }

    /// Any other change, on the struct itself.
    pub fn change(mut self, change: impl FnOnce(&mut Metric)) -> Self {
        change(&mut self.item);
        self
    }
}
