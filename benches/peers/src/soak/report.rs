//! What came of a soak, and what does not add up.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::SHAPE;
use super::books::Books;
use super::client::Heard;

const MEBIBYTE: f64 = (1 << 20) as f64;
/// How much more memory may be in use in the last quarter than in the first: a share of it, and what an allocator keeps at hand, in bytes.
const GROWTH: (f64, f64) = (0.2, 32.0 * MEBIBYTE);
/// Spans that may arrive twice, since an outage breaks connections on which requests wait for their answers: ten requests of 1,000, which
/// is what the exporter of the peer file has under way.
const REPEATS: u64 = 10_000;

/// What was counted.
#[derive(Debug)]
pub(super) struct Report {
    /// Requests that clients began to send.
    pub(super) begun: u64,
    /// Spans that the rate would have had them send.
    pub(super) offered: f64,
    pub(super) heard: Heard,
    /// Spans of requests that were taken, that have not arrived.
    pub(super) missing: u64,
    /// Different spans that have arrived.
    pub(super) distinct: u64,
    /// Spans that had arrived before.
    pub(super) repeated: u64,
    /// Spans that nobody sent, and requests that nobody can read.
    pub(super) strange: (u64, u64),
    pub(super) books: Books,
    pub(super) processor: Duration,
    pub(super) time: Duration,
    /// Bytes in use, every second.
    pub(super) resident: Vec<u64>,
    /// What does not add up.
    pub(super) complaints: Vec<String>,
}

impl Report {
    /// Spans of requests that were taken, without those rejected out of them.
    fn acknowledged(&self) -> u64 {
        ((self.heard.acknowledged.len() * SHAPE.spans) as u64).saturating_sub(self.heard.rejected)
    }

    /// The median of the first quarter's memory, the last quarter's, and the peak.
    fn memory(&self) -> (u64, u64, u64) {
        let quarter = self.resident.len().div_ceil(4);
        let last = self.resident.len() - quarter;
        (median(&self.resident[..quarter]), median(&self.resident[last..]), self.resident.iter().copied().max().unwrap_or_default())
    }

    /// What does not add up.
    pub(super) fn complaints(&self) -> Vec<String> {
        let mut complaints = self.books.complaints();
        let mut unless = |holds: bool, what: String| {
            if !holds {
                complaints.push(what);
            }
        };
        let named = self.books.ended_otherwise();
        let (acknowledged, taken_in) = (self.acknowledged(), self.books.taken_in);
        unless(acknowledged > 0, "nothing was taken".to_owned());
        unless(self.missing as f64 <= named, format!("{} acknowledged spans did not arrive, and the books name {named}", self.missing));
        unless(
            !self.heard.unanswered.is_empty() || acknowledged as f64 == taken_in,
            format!("{acknowledged} spans were acknowledged, and the gateway says it took {taken_in}"),
        );
        let (arrived, delivered) = (self.distinct + self.repeated, self.books.delivered());
        unless(delivered <= arrived as f64, format!("the gateway says it delivered {delivered} spans, and {arrived} arrived"));
        unless(self.repeated <= REPEATS, format!("{} spans arrived twice", self.repeated));
        unless(self.strange.0 == 0, format!("{} spans that were never sent arrived", self.strange.0));
        unless(self.strange.1 == 0, format!("{} requests are not OTLP", self.strange.1));
        unless(self.heard.denied.is_empty(), format!("requests were refused for good: {}", listed(&self.heard.denied)));
        unless(self.heard.unanswered.is_empty(), format!("requests had no answer: {}", listed(&self.heard.unanswered)));
        unless(self.heard.given_up == 0, format!("{} requests were refused to the end", self.heard.given_up));
        let (first, last, _) = self.memory();
        let most = first as f64 * (1.0 + GROWTH.0) + GROWTH.1;
        unless(last as f64 <= most, format!("memory grew from {:.0} to {:.0} MiB", mebibytes(first), mebibytes(last)));
        complaints
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { heard, books, .. } = self;
        let begun = self.begun * SHAPE.spans as u64;
        let acknowledged = self.acknowledged();
        writeln!(f, "offered: {begun} spans, {:.1} % of what the rate is", 100.0 * begun as f64 / self.offered)?;
        writeln!(
            f,
            "acknowledged: {acknowledged} spans, {} rejected out of requests; longest wait {:.1} s",
            heard.rejected,
            heard.longest.as_secs_f64()
        )?;
        writeln!(f, "arrived: {} spans, {} of them twice", self.distinct, self.repeated)?;
        writeln!(f, "acknowledged and not arrived: {} spans; ended otherwise by the books: {}", self.missing, books.ended_otherwise())?;
        let refusals: u64 = heard.refused.values().sum();
        writeln!(f, "refusals: {refusals}, of which {} said when to come again: {}", heard.refused_with_delay, listed(&heard.refused))?;
        writeln!(f, "{books}")?;
        let (first, last, peak) = self.memory();
        writeln!(
            f,
            "memory: {:.0} MiB in the first quarter, {:.0} in the last, {:.0} at most",
            mebibytes(first),
            mebibytes(last),
            mebibytes(peak)
        )?;
        let (seconds, share) = (self.processor.as_secs_f64(), self.processor.as_secs_f64() / self.time.as_secs_f64());
        writeln!(f, "cpu: {seconds:.1} s, {share:.2} processors, {:.3} s/1M spans", seconds * 1e6 / acknowledged.max(1) as f64)?;
        for complaint in &self.complaints {
            writeln!(f, "WRONG: {complaint}")?;
        }
        if self.complaints.is_empty() { writeln!(f, "everything adds up") } else { Ok(()) }
    }
}

pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MEBIBYTE
}

fn listed(counts: &BTreeMap<String, u64>) -> String {
    let words: Vec<String> = counts.iter().map(|(what, count)| format!("{count} x {what}")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join("; ") }
}

fn median(samples: &[u64]) -> u64 {
    let mut samples = samples.to_vec();
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(resident: &[u64]) -> Report {
        Report {
            begun: 1,
            offered: 100.0,
            heard: Heard { acknowledged: vec![0], ..Heard::default() },
            missing: 0,
            distinct: 100,
            repeated: 0,
            strange: (0, 0),
            books: Books::default(),
            processor: Duration::from_secs(1),
            time: Duration::from_secs(10),
            resident: resident.iter().map(|mebibytes| mebibytes << 20).collect(),
            complaints: Vec::new(),
        }
    }

    #[test]
    fn memory_may_rise_in_the_middle_but_not_for_good() {
        let complains = |resident: &[u64]| report(resident).complaints().iter().any(|complaint| complaint.starts_with("memory"));
        assert!(!complains(&[100, 100, 900, 900, 900, 900, 140, 140]));
        assert!(complains(&[100, 100, 200, 300, 400, 500, 600, 700]));
    }

    #[test]
    fn a_span_that_nobody_knows_of_is_a_complaint() {
        let missing = Report { missing: 1, ..report(&[1]) };
        assert!(missing.complaints().iter().any(|complaint| complaint.contains("did not arrive")));
        assert!(!report(&[1]).complaints().iter().any(|complaint| complaint.contains("did not arrive")));
    }

    #[test]
    fn what_is_refused_for_good_is_a_complaint() {
        let mut denied = report(&[1]);
        denied.heard.denied.insert("HTTP 400".to_owned(), 2);
        assert!(denied.complaints().iter().any(|complaint| complaint.ends_with("2 x HTTP 400")));
    }
}
