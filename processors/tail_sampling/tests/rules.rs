//! Rules in place of policies: what each condition fits, in what order they decide, and what is refused.

use tracetailor_core::config::{ConfigErrors, Validate, parse};
use tracetailor_core::testing::trace_of;

use super::super::Config;
use super::*;

/// What becomes of a trace by these rules, whichever of its spans come first.
fn decided(rules: &str, spans: &[Built<SpanDraft>]) -> bool {
    let orders = [spans.to_vec(), spans.iter().rev().cloned().collect()];
    let kept = orders.map(|spans| {
        let mut driver = driver("decision_wait: 1s", &format!("rules: [{rules}]"));
        receive(&mut driver, spans);
        seconds(&mut driver, 1.1);
        !driver.finish().spans().is_empty()
    });
    assert_eq!(kept[0], kept[1], "{rules} depends on the order");
    kept[0]
}

/// Whether a rule with this `match` fits.
fn fits(matched: &str, spans: &[Built<SpanDraft>]) -> bool {
    decided(&format!("{{name: r, keep: true, match: {{{matched}}}}}, {{name: rest, drop: true}}"), spans)
}

fn plain() -> Built<SpanDraft> {
    span("GET /cart").service("shop").resource("deployment.environment", "Production")
}

#[test]
fn each_word_of_match_fits_what_it_says() {
    let routed = || plain().attribute("http.route", "/cart/{id}").attribute("http.status_code", 503);
    for (matched, spans, expected) in [
        ("environment: production", vec![plain()], true),
        ("environment: [staging, prod*]", vec![plain()], true),
        ("environment: prod", vec![plain()], false),
        ("environment: production", vec![span("a").resource("deployment.environment.name", "production")], true),
        ("environment: production", vec![span("a").attribute("deployment.environment", "production")], false),
        ("service: SHOP", vec![plain()], true),
        ("service: \"sh?p*\"", vec![plain()], true),
        ("service: shop", vec![span("a")], false),
        ("span_name: \"*cart*\"", vec![plain()], true),
        ("span_name: cart", vec![plain()], false),
        ("route: [/health, /cart/*]", vec![routed()], true),
        ("route: /cart", vec![routed()], false),
        ("status_code: 503", vec![routed()], true),
        ("status_code: [404, 5??]", vec![routed()], true),
        ("status_code: 5*", vec![plain().attribute("http.response.status_code", 200)], false),
        ("status_code: 5*", vec![plain().attribute("http.response.status_code", "500")], true),
        ("error: true", vec![plain(), plain().status_error("no")], true),
        ("error: true", vec![plain(), plain().exception("E", "no")], true),
        ("error: true", vec![plain().event(0, "retry", []), plain().status_ok()], false),
        ("slower_than: 1s", vec![plain().times(0, 1000)], false),
        ("slower_than: 1s", vec![plain().times(0, 1001)], true),
        ("slower_than: 1s", vec![plain().times(0, 600), plain().times(600, 1200)], false),
        ("attributes: {app.tier: gold}", vec![plain(), plain().attribute("app.tier", "Gold")], true),
        ("attributes: {app.tier: gold}", vec![plain().resource("app.tier", "gold")], true),
        ("attributes: {app.tier: gold}", vec![plain().attribute("app.tiers", "gold")], false),
        ("attributes: {http.method: POST}", vec![plain().attribute("http.request.method", "post")], true),
        ("attributes: {http.request.method: POST}", vec![plain().attribute("http.method", "POST")], true),
        ("attributes: {retried: true, attempt: [2, 3]}", vec![plain().attribute("retried", true).attribute("attempt", 3)], true),
        ("attributes: {retried: true, attempt: [2, 3]}", vec![plain().attribute("retried", true).attribute("attempt", 4)], false),
        ("attributes: {user.id: \"*\"}", vec![plain().attribute("enduser.id", 7)], true),
    ] {
        assert_eq!(fits(matched, &spans), expected, "{matched}");
    }
}

#[test]
fn all_of_it_must_hold_of_one_span() {
    let matched = "service: shop, error: true, slower_than: 50ms, span_name: pay*, attributes: {tier: gold}";
    let whole = || span("pay").service("shop").times(0, 60).attribute("tier", "gold").status_error("no");
    assert!(fits(matched, &[plain(), whole()]));
    for torn in [
        vec![span("pay").service("shop").times(0, 60).attribute("tier", "gold"), plain().status_error("no")],
        vec![whole().service("cart"), plain()],
        vec![span("pay").service("shop").times(0, 10).attribute("tier", "gold").status_error("no"), plain().times(0, 100)],
        vec![span("mail").service("shop").times(0, 60).attribute("tier", "gold").status_error("no"), span("pay").service("shop")],
    ] {
        assert!(!fits(matched, &torn));
    }
}

#[test]
fn the_first_that_fits_decides() {
    let rules =
        "{name: health, drop: true, match: {route: /health}}, {name: errors, keep: true, match: {error: true}}, {name: rest, drop: true}";
    assert!(!decided(rules, &[plain().attribute("http.route", "/health").status_error("no")]));
    assert!(decided(rules, &[plain().status_error("no")]));
    assert!(!decided(rules, &[plain()]));
}

#[test]
fn each_rule_counts_what_it_decided_and_no_more() {
    let rules = "rules: [{name: health, drop: true, match: {route: /health}}, {name: some, sample: 50%, match: {service: shop}}]";
    let mut driver = driver("decision_wait: 1s", rules);
    let low = 1_u128.to_be_bytes();
    receive(&mut driver, [of(1, "a").service("shop").trace([0xff; 16]), of(2, "b").service("shop").trace(low), of(3, "c")]);
    receive(&mut driver, [of(4, "d").attribute("http.route", "/health")]);
    seconds(&mut driver, 1.1);
    let count = |policy, decision| counted(&driver, "count_traces_sampled", &[("policy", policy), ("decision", decision)]);
    assert_eq!([count("health", "dropped"), count("health", "sampled"), count("health", "not_sampled")], [1, 0, 0]);
    assert_eq!([count("some", "sampled"), count("some", "not_sampled")], [1, 1]);
    assert_eq!([count("none", "sampled"), count("none", "not_sampled")], [1, 0]);
    assert_eq!(driver.ended(Column::Dropped, "dropped_by_policy"), 1);
    assert_eq!(driver.ended(Column::Dropped, "not_sampled"), 1);
    let kept = driver.finish();
    let states: Vec<(String, String)> = kept.spans().into_iter().map(|span| (span.name, span.trace_state)).collect();
    assert_eq!(states, [("a".to_owned(), "ot=th:8".to_owned()), ("c".to_owned(), String::new())]);
}

#[test]
fn a_journey_is_kept_whole_or_not_at_all() {
    let rules = "rules: [{name: j, sample: {share: 30%, by: [session.id, correlation]}}]";
    let mut driver = driver("decision_wait: 1s", rules);
    let journey = |number: u64| number / 4;
    let spans = (0..400_u64).map(|number| {
        let span = of(number + 1, "a").trace_state("ot=th:4;rv:ffffffffffffff");
        let told = format!("journey {}", journey(number));
        // The one that is set first in the list counts, and it does not matter where it stands.
        match number % 4 {
            0 => span.attribute("session.id", &*told).attribute("correlation", number as i64),
            1 => span.resource("session.id", &*told),
            2 => span.attribute("correlation", "other").attribute("session.id", &*told),
            _ => span.attribute("session.id", &*told),
        }
    });
    receive(&mut driver, spans);
    seconds(&mut driver, 1.1);
    let kept = driver.finish().spans();
    let mut of_each = std::collections::BTreeMap::<u64, usize>::new();
    for span in &kept {
        let number = u64::from_be_bytes(span.trace_id[8..].try_into().unwrap()) - 1;
        *of_each.entry(journey(number)).or_default() += 1;
        assert_eq!(span.trace_state, "ot=rv:ffffffffffffff", "nobody can say how probable it was");
    }
    assert!(of_each.values().all(|traces| *traces == 4), "{of_each:?}");
    assert!((20..=40).contains(&of_each.len()), "{} of 100 journeys", of_each.len());
}

#[test]
fn a_trace_of_no_journey_goes_by_its_own_randomness() {
    let rules = "{name: j, sample: {share: 50%, by: session.id}}";
    assert!(decided(rules, &[span("a").trace([0xff; 16])]));
    assert!(!decided(rules, &[span("a").trace(1_u128.to_be_bytes()).attribute("session.id", "")]));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let keep = "{name: a, keep: true, match: {error: true}}";
    for (rules, place, wrong) in [
        ("{keep: true}", "rules[0].name", "is missing"),
        ("{name: none, keep: true}", "rules[0].name", "no rule fits"),
        ("{name: a}", "rules[0]", "does not say what becomes"),
        ("{name: a, keep: true, sample: 10%}", "rules[0]", "more than one thing"),
        ("{name: a, keep: false}", "rules[0].keep", "cannot be false"),
        ("{name: a, sample: 0%}", "rules[0].sample", "keeps nothing"),
        ("{name: a, sample: 101%}", "rules[0].sample", "more than all"),
        ("{name: a, sample: {share: 10%}}", "rules[0].sample.by", "is missing"),
        ("{name: a, sample: {by: k}}", "rules[0].sample.share", "is missing"),
        ("{name: a, keep: true, match: {}}", "rules[0].match", "says nothing"),
        ("{name: a, keep: true, match: {error: false}}", "rules[0].match.error", "cannot be false"),
        ("{name: a, keep: true, match: {attributes: {k: []}}}", "rules[0].match.attributes.k", "lists no value"),
        ("{name: a, keep: true, match: {envronment: x}}", "rules[0].match.envronment", "environment"),
        (&format!("{keep}, {keep}, {{name: r, drop: true}}"), "rules[1].name", "two rules"),
        (&format!("{{name: r, drop: true}}, {keep}"), "rules[1]", "is never reached"),
    ] {
        let told = FACTORY.parse(&format!("rules: [{rules}]")).unwrap_err().to_string();
        assert!(told.contains(place) && told.contains(wrong), "{rules}: {told}");
    }
    let both = FACTORY.parse("{rules: [{name: r, drop: true}], policies: [{name: a, type: always_sample}]}").unwrap_err().to_string();
    assert!(both.contains("stands beside policies"), "{both}");
}

#[test]
fn a_list_that_leaves_something_over_is_warned_of() {
    let warnings = |rules: &str| {
        let mut errors = ConfigErrors::default();
        let config: Config = parse(&format!("rules: [{rules}]"), "config.yaml", "processors.tail_sampling").unwrap();
        config.validate(&mut errors);
        errors.to_string()
    };
    assert!(warnings("{name: a, keep: true, match: {error: true}}").contains("has no rule without conditions"));
    assert_eq!(warnings("{name: a, keep: true, match: {error: true}}, {name: rest, sample: 1%}"), "");
}

#[test]
fn marks_name_the_rule() {
    let mut driver = driver("decision_wait: 1s, marks: true", "rules: [{name: errors, keep: true, match: {error: true}}]");
    driver.receive(trace_of("a -> b").change("b", |span| span.status_error("no")).request());
    seconds(&mut driver, 1.1);
    let spans = driver.finish().spans();
    let named = |key: &str| spans[0].attributes.iter().any(|attribute| format!("{attribute:?}").contains(key));
    assert!(named("tracetailor.sampling.policy") && named("\"errors\""));
}

/// Whether a rule with these conditions fits.
fn holds(conditions: &str, spans: &[Built<SpanDraft>]) -> bool {
    decided(&format!("{{name: r, keep: true, {conditions}}}, {{name: rest, drop: true}}"), spans)
}

#[test]
fn the_key_says_how_many_conditions_must_hold() {
    let two = [span("a").attribute("x", 1), span("b").resource("team", "payments")];
    let (x, team, none) = ("'span.attributes[\"x\"] == 1'", "'resource.attributes[\"team\"] == \"payments\"'", "'span.name == \"c\"'");
    for (conditions, expected) in [
        (format!("when: {x}"), true),
        (format!("when: [{none}, {team}]"), true),
        (format!("when: {none}"), false),
        (format!("when_all: [{x}, {team}]"), true),
        (format!("when_all: [{x}, {none}]"), false),
        (format!("unless: {none}"), true),
        (format!("unless: [{none}, {x}]"), false),
        (format!("when: {x}, unless: {team}"), false),
        (format!("when: {x}, when_all: [{team}], unless: [{none}], match: {{span_name: a}}"), true),
        ("when_all: ['trace.span_count == 2', 'span.name == \"b\"']".to_owned(), true),
        ("when_all: ['trace.span_count > 2', 'span.name == \"b\"']".to_owned(), false),
        ("when: ['trace.has_root == true and trace.error_count == 0']".to_owned(), true),
        ("unless: ['trace.duration < Duration(\"1s\")']".to_owned(), false),
        ("when: ['IsRootSpan()']".to_owned(), true),
    ] {
        assert_eq!(holds(&conditions, &two), expected, "{conditions}");
    }
    let failed = [span("a").exception("Timeout", "no")];
    assert!(holds("when: ['spanevent.attributes[\"exception.type\"] == \"Timeout\"']", &failed));
    assert!(!holds("when: ['spanevent.attributes[\"exception.type\"] == \"E\"']", &failed));
}

#[test]
fn a_condition_on_a_trace_and_a_span_at_once_is_refused() {
    for (condition, right) in [
        (
            "trace.span_count > 500 and span.attributes[\"a and b\"] == 1",
            "when_all: ['trace.span_count > 500', 'span.attributes[\"a and b\"] == 1']",
        ),
        ("trace.span_count > 500 or span.name == \"x\"", "when_all: ['trace.span_count > 500', 'span.name == \"a\"']"),
        (
            "resource.attributes[\"team\"] == \"x\" and trace.has_root == true",
            "when_all: ['resource.attributes[\"team\"] == \"x\"', 'trace.has_root == true']",
        ),
    ] {
        for key in ["when", "when_all", "unless"] {
            let yaml = format!("rules: [{{name: a, keep: true, {key}: '{condition}'}}]");
            let told = FACTORY.parse(&yaml).unwrap_err().to_string();
            assert!(told.contains(&format!("rules[0].{key}[0]")) && told.contains(right), "{condition}: {told}");
        }
    }
    let told = FACTORY.parse("rules: [{name: a, keep: true, when: ['span.nme == 1']}]").unwrap_err().to_string();
    assert!(told.contains("rules[0].when[0]") && told.contains("did you mean"), "{told}");
}
