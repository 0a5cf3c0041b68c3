//! What a policy costs: traces taken in, looked at, and judged when their time has come. Nearly all are dropped, so what sending costs is not in it.
//!
//! Every row but the first three has the policy of the third as well, which nothing satisfies. Traces of eight spans come in four requests of
//! two spans each; what a row costs for a trace is eight times what stands in it.

mod held;
#[expect(dead_code, reason = "it measures policies, and needs no other half of a comparison")]
mod yardstick;

use held::{Gateway, Judge, each_turn, parse_each, wait};
use tracetailor_core::component::ProcessorContext;
use tracetailor_core::testing::Payload;
use tracetailor_processors::tail_sampling::FACTORY;
use yardstick::{Way, compare};

/// What every configuration has: nobody takes an hour.
const NEVER: &str = "{name: never, type: latency, latency: {threshold_ms: 3600000}}";

/// By name, and as written in a configuration.
const POLICIES: &[(&str, &str)] = &[
    ("status_code", "status_code: {status_codes: [ERROR]}"),
    ("latency", "latency: {threshold_ms: 3000000}"),
    ("numeric_attribute", "numeric_attribute: {key: http.response.status_code, min_value: 900, max_value: 999}"),
    ("boolean_attribute", "boolean_attribute: {key: app.debug, value: true}"),
    ("string_attribute", "string_attribute: {key: http.request.method, values: [BREW, WHEN]}"),
    ("string_attribute, a pattern", "string_attribute: {key: url.path, values: ['^/never/.*$'], enabled_regex_matching: true}"),
    ("probabilistic", "probabilistic: {sampling_percentage: 0.0001}"),
    ("rate_limiting", "rate_limiting: {spans_per_second: 1}"),
    ("span_count", "span_count: {min_spans: 1000}"),
    ("trace_state", "trace_state: {key: vendor, values: [keep]}"),
    ("ottl_condition", "ottl_condition: {span: ['attributes[\"http.route\"] == \"/never\"']}"),
    (
        "and",
        "and: {and_sub_policy: [{name: a, type: status_code, status_code: {status_codes: [ERROR]}}, \
         {name: b, type: string_attribute, string_attribute: {key: http.request.method, values: [BREW]}}]}",
    ),
];

fn main() {
    compare("tail_sampling", ways);
}

fn ways(payload: &Payload) -> Vec<Way> {
    let mut ways = vec![
        Way::new("parse", parse_each(payload)),
        Way::new("parse, hold, drop, no policies at all", hold_each(payload)),
        Way::new("one policy that is never satisfied", judge_each(payload, &[])),
    ];
    for (name, policy) in POLICIES {
        ways.push(Way::new(name, judge_each(payload, &[(name, policy)])));
    }
    let usual = [POLICIES[0], POLICIES[1], POLICIES[6]];
    ways.push(Way::new("status_code, latency, probabilistic", judge_each(payload, &usual)));
    ways.push(Way::new("all of them", judge_each(payload, POLICIES)));
    ways
}

fn hold_each(payload: &Payload) -> impl FnMut() + 'static {
    let gateway = Gateway::new();
    let whole = gateway.whole_traces(wait(payload), Judge::default());
    each_turn(payload, gateway, Box::new(whole))
}

#[expect(clippy::expect_used, reason = "the configuration is valid, or there is nothing to measure")]
fn judge_each(payload: &Payload, policies: &[(&str, &str)]) -> impl FnMut() + 'static {
    let written = policies.iter().map(|(name, policy)| {
        let kind = policy.split(':').next().unwrap_or_default();
        format!(", {{name: \"{name}\", type: {kind}, {policy}}}")
    });
    let config = format!(
        "{{decision_wait: {}ms, num_traces: 1000000, policies: [{NEVER}{}]}}",
        wait(payload).as_millis(),
        written.collect::<String>()
    );
    let parsed = FACTORY.parse(&config).expect("the configuration is valid");
    let processor = parsed.build(&ProcessorContext::alone(FACTORY.name)).expect("it needs nothing of the world");
    each_turn(payload, Gateway::new(), processor)
}
