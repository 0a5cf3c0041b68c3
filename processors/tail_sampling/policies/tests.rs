//! Every policy on traces made for it: what it keeps here, and what with `compatibility: otelcol`.

use std::time::Duration;

use tracetailor_core::testing::{Built, Driver, SpanDraft, span, traces};

use crate::tail_sampling::FACTORY;

type Spans = Vec<Built<SpanDraft>>;

/// Whether policies keep a trace.
fn keeps(policies: &str, compatibility: &str, spans: &Spans) -> bool {
    let yaml = format!("{{decision_wait: 1s, compatibility: {compatibility}, policies: [{policies}]}}");
    let mut driver = Driver::of(&FACTORY, &yaml);
    driver.receive(traces(spans.clone()));
    driver.turn(Duration::from_secs(3));
    let kept = driver.sink().spans().len();
    assert!(kept == 0 || kept == spans.len(), "{policies}: {kept} of {} spans", spans.len());
    driver.finish();
    kept > 0
}

/// One policy, several traces: what they are, the trace, whether it is kept here, and whether in the Collector.
#[track_caller]
fn table(kind: &str, block: &str, traces: impl IntoIterator<Item = (&'static str, Spans, bool, bool)>) {
    let policy = format!("{{name: p, type: {kind}, {kind}: {block}}}");
    for (what, spans, ours, theirs) in traces {
        assert_eq!(keeps(&policy, "tracetailor", &spans), ours, "{policy} of {what}, here");
        assert_eq!(keeps(&policy, "otelcol", &spans), theirs, "{policy} of {what}, in the Collector");
    }
}

fn one(span: Built<SpanDraft>) -> Spans {
    vec![span]
}

fn lasting(milliseconds: u64) -> Spans {
    one(span("a").times(0, milliseconds))
}

#[test]
fn always_sample() {
    table("always_sample", "{}", [("anything", lasting(0), true, true)]);
}

#[test]
fn latency_begins_above_the_threshold() {
    table(
        "latency",
        "{threshold_ms: 100}",
        [
            ("exactly so", lasting(100), false, false),
            ("a little more", lasting(101), true, true),
            ("what is cut", one(span("a").times_nanos(1_000_000, 101_999_999)), false, false),
            ("two short spans far apart", vec![span("a").times(0, 10), span("b").times(150, 160)], true, true),
            ("the same in the other order", vec![span("b").times(150, 160), span("a").times(0, 10)], true, true),
            ("an end before its start", one(span("a").times(500, 100)), false, false),
            ("no start", one(span("a").times_nanos(0, 5_000_000_000)), false, true),
        ],
    );
    table("latency", "{threshold_ms: -1}", [("an instant", lasting(0), true, true)]);
    table("latency", "{threshold_ms: 0}", [("an instant", lasting(0), false, false), ("1 ms", lasting(1), true, true)]);
}

#[test]
fn a_latency_band_has_its_upper_end_and_the_whole_trace_counts() {
    table(
        "latency",
        "{threshold_ms: 50, upper_threshold_ms: 100}",
        [
            ("the lower end", lasting(50), false, false),
            ("inside", lasting(51), true, true),
            ("the upper end", lasting(100), true, true),
            ("above", lasting(101), false, false),
            ("a short span first", vec![span("a").times(0, 60), span("b").times(0, 200)], false, true),
            ("the long span first", vec![span("b").times(0, 200), span("a").times(0, 60)], false, false),
        ],
    );
}

#[test]
fn numbers_are_between_bounds() {
    let with = |number: i64| one(span("a").attribute("n", number));
    table(
        "numeric_attribute",
        "{key: n, min_value: 10, max_value: 20}",
        [
            ("below", with(9), false, false),
            ("the lower bound", with(10), true, true),
            ("the upper bound", with(20), true, true),
            ("above", with(21), false, false),
            ("a fraction", one(span("a").attribute("n", 15.5)), true, false),
            ("a fraction above", one(span("a").attribute("n", 20.5)), false, false),
            ("text", one(span("a").attribute("n", "15")), false, false),
            ("another key", one(span("a").attribute("m", 15)), false, false),
            ("a resource", one(span("a").resource("n", 15)), true, true),
            ("a scope", one(span("a").scope_attribute("n", 15)), false, false),
            ("an event", one(span("a").event(0, "e", [tracetailor_core::testing::attribute("n", 15)])), false, false),
            ("the key twice", one(span("a").attribute("n", 1).attribute("n", 15)), false, false),
        ],
    );
}

#[test]
fn one_bound_is_enough_and_zero_is_one() {
    let with = |number: i64| one(span("a").attribute("n", number));
    table(
        "numeric_attribute",
        "{key: n, max_value: 100}",
        [
            ("far below", with(i64::MIN), true, true),
            ("a fraction above", one(span("a").attribute("n", 5000.5)), false, true),
            ("text", one(span("a").attribute("n", "x")), false, true),
        ],
    );
    table(
        "numeric_attribute",
        "{key: n, min_value: 0, max_value: 10}",
        [("below zero", with(-1), false, true), ("zero", with(0), true, true), ("above", with(11), false, false)],
    );
    table(
        "numeric_attribute",
        "{key: n, min_value: 9007199254740993}",
        [("the largest", with(i64::MAX), true, true), ("a large fraction", one(span("a").attribute("n", 1e300)), true, false)],
    );
}

#[test]
fn what_is_inverted_speaks_of_the_whole_trace() {
    for (block, fits) in [
        ("numeric_attribute", "{key: k, min_value: 1, max_value: 5, invert_match: true}"),
        ("string_attribute", "{key: k, values: [x], invert_match: true}"),
        ("string_attribute", "{key: k, values: ['^x$'], enabled_regex_matching: true, invert_match: true}"),
        ("boolean_attribute", "{key: k, value: true, invert_match: true}"),
    ] {
        let fitting = || match block {
            "numeric_attribute" => span("a").attribute("k", 3),
            "string_attribute" => span("a").attribute("k", "x"),
            _ => span("a").attribute("k", true),
        };
        table(
            block,
            fits,
            [
                ("one that fits", one(fitting()), false, false),
                ("one that fits and one that has no such key", vec![span("b"), fitting()], false, false),
                ("nothing of the kind", one(span("b")), true, true),
            ],
        );
    }
}

#[test]
fn status_codes() {
    let spans = || [span("a"), span("a").status_ok(), span("a").status_error("no")].map(one);
    for (codes, expected) in [("[ERROR]", [false, false, true]), ("[OK, UNSET]", [true, true, false]), ("OK", [false, true, false])] {
        for (spans, kept) in spans().into_iter().zip(expected) {
            table("status_code", &format!("{{status_codes: {codes}}}"), [("a span", spans, kept, kept)]);
        }
    }
    table(
        "status_code",
        "{status_codes: [ERROR]}",
        [("the last of three", vec![span("a"), span("b"), span("c").status_error("")], true, true)],
    );
}

#[test]
fn texts_are_whole_or_expressions() {
    let with = |text: &str| one(span("a").attribute("k", text));
    table(
        "string_attribute",
        "{key: k, values: [value1, '']}",
        [
            ("the text", with("value1"), true, true),
            ("other letters", with("VALUE1"), false, false),
            ("more of it", with("xvalue10"), false, false),
            ("an empty text", with(""), false, false),
            ("a resource", one(span("a").resource("k", "value1")), true, true),
            ("a number", one(span("a").attribute("k", 1)), false, false),
        ],
    );
    table(
        "string_attribute",
        "{key: k, values: [value1, '^b+$'], enabled_regex_matching: true}",
        [
            ("somewhere in the text", with("xvalue10"), true, true),
            ("the second", with("bbb"), true, true),
            ("held to the ends", with("bbc"), false, false),
        ],
    );
    table(
        "string_attribute",
        "{key: k, values: ['.*'], enabled_regex_matching: true}",
        [
            ("an empty text of a span", with(""), false, false),
            ("a number of a span", one(span("a").attribute("k", 5)), false, false),
            ("an empty text of a resource", one(span("a").resource("k", "")), true, true),
            ("a number of a resource", one(span("a").resource("k", 5)), true, true),
            ("no such key", one(span("a")), false, false),
        ],
    );
}

#[test]
fn a_small_cache_of_texts_changes_nothing() {
    let policy =
        "{name: p, type: string_attribute, string_attribute: {key: k, values: [x], enabled_regex_matching: true, cache_max_size: 1}}";
    let spans = (0..40).map(|n| span("a").trace(n + 1).attribute("k", if n % 2 == 0 { "xa" } else { "b" }));
    let mut driver = Driver::of(&FACTORY, &format!("{{decision_wait: 1s, policies: [{policy}]}}"));
    driver.receive(traces(spans));
    driver.turn(Duration::from_secs(2));
    assert_eq!(driver.finish().spans().len(), 20);
}

#[test]
fn truths() {
    let with = |truth: bool| one(span("a").attribute("k", truth));
    table("boolean_attribute", "{key: k, value: true}", [("true", with(true), true, true), ("false", with(false), false, false)]);
    table(
        "boolean_attribute",
        "{key: k, value: false}",
        [
            ("false", with(false), true, true),
            ("true", with(true), false, false),
            ("text", one(span("a").attribute("k", "true")), false, true),
            ("a number", one(span("a").resource("k", 1)), false, true),
            ("no such key", one(span("a")), false, false),
        ],
    );
}

#[test]
fn trace_states() {
    let with = |state: &str| one(span("a").trace_state(state));
    table(
        "trace_state",
        "{key: k, values: [v, w, '']}",
        [
            ("the first", with("a=b,k=v"), true, true),
            ("the second", with("k=w"), true, true),
            ("another", with("k=x"), false, false),
            ("a key twice", with("k=v,k=v"), false, false),
            ("a key in capitals", with("k=v,A=1"), false, false),
            ("blanks around", with("k = v"), false, false),
            ("none", one(span("a")), false, false),
        ],
    );
}

#[test]
fn trace_flags() {
    for (flags, kept) in [(0, false), (1, true), (0x101, true), (0x100, false), (3, true), (2, false)] {
        table("trace_flags", "{}", [("flags", one(span("a").flags(flags)), kept, kept)]);
    }
}

#[test]
fn span_counts() {
    let of = |count: usize| (0..count).map(|_| span("a")).collect::<Spans>();
    let twice = vec![span("a").id(7), span("a").id(7)];
    table(
        "span_count",
        "{min_spans: 2, max_spans: 3}",
        [
            ("1", of(1), false, false),
            ("2", of(2), true, true),
            ("3", of(3), true, true),
            ("4", of(4), false, false),
            ("the same twice", twice, true, true),
        ],
    );
    table("span_count", "{max_spans: 1}", [("1", of(1), true, true), ("2", of(2), false, false)]);
    table("span_count", "{min_spans: 2}", [("many", of(50), true, true)]);
}

/// A share of traces, by the end of the id, by what is stated, or by the hash.
#[test]
fn chance_is_that_of_the_id() {
    let low = || span("a").trace(1_u64);
    let high = || span("a").trace([0xff_u8; 16]);
    for (spans, ours) in [(low(), false), (high(), true), (low().trace_state("ot=rv:ffffffffffffff"), true)] {
        assert_eq!(keeps("{name: p, type: probabilistic, probabilistic: {sampling_percentage: 50}}", "tracetailor", &one(spans)), ours);
    }
    // The hash of this id is 3728843964641534796.
    let hashed = || one(span("a").trace(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()));
    for (percentage, kept) in [(20, false), (21, true)] {
        let policy = format!("{{name: p, type: probabilistic, probabilistic: {{sampling_percentage: {percentage}}}}}");
        assert_eq!(keeps(&policy, "otelcol", &hashed()), kept);
        let salted = policy.replace("}}", ", hash_salt: default-hash-seed}}");
        assert_eq!(keeps(&salted, "tracetailor", &hashed()), kept, "a salt asks for the hash");
    }
}

const GOLD: &str = "{name: gold, type: string_attribute, string_attribute: {key: tier, values: [gold]}}";
const ERRORS: &str = "{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}";

#[test]
fn all_of_and_may_be_met_by_different_spans() {
    let gold = || span("a").attribute("tier", "gold");
    table(
        "and",
        &format!("{{and_sub_policy: [{GOLD}, {ERRORS}]}}"),
        [
            ("both in one", one(gold().status_error("")), true, true),
            ("one in each", vec![gold(), span("b").status_error("")], true, true),
            ("one of them", vec![gold(), span("b")], false, false),
        ],
    );
    let not = format!("{{name: n, type: not, not: {{not_sub_policy: {GOLD}}}}}");
    table(
        "and",
        &format!("{{and_sub_policy: [{ERRORS}, {not}]}}"),
        [("without", one(span("b").status_error("")), true, true), ("with", one(gold().status_error("")), false, false)],
    );
    table("and", "{and_sub_policy: [{type: always_sample}, {type: always_sample}]}", [("names are not asked for", lasting(1), true, true)]);
}

#[test]
fn not_swaps() {
    table(
        "not",
        &format!("{{not_sub_policy: {ERRORS}}}"),
        [("an error", one(span("a").status_error("")), false, false), ("none", lasting(1), true, true)],
    );
}

#[test]
fn drop_beats_every_keep_where_all_of_it_is_met() {
    let drop = format!("{{name: always, type: always_sample}}, {{name: d, type: drop, drop: {{drop_sub_policy: [{GOLD}, {ERRORS}]}}}}");
    for compatibility in ["tracetailor", "otelcol"] {
        let gold = || span("a").attribute("tier", "gold");
        assert!(!keeps(&drop, compatibility, &vec![gold(), span("b").status_error("")]));
        assert!(keeps(&drop, compatibility, &vec![gold(), span("b")]));
    }
}

#[test]
fn an_empty_list_is_what_the_collector_makes_of_it() {
    for (kind, key, kept) in
        [("and", "and_sub_policy", true), ("drop", "drop_sub_policy", false), ("composite", "composite_sub_policy", false)]
    {
        let policies = format!("{{name: always, type: always_sample}}, {{name: p, type: {kind}, {kind}: {{{key}: []}}}}");
        let alone = format!("{{name: p, type: {kind}, {kind}: {{{key}: []}}}}");
        assert_eq!(keeps(&alone, "otelcol", &lasting(1)), kept);
        assert_eq!(keeps(&policies, "otelcol", &lasting(1)), kind != "drop");
        assert!(FACTORY.parse(&format!("{{policies: [{alone}]}}")).is_err());
    }
}
