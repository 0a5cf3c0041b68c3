//! Metric points as an SDK's periodic reader sends them: ten points to a metric, the five kinds in turn.

use super::super::dice::Dice;
use super::super::otlp::{
    AggregationTemporality, Buckets, Data, ExponentialHistogram, ExponentialHistogramDataPoint, ExportMetricsServiceRequest, Gauge,
    Histogram, HistogramDataPoint, KeyValue, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint,
    ValueAtQuantile, number_data_point::Value,
};
use super::super::spans::START;
use super::super::value::attribute;
use super::{Payload, filled, places, resource, scope, words};

const POINTS: usize = 10;
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

/// When the process started, and when the reader read: the same for all points of a request, as it is with real readers.
const STARTED: u64 = START.0 - 86_400_000_000_000;
const READ: u64 = START.0;

pub(super) fn request(payload: &Payload, dice: &mut Dice) -> ExportMetricsServiceRequest {
    let mut places = places(payload);
    let resources = places.len();
    let mut points = 0;
    for ordinal in 0.. {
        let count = POINTS.min(payload.items - points);
        if count == 0 {
            break;
        }
        points += count;
        let scope = (ordinal / resources) % payload.scopes.max(1);
        places[ordinal % resources][scope].push(metric(ordinal, count, dice));
    }
    let resource_metrics = filled(places).map(|(index, scopes)| ResourceMetrics {
        resource: Some(resource(index)),
        scope_metrics: scopes
            .map(|(index, metrics)| ScopeMetrics { scope: Some(scope(index)), metrics, ..ScopeMetrics::default() })
            .collect(),
        schema_url: String::new(),
    });
    ExportMetricsServiceRequest { resource_metrics: resource_metrics.collect() }
}

fn metric(ordinal: usize, points: usize, dice: &mut Dice) -> Metric {
    let (name, unit, data) = match (ordinal / 10) % 5 {
        0 => ("http.server.request.duration", "s", Data::Histogram(histogram(points, dice))),
        1 => ("http.server.requests", "{request}", Data::Sum(sum(points, dice))),
        2 => ("jvm.memory.used", "By", Data::Gauge(gauge(points, dice))),
        3 => ("db.client.operation.duration", "s", Data::ExponentialHistogram(exponential_histogram(points, dice))),
        _ => ("jvm.gc.pause", "s", Data::Summary(summary(points, dice))),
    };
    let description = format!("Made-up values of {name}.");
    Metric { name: name.to_owned(), description, unit: unit.to_owned(), data: Some(data), ..Metric::default() }
}

fn attributes(dice: &mut Dice) -> Vec<KeyValue> {
    let route = format!("/api/v2/{}s/{{id}}/{}", dice.pick(&words::NOUNS), dice.pick(&words::ACTIONS));
    vec![
        attribute("http.request.method", dice.pick(&words::METHODS)),
        attribute("http.route", route),
        attribute("http.response.status_code", *dice.pick(&[&200_i64, &201, &404, &500])),
    ]
}

fn gauge(points: usize, dice: &mut Dice) -> Gauge {
    let value = |dice: &mut Dice| Value::AsDouble(dice.below(4_000_000_000) as f64);
    Gauge { data_points: (0..points).map(|_| number(value(dice), dice)).collect() }
}

fn sum(points: usize, dice: &mut Dice) -> Sum {
    let value = |dice: &mut Dice| Value::AsInt(dice.below(10_000_000) as i64);
    let data_points = (0..points).map(|_| number(value(dice), dice)).collect();
    Sum { data_points, aggregation_temporality: CUMULATIVE, is_monotonic: true }
}

fn number(value: Value, dice: &mut Dice) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(dice),
        start_time_unix_nano: STARTED,
        time_unix_nano: READ,
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

fn histogram(points: usize, dice: &mut Dice) -> Histogram {
    let point = |dice: &mut Dice| {
        let bucket_counts: Vec<u64> = (0..=BOUNDS.len()).map(|_| dice.between(0, 5_000)).collect();
        HistogramDataPoint {
            attributes: attributes(dice),
            start_time_unix_nano: STARTED,
            time_unix_nano: READ,
            count: bucket_counts.iter().sum(),
            sum: Some(dice.below(1_000_000) as f64 / 1_000.0),
            bucket_counts,
            explicit_bounds: BOUNDS.to_vec(),
            min: Some(dice.below(1_000) as f64 / 1_000_000.0),
            max: Some(dice.below(30_000) as f64 / 1_000.0),
            ..HistogramDataPoint::default()
        }
    };
    Histogram { data_points: (0..points).map(|_| point(dice)).collect(), aggregation_temporality: CUMULATIVE }
}

fn exponential_histogram(points: usize, dice: &mut Dice) -> ExponentialHistogram {
    let point = |dice: &mut Dice| {
        let bucket_counts: Vec<u64> = (0..40).map(|_| dice.between(0, 900)).collect();
        ExponentialHistogramDataPoint {
            attributes: attributes(dice),
            start_time_unix_nano: STARTED,
            time_unix_nano: READ,
            count: bucket_counts.iter().sum(),
            sum: Some(dice.below(1_000_000) as f64 / 1_000.0),
            scale: 3,
            positive: Some(Buckets { offset: -60 + dice.below(20) as i32, bucket_counts }),
            ..ExponentialHistogramDataPoint::default()
        }
    };
    ExponentialHistogram { data_points: (0..points).map(|_| point(dice)).collect(), aggregation_temporality: CUMULATIVE }
}

fn summary(points: usize, dice: &mut Dice) -> Summary {
    let point = |dice: &mut Dice| SummaryDataPoint {
        attributes: attributes(dice),
        start_time_unix_nano: STARTED,
        time_unix_nano: READ,
        count: dice.between(1, 90_000),
        sum: dice.below(1_000_000) as f64 / 1_000.0,
        quantile_values: [0.5, 0.9, 0.99].map(|quantile| ValueAtQuantile { quantile, value: dice.below(9_000) as f64 / 1_000.0 }).to_vec(),
        ..SummaryDataPoint::default()
    };
    Summary { data_points: (0..points).map(|_| point(dice)).collect() }
}
