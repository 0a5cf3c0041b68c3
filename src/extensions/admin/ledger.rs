//! The books for machines.

use serde_json::{Map, Value, json};
use tracetailor_core::ledger::{Column, LineName, LineReport, Report};

pub(super) fn as_json(report: &Report) -> Value {
    json!({
        "balanced": report.balanced().is_ok(),
        "open_receipts": report.open_receipts,
        "lines": report.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

fn line(line: &LineReport) -> Value {
    let (kind, id) = match &line.name {
        LineName::Pipeline(id) => ("pipeline", id),
        LineName::Exporter(id) => ("exporter", id),
    };
    let mut told = Map::from_iter([(kind.to_owned(), json!(id)), ("signal".to_owned(), json!(line.signal.name()))]);
    told.extend(Column::ALL.map(|column| (column.name().to_owned(), json!(line.sums[column]))));
    told.insert("held".to_owned(), json!(line.held_units()));
    told.insert("residual".to_owned(), json!(line.residual()));
    let held = line.held.iter().map(|held| json!({ "by": held.name, "units": held.units }));
    told.insert("held_by".to_owned(), held.collect());
    let causes = line.causes.iter().map(|cause| {
        json!({ "column": cause.column.name(), "component": cause.name.component, "reason": cause.name.reason, "units": cause.units })
    });
    told.insert("causes".to_owned(), causes.collect());
    Value::Object(told)
}
