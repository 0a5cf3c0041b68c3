//! Arbitrary telemetry there and back, and against the JSON that the decoded structs have of their own.

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Map, Value as Tree};

use super::*;
use crate::testing::arbitrary::{self, Wild, rewrites};
use crate::testing::wire::{self, rewrite};

fn comes_back<R: Request>(request: &R) -> Result<(), TestCaseError> {
    let json = write(request);
    serde_json::from_str::<serde::de::IgnoredAny>(&json).map_err(|error| TestCaseError::fail(format!("{error} in {json}")))?;
    prop_assert_eq!(&read::<R>(json.as_bytes()), request, "{}", json);
    Ok(())
}

/// A sender may encode the same request in many ways; it is the same JSON.
fn reads_any_encoding<R: Request>(request: &R, message: wire::Message, how: &wire::Rewrite) -> Result<(), TestCaseError> {
    let bytes = rewrite(message, &request.encode_to_vec(), how);
    let decoded = R::decode(&*bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let json = write_bytes(R::SIGNAL, &bytes);
    prop_assert_eq!(&read::<R>(json.as_bytes()), &decoded, "{}", json);
    Ok(())
}

/// The oracle reads what we write, and we read what it writes.
fn agrees<R: Request>(request: &R) -> Result<(), TestCaseError> {
    let mut ours: Tree = serde_json::from_str(&write(request)).map_err(|error| TestCaseError::fail(error.to_string()))?;
    tame("", &mut ours);
    let request = &read::<R>(ours.to_string().as_bytes());
    let seen: R = serde_json::from_value(ours.clone()).map_err(|error| TestCaseError::fail(format!("{error} in {ours}")))?;
    prop_assert_eq!(&seen, request, "{}", ours);
    let theirs = serde_json::to_vec(request).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&read::<R>(&theirs), request, "{}", String::from_utf8_lossy(&theirs));
    Ok(())
}

/// Adds what the oracle insists on though it is empty, and replaces what it cannot read: infinities, and one kind of value.
fn tame(key: &str, tree: &mut Tree) {
    const DOUBLES: [&str; 7] = ["asDouble", "doubleValue", "sum", "min", "max", "explicitBounds", "zeroThreshold"];
    match tree {
        Tree::String(_) if DOUBLES.contains(&key) => *tree = Tree::from(0.5),
        Tree::Array(list) => list.iter_mut().for_each(|inner| tame(key, inner)),
        Tree::Object(object) => {
            if let Some(index) = object.remove("stringValueStrindex") {
                object.insert("intValue".to_owned(), index);
            }
            complete(key, object);
            object.iter_mut().for_each(|(key, inner)| tame(key, inner));
        }
        _ => {}
    }
}

fn complete(key: &str, object: &mut Map<String, Tree>) {
    let (texts, lists): (&[&str], &[&str]) = match key {
        "arrayValue" | "kvlistValue" => (&[], &["values"]),
        "attributes" | "filteredAttributes" | "metadata" => (&["key"], &[]),
        // Entries of a map have keys; values of a list would ignore one.
        "values" => (&["key"], &[]),
        "entityRefs" => (&["schemaUrl", "type"], &["idKeys", "descriptionKeys"]),
        _ => (&[], &[]),
    };
    for text in texts {
        object.entry(*text).or_insert_with(|| Tree::String(String::new()));
    }
    for list in lists {
        object.entry(*list).or_insert_with(|| Tree::Array(Vec::new()));
    }
}

/// The same where a parent of zeros is none, as it is read.
fn without_zeros(mut request: ExportTraceServiceRequest) -> ExportTraceServiceRequest {
    let scopes = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    for span in scopes.flat_map(|scope| &mut scope.spans).filter(|span| span.parent_span_id == [0; 8]) {
        span.parent_span_id.clear();
    }
    request
}

proptest! {
    #![proptest_config(Config::with_cases(10_000))]

    #[test]
    fn spans_come_back(request in arbitrary::traces(&Wild::odd())) {
        comes_back(&without_zeros(request))?;
    }

    #[test]
    fn log_records_come_back(request in arbitrary::logs(&Wild::odd())) {
        comes_back(&request)?;
    }

    #[test]
    fn metrics_come_back(request in arbitrary::metrics(&Wild::odd())) {
        comes_back(&request)?;
    }
}

proptest! {
    #![proptest_config(Config::with_cases(3_000))]

    #[test]
    fn any_encoding_is_written_alike(
        traces in arbitrary::traces(&Wild::odd()),
        logs in arbitrary::logs(&Wild::odd()),
        metrics in arbitrary::metrics(&Wild::odd()),
        how in rewrites(),
    ) {
        reads_any_encoding(&without_zeros(traces), wire::Message::Traces, &how)?;
        reads_any_encoding(&logs, wire::Message::Logs, &how)?;
        reads_any_encoding(&metrics, wire::Message::Metrics, &how)?;
    }

    #[test]
    fn our_json_is_the_oracles(
        traces in arbitrary::traces(&Wild::odd()),
        logs in arbitrary::logs(&Wild::odd()),
        metrics in arbitrary::metrics(&Wild::odd()),
    ) {
        agrees(&without_zeros(traces))?;
        agrees(&logs)?;
        agrees(&metrics)?;
    }
}
