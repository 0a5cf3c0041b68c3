//! The policy `structure`: what is missing in a trace.

use tracetailor_core::testing::trace_of;

use super::*;

/// Whether a trace is kept, whichever of its spans come first.
fn keeps(block: &str, drawing: &str) -> bool {
    let policies = format!("policies: [{{name: p, type: structure, structure: {{{block}}}}}]");
    let spans = trace_of(drawing).spans();
    let kept = [spans.clone(), spans.iter().rev().cloned().collect()].map(|spans| {
        let mut driver = driver("decision_wait: 1s", &policies);
        receive(&mut driver, spans);
        seconds(&mut driver, 1.1);
        !driver.finish().spans().is_empty()
    });
    assert_eq!(kept[0], kept[1], "{block} of {drawing} depends on the order");
    kept[0]
}

const WHOLE: &str = "a -> b -> c";
const BROKEN: &str = "a -> [b] -> c, d";
const TWO_ROOTS: &str = "a -> b; x -> y";
const ENTERED: &str = "[browser] -> a -> b";
const ENTERED_BROKEN: &str = "[browser] -> a -> [b] -> c";
const CALLS: &str = "a@shop -> b@cart -> c@cart";
const HANGING: &str = "a@shop -> [b@cart]";

#[test]
fn each_condition_fits_what_it_says() {
    for (block, fits, others) in [
        ("has_root: true", &[WHOLE, BROKEN, TWO_ROOTS, CALLS][..], &[ENTERED, ENTERED_BROKEN][..]),
        ("has_root: false", &[ENTERED, ENTERED_BROKEN], &[WHOLE, BROKEN]),
        ("min_orphans: 1", &[BROKEN, ENTERED_BROKEN], &[WHOLE, TWO_ROOTS, ENTERED]),
        ("min_orphans: 2", &[BROKEN], &[ENTERED_BROKEN]),
        ("min_open_parents: 1", &[BROKEN, ENTERED_BROKEN], &[WHOLE, ENTERED]),
        ("min_open_parents: 2", &[], &[BROKEN, ENTERED_BROKEN]),
        ("min_roots: 2", &[TWO_ROOTS], &[WHOLE, ENTERED]),
        ("min_dangling_calls: 1", &[HANGING], &[CALLS, WHOLE]),
        ("max_completeness: 0.75", &[BROKEN, ENTERED_BROKEN], &[WHOLE, ENTERED]),
        ("max_completeness: 0.7", &[ENTERED_BROKEN], &[BROKEN]),
    ] {
        fits.iter().for_each(|drawing| assert!(keeps(block, drawing), "{block} fits {drawing}"));
        others.iter().for_each(|drawing| assert!(!keeps(block, drawing), "{block} does not fit {drawing}"));
    }
}

#[test]
fn all_that_is_given_must_hold() {
    assert!(keeps("has_root: true, min_orphans: 2, min_open_parents: 1", BROKEN));
    assert!(!keeps("has_root: false, min_orphans: 2", BROKEN));
    assert!(!keeps("has_root: true, min_orphans: 3", BROKEN));
}

#[test]
fn it_stands_inside_of_others() {
    let policies = "policies: [{name: fine, type: not, not: {not_sub_policy: {type: structure, structure: {min_orphans: 1}}}}]";
    let kept = |drawing: &str| {
        let mut driver = driver("decision_wait: 1s", policies);
        driver.receive(trace_of(drawing).request());
        seconds(&mut driver, 1.1);
        !driver.finish().spans().is_empty()
    };
    assert!(kept(WHOLE) && kept(ENTERED));
    assert!(!kept(BROKEN));
}

#[test]
fn what_says_nothing_is_refused() {
    for (block, wrong) in [
        ("", "says nothing that a trace must have"),
        ("min_orphans: 0", "says nothing that a trace must have"),
        ("has_root: false, min_roots: 1", "cannot be met"),
        ("max_completeness: 1", "every trace would fit"),
        ("max_completeness: .nan", "every trace would fit"),
    ] {
        let told = FACTORY.parse(&format!("policies: [{{name: p, type: structure, structure: {{{block}}}}}]")).unwrap_err().to_string();
        assert!(told.contains("policies[0].structure") && told.contains(wrong), "{block}: {told}");
    }
    let yaml = "{sampling_strategy: span-ingest, policies: [{name: p, type: structure, structure: {min_orphans: 1}}]}";
    assert!(FACTORY.parse(yaml).unwrap_err().to_string().contains("needs the whole trace"));
}
