//! What is refused when a configuration is read, where, and with which words.

use super::*;
use crate::config::{ConfigErrors, OneOrMany, Path, load};

fn told(context: Option<&str>, text: &str) -> String {
    match Condition::parse(&Contexts::of(Signal::Traces), context, text) {
        Ok(condition) => condition.warnings().to_string(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn conditions_are_refused_with_what_would_be_right() {
    for (text, expected) in [
        ("nme == \"a\"", "error: character 1: there is no path nme in the context span; did you mean name?"),
        ("span.atributes[\"k\"] == 1", "error: character 6: there is no path atributes in the context span; did you mean attributes?"),
        (
            "attributes.http.route == 1",
            "error: character 1: there is no path attributes.http.route in the context span; a key is written in brackets: attributes[\"http.route\"]",
        ),
        ("schema_url == \"a\"", "error: character 1: there is no path schema_url in the context span; write resource.schema_url"),
        ("spanevent.name == \"a\"", "error: character 1: a spanevent cannot be seen from the context span; choose the context spanevent"),
        (
            "profile.x == 1",
            "error: character 1: the Collector has the context profile; here it is planned and does not work yet; leave the expression out",
        ),
        (
            "otelcol.client.addr == \"a\"",
            "error: character 1: the Collector has otelcol.client.addr; here it is planned and does not work yet; take otelcol.client.metadata[\"…\"] and a header that the client or a proxy before it sends",
        ),
        ("kind == SPAN_KIND_SERVERR", "error: character 9: there is no enum SPAN_KIND_SERVERR; did you mean SPAN_KIND_SERVER?"),
        (
            "IsMatch(name, \"[\")",
            "error: character 15: is no regular expression: unclosed character class; the syntax is that of RE2: https://github.com/google/re2/wiki/Syntax",
        ),
        ("IsMatch(name)", "error: character 1: IsMatch lacks its argument pattern; write IsMatch(target, pattern)"),
        ("IsMatch(name, \"a\", 1)", "error: character 1: IsMatch takes 2 arguments, not 3; write IsMatch(target, pattern)"),
        ("IsMatch(name, patern=\"a\")", "error: character 22: IsMatch has no parameter patern; did you mean pattern?"),
        ("IsMatch(name, 5)", "error: character 15: expected text, got a whole number; pattern takes text"),
        (
            "IsMatch(name, name)",
            "error: character 15: pattern must be known when the configuration is read; write it out; one that is computed for every item is planned and does not work yet",
        ),
        ("IsMatsch(name, \"a\")", "error: character 1: there is no converter IsMatsch; did you mean IsMatch?"),
        ("attributes[\"ok\"]", "error: character 1: a path alone is no condition; compare it with something: == true, != nil"),
        ("5", "error: character 1: a value alone is no condition; compare it with something"),
        ("name[0] == 1", "error: character 6: nothing can be entered here; remove the brackets"),
        ("attributes[0] == 1", "error: character 12: a number enters a list, and this is none; write a key: [\"key\"]"),
        (
            "attributes[\"a\"] + \"x\" == 1",
            "error: character 19: text in a calculation; text is joined by Concat([a, b], \"\"), and counted by Len(a)",
        ),
        (
            "5 / 0 == 1",
            "error: character 5: this has no value: division by zero; it is the same for every item, so it can be repaired here",
        ),
        ("attributes[\"a\"] / 0 == 1", "error: character 19: division by zero; divide by something else"),
        ("(name == \"a\") == true", "error: character 1: a condition where a value should be; a condition stands alone, or behind `where`"),
    ] {
        assert_eq!(told(Some("span"), text), expected, "{text}");
    }
}

#[test]
fn all_mistakes_of_a_condition_are_told() {
    let told = told(Some("span"), "nme == \"a\" and kind == SPAN_KIND_SERVERR");
    assert_eq!(told.lines().count(), 2, "{told}");
}

#[test]
fn comparisons_that_can_never_hold_are_warned_of() {
    for (text, warning) in [
        (
            "kind == \"SPAN_KIND_SERVER\"",
            "warning: character 1: a whole number is never == text; write numbers and enums without quotes, or take the path that gives text",
        ),
        (
            "name != 5",
            "warning: character 1: text is always != a whole number; write numbers and enums without quotes, or take the path that gives text",
        ),
        (
            "trace_id == \"abc\"",
            "warning: character 1: bytes is never == text; compare an id with text by its `.string`, or with TraceID(0x…), SpanID(0x…)",
        ),
        (
            "end_time - start_time > 1000",
            "warning: character 1: a duration is never > a whole number; write a length of time as Duration(\"1s\")",
        ),
    ] {
        assert_eq!(told(Some("span"), text), warning, "{text}");
    }
    for text in ["attributes[\"a\"] == \"x\"", "kind == 2.0", "name == nil", "attributes[\"a\"][0] == name", "trace_state[\"k\"] == \"v\""]
    {
        assert_eq!(told(Some("span"), text), "", "{text}");
    }
}

#[test]
fn a_plain_condition_says_its_context() {
    let contexts = Contexts::of(Signal::Traces);
    for (text, context) in [
        ("resource.attributes[\"a\"] == 1", "resource"),
        ("instrumentation_scope.name == \"a\" and resource.attributes[\"a\"] == 1", "scope"),
        ("span.name == \"a\" or resource.attributes[\"a\"] == 1", "span"),
        ("spanevent.name == \"a\" and span.name == \"b\"", "spanevent"),
    ] {
        assert_eq!(Condition::parse(&contexts, None, text).unwrap().context(), context, "{text}");
    }
    assert_eq!(
        told(None, "name == \"a\""),
        "error: character 1: of what is \"name\"? The path does not say its context; write resource, scope, span or spanevent and a dot before it"
    );
    assert!(told(None, "true").contains("no path says what this is a condition on"));
    assert!(told(None, "span.name == \"a\" and name == \"b\"").is_empty(), "beside one that says it, a path may leave it out");
}

#[test]
fn a_mistake_is_told_where_it_stands_in_the_file() {
    let yaml = "conditions:\n  - 'span.name == \"a\"'\n  - 'span.name == \"it''s\" and span.nme == \"b\"'\n  - >-\n    span.name == \"a\"\n    and span.kind == KIND\n";
    let node = load(yaml, "gateway.yaml").unwrap();
    let mut errors = ConfigErrors::default();
    let texts: OneOrMany<String> = node.get("conditions").unwrap().read(&Path::of("conditions"), &mut errors).unwrap();
    assert!(read_conditions(&mut errors, "conditions", &Contexts::of(Signal::Traces), None, &texts).is_none());
    errors.locate(&node, &Path::ROOT);
    let lines: Vec<String> = errors.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "gateway.yaml:3:36: error: conditions[1]: there is no path nme in the context span");
    assert_eq!(lines[2], "gateway.yaml:6:22: error: conditions[2]: there is no enum KIND");
}

#[test]
fn statements_are_refused_with_what_would_be_right() {
    let contexts = Contexts::of(Signal::Traces);
    for (text, expected) in [
        ("set(name, \"a\", \"b\")", "error: character 1: set takes 2 arguments, not 3; write set(target, value)"),
        ("st(name, \"a\")", "error: character 1: there is no editor st; did you mean set?"),
        ("set(\"a\", \"b\")", "error: character 5: this cannot be changed; name a path: span.attributes[\"key\"]"),
        (
            "set(otelcol.client.metadata[\"a\"], \"b\")",
            "error: character 5: what the client sent cannot be changed; write to an attribute, or to cache[\"key\"]",
        ),
        ("set(events[0], \"b\")", "error: character 5: a part of this cannot be changed alone; set the whole"),
        ("delete_key(name, \"b\")", "error: character 12: this is text, and no map; name a map: span.attributes"),
        ("delete_key(attributes, 5)", "error: character 24: expected text, got a whole number; key takes text"),
        ("set(name, \"a\") where nme == 1", "error: character 22: there is no path nme in the context span; did you mean name?"),
    ] {
        let problems = Statement::parse(&contexts, Some("span"), text).unwrap_err();
        assert_eq!(problems.to_string(), expected, "{text}");
    }
}
