//! What kept spans say of how probable that was, and whether counting by it comes to the truth.

use tracetailor_core::probability::{OtelState, Randomness, Threshold};
use tracetailor_core::testing::Dice;

use super::*;

fn some(percentage: f64) -> String {
    format!("{{name: some, type: probabilistic, probabilistic: {{sampling_percentage: {percentage}}}}}")
}

const HIGH: [u8; 16] = [0xff; 16];

/// The trace state of a span with the highest randomness, after policies.
fn state_after(keys: &str, policies: &str, before: &str) -> Option<String> {
    let mut driver = driver(&format!("decision_wait: 1s, {keys}"), &format!("policies: [{policies}]"));
    receive(&mut driver, [of(0, "a").trace(HIGH).trace_state(before).attribute("tier", "gold")]);
    seconds(&mut driver, 2.1);
    driver.finish().spans().pop().map(|span| span.trace_state)
}

#[test]
fn the_threshold_is_that_of_whoever_was_most_generous() {
    let (all, errors) = ("{name: all, type: always_sample}", "{name: e, type: status_code, status_code: {status_codes: [ERROR]}}");
    let limit = "{name: r, type: rate_limiting, rate_limiting: {spans_per_second: 100}}";
    let and = |children: &str| format!("{{name: and, type: and, and: {{and_sub_policy: [{children}]}}}}");
    let not = |child: &str| format!("{{name: not, type: not, not: {{not_sub_policy: {child}}}}}");
    let drop = |child: &str| format!("{{name: d, type: drop, drop: {{drop_sub_policy: [{child}]}}}}");
    let composite = format!("{{name: c, type: composite, composite: {{max_total_spans_per_second: 9, composite_sub_policy: [{all}]}}}}");
    let gold = "{name: g, type: string_attribute, string_attribute: {key: tier, values: [gold]}}";
    for (policies, before, after) in [
        (some(50.0), "", Some("ot=th:8")),
        (some(33.3), "", Some("ot=th:aac083126e979")),
        (format!("{}, {}", some(50.0), some(25.0).replace("some", "fewer")), "", Some("ot=th:8")),
        (format!("{}, {all}", some(50.0)), "", Some("")),
        (format!("{}, {errors}", some(50.0)), "a=1", Some("ot=th:8,a=1")),
        (and(&format!("{}, {}", some(50.0), some(25.0))), "", Some("ot=th:c")),
        (and(&format!("{gold}, {}", some(25.0))), "", Some("ot=th:c")),
        // What nobody can say is taken away.
        (composite.clone(), "ot=th:4;rv:ffffffffffffff", Some("ot=rv:ffffffffffffff")),
        (format!("{composite}, {}", some(50.0)), "ot=th:4", Some("ot=th:8")),
        (and(&format!("{composite}, {}", some(50.0))).replace(&composite, limit), "", Some("ot=th:8")),
        // The first interval of a limit has no threshold but "always", which says nothing.
        (limit.to_owned(), "ot=th:4", Some("ot=th:4")),
        (not(errors), "ot=th:4", Some("ot=th:4")),
        (not(&some(50.0)), "ot=th:4", None),
        // Who was spared by chance is kept with a chance that is below a threshold, which none can say.
        (format!("{all}, {}", drop(&not(&some(50.0)))), "ot=th:4", Some("")),
        (format!("{all}, {}", drop(&format!("{errors}, {}", some(50.0)))), "ot=th:4", Some("ot=th:4")),
        (format!("{all}, {}", drop(&format!("{}, {errors}", some(50.0)))), "ot=th:4", Some("ot=th:4")),
    ] {
        assert_eq!(state_after("sample_on_first_match: false", &policies, before).as_deref(), after, "{policies}");
        assert_eq!(state_after("sample_on_first_match: true", &policies, before).as_deref(), after, "{policies}, at the first match");
    }
}

#[test]
fn the_hash_says_nothing_that_others_could_count_by() {
    // This id is kept by the hash as well.
    let kept = |keys: &str, policies: &str| {
        let mut driver = driver(&format!("decision_wait: 1s, {keys}"), &format!("policies: [{policies}]"));
        receive(&mut driver, [of(0, "a").trace(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()).trace_state("ot=th:4;x:1")]);
        seconds(&mut driver, 2.1);
        driver.finish().spans().pop().map(|span| span.trace_state)
    };
    let salted = some(50.0).replace("}}", ", hash_salt: default-hash-seed}}");
    for (keys, policy) in [("randomness: hash", some(50.0)), ("compatibility: otelcol", some(50.0)), ("marks: false", salted)] {
        assert_eq!(kept(keys, &policy), Some("ot=x:1".to_owned()), "{keys}");
        let with_all = format!("{policy}, {{name: all, type: always_sample}}");
        assert_eq!(kept(keys, &with_all), Some("ot=th:4;x:1".to_owned()), "{keys}: kept for certain, whatever the hash says");
    }
}

#[test]
fn a_trace_state_that_breaks_the_rules_stays() {
    let mut driver = driver("decision_wait: 1s", &format!("policies: [{}]", some(50.0)));
    receive(&mut driver, [of(0, "a").trace(HIGH).trace_state("nonsense")]);
    seconds(&mut driver, 1.1);
    assert_eq!(counted(&driver, "count_spans_with_unparseable_tracestate", &[]), 1);
    assert_eq!(driver.finish().spans()[0].trace_state, "nonsense");
}

#[test]
fn marks_tell_who_kept_it() {
    let policies = format!("policies: [{ERROR}, {}]", some(50.0));
    let mut driver = driver("decision_wait: 1s, marks: true", &policies);
    receive(&mut driver, [of(0, "a").trace(HIGH)]);
    seconds(&mut driver, 1.1);
    receive(&mut driver, [of(0, "b").trace(HIGH)]);
    let sink = driver.finish();
    let attributes = |place: usize| {
        let mut all: Vec<String> = sink.spans()[place]
            .attributes
            .iter()
            .map(|found| format!("{}: {:?}", found.key, found.value.as_ref().unwrap().value))
            .collect();
        all.sort();
        all.join("; ")
    };
    let first = attributes(0);
    for told in [
        "policy: Some(StringValue(\"some\"))",
        "reason: Some(StringValue(\"sampled\"))",
        "trigger: Some(StringValue(\"deadline\"))",
        "weight: Some(DoubleValue(2.0))",
    ] {
        assert!(first.contains(&format!("tracetailor.sampling.{told}")), "{first}");
    }
    assert!(attributes(1).contains("reason: Some(StringValue(\"late\"))"), "{}", attributes(1));
    let scopes = sink.traces().resource_spans.into_iter().flat_map(|resource| resource.scope_spans).filter_map(|scope| scope.scope);
    let keys: Vec<String> = scopes.flat_map(|scope| scope.attributes).map(|attribute| attribute.key).collect();
    assert_eq!(keys, ["tailsampling.policy", "tailsampling.cached_decision"]);
}

const ERROR: &str = "{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}";

/// Errors, and a share of the rest: as policies and as rules.
fn both_ways(percentage: f64) -> [String; 2] {
    let rules = format!("rules: [{{name: errors, keep: true, match: {{error: true}}}}, {{name: rest, sample: {percentage}%}}]");
    [format!("policies: [{ERROR}, {}]", some(percentage)), rules]
}

/// Of traces that were sampled before at several thresholds, or not at all, those that are kept count back to how many there had been.
#[test]
fn what_is_kept_counts_back_to_what_there_was() {
    for percentage in [50.0, 10.0, 1.0, 0.1] {
        let mut errors_in_sigmas = Vec::new();
        for seed in 0..20 {
            let [(truth, estimate, variance), by_rules] = both_ways(percentage).map(|ways| sample(&ways, percentage, seed));
            assert_eq!((truth, estimate, variance), by_rules, "{percentage} %, seed {seed}: rules choose the same");
            let sigmas = (estimate - truth) / variance.max(1.0).sqrt();
            assert!(sigmas.abs() < 3.0, "{percentage} %, seed {seed}: {estimate} of {truth}, {sigmas} sigmas");
            errors_in_sigmas.push(sigmas);
        }
        let mean = errors_in_sigmas.iter().sum::<f64>() / 20.0;
        assert!(mean.abs() < 3.0 / 20_f64.sqrt(), "{percentage} %: off by {mean} sigmas in the mean");
    }
}

/// How many traces there had been, how many that makes counted back, and the variance of that by the truth.
fn sample(ways: &str, percentage: f64, seed: u64) -> (f64, f64, f64) {
    let mut dice = Dice::new(seed.wrapping_mul(0x9e37_79b9) + 1);
    let mut driver = driver("decision_wait: 1s, num_traces: 1000000", ways);
    let thresholds = [1.0, 0.5, 0.25, 0.001].map(|share| Threshold::of(share, 4));
    let (mut truth, mut variance, mut spans) = (0.0, 0.0, Vec::new());
    for number in 0..8_000_u32 {
        let before = thresholds[number as usize % 4];
        let randomness = dice.roll() >> 8;
        let is_error = number % 50 == 0;
        truth += 1.0;
        let ours = if is_error { before } else { before.max(Threshold::of(percentage / 100.0, 14)) };
        variance += 1.0 / ours.probability() - 1.0;
        if !before.keeps(Randomness::new(randomness)) {
            continue;
        }
        let id = (u128::from(number + 1) << 64 | u128::from(randomness)).to_be_bytes();
        let state = if before == Threshold::ALWAYS { String::new() } else { format!("ot=th:{before}") };
        let span = of(0, "a").trace(id).trace_state(&state);
        spans.push(if is_error { span.status_error("no") } else { span });
    }
    receive(&mut driver, spans);
    seconds(&mut driver, 1.1);
    let weights = driver.finish().spans().into_iter().map(|span| {
        let state = OtelState::read(&span.trace_state).unwrap();
        state.threshold().map_or(1.0, |threshold| threshold.weight().unwrap())
    });
    (truth, weights.sum(), variance)
}
