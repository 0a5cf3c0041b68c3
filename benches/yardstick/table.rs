//! The table at the end of a bench: one row per way, how it stands to the yardstick, and to the way that it replaces.

use tracetailor_core::testing::Payload;

/// One way and what a span costs it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) instead_of: Option<&'static str>,
    pub(crate) nanos: f64,
}

#[expect(clippy::print_stdout, reason = "a bench reports to whoever started it")]
pub(crate) fn print(title: &str, payload: &Payload, rows: &[Row]) {
    let bytes: usize = payload.encoded_traces().iter().map(Vec::len).sum();
    let per_span = bytes / payload.encoded_traces().len() / payload.items;
    println!("\n{title}: {} spans per request, {per_span} bytes per span", payload.items);
    let Some(yardstick) = rows.first() else { return };
    println!("{:44} {:>10} {:>10}   {:>6}", "", "ns/span", "memcpy = 1", "faster than");
    for row in rows {
        println!("{:44} {:10.1} {:10.1}   {}", row.name, row.nanos, row.nanos / yardstick.nanos, faster(row, rows));
    }
}

fn faster(row: &Row, rows: &[Row]) -> String {
    let other = rows.iter().find(|other| Some(other.name) == row.instead_of);
    other.map_or_else(String::new, |other| format!("{:6.2} x {}", other.nanos / row.nanos, other.name))
}
