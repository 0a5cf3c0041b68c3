//! The table at the end of a bench: one row per way, with how it stands to the yardstick and to the way it is compared with.

use tracetailor_core::testing::Payload;

/// One way and what a span costs it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) nanos: f64,
}

#[expect(clippy::print_stdout, reason = "a bench reports to whoever started it")]
pub(crate) fn print(title: &str, payload: &Payload, rows: &[Row]) {
    let bytes: usize = payload.encoded_traces().iter().map(Vec::len).sum();
    let per_span = bytes / payload.encoded_traces().len() / payload.items;
    println!("\n{title}: {} spans per request, {per_span} bytes per span", payload.items);
    let [yardstick, compared, ..] = rows else { return };
    println!("{:44} {:>10} {:>10} {:>10}", "", "ns/span", "memcpy =1", "faster");
    for row in rows {
        let (slower, faster) = (row.nanos / yardstick.nanos, compared.nanos / row.nanos);
        println!("{:44} {:10.1} {slower:10.1} {faster:10.2}", row.name, row.nanos);
    }
}
