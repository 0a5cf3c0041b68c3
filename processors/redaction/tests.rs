//! What becomes of secrets, and of everything else.

mod dress;
mod planted;
mod secrets;
mod skipped;

use tracetailor_core::ledger::Column;
use tracetailor_core::telemetry::Decoded;
use tracetailor_core::testing::otlp::{AnyValue, Span, Value};
use tracetailor_core::testing::{Driver, Payload, assert_manual, attribute, list, log, logs, map, run_recorded, run_stories, span, traces};

use super::FACTORY;

const EVERYTHING: &str = "{allow_all_keys: true, presets: [secrets, pci, gdpr, genai], locales: [us]}";

#[test]
fn the_readme_tells_the_truth() {
    assert_manual(&FACTORY);
    run_stories(&FACTORY);
}

#[test]
fn it_does_what_the_collector_was_seen_to_do() {
    run_recorded(&FACTORY, include_str!("collector.json"), &[]);
}

#[test]
fn it_does_what_more_recordings_show() {
    let mysql = ("seen-sql-mysql", "the Collector takes some texts in double quotes for names; here all of them go");
    run_recorded(&FACTORY, include_str!("collector/seen.json"), &[mysql]);
}

fn redacted(
    config: &str,
    spans: impl IntoIterator<Item = tracetailor_core::testing::Built<tracetailor_core::testing::SpanDraft>>,
) -> Vec<Span> {
    let mut driver = Driver::of(&FACTORY, config);
    driver.receive(traces(spans));
    driver.finish().spans()
}

fn value(span: &Span, key: &str) -> Option<Value> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.clone().and_then(|value: AnyValue| value.value)
}

fn text(config: &str, key: &str, text: &str) -> Option<String> {
    match value(&redacted(config, [span("a").attribute(key, text)])[0], key)? {
        Value::StringValue(text) => Some(text),
        other => panic!("{other:?} is no text"),
    }
}

#[test]
fn every_action_does_what_it_says() {
    let with = |action: &str| {
        format!(
            "{{allow_all_keys: true, detectors: {{email: {action}}}, hash_function: sha3, hmac: {{key: 0123456789abcdef0123456789abcdef, key_id: a1}}}}"
        )
    };
    let done = |action: &str| text(&with(action), "to", "to joe@example.com, now");
    assert_eq!(done("mask").as_deref(), Some("to ****, now"));
    assert_eq!(done("partial").as_deref(), Some("to ****ecom, now"));
    assert_eq!(done("delete"), None);
    assert_eq!(done("truncate").as_deref(), Some("to ****"));
    assert_eq!(done("none").as_deref(), Some("to joe@example.com, now"));
    let token = done("hmac").unwrap_or_default();
    assert!(token.starts_with("to h1:a1:") && token.len() == "to h1:a1:, now".len() + 32, "{token}");
    assert_eq!(done("hash").map(|text| text.len()), Some("to , now".len() + 64));
    let mut driver = Driver::of(&FACTORY, &with("drop_span"));
    driver.receive(traces([span("a").attribute("to", "joe@example.com"), span("b")]));
    assert_eq!(driver.ended(Column::Dropped, "drop_span"), 1);
    assert_eq!(driver.finish().span_names(), ["b"]);
    let bucket = "{allow_all_keys: true, presets: gdpr}";
    assert_eq!(text(bucket, "client.address", "203.0.113.7").as_deref(), Some("203.0.113.0/24"));
    assert_eq!(text(bucket, "client.address", "2001:db8:1:2::7:8").as_deref(), Some("2001:db8:1::/48"));
}

/// Many items are looked through at once, near and far.
#[test]
fn blocked_values_are_found_wherever_they_stand_among_many() {
    let config = "{allow_all_keys: true, blocked_values: ['4[0-9]{12}', 'AKIA[A-Z0-9]{16}']}";
    let number = "4111111111111";
    for every in [1, 2, 3, 7, 40, 299, 1_000] {
        let has = |place: usize| place % every == every / 2;
        let spans = (0..300).map(|place| {
            let filler = span("a").attribute("filler", "x".repeat(place * 7 % 500));
            filler.attribute("card", if has(place) { number } else { "none" }).service(if place % 11 == 0 { "shop" } else { "cart" })
        });
        let places = |spans: &[Span]| -> usize {
            spans.iter().filter(|span| value(span, "card") == Some(Value::StringValue("****".to_owned()))).count()
        };
        let mut driver = Driver::of(&FACTORY, config);
        driver.receive(traces(spans.clone()));
        driver.receive(traces(spans));
        let sent = driver.finish().spans();
        assert_eq!(places(&sent), 2 * (0..300).filter(|place| has(*place)).count(), "one in {every}");
        assert!(sent.iter().all(|span| value(span, "card") != Some(Value::StringValue(number.to_owned()))));
    }
}

#[test]
fn what_is_taken_in_by_a_wider_finding_still_drops() {
    let config = "{allow_all_keys: true, presets: secrets, detectors: {email: drop_span}}";
    let spans =
        redacted(config, [span("a").attribute("u", "https://joe:x@example.com/"), span("b").attribute("u", "https://x/joe@example.com")]);
    assert_eq!(spans.len(), 0);
}

#[test]
fn a_resource_with_what_drops_spans_takes_all_of_its_spans_along() {
    let mut driver = Driver::of(&FACTORY, "{allow_all_keys: true, keys: [{match: tenant, action: drop_span}]}");
    let mut request = traces([span("a"), span("b")]);
    request.resource_spans[0].resource.get_or_insert_default().attributes = vec![attribute("tenant", "x")];
    driver.receive(request);
    driver.receive(traces([span("c")]));
    assert_eq!(driver.ended(Column::Dropped, "drop_span"), 2);
    assert_eq!(driver.finish().span_names(), ["c"]);
}

#[test]
fn keys_tell_what_their_values_are() {
    let secrets = "{allow_all_keys: true, presets: secrets, keys: [{match: ['*.ticket', note?], action: delete}]}";
    assert_eq!(text(secrets, "db.password", "hunter2").as_deref(), Some("****"));
    assert_eq!(text(secrets, "My.Ticket", "17"), None);
    assert_eq!(text(secrets, "note1", "17"), None);
    assert_eq!(text(secrets, "note12", "17").as_deref(), Some("17"));
    let spans = redacted(
        secrets,
        [span("a")
            .attribute("http.request.header.authorization", list(["Basic x"]))
            .attribute("settings", map([("apiKey", "1234"), ("size", "5")]))
            .attribute("gen_ai.usage.input_tokens", 17)
            .attribute("password.present", true)
            .attribute("json", r#"{"user":"joe","password":"hunter2","pin":1}"#)],
    );
    assert_eq!(value(&spans[0], "http.request.header.authorization"), Some(Value::StringValue("****".to_owned())));
    assert_eq!(value(&spans[0], "settings"), map([("apiKey", "****"), ("size", "5")]).value);
    assert_eq!(value(&spans[0], "gen_ai.usage.input_tokens"), Some(Value::IntValue(17)));
    assert_eq!(value(&spans[0], "json"), Some(Value::StringValue(r#"{"user":"joe","password":"****","pin":1}"#.to_owned())));
}

#[test]
fn prompts_are_looked_into_or_taken_out() {
    let genai = "{allow_all_keys: true, presets: genai}";
    assert_eq!(text(genai, "gen_ai.prompt", "mail joe@example.com").as_deref(), Some("mail ****"));
    assert_eq!(text(genai, "note", "mail joe@example.com").as_deref(), Some("mail joe@example.com"));
    let delete = "{allow_all_keys: true, presets: genai, detectors: {prompt: delete}}";
    assert_eq!(text(delete, "gen_ai.prompt", "hello"), None);
}

#[test]
fn numbers_and_statements_are_looked_into() {
    let pci = "{allow_all_keys: true, presets: pci}";
    let spans = redacted(pci, [span("a").attribute("card", 4_111_111_111_111_111_i64).attribute("n", 12_345)]);
    assert_eq!(value(&spans[0], "card"), Some(Value::StringValue("****1111".to_owned())));
    assert_eq!(value(&spans[0], "n"), Some(Value::IntValue(12_345)));
    assert_eq!(text(pci, "db.query.text", "SELECT a FROM t WHERE b = 'x' LIMIT 5").as_deref(), Some("SELECT a FROM t WHERE b = ? LIMIT ?"));
    assert_eq!(text(pci, "db.query.text", "SELECT 'x").as_deref(), Some("****"));
    assert_eq!(text(pci, "note", "SELECT 'x'").as_deref(), Some("SELECT 'x'"));
}

#[test]
fn what_stays_within_limits_and_what_folds() {
    let config = "{allow_all_keys: true, limits: {value_length: 8, attributes: 3}, \
                  fold_keys: [{pattern: 'retry\\.attempt_\\d+\\.(.*)', key: 'retry.attempt.$1'}, {pattern: 'tmp_\\d+'}]}";
    let all = [("retry.attempt_1.error", "a"), ("retry.attempt_2.error", "b"), ("tmp_1", "c"), ("late", "d")];
    let draft = all.iter().fold(span("a"), |span, (key, value)| span.attribute(key, *value));
    let spans = redacted(config, [draft]);
    let keys: Vec<&str> = spans[0].attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert_eq!(keys, ["retry.attempt.error"]);
    assert_eq!(text(config, "long", "1234567ä").as_deref(), Some("1234567"));
}

#[test]
fn rules_look_where_they_are_told_to() {
    let config = "{allow_all_keys: true, rules: [{name: ticket, pattern: 'TCK-\\d{6}', places: [name, body]}]}";
    let spans = redacted(config, [span("see TCK-123456").attribute("a", "TCK-123456")]);
    assert_eq!(spans[0].name, "see ****");
    assert_eq!(value(&spans[0], "a"), Some(Value::StringValue("TCK-123456".to_owned())));
}

#[test]
fn suggesting_counts_and_changes_nothing() {
    let config = EVERYTHING.replace("{allow", "{mode: suggest, allow");
    let mut driver = Driver::of(&FACTORY, &config);
    let request =
        traces([span("to joe@example.com").attribute("card", "4111111111111111").attribute("password", "x").status_error("a@b.co")]);
    let before = Decoded::from(request.clone()).encode();
    driver.receive(request);
    assert_eq!(driver.counted("tracetailor_redactions_suggested_total"), 4);
    assert_eq!(driver.counted("tracetailor_redactions_total"), 0);
    assert_eq!(driver.finish().take_bytes(), before);
}

#[test]
fn what_was_done_is_counted_and_told_without_what_it_was_done_to() {
    let mut driver = Driver::of(&FACTORY, EVERYTHING);
    for _ in 0..2 {
        let mut request = traces([span("a").attribute("to", "joe@example.com").attribute("joe@example.com", "x")]);
        request.resource_spans[0].resource.get_or_insert_default().attributes = vec![attribute("service.name", "cart")];
        driver.receive(request);
    }
    assert_eq!(driver.counted("tracetailor_redactions_total"), 4);
    let (_, report) = driver.context().reports.of("redaction").remove(0);
    let told = report.json("").to_string();
    assert!(told.contains(r#"{"service":"cart","key":"to","rule":"email","count":2}"#), "{told}");
    assert!(!told.contains("joe"), "{told}");
    assert!(report.text("cart").contains("email") && !report.text("checkout").contains("email"));
    driver.finish();
}

#[test]
fn ours_come_behind_the_collectors_and_beat_every_allowance() {
    let config = "{allowed_keys: [a, b], ignored_keys: [b], allowed_values: ['.*'], detectors: {email: mask}}";
    assert_eq!(text(config, "a", "joe@example.com").as_deref(), Some("****"));
    assert_eq!(text(config, "b", "joe@example.com").as_deref(), Some("****"));
    assert_eq!(text(config, "c", "joe@example.com"), None);
}

#[test]
fn sampling_keeps_its_numbers() {
    let state = "ot=th:8;rv:30569309025904,vendor=30569309025904";
    let spans = redacted(EVERYTHING, [span("a").trace_state(state)]);
    assert_eq!(spans[0].trace_state, "ot=th:8;rv:30569309025904,vendor=****5904");
}

/// Every text of a request, to compare one by one.
fn texts(bytes: &[u8]) -> Vec<String> {
    let request: Decoded = Decoded::decode(tracetailor_core::telemetry::Signal::Traces, bytes).unwrap();
    let Decoded::Traces(request) = request else { panic!("no traces") };
    let mut texts = Vec::new();
    for resource in request.resource_spans {
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            texts.push(span.name);
            texts.extend(span.attributes.into_iter().map(|attribute| format!("{}={:?}", attribute.key, attribute.value)));
        }
    }
    texts
}

#[test]
fn clean_telemetry_stays_as_it_is() {
    let (mut all, mut changed) = (0, Vec::new());
    // The addresses of clients are personal, so they are left out here.
    let config = EVERYTHING.replace("presets", "detectors: {ipv4: none}, presets");
    for request in Payload::of(1_000).encoded_traces() {
        let mut driver = Driver::of(&FACTORY, &config);
        driver.receive(Decoded::decode(tracetailor_core::telemetry::Signal::Traces, &request).unwrap());
        let sent = driver.finish().take_bytes();
        let (before, after) = (texts(&request), texts(&sent));
        assert_eq!(before.len(), after.len());
        all += before.len();
        changed.extend(before.into_iter().zip(after).filter(|(before, after)| before != after));
    }
    assert!(all > 10_000, "{all}");
    assert!(changed.len() * 1_000 <= all, "{} of {all} changed: {:?}", changed.len(), &changed[..changed.len().min(20)]);
}

#[test]
fn what_was_redacted_stays_as_it_is_and_so_does_the_shape_of_traces() {
    let config =
        EVERYTHING.replace("presets", "hmac: {key: 0123456789abcdef0123456789abcdef}, detectors: {email: hmac, jwt: partial}, presets");
    let mut dice = tracetailor_core::testing::Dice::new(3);
    let planted = secrets::all(&mut dice);
    let drafts = planted.iter().enumerate().map(|(number, planted)| {
        let draft = span(&planted.text).id(number as u64 + 1).attribute("a", planted.text.as_str()).attribute("password", "x");
        draft.status_error(&planted.text)
    });
    let request = traces(drafts);
    let shape = |bytes: &[u8]| {
        let Ok(Decoded::Traces(request)) = Decoded::decode(tracetailor_core::telemetry::Signal::Traces, bytes) else { panic!("no traces") };
        let spans = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans);
        spans
            .map(|span| (span.trace_id, span.span_id, span.parent_span_id, span.start_time_unix_nano, span.end_time_unix_nano, span.kind))
            .collect::<Vec<_>>()
    };
    let before = shape(&Decoded::from(request.clone()).encode());
    let once = {
        let mut driver = Driver::of(&FACTORY, &config);
        driver.receive(request);
        driver.finish().take_bytes()
    };
    assert_eq!(shape(&once), before);
    let mut driver = Driver::of(&FACTORY, &config);
    driver.receive(Decoded::decode(tracetailor_core::telemetry::Signal::Traces, &once).unwrap());
    assert_eq!(texts(&driver.finish().take_bytes()), texts(&once));
}

#[test]
fn bodies_of_any_shape_are_looked_into() {
    let mut driver = Driver::of_signal(tracetailor_core::telemetry::Signal::Logs, &FACTORY, EVERYTHING);
    driver.receive(logs([
        log("mail joe@example.com"),
        log(list([map([("to", "joe@example.com"), ("password", "x")])])),
        log(4_111_111_111_111_111_i64),
        log("clean"),
    ]));
    let bodies: Vec<_> = driver.finish().log_records().into_iter().filter_map(|record| record.body?.value).collect();
    assert_eq!(bodies[0], Value::StringValue("mail ****".to_owned()));
    assert_eq!(Some(bodies[1].clone()), list([map([("to", "****"), ("password", "****")])]).value);
    assert_eq!(bodies[2], Value::StringValue("****1111".to_owned()));
    assert_eq!(bodies[3], Value::StringValue("clean".to_owned()));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let said = |config: &str| FACTORY.parse(config).map(drop).unwrap_err().to_string();
    assert!(said("presets: [secrets]").contains("this would remove every attribute"));
    assert!(said("presets: [secrets]").contains("write allow_all_keys: true"));
    assert!(said("{allow_all_keys: true, detectors: {emial: mask}}").contains("is no detector"));
    assert!(said("{allow_all_keys: true, detectors: {email: hmac}}").contains("takes 32 or more"));
    assert!(said("{allow_all_keys: true, detectors: {email: bucket}}").contains("has no network"));
    assert!(said("{allow_all_keys: true, detectors: {email: hash}}").contains("hash_function"));
    assert!(said("{allow_all_keys: true, rules: [{name: a, pattern: 'x*'}]}").contains("matches a text of nothing"));
    assert!(said("{allow_all_keys: true, rules: [{name: a, pattern: x, places: [nmae]}]}").contains("is no place"));
    assert!(said("{hash_function: hmac-sha256, hmac_key: short}").contains("takes 32 or more"));
    let skip = |condition: &str| said(&format!("{{allow_all_keys: true, skip_conditions: ['{condition}']}}"));
    assert!(skip("span.nmae == \"a\"").contains("nmae"), "{}", skip("span.nmae == \"a\""));
    assert!(skip("log.nothing == 1").contains("nothing"));
    assert!(skip("attributes[\"a\"] == 1").contains("does not say its context"));
    assert!(skip("true").contains("no path says"));
    assert!(skip("spanevent.name == \"exception\"").contains("write a condition on the span"));
    assert!(FACTORY.parse("{}").is_ok(), "the Collector takes it, and deletes everything");
}

#[test]
fn texts_made_to_waste_time_waste_none() {
    // Each is looked at in time in proportion to its length; with a square of it these would take hours.
    let many = |piece: &str| piece.repeat(400_000 / piece.len());
    for piece in [
        "4111 ",
        "a@",
        "-----BEGIN ",
        "eyJ.",
        "::",
        "%4",
        "\\u00",
        "{\"password\":",
        "://",
        "1.",
        "Bearer ",
        "-",
        "A1A1",
        "AKIA",
        "cookie:",
        "?sig=",
        "password=",
        "sk-",
    ] {
        let spans = redacted(EVERYTHING, [span("a").attribute("x", many(piece).as_str())]);
        assert_eq!(spans.len(), 1);
    }
}
