//! Conditions on traces as a whole: `ottl_condition` with `trace:`.

use tracetailor_core::testing::otlp::SpanKind;

use super::*;

fn keeps(block: &str, spans: Vec<Built<SpanDraft>>) -> bool {
    let policies = format!("policies: [{{name: p, type: ottl_condition, ottl_condition: {{{block}}}}}]");
    let mut driver = driver("decision_wait: 1s", &policies);
    receive(&mut driver, spans);
    seconds(&mut driver, 1.1);
    !driver.finish().spans().is_empty()
}

fn holds(condition: &str, spans: Vec<Built<SpanDraft>>) {
    assert!(keeps(&format!("trace: ['{condition}']"), spans.clone()), "{condition}");
    assert!(!keeps(&format!("trace: ['not ({condition})']"), spans), "not {condition}");
}

/// A root that calls, and is answered; a call that is not; a span whose parent has not come.
fn torn() -> Vec<Built<SpanDraft>> {
    vec![
        of(1, "root").id(1).kind(SpanKind::Server).times(0, 3000).service("shop"),
        of(1, "call").id(2).parent(1).kind(SpanKind::Client).service("shop"),
        of(1, "answer").id(3).parent(2).kind(SpanKind::Server).service("pay").status_error("no"),
        of(1, "lost call").id(4).parent(1).kind(SpanKind::Client).service("shop"),
        of(1, "orphan").id(6).parent(5).service("mail"),
    ]
}

/// Called from outside: the parent of its first span is a browser's.
fn from_outside() -> Vec<Built<SpanDraft>> {
    vec![of(1, "entry").id(2).parent(9).kind(SpanKind::Server).times(10, 50), of(1, "work").id(3).parent(2).times(20, 30)]
}

#[test]
fn every_path_tells_what_it_says() {
    for (path, of_torn, of_outside) in [
        ("duration >= Duration(\"3s\") and trace.duration < Duration(\"3001ms\")", true, false),
        ("span_count == 5", true, false),
        ("error_count == 1", true, false),
        ("service_count == 3", true, false),
        ("service_count == 1", false, true),
        ("has_root == true", true, false),
        ("root_count == 1", true, false),
        ("orphans == 1", true, false),
        ("orphans == 0", false, true),
        ("open_parents == 1", true, false),
        ("open_parents == 0", false, true),
        ("dangling_calls == 1", true, false),
        ("outside_parent == true", false, true),
        ("completeness > 0.83 and trace.completeness < 0.84", true, false),
        ("completeness == 1.0", false, true),
        ("bytes > 250 and trace.bytes < 500", true, false),
    ] {
        for (spans, expected) in [(torn(), of_torn), (from_outside(), of_outside)] {
            let condition = if expected { format!("trace.{path}") } else { format!("not (trace.{path})") };
            holds(&condition, spans);
        }
    }
}

#[test]
fn below_trace_the_context_need_not_be_named_and_one_condition_is_enough() {
    assert!(keeps("trace: ['span_count > 100', 'root_count == 1']", torn()));
    assert!(keeps("span: ['name == \"nobody\"'], trace: 'has_root == true'", torn()));
    assert!(keeps("span: ['name == \"entry\"'], trace: 'has_root == true'", from_outside()));
    assert!(!keeps("span: ['name == \"nobody\"'], trace: 'has_root == true'", from_outside()));
}

#[test]
fn a_span_is_no_trace() {
    let problems = |block: &str| {
        let yaml = format!("policies: [{{name: p, type: ottl_condition, ottl_condition: {{{block}}}}}]");
        FACTORY.parse(&yaml).map_or_else(|errors| errors.to_string(), |_| String::new())
    };
    for (block, place, wrong) in [
        ("trace: ['span.name == \"a\"']", "ottl_condition.trace[0]", "span"),
        ("trace: ['trace.spancount > 5']", "ottl_condition.trace[0]", "did you mean span_count?"),
        ("span: ['trace.span_count > 5']", "ottl_condition.span[0]", "trace"),
        ("", "ottl_condition.span", "nor trace is given"),
    ] {
        let told = problems(block);
        assert!(told.contains(place) && told.contains(wrong), "{told}");
    }
    let ingest =
        "{sampling_strategy: span-ingest, policies: [{name: p, type: ottl_condition, ottl_condition: {trace: 'has_root == true'}}]}";
    assert!(FACTORY.parse(ingest).is_err_and(|errors| errors.to_string().contains("needs the whole trace")));
}
