//! Arbitrary metrics: gauges, sums, histograms of both kinds, summaries, and metrics that hold nothing.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::otlp::{
    Buckets, Data, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, ExportMetricsServiceRequest, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, ValueAtQuantile, exemplar,
    number_data_point,
};
use super::Wild;
use super::common::{attributes, count, enumeration, few, number, optional_id, resource, scope, text, time};

pub(super) fn request(wild: &Wild) -> BoxedStrategy<ExportMetricsServiceRequest> {
    let scopes = (scope(wild), few(metric(wild), wild.items), text()).prop_map(|(scope, metrics, schema_url)| ScopeMetrics {
        scope,
        metrics,
        schema_url,
    });
    let resources = (resource(wild), few(scopes, wild.groups), text()).prop_map(|(resource, scope_metrics, schema_url)| ResourceMetrics {
        resource,
        scope_metrics,
        schema_url,
    });
    few(resources, wild.groups).prop_map(|resource_metrics| ExportMetricsServiceRequest { resource_metrics }).boxed()
}

fn metric(wild: &Wild) -> BoxedStrategy<Metric> {
    (text(), text(), text(), attributes(wild), data(wild))
        .prop_map(|(name, description, unit, metadata, data)| Metric { name, description, unit, metadata, data })
        .boxed()
}

fn data(wild: &Wild) -> BoxedStrategy<Option<Data>> {
    let most = wild.items;
    let numbers = few(number_point(wild), most).boxed();
    let gauge = numbers.clone().prop_map(|data_points| Data::Gauge(Gauge { data_points }));
    let sum = (numbers, enumeration(2), any::<bool>()).prop_map(|(data_points, aggregation_temporality, is_monotonic)| {
        Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
    });
    let histogram = (few(histogram_point(wild), most), enumeration(2))
        .prop_map(|(data_points, aggregation_temporality)| Data::Histogram(Histogram { data_points, aggregation_temporality }));
    let exponential = (few(exponential_point(wild), most), enumeration(2)).prop_map(|(data_points, aggregation_temporality)| {
        Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality })
    });
    let summary = few(summary_point(wild), most).prop_map(|data_points| Data::Summary(Summary { data_points }));
    let kinds = prop_oneof![gauge, sum, histogram, exponential, summary];
    option::weighted(0.95, kinds).boxed()
}

fn number_point(wild: &Wild) -> BoxedStrategy<NumberDataPoint> {
    let as_double = number().prop_map(number_data_point::Value::AsDouble);
    let value = prop_oneof![any::<i64>().prop_map(number_data_point::Value::AsInt), as_double];
    (attributes(wild), time(), time(), exemplars(wild), count(), option::weighted(0.9, value))
        .prop_map(|(attributes, start_time_unix_nano, time_unix_nano, exemplars, flags, value)| NumberDataPoint {
            attributes,
            start_time_unix_nano,
            time_unix_nano,
            exemplars,
            flags,
            value,
        })
        .boxed()
}

fn histogram_point(wild: &Wild) -> BoxedStrategy<HistogramDataPoint> {
    let head = (attributes(wild), time(), time(), exemplars(wild), count());
    let buckets = (vec(any::<u64>(), 0..=wild.entries), vec(number(), 0..=wild.entries));
    (head, any::<u64>(), option::of(number()), buckets, option::of(number()), option::of(number()))
        .prop_map(|(head, count, sum, (bucket_counts, explicit_bounds), min, max)| HistogramDataPoint {
            attributes: head.0,
            start_time_unix_nano: head.1,
            time_unix_nano: head.2,
            exemplars: head.3,
            flags: head.4,
            count,
            sum,
            bucket_counts,
            explicit_bounds,
            min,
            max,
        })
        .boxed()
}

fn exponential_point(wild: &Wild) -> BoxedStrategy<ExponentialHistogramDataPoint> {
    let head = (attributes(wild), time(), time(), exemplars(wild), count());
    let totals = (any::<u64>(), option::of(number()), option::of(number()), option::of(number()));
    let zero = (any::<u64>(), number());
    (head, totals, zero, any::<i32>(), option::of(buckets(wild)), option::of(buckets(wild)))
        .prop_map(|(head, (count, sum, min, max), (zero_count, zero_threshold), scale, positive, negative)| ExponentialHistogramDataPoint {
            attributes: head.0,
            start_time_unix_nano: head.1,
            time_unix_nano: head.2,
            exemplars: head.3,
            flags: head.4,
            count,
            sum,
            scale,
            zero_count,
            positive,
            negative,
            min,
            max,
            zero_threshold,
        })
        .boxed()
}

fn buckets(wild: &Wild) -> impl Strategy<Value = Buckets> + use<> {
    let counts = vec(prop_oneof![0_u64..200, any::<u64>()], 0..=wild.entries);
    (any::<i32>(), counts).prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts })
}

fn summary_point(wild: &Wild) -> BoxedStrategy<SummaryDataPoint> {
    let quantile = (number(), number()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    (attributes(wild), time(), time(), any::<u64>(), number(), vec(quantile, 0..=wild.entries), count())
        .prop_map(|(attributes, start_time_unix_nano, time_unix_nano, count, sum, quantile_values, flags)| SummaryDataPoint {
            attributes,
            start_time_unix_nano,
            time_unix_nano,
            count,
            sum,
            quantile_values,
            flags,
        })
        .boxed()
}

fn exemplars(wild: &Wild) -> BoxedStrategy<Vec<Exemplar>> {
    let as_double = number().prop_map(exemplar::Value::AsDouble);
    let value = option::weighted(0.9, prop_oneof![any::<i64>().prop_map(exemplar::Value::AsInt), as_double]);
    let exemplar = (attributes(wild), time(), optional_id(8, wild.ids), optional_id(16, wild.ids), value);
    let exemplar = exemplar.prop_map(|(filtered_attributes, time_unix_nano, span_id, trace_id, value)| Exemplar {
        filtered_attributes,
        time_unix_nano,
        span_id,
        trace_id,
        value,
    });
    vec(exemplar, 0..=wild.entries.min(2)).boxed()
}
