//! Log records as an application's logging library sends them.

use super::super::dice::Dice;
use super::super::otlp::{ExportLogsServiceRequest, LogRecord, ResourceLogs, ScopeLogs};
use super::super::spans::START;
use super::super::value::{IntoValue, attribute};
use super::{Payload, custom, filled, places, resource, scope, uuid, words};

pub(super) fn request(payload: &Payload, dice: &mut Dice) -> ExportLogsServiceRequest {
    let mut places = places(payload);
    let mut trace = dice.bytes(16);
    for ordinal in 0..payload.items {
        if ordinal % payload.spans_per_trace.max(1) == 0 {
            trace = dice.bytes(16);
        }
        let (resource, scope) = (dice.below(places.len()), dice.below(payload.scopes));
        places[resource][scope].push(record(payload, ordinal, &trace, dice));
    }
    let resource_logs = filled(places).map(|(index, scopes)| ResourceLogs {
        resource: Some(resource(index)),
        scope_logs: scopes
            .map(|(index, log_records)| ScopeLogs { scope: Some(scope(index)), log_records, ..ScopeLogs::default() })
            .collect(),
        schema_url: String::new(),
    });
    ExportLogsServiceRequest { resource_logs: resource_logs.collect() }
}

fn record(payload: &Payload, ordinal: usize, trace: &[u8], dice: &mut Dice) -> LogRecord {
    let time = START.0 + ordinal as u64 * 1_000_000 + dice.between(0, 999_999);
    let (severity_number, severity_text) = if payload.is_error(ordinal) { (17, "ERROR") } else { (9, "INFO") };
    let in_trace = dice.percent(80);
    LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: time + dice.between(1_000, 900_000),
        severity_number,
        severity_text: severity_text.to_owned(),
        body: Some(line(dice).into_value()),
        attributes: vec![
            attribute("log.logger", format!("com.shop.{}.{}Service", dice.pick(&words::NOUNS), dice.pick(&words::NOUNS))),
            attribute("thread.name", format!("http-nio-8080-exec-{}", dice.below(200))),
            attribute("code.line.number", dice.between(12, 900).cast_signed()),
            custom(ordinal % 6, dice),
        ],
        trace_id: if in_trace { trace.to_vec() } else { Vec::new() },
        span_id: if in_trace { dice.bytes(8) } else { Vec::new() },
        flags: u32::from(in_trace),
        ..LogRecord::default()
    }
}

fn line(dice: &mut Dice) -> String {
    let (noun, action) = (dice.pick(&words::NOUNS), dice.pick(&words::ACTIONS));
    match dice.below(4) {
        0 => format!("{noun} {} {action} finished in {} ms", uuid(dice), dice.below(3_000)),
        1 => format!("Fetched {} rows of {noun}s for customer {}", dice.below(500), dice.below(1_000_000)),
        2 => format!("Cache miss for key {noun}:{}:{action}, loading", dice.below(10_000_000)),
        _ => format!("Retrying {action} of {noun} {} (attempt {} of 5): connection reset by peer", uuid(dice), dice.between(1, 5)),
    }
}
