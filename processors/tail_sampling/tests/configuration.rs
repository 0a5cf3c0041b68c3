//! What is refused, with its place and what would be right; and what of it the Collector's mode only warns of.

use super::*;

fn problems(yaml: &str) -> String {
    FACTORY.parse(yaml).map_or_else(|errors| errors.to_string(), |_| String::new())
}

fn block(kind: &str, keys: &str) -> String {
    format!("policies: [{{name: p, type: {kind}, {kind}: {{{keys}}}}}]")
}

#[test]
fn a_collectors_block_is_taken() {
    let parsed = FACTORY.parse(
        "decision_wait: 10s\nnum_traces: 100\nexpected_new_traces_per_sec: 10\ndecision_cache: {sampled_cache_size: 100_000, \
         non_sampled_cache_size: 100_000}\nsample_on_first_match: true\npolicies:\n  - {name: a, type: always_sample}\n  - {name: l, type: \
         latency, latency: {threshold_ms: 5000, upper_threshold_ms: 10000}}\n  - {name: n, type: numeric_attribute, numeric_attribute: \
         {key: k, min_value: 50, max_value: 100}}\n  - {name: p, type: probabilistic, probabilistic: {sampling_percentage: 10}}\n  - {name: \
         s, type: string_attribute, string_attribute: {key: k, values: [a, b.*], enabled_regex_matching: true, cache_max_size: 10}}\n  - \
         {name: r, type: rate_limiting, rate_limiting: {spans_per_second: 35}}\n  - {name: c, type: composite, composite: \
         {max_total_spans_per_second: 1000, policy_order: [x, y], composite_sub_policy: [{name: x, type: numeric_attribute, \
         numeric_attribute: {key: k, min_value: 50}}, {name: y, type: always_sample}], rate_allocation: [{policy: x, percent: 50}, {policy: \
         y, percent: 25}]}}\n",
    );
    assert!(parsed.is_ok(), "{parsed:?}");
}

/// What the Collector starts with and should not: an error here, a warning in its mode.
#[test]
fn what_would_misbehave_is_refused_or_warned_of() {
    for (yaml, place, wrong) in [
        ("policies: []".to_owned(), "policies", "is empty"),
        ("num_traces: 0, policies: [{name: a, type: always_sample}]".to_owned(), "num_traces", "must be positive"),
        ("policies: [{name: l, type: latency}]".to_owned(), "policies[0].latency.threshold_ms", "is missing"),
        (block("latency", "threshold_ms: 50, upper_threshold_ms: 50"), "policies[0].latency.upper_threshold_ms", "is not above"),
        (block("numeric_attribute", "key: k, min_value: 5, max_value: 4"), "policies[0].numeric_attribute.min_value", "is above max_value"),
        (block("numeric_attribute", "min_value: 5"), "policies[0].numeric_attribute.key", "is missing"),
        (block("boolean_attribute", "value: true"), "policies[0].boolean_attribute.key", "is missing"),
        (block("string_attribute", "key: k"), "policies[0].string_attribute.values", "lists no text"),
        (block("string_attribute", "key: k, values: ['']"), "policies[0].string_attribute.values", "lists no text"),
        (block("trace_state", "key: k"), "policies[0].trace_state.values", "nothing that a member could be"),
        (block("probabilistic", "sampling_percentage: -1"), "policies[0].probabilistic.sampling_percentage", "keeps nothing"),
        (block("probabilistic", "sampling_percentage: 101"), "policies[0].probabilistic.sampling_percentage", "is more than all"),
        (block("rate_limiting", ""), "policies[0].rate_limiting.spans_per_second", "lets nothing pass"),
        (block("rate_limiting", "burst_capacity: 5"), "policies[0].rate_limiting.spans_per_second", "would pass once"),
        (block("rate_limiting", "spans_per_second: 5, burst_capacity: -1"), "policies[0].rate_limiting.burst_capacity", "is negative"),
        (block("bytes_limiting", "bytes_per_second: -5"), "policies[0].bytes_limiting.bytes_per_second", "lets nothing pass"),
        (block("span_count", ""), "policies[0].span_count.min_spans", "every trace fits"),
        (block("span_count", "min_spans: 5, max_spans: 4"), "policies[0].span_count.min_spans", "is above max_spans"),
        (block("and", ""), "policies[0].and.and_sub_policy", "every trace would be kept"),
        (block("drop", "drop_sub_policy: []"), "policies[0].drop.drop_sub_policy", "every trace would be dropped"),
    ] {
        is_refused_or_warned_of(&yaml, place, wrong);
    }
}

#[test]
fn a_composite_names_what_is_there_and_shares_no_more_than_all() {
    let two = "{name: x, type: always_sample}, {name: y, type: always_sample}";
    for (yaml, place, wrong) in [
        (block("composite", "max_total_spans_per_second: 5"), "policies[0].composite.composite_sub_policy", "no trace would be kept"),
        (block("composite", &format!("composite_sub_policy: [{two}]")), "policies[0].composite.max_total_spans_per_second", "lets nothing"),
        (
            block("composite", &format!("max_total_spans_per_second: 5, policy_order: [x, z], composite_sub_policy: [{two}]")),
            "policies[0].composite.policy_order[1]",
            "there is no policy \"z\"",
        ),
        (
            block(
                "composite",
                &format!("max_total_spans_per_second: 5, rate_allocation: [{{policy: z, percent: 5}}], composite_sub_policy: [{two}]"),
            ),
            "policies[0].composite.rate_allocation[0].policy",
            "there is no policy \"z\"",
        ),
        (
            block(
                "composite",
                &format!("max_total_spans_per_second: 5, rate_allocation: [{{policy: x, percent: 101}}], composite_sub_policy: [{two}]"),
            ),
            "policies[0].composite.rate_allocation[0].percent",
            "is no percentage",
        ),
        (
            block(
                "composite",
                &format!(
                    "max_total_spans_per_second: 5, rate_allocation: [{{policy: x, percent: 60}}, {{policy: y, percent: 60}}], composite_sub_policy: [{two}]"
                ),
            ),
            "policies[0].composite.rate_allocation",
            "more than 100 percent",
        ),
    ] {
        is_refused_or_warned_of(&yaml, place, wrong);
    }
}

#[track_caller]
fn is_refused_or_warned_of(yaml: &str, place: &str, wrong: &str) {
    let told = problems(&format!("{{{yaml}}}"));
    assert!(told.contains(&format!("error: processors.tail_sampling.{place}: ")) && told.contains(wrong), "{yaml}: {told}");
    let lenient = problems(&format!("{{compatibility: otelcol, {yaml}}}"));
    assert_eq!(lenient, "", "{yaml}");
}

/// What the Collector refuses too, when it starts, or dies of.
#[test]
fn what_cannot_work_is_refused_in_any_mode() {
    for (yaml, place, wrong) in [
        ("policies: [{type: always_sample}]".to_owned(), "policies[0].name", "is missing"),
        (
            "policies: [{name: a, type: always_sample}, {name: a, type: latency}]".to_owned(),
            "policies[1].name",
            "there are two policies \"a\"",
        ),
        ("policies: [{name: 7, type: always_sample}]".to_owned(), "policies[0].name", "text, in quotes"),
        ("policies: [{name: a}]".to_owned(), "policies[0].type", "is missing"),
        ("policies: [{name: a, type: sometimes}]".to_owned(), "policies[0].type", "sometimes"),
        ("policies: [{name: a, type: latency, latencyy: {threshold_ms: 5}}]".to_owned(), "policies[0].latencyy", "latency"),
        (block("ottl_condition", ""), "policies[0].ottl_condition.span", "neither it nor spanevent"),
        (block("ottl_condition", "span: ['name ==']"), "policies[0].ottl_condition.span[0]", "here"),
        (block("ottl_condition", "spanevent: ['name == \"x\"', 'nonsense.x == 1']"), "policies[0].ottl_condition.spanevent[1]", "nonsense"),
        (block("ottl_condition", "error_mode: sometimes, span: ['true']"), "policies[0].ottl_condition.error_mode", "sometimes"),
        (block("status_code", ""), "policies[0].status_code.status_codes", "is empty"),
        (block("status_code", "status_codes: [OK, error]"), "policies[0].status_code.status_codes[1]", "there is no status code \"error\""),
        (block("numeric_attribute", "key: k"), "policies[0].numeric_attribute.min_value", "neither it nor max_value"),
        (block("probabilistic", "sampling_percentage: .nan"), "policies[0].probabilistic.sampling_percentage", "is no number"),
        (
            block("string_attribute", "key: k, values: ['(', x], enabled_regex_matching: true"),
            "policies[0].string_attribute.values[0]",
            "is no regular expression",
        ),
        (block("not", ""), "policies[0].not.not_sub_policy", "is missing"),
        (block("not", "not_sub_policy: {type: and}"), "policies[0].not.not_sub_policy.type", "cannot stand inside of not"),
        (block("and", "and_sub_policy: [{type: drop}]"), "policies[0].and.and_sub_policy[0].type", "cannot stand inside of and"),
        (block("composite", "composite_sub_policy: [{type: not}]"), "policies[0].composite.composite_sub_policy[0].type", "cannot stand"),
        (block("drop", "drop_sub_policy: [{type: composite}]"), "policies[0].drop.drop_sub_policy[0].type", "cannot stand"),
        ("num_shards: 257, policies: [{name: a, type: always_sample}]".to_owned(), "num_shards", "is more than 256"),
        ("sampling_strategy: sometimes, policies: [{name: a, type: always_sample}]".to_owned(), "sampling_strategy", "sometimes"),
        ("tail_storage: disk, policies: [{name: a, type: always_sample}]".to_owned(), "tail_storage", "is planned"),
    ] {
        for compatibility in ["tracetailor", "otelcol"] {
            let told = problems(&format!("{{compatibility: {compatibility}, {yaml}}}"));
            assert!(told.contains(&format!("processors.tail_sampling.{place}: ")) && told.contains(wrong), "{yaml}: {told}");
        }
    }
}

#[test]
fn span_ingest_takes_only_what_needs_no_whole() {
    let ingest = |policy: &str| problems(&format!("{{sampling_strategy: span-ingest, policies: [{policy}]}}"));
    for policy in [
        "{name: p, type: rate_limiting, rate_limiting: {spans_per_second: 5}}",
        "{name: p, type: bytes_limiting, bytes_limiting: {bytes_per_second: 5}}",
        "{name: p, type: latency, latency: {threshold_ms: 5, upper_threshold_ms: 50}}",
        "{name: p, type: span_count, span_count: {max_spans: 5}}",
        "{name: p, type: and, and: {and_sub_policy: [{type: rate_limiting, rate_limiting: {spans_per_second: 5}}]}}",
        "{name: p, type: not, not: {not_sub_policy: {type: span_count, span_count: {max_spans: 5}}}}",
    ] {
        assert!(ingest(policy).contains("policies[0]: policy \"p\" needs the whole trace"), "{policy}: {}", ingest(policy));
    }
    for policy in [
        "{name: p, type: latency, latency: {threshold_ms: 5}}",
        "{name: p, type: span_count, span_count: {min_spans: 5}}",
        "{name: p, type: composite, composite: {max_total_spans_per_second: 5, composite_sub_policy: [{name: a, type: always_sample}]}}",
    ] {
        assert_eq!(ingest(policy), "", "{policy}");
    }
}

#[test]
fn a_block_that_is_not_used_is_named() {
    let yaml = "{policies: [{name: x, type: always_sample, latency: {threshold_ms: 5}, status_code: {status_codes: [nonsense]}}]}";
    assert!(FACTORY.parse(yaml).is_ok(), "it is not checked either");
}
