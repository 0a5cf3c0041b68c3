//! The figures of a comparison, as a table that can be read and copied.

use std::io::Write;

use crate::trial::Figures;
use crate::yardstick::Yardstick;

/// All runs of one gateway.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) runs: Vec<Figures>,
}

const MEBIBYTE: f64 = (1 << 20) as f64;

/// Writes the medians. The column `of first` holds each gateway against the first.
pub(crate) fn write(out: &mut impl Write, title: &str, yardstick: &Yardstick, rows: &[Row]) -> std::io::Result<()> {
    writeln!(out, "\n{title}")?;
    writeln!(
        out,
        "{:<24} {:>14} {:>17} {:>9} {:>9} {:>9} {:>11} {:>10}",
        "", "cpu s/1M spans", "least .. most", "of first", "of echo", "peak MiB", "spans/s", "delivered"
    )?;
    for (name, figure) in [("memcpy", yardstick.memcpy), ("structs: decode, encode", yardstick.prost)] {
        writeln!(out, "{name:<24} {figure:>14.4}")?;
    }
    let of = |row: Option<&Row>| row.map_or(f64::NAN, |row| median(row, |run| run.processor));
    let (first, echo) = (of(rows.first()), of(rows.iter().find(|row| row.name == "echo")));
    for row in rows {
        let processor = median(row, |run| run.processor);
        let spread = row.runs.iter().map(|run| run.processor);
        let (least, most) = spread.fold((f64::INFINITY, 0.0_f64), |(least, most), run| (least.min(run), most.max(run)));
        writeln!(
            out,
            "{:<24} {processor:>14.4} {:>17} {:>9} {:>9} {:>9.0} {:>11.0} {:>9.1} %",
            row.name,
            format!("{least:.3} .. {most:.3}"),
            ratio(processor / first),
            ratio(processor / echo),
            median(row, |run| run.peak as f64) / MEBIBYTE,
            median(row, |run| run.throughput),
            100.0 * median(row, |run| run.delivered),
        )?;
    }
    notes(out, rows)
}

/// What did not add up, and what was sent more than once.
fn notes(out: &mut impl Write, rows: &[Row]) -> std::io::Result<()> {
    for row in rows {
        let refused: u64 = row.runs.iter().map(|run| run.refused).sum();
        if refused > 0 {
            writeln!(out, "{}: refused {refused} requests, which were sent again", row.name)?;
        }
        for complaint in row.runs.iter().flat_map(|run| &run.complaints) {
            writeln!(out, "{}: WRONG: {complaint}", row.name)?;
        }
    }
    Ok(())
}

fn ratio(ratio: f64) -> String {
    if ratio.is_finite() { format!("{ratio:.2}") } else { "-".to_owned() }
}

fn median(row: &Row, figure: impl Fn(&Figures) -> f64) -> f64 {
    let mut figures: Vec<f64> = row.runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        length if length % 2 == 0 => f64::midpoint(figures[middle - 1], figures[middle]),
        _ => figures[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, processor: &[f64]) -> Row {
        let run = |processor| Figures { processor, peak: 1 << 20, throughput: 1e6, delivered: 1.0, refused: 0, complaints: Vec::new() };
        Row { name: name.to_owned(), runs: processor.iter().copied().map(run).collect() }
    }

    #[test]
    fn gateways_stand_beside_the_first_by_their_medians() {
        let mut out = Vec::new();
        let rows = [row("ours", &[0.5, 9.0, 0.4]), row("theirs", &[4.0, 6.0])];
        write(&mut out, "title", &Yardstick { memcpy: 0.01, prost: 1.0 }, &rows).unwrap();
        let table = String::from_utf8(out).unwrap();
        let line = table.lines().find(|line| line.starts_with("theirs")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["theirs", "5.0000", "4.000", "..", "6.000", "10.00", "-", "1", "1000000", "100.0", "%"]);
    }

    #[test]
    fn what_does_not_add_up_is_said() {
        let mut wrong = row("theirs", &[1.0]);
        wrong.runs[0].complaints.push("3 spans were rejected".to_owned());
        let mut out = Vec::new();
        notes(&mut out, &[wrong]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "theirs: WRONG: 3 spans were rejected\n");
    }
}
