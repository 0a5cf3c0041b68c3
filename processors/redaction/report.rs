//! The privacy review's table: which service has what under which key, in counts. It is the page `/redaction` of the admin port.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use tracetailor_core::component::Report;

/// A row: the service, the key or place, the rule.
type Row = (String, String, String);

/// What all lanes found.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Mutex<BTreeMap<Row, u64>>,
}

/// Further rows are counted together: keys may have no end.
const MOST_ROWS: usize = 10_000;
const OTHERS: &str = "(others)";

/// What one lane found in a batch.
#[derive(Debug, Default)]
pub(super) struct Found(HashMap<Row, u64>);

impl Found {
    pub(super) fn add(&mut self, service: &str, key: &str, rule: &str) {
        *self.0.entry((service.to_owned(), key.to_owned(), rule.to_owned())).or_insert(0) += 1;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Table {
    /// Adds what was found in a batch.
    pub(super) fn take(&self, found: &mut Found) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        for (row, count) in found.0.drain() {
            let is_known = rows.contains_key(&row);
            let row = if is_known || rows.len() < MOST_ROWS { row } else { (OTHERS.to_owned(), OTHERS.to_owned(), row.2) };
            *rows.entry(row).or_insert(0) += count;
        }
    }
}

impl Report for Table {
    fn json(&self, question: &str) -> serde_json::Value {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = rows.iter().filter(|((service, _, _), _)| question.is_empty() || service == question);
        wanted
            .map(|((service, key, rule), count)| serde_json::json!({ "service": service, "key": key, "rule": rule, "count": count }))
            .collect()
    }

    fn text(&self, question: &str) -> String {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = format!("{:30} {:40} {:20} {:>10}\n", "service", "key", "rule", "count");
        for ((service, key, rule), count) in rows.iter().filter(|((service, _, _), _)| question.is_empty() || service == question) {
            let _infallible = writeln!(text, "{service:30} {key:40} {rule:20} {count:>10}");
        }
        text
    }
}
