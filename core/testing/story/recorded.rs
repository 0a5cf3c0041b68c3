//! Cases recorded from a real Collector: a configuration, a request, and what came out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde::Deserialize;

use super::compare::{canonical, difference};
use crate::component::ProcessorFactory;
use crate::telemetry::{Decoded, Signal, Source, json};
use crate::testing::Driver;

/// One case, as the file has it.
#[derive(Deserialize)]
struct Case {
    name: String,
    signal: String,
    config: String,
    input: serde_json::Value,
    output: Option<serde_json::Value>,
    refuses: Option<String>,
    /// It starts and answers the request with this status.
    rejects: Option<u16>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    /// Attributes whose value nobody can foretell: only its type and its length are compared.
    #[serde(default)]
    any: Vec<String>,
}

/// Runs the cases of a file, which is a JSON list of them. `different` names those in which this gateway does something else on purpose, and why; one
/// that turns out to be the same after all is a failure, so that the list stays true.
pub fn run_recorded(factory: &'static ProcessorFactory, cases: &str, different: &[(&str, &str)]) {
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap_or_else(|error| panic!("these are no cases: {error}"));
    let mut wrong = Vec::new();
    for case in &cases {
        let why = different.iter().find(|(name, _)| *name == case.name).map(|(_, why)| *why);
        match (catch_unwind(AssertUnwindSafe(|| case.run(factory))), why) {
            (Ok(Err(difference)), None) => wrong.push(format!("{}: {difference}", case.name)),
            (Err(_), None) => wrong.push(format!("{}: panicked", case.name)),
            (Ok(Ok(())), Some(why)) => wrong.push(format!("{}: is the same, so it is not true that {why}", case.name)),
            _ => {}
        }
    }
    let unknown = different.iter().filter(|(name, _)| cases.iter().all(|case| case.name != *name));
    wrong.extend(unknown.map(|(name, _)| format!("{name}: there is no such case")));
    assert!(wrong.is_empty(), "{} of {} cases are not as recorded:\n\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

impl Case {
    fn run(&self, factory: &'static ProcessorFactory) -> Result<(), String> {
        // What stands in a file is expanded before a processor sees it; of that, the cases need only this.
        let config = self.config.replace("$$", "$");
        match (factory.parse(&config), &self.refuses) {
            (Err(_), Some(_)) => return Ok(()),
            (Ok(_), Some(upstream)) => return Err(format!("is accepted; the Collector says {upstream}")),
            (Err(errors), None) => return Err(format!("is refused:\n{errors}")),
            (Ok(_), None) => {}
        }
        let signal = self.signal();
        let mut driver = Driver::of_signal(signal, factory, &config);
        let metadata = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        driver.inlet().set_source(Source { receiver: "test".to_owned(), metadata, ..Source::default() });
        // The Collector's clock was the wall's: what the cases hold lies in the past.
        driver.clock().advance(Duration::from_secs(20 * 365 * 24 * 3600));
        driver.receive(Decoded::decode(signal, &protobuf(signal, &self.input)).map_err(|error| error.to_string())?);
        let tally = driver.inlet().answer(0).tally;
        let sent = driver.finish().take_bytes();
        if let Some(status) = self.rejects {
            let is_rejected = if status == 503 { tally.rejected_retryable > 0 } else { tally.rejected_for_good > 0 };
            let told = || format!("the Collector answers {status} and sends nothing; here {tally:?}, {} bytes were sent", sent.len());
            return if is_rejected && sent.is_empty() { Ok(()) } else { Err(told()) };
        }
        let root = match signal {
            Signal::Traces => "resourceSpans",
            Signal::Logs => "resourceLogs",
            Signal::Metrics => "resourceMetrics",
        };
        let recorded = protobuf(signal, &serde_json::json!({ root: self.output }));
        let [recorded, sent] = [recorded, sent].map(|request| self.veiled(canonical(signal, &request)));
        if recorded == sent { Ok(()) } else { Err(format!("- is recorded, + was sent\n{}", difference(&recorded, &sent))) }
    }

    fn veiled(&self, canonical: String) -> String {
        if self.any.is_empty() {
            return canonical;
        }
        let mut request = serde_json::from_str(&canonical).unwrap_or_else(|error| panic!("what was made is no JSON: {error}"));
        veil(&mut request, &self.any);
        format!("{request:#}")
    }

    fn signal(&self) -> Signal {
        let named = Signal::ALL.into_iter().find(|signal| signal.name() == self.signal);
        named.unwrap_or_else(|| panic!("{}: there is no signal {}", self.name, self.signal))
    }
}

/// Puts the length of its text in the place of the value of every attribute that is named.
fn veil(node: &mut serde_json::Value, keys: &[String]) {
    use serde_json::Value::{Array, Object};
    match node {
        Array(nodes) => nodes.iter_mut().for_each(|node| veil(node, keys)),
        Object(fields) => {
            let is_named = fields.get("key").and_then(serde_json::Value::as_str).is_some_and(|key| keys.iter().any(|named| named == key));
            match fields.get_mut("value") {
                Some(Object(value)) if is_named => value.values_mut().for_each(|value| *value = value.to_string().len().into()),
                _ => fields.values_mut().for_each(|node| veil(node, keys)),
            }
        }
        _ => {}
    }
}

fn protobuf(signal: Signal, request: &serde_json::Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let rejected = json::to_protobuf(signal, request.to_string().as_bytes(), &mut bytes);
    rejected.unwrap_or_else(|error| panic!("no OTLP/JSON: {error}"));
    bytes
}
