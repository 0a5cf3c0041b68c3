//! For policies that only look, a verdict is a function of all spans before the deadline, whatever their batching, order and lanes; and the
//! books balance whatever happens.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tracetailor_core::telemetry::Signal;
use tracetailor_core::testing::{Script, arbitrary};

use super::*;

const PURE: &str = "policies: [
    {name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
    {name: slow, type: latency, latency: {threshold_ms: 50, upper_threshold_ms: 80}},
    {name: many, type: span_count, span_count: {min_spans: 5, max_spans: 6}},
    {name: some, type: probabilistic, probabilistic: {sampling_percentage: 30}},
    {name: and, type: and, and: {and_sub_policy: [
        {name: k, type: string_attribute, string_attribute: {key: k, values: [a]}},
        {name: n, type: numeric_attribute, numeric_attribute: {key: n, min_value: 3}}]}},
    {name: none, type: not, not: {not_sub_policy: {type: string_attribute, string_attribute: {key: k, values: [\"[a-c]\"], enabled_regex_matching: true}}}},
    {name: d, type: drop, drop: {drop_sub_policy: [{type: boolean_attribute, boolean_attribute: {key: health, value: true}}]}}]";

/// The same traces, by rules.
const RULES: &str = "rules: [
    {name: health, drop: true, match: {attributes: {health: true}}, unless: ['trace.error_count > 0']},
    {name: errors, keep: true, match: {error: true, attributes: {k: '*'}}},
    {name: slow, keep: true, match: {slower_than: 30ms, attributes: {n: [3, 4]}}},
    {name: both, keep: true, when_all: ['span.attributes[\"n\"] == 5', 'resource.attributes[\"k\"] == \"a\"']},
    {name: journeys, sample: {share: 40%, by: [k]}, when: ['trace.span_count > 3', 'span.attributes[\"k\"] == \"c\"']},
    {name: broken, drop: true, when: 'trace.duration > Duration(\"70ms\")'},
    {name: rest, sample: 30%}]";

#[derive(Clone, Debug)]
struct Plain {
    trace: u64,
    text: Option<u8>,
    number: Option<i64>,
    failed: bool,
    health: bool,
    times: (u64, u64),
    randomness: Option<u64>,
}

impl Plain {
    fn draft(&self, id: usize) -> Built<SpanDraft> {
        // Ids that differ in what decides.
        let trace = (u128::from(self.trace) << 120 | u128::from(self.trace.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8)).to_be_bytes();
        let mut span = span("s").trace(trace).id(id as u64 + 1).times(self.times.0, self.times.0 + self.times.1);
        if let Some(text) = self.text {
            let text = char::from(b'a' + text).to_string();
            span = if id.is_multiple_of(3) { span.resource("k", &*text) } else { span.attribute("k", &*text) };
        }
        if let Some(number) = self.number {
            span = span.attribute("n", number);
        }
        if self.health {
            span = span.attribute("health", true);
        }
        if let Some(randomness) = self.randomness {
            span = span.trace_state(&format!("ot=rv:{:014x}", randomness >> 8));
        }
        if self.failed { span.status_error("no") } else { span }
    }
}

fn plain() -> impl Strategy<Value = Plain> {
    let text = proptest::option::weighted(0.4, 0u8..5);
    let number = proptest::option::weighted(0.3, 0i64..6);
    let randomness = proptest::option::weighted(0.1, any::<u64>());
    let truths = (proptest::bool::weighted(0.05), proptest::bool::weighted(0.05));
    (1u64..12, text, number, truths, (0u64..60, 0u64..40), randomness).prop_map(
        |(trace, text, number, (failed, health), times, randomness)| Plain { trace, text, number, failed, health, times, randomness },
    )
}

/// Which spans come out, when they come in these batches through so many lanes.
fn kept(policies: &str, batches: &[Vec<Built<SpanDraft>>], lanes: usize) -> Vec<Vec<u8>> {
    let mut drivers: Vec<Driver> = (0..lanes).map(|_| driver("decision_wait: 10s", policies)).collect();
    for batch in batches {
        let mut split: BTreeMap<usize, Vec<Built<SpanDraft>>> = BTreeMap::new();
        for span in batch {
            let lane = usize::from(span.clone().build().trace_id[0]) % lanes;
            split.entry(lane).or_default().push(span.clone());
        }
        for (lane, spans) in split {
            receive(&mut drivers[lane], spans);
        }
        drivers.iter_mut().for_each(|driver| seconds(driver, 0.05));
    }
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for mut driver in drivers {
        seconds(&mut driver, 20.0);
        kept.extend(driver.finish().spans().into_iter().map(|span| span.span_id));
    }
    kept.sort();
    kept
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn verdicts_depend_on_the_spans_alone(
        spans in proptest::collection::vec(plain(), 1..40),
        order in any::<u64>(),
        sizes in proptest::collection::vec(1usize..10, 1..12),
        lanes in 1usize..4,
        by_rules in any::<bool>(),
    ) {
        let policies = if by_rules { RULES } else { PURE };
        let drafts: Vec<Built<SpanDraft>> = spans.iter().enumerate().map(|(id, plain)| plain.draft(id)).collect();
        let expected = kept(policies, std::slice::from_ref(&drafts), 1);
        let mut shuffled = drafts;
        let mut dice = tracetailor_core::testing::Dice::new(order);
        for place in (1..shuffled.len()).rev() {
            let other = usize::try_from(dice.roll() % (place as u64 + 1)).unwrap();
            shuffled.swap(place, other);
        }
        let mut batches: Vec<Vec<Built<SpanDraft>>> = Vec::new();
        for size in sizes {
            batches.push(shuffled.split_off(shuffled.len().saturating_sub(size)));
        }
        batches.push(shuffled);
        prop_assert_eq!(kept(policies, &batches, lanes), expected);
    }
}

const EVERYTHING: [&str; 6] = [
    "decision_wait: 2s, decide_when_complete: {quiet: 100ms}, remember: 3s",
    "decision_wait: 2s",
    "decision_wait: 2s, num_traces: 3, decision_wait_after_root_received: 100ms, maximum_trace_size_bytes: 600, marks: true",
    "decision_wait: 1s, max_buffered_bytes: 8KiB, remember: 3s, drop_pending_traces_on_shutdown: true",
    "decision_wait: 2s, compatibility: otelcol, num_traces: 3, decision_cache: {sampled_cache_size: 2}",
    "decision_wait: 2s, compatibility: otelcol, num_traces: 5, num_shards: 2, sample_on_first_match: true",
];

const STATEFUL: &str = "policies: [
    {name: some, type: probabilistic, probabilistic: {sampling_percentage: 50}},
    {name: limit, type: rate_limiting, rate_limiting: {spans_per_second: 5}},
    {name: bytes, type: bytes_limiting, bytes_limiting: {bytes_per_second: 500}},
    {name: c, type: composite, composite: {max_total_spans_per_second: 10, composite_sub_policy: [{name: all, type: always_sample}]}},
    {name: k, type: dynamic, dynamic: {goal: 10%, fields: [k, service.name], max_keys: 3}},
    {name: s, type: structure, structure: {min_orphans: 2}},
    {name: d, type: drop, drop: {drop_sub_policy: [{type: span_count, span_count: {min_spans: 9}}]}}]";

/// Rules of every kind.
const VARIED: &str = "rules: [
    {name: errors, keep: true, match: {error: true}},
    {name: broken, drop: true, when: ['trace.orphans > 0 and trace.span_count > 2']},
    {name: kinds, sample: {dynamic: {goal: 30%, fields: [service.name, [http.route, k]], max_keys: 2, adjustment_interval: 1s}},
     match: {span_name: '*a*'}},
    {name: rate, sample: {dynamic: {goal: 2 traces/s, root_fields: service.name, fields: k}}, when_all: ['span.kind == 2']},
    {name: journeys, sample: {share: 50%, by: [session.id, service.name]}, unless: ['spanevent.name == \"b\"']},
    {name: rest, sample: 20%}]";

fn lives() -> BoxedStrategy<Script> {
    arbitrary::scripts(Signal::Traces, &arbitrary::Wild::default(), 25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// The driver looks at the books after every step.
    #[test]
    fn books_balance_whatever_happens(script in lives(), which in 0..EVERYTHING.len()) {
        driver(EVERYTHING[which], STATEFUL).play(script);
    }

    #[test]
    fn books_balance_by_rules(script in lives(), which in 0..EVERYTHING.len()) {
        driver(EVERYTHING[which], VARIED).play(script);
    }

    #[test]
    fn books_balance_where_parts_are_judged(script in lives()) {
        driver("decision_wait: 2s, sampling_strategy: span-ingest", ERRORS).play(script);
    }
}
