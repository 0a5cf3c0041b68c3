//! What a line looks like: for people, tab-separated as the Collector's console lines, or for machines, an object under its keys.

use std::fmt::{self, Write};

use serde_json::{Map, Value, json};
use tracetailor_core::time::{LogTime, Rfc3339};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata};

use super::level_name;
use crate::own_telemetry::identity;
use crate::own_telemetry::keys::{Encoding, Telemetry};

/// How lines are written.
#[derive(Debug)]
pub(super) struct Format {
    encoding: Encoding,
    caller: bool,
    /// What every line has, before its own fields.
    always: Map<String, Value>,
}

/// The fields of an event, in their order, with its message apart.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) message: String,
    fields: Map<String, Value>,
}

impl Format {
    pub(super) fn new(settings: &Telemetry) -> Self {
        let logs = &settings.logs;
        let mut always: Map<String, Value> = logs.initial_fields.clone().into_iter().collect();
        // On a screen it would be the longest part of every line, and say the same.
        if logs.encoding == Encoding::Json && !logs.disable_zap_resource {
            always.insert("resource".to_owned(), json!(identity::attributes(&settings.resource)));
        }
        Self { encoding: logs.encoding, caller: !logs.disable_caller, always }
    }

    /// The line, with its end.
    pub(super) fn line(&self, metadata: &Metadata<'_>, mut told: Fields, now: LogTime) -> String {
        let caller = metadata.file().zip(metadata.line()).filter(|_| self.caller);
        let caller = caller.map(|(file, line)| format!("{}:{line}", shortened(file)));
        let level = level_name(*metadata.level());
        let mut fields = self.always.clone();
        fields.append(&mut told.fields);
        match self.encoding {
            Encoding::Console => console(now, level, caller, &told.message, fields),
            Encoding::Json => {
                let seconds = now.0 as f64 / 1e9;
                let mut object = Map::from_iter([("level".to_owned(), json!(level)), ("ts".to_owned(), json!(seconds))]);
                object.extend(caller.map(|caller| ("caller".to_owned(), json!(caller))));
                object.insert("msg".to_owned(), json!(told.message));
                object.extend(fields);
                format!("{}\n", Value::Object(object))
            }
        }
    }
}

fn console(now: LogTime, level: &str, caller: Option<String>, message: &str, fields: Map<String, Value>) -> String {
    let mut line = format!("{}\t{level}\t", Rfc3339(now));
    if let Some(caller) = caller {
        let _ = write!(line, "{caller}\t");
    }
    line.extend(message.chars().map(visible));
    if !fields.is_empty() {
        let _ = write!(line, "\t{}", Value::Object(fields));
    }
    line.push('\n');
    line
}

/// A message is ours, but an error within it may quote what somebody sent: it must not begin a line of its own, nor steer a terminal.
fn visible(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// `/home/x/gateway/src/run.rs` and `src/run.rs` are the same place, and of a library its name is what counts.
fn shortened(file: &str) -> &str {
    let parts = file.rmatch_indices('/').nth(2).map_or(0, |(at, _)| at + 1);
    &file[parts..]
}

impl Fields {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let mut fields = Self::default();
        event.record(&mut fields);
        fields
    }

    fn add(&mut self, field: &Field, value: Value) {
        self.fields.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.add(field, Value::String(format!("{value:?}"))),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, Value::String(value.to_owned()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, json!(value));
    }
}
