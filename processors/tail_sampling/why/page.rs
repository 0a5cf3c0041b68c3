//! The page: what is known of one trace, in words and for programs.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};
use tracetailor_core::component::{Report, Trigger};
use tracetailor_core::ottl::rfc3339;
use tracetailor_core::telemetry::TraceId;
use tracetailor_core::time::LogTime;

use super::super::ballot::Outcome;
use super::super::policies::Ballot;
use super::super::randomness::Chance;
use super::asked::Asked;
use super::record::{Decided, Late, Record, What};
use super::trail::{Step, Told};
use super::{Book, Label, Version, lock};

/// So many decisions are shown where nobody asks for one.
const NEWEST: usize = 10;

impl Report for Book {
    fn knows(&self, question: &str) -> bool {
        match Asked::of(question) {
            Asked::Nothing => true,
            Asked::Not(_) => false,
            Asked::Trace(id, _) => !self.records_of(id).is_empty(),
        }
    }

    fn json(&self, question: &str) -> Value {
        let reach = self.reach();
        let mut told = json!({ "asked": question, "decisions_since": time(reach.since), "decisions": reach.records });
        match Asked::of(question) {
            Asked::Nothing => told["newest"] = self.newest().iter().map(|record| self.overview_json(record)).collect(),
            Asked::Not(wrong) => told["not_an_id"] = wrong.into(),
            Asked::Trace(id, note) => {
                told["trace_id"] = hex(id).into();
                told["note"] = note.into();
                let records = self.records_of(id);
                if records.is_empty() {
                    told["said"] = self.unknown(id, &reach).into();
                }
                told["used_again"] = used_again(&records).into();
                told["records"] = records.iter().map(|record| self.record_json(record)).collect();
            }
        }
        told
    }

    fn text(&self, question: &str) -> String {
        let reach = self.reach();
        match Asked::of(question) {
            Asked::Nothing => self.overview(&reach),
            Asked::Not(wrong) => wrong + "\n",
            Asked::Trace(id, note) => {
                let records = self.records_of(id);
                let note = note.map_or(String::new(), |note| format!("{note}\n"));
                if records.is_empty() {
                    return format!("{note}{}\n", self.unknown(id, &reach));
                }
                let again = if used_again(&records) {
                    "This id was used again after its verdict: what follows is of more than one trace, the newest first.\n\n"
                } else {
                    ""
                };
                let told: Vec<String> = records.iter().rev().map(|record| self.record_text(record)).collect();
                format!("{note}{again}{}", told.join("\n"))
            }
        }
    }
}

/// How far the records of all lanes reach back.
struct Reach {
    since: LogTime,
    records: usize,
    /// Whether anything was let go.
    is_cut: bool,
}

impl Book {
    fn snapshots(&self) -> Vec<super::ring::Snapshot> {
        let rings = lock(&self.rings).clone();
        rings.iter().map(|ring| lock(ring).snapshot()).collect()
    }

    fn reach(&self) -> Reach {
        let rings = lock(&self.rings).clone();
        let snapshots: Vec<_> = rings.iter().map(|ring| lock(ring)).map(|ring| (ring.gone(), ring.size().0)).collect();
        let gone = snapshots.iter().filter_map(|(gone, _)| *gone).max();
        Reach { since: gone.unwrap_or(self.since), records: snapshots.iter().map(|(_, records)| records).sum(), is_cut: gone.is_some() }
    }

    /// What is known of a trace, the oldest first.
    fn records_of(&self, id: TraceId) -> Vec<Record> {
        let snapshots = self.snapshots();
        let raw = snapshots.iter().flat_map(|snapshot| snapshot.records()).filter(|raw| raw.trace == id);
        let mut records: Vec<Record> = raw.filter_map(Record::read).collect();
        records.sort_by_key(|record| record.when);
        // What came late after one decision is one thing to tell.
        records.dedup_by(|next, before| match (&next.what, &mut before.what) {
            (What::Late(more), What::Late(late)) => {
                late.add(*more);
                true
            }
            _ => false,
        });
        records
    }

    fn newest(&self) -> Vec<Record> {
        let snapshots = self.snapshots();
        let mut newest: Vec<_> = snapshots.iter().flat_map(|snapshot| snapshot.records()).collect();
        newest.sort_by_key(|raw| std::cmp::Reverse(raw.when));
        let decided = newest.into_iter().filter_map(Record::read).filter(|record| matches!(record.what, What::Decided(_)));
        decided.take(NEWEST).collect()
    }

    fn version_of(&self, number: u64) -> Option<std::sync::Arc<Version>> {
        lock(&self.versions).iter().find(|version| version.number == number).cloned()
    }

    /// What is known of an id on which nothing was decided.
    fn unknown(&self, id: TraceId, reach: &Reach) -> String {
        let wait = shown(*lock(&self.wait));
        let since = if reach.is_cut {
            format!("The records of {} decisions reach back to {}", reach.records, time(reach.since))
        } else {
            format!("All decisions since {} are recorded, {} of them", time(reach.since), reach.records)
        };
        format!(
            "Nothing is known of {}. {since}, and none is on this id. Either its spans wait for their decision, which takes up to {wait}; or it \
             was decided before; or no span of it came this far: it was not sampled where it was made, was sent elsewhere, or was dropped \
             by something before this processor.",
            hex(id)
        )
    }

    fn overview(&self, reach: &Reach) -> String {
        let mut text = format!(
            "{} records of decisions, back to {}. Ask for one: /why/TRACE_ID, or tracetailor why TRACE_ID\n",
            reach.records,
            time(reach.since)
        );
        for record in self.newest() {
            let What::Decided(decided) = &record.what else { continue };
            let _ = writeln!(text, "{}  {}  {}", time(record.when), hex(record.trace), self.verdict(decided));
        }
        text
    }

    fn overview_json(&self, record: &Record) -> Value {
        let outcome = if let What::Decided(decided) = &record.what { name(decided.outcome) } else { "late" };
        json!({ "trace_id": hex(record.trace), "when": time(record.when), "outcome": outcome })
    }

    /// What became of a trace, and through whom.
    fn verdict(&self, decided: &Decided) -> String {
        let version = self.version_of(decided.version);
        let by = |ballot| votes(&decided.votes, version.as_ref().map(|version| version.live.as_slice())).first(ballot);
        match decided.outcome {
            Outcome::Sampled => format!("kept by {}", by(Ballot::Keep)),
            Outcome::NotSampled => "dropped: no policy keeps it".to_owned(),
            Outcome::Dropped => format!("dropped by {}", by(Ballot::Drop)),
            Outcome::TooLarge => "dropped: it was larger than maximum_trace_size_bytes".to_owned(),
            Outcome::Pending => {
                "dropped: it was not decided when the gateway stopped, and drop_pending_traces_on_shutdown is set".to_owned()
            }
            Outcome::Evicted => "dropped: others needed its room".to_owned(),
            Outcome::Unmatched => "dropped: its time was over before any part of it spoke for keeping it".to_owned(),
        }
    }

    fn record_text(&self, record: &Record) -> String {
        match &record.what {
            What::Late(late) => late_text(record.when, *late),
            What::Decided(decided) => self.decided_text(record, decided),
        }
    }

    fn decided_text(&self, record: &Record, decided: &Decided) -> String {
        let version = self.version_of(decided.version);
        let mut text = format!("{} was {}\n", hex(record.trace), self.verdict(decided));
        let mut line = |what: &str, told: String| {
            let _ = writeln!(text, "  {what:14} {told}");
        };
        line("decided", format!("{}, {} after its first span: {}", time(record.when), shown(decided.waited), because(decided.trigger)));
        line("held", format!("{}, {} bytes in memory", counted(decided.spans, "span"), decided.bytes));
        if decided.outcome == Outcome::Sampled {
            line("stands for", weight_text(decided.chance));
        }
        let since =
            version.as_ref().map_or("too long ago to know its names".to_owned(), |version| format!("since {}", time(version.since)));
        line("configuration", format!("{}, {since}", decided.version));
        votes(&decided.votes, version.as_ref().map(|version| version.live.as_slice())).write("votes", &mut text);
        if let Some((keeps, steps)) = &decided.shadow {
            let would = if *keeps { "would keep it" } else { "would drop it" };
            let _ = writeln!(text, "  {:14} {would}", "shadow");
            votes(steps, version.as_ref().map(|version| version.shadow.as_slice())).write("", &mut text);
        }
        text
    }

    fn record_json(&self, record: &Record) -> Value {
        match &record.what {
            What::Late(Late { kept, dropped, roots }) => {
                json!({ "when": time(record.when), "late_spans": { "kept": kept, "dropped": dropped, "roots": roots } })
            }
            What::Decided(decided) => {
                let version = self.version_of(decided.version);
                let all = votes(&decided.votes, version.as_ref().map(|version| version.live.as_slice()));
                let mut told = json!({
                    "when": time(record.when),
                    "verdict": if decided.outcome == Outcome::Sampled { "kept" } else { "dropped" },
                    "outcome": name(decided.outcome),
                    "said": self.verdict(decided),
                    "trigger": decided.trigger.name(),
                    "waited_ms": u64::try_from(decided.waited.as_millis()).unwrap_or(u64::MAX),
                    "spans": decided.spans,
                    "bytes": decided.bytes,
                    "weight": if decided.outcome == Outcome::Sampled { decided.chance.weight() } else { None },
                    "configuration": { "version": decided.version, "since": version.as_ref().map(|version| time(version.since)) },
                    "votes": all.json(),
                    "errors": all.0.iter().filter(|vote| vote.ballot == Some(Ballot::Fail)).map(|vote| vote.path.clone()).collect::<Vec<_>>(),
                });
                if let Some((keeps, steps)) = &decided.shadow {
                    let votes = votes(steps, version.as_ref().map(|version| version.shadow.as_slice()));
                    told["shadow"] = json!({ "would": if *keeps { "keep" } else { "drop" }, "votes": votes.json() });
                }
                told
            }
        }
    }
}

/// Whether something was decided twice, or a root came late.
fn used_again(records: &[Record]) -> bool {
    records.iter().filter(|record| matches!(record.what, What::Decided(_))).count() > 1
}

fn late_text(when: LogTime, Late { kept, dropped, roots }: Late) -> String {
    let root = if roots > 0 { ", among them a root: the id may have been used again" } else { "" };
    format!("from {} on: {} after the decision, {kept} kept and {dropped} dropped{root}\n", time(when), counted(kept + dropped, "span"))
}

/// One vote, with the way to whoever gave it.
struct Voted {
    path: String,
    name: String,
    /// How deep it stands.
    depth: usize,
    /// Nothing where nobody was asked.
    ballot: Option<Ballot>,
    chance: Option<Chance>,
    told: Vec<Told>,
}

struct AllVotes(Vec<Voted>, bool);

/// The votes by their names, and those who were not asked.
fn votes(steps: &[Step], labels: Option<&[Label]>) -> AllVotes {
    let mut all: Vec<Voted> = Vec::new();
    // Those who are being asked: their places in `all`, and what stands inside of them.
    let mut open: Vec<(usize, Option<&[Label]>)> = Vec::new();
    let mut is_cut = false;
    for step in steps {
        match step {
            Step::Enter(place) => {
                let level = open.last().map_or(labels, |(_, inside)| *inside);
                let label = level.and_then(|level| level.get(*place));
                let name = label.map_or_else(|| format!("policy {}", place + 1), |label| label.name.clone());
                let mut path = open.last().map_or(name.clone(), |(outer, _)| format!("{} \u{203a} {name}", all[*outer].path));
                if let Some(label) = label.filter(|label| !label.inside.is_empty() && label.kind != label.name) {
                    path = format!("{path} \u{203a} {}", label.kind);
                }
                open.push((all.len(), label.map(|label| label.inside.as_slice())));
                all.push(Voted { path, name, depth: open.len() - 1, ballot: None, chance: None, told: Vec::new() });
            }
            Step::Told(told) => {
                if let Some((place, _)) = open.last() {
                    all[*place].told.push(*told);
                }
            }
            Step::Leave(ballot, chance) => {
                if let Some((place, _)) = open.pop() {
                    (all[place].ballot, all[place].chance) = (Some(*ballot), *chance);
                }
            }
            Step::Cut => is_cut = true,
        }
    }
    for label in labels.into_iter().flatten().filter(|_| !is_cut && !steps.is_empty()) {
        if !all.iter().any(|vote| vote.depth == 0 && vote.name == label.name) {
            let (path, name) = (label.name.clone(), label.name.clone());
            all.push(Voted { path, name, depth: 0, ballot: None, chance: None, told: Vec::new() });
        }
    }
    AllVotes(all, is_cut)
}

impl AllVotes {
    /// The first who said this.
    fn first(&self, ballot: Ballot) -> String {
        let first = self.0.iter().find(|vote| vote.depth == 0 && vote.ballot == Some(ballot));
        first.map_or("a policy of which nothing is known any longer".to_owned(), |vote| vote.name.clone())
    }

    fn write(&self, head: &str, text: &mut String) {
        let mut head = head;
        let width = self.0.iter().map(|vote| vote.path.chars().count()).max().unwrap_or(0);
        for vote in &self.0 {
            let said = word(vote.ballot);
            let told: String = vote.told.iter().map(|told| format!(", {}", told_text(*told))).collect();
            let _ = writeln!(text, "  {head:14} {:width$}  {said}{}{told}", vote.path, chance_text(vote));
            head = "";
        }
        if self.1 {
            let _ = writeln!(text, "  {:14} and more than is recorded", "");
        }
    }

    fn json(&self) -> Value {
        let one = |vote: &Voted| {
            let mut told = json!({ "policy": vote.path, "vote": word(vote.ballot) });
            if let Some(Chance::Known(threshold)) = vote.chance.filter(|chance| *chance != Chance::CERTAIN) {
                told["threshold"] = threshold.to_string().into();
            }
            for because in &vote.told {
                let (key, value) = told_json(*because);
                told[key] = value;
            }
            told
        };
        self.0.iter().map(one).collect()
    }
}

fn word(ballot: Option<Ballot>) -> &'static str {
    match ballot {
        None => "not asked",
        Some(Ballot::Keep) => "keep",
        Some(Ballot::Refuse) => "no",
        Some(Ballot::Drop) => "drop",
        Some(Ballot::Fail) => "could not be evaluated",
        Some(Ballot::Pass) => "does not fit",
    }
}

fn chance_text(vote: &Voted) -> String {
    match vote.chance {
        Some(Chance::Known(threshold)) if vote.ballot == Some(Ballot::Keep) && vote.chance != Some(Chance::CERTAIN) => {
            threshold.weight().map_or(String::new(), |weight| format!(", as one of {}", rounded(weight)))
        }
        _ => String::new(),
    }
}

fn told_text(told: Told) -> String {
    match told {
        Told::Milliseconds(number) => format!("it lasted {number} ms"),
        Told::Spans(number) => counted(number, "span"),
        Told::Cost(number) => format!("it would cost {number} of the limit"),
        Told::Randomness(number) => format!("its randomness is {}", share(number)),
        Told::Threshold(number) => format!("from {} on it would be kept", share(number)),
        Told::Rule(number) => format!("the {} of its rules fits", ordinal(number + 1)),
        Told::Number(number) => format!("the number was {number}"),
        Told::Whole(number) => format!("the number was {number}"),
        Told::UsedUp => "the limit was used up".to_owned(),
    }
}

fn told_json(told: Told) -> (&'static str, Value) {
    match told {
        Told::Milliseconds(number) => ("milliseconds", number.into()),
        Told::Spans(number) => ("spans", number.into()),
        Told::Cost(number) => ("cost", number.into()),
        Told::Randomness(number) => ("randomness", format!("{number:014x}").into()),
        Told::Threshold(number) => ("kept_from", format!("{number:014x}").into()),
        Told::Rule(number) => ("rule", number.into()),
        Told::Number(number) => ("number", number.into()),
        Told::Whole(number) => ("number", number.into()),
        Told::UsedUp => ("used_up", true.into()),
    }
}

/// A part of 2⁵⁶ as a number below 1.
#[expect(clippy::cast_precision_loss, reason = "five digits are shown")]
fn share(number: u64) -> String {
    format!("{:.5}", number as f64 / (1u64 << 56) as f64)
}

fn weight_text(chance: Chance) -> String {
    match chance.weight() {
        Some(weight) if chance == Chance::CERTAIN => format!("{} trace: no chance was involved", rounded(weight)),
        Some(weight) => format!("{} traces", rounded(weight)),
        None => "nobody can say how many traces".to_owned(),
    }
}

fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn ordinal(number: u64) -> String {
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

fn because(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Deadline => "its time was over (deadline)",
        Trigger::Wish => "earlier than others, because its root had come or a part of it decided (wish)",
        Trigger::Memory => "memory ran out, and it was the oldest (memory)",
        Trigger::Count => "there were more than num_traces, and it was the oldest (count)",
        Trigger::Size => "it had as many bytes as one trace may have (size)",
        Trigger::Shutdown => "the gateway stopped (shutdown)",
    }
}

/// As it stands in the books.
fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Sampled => "sampled",
        Outcome::NotSampled => "not_sampled",
        Outcome::Dropped => "dropped_by_policy",
        Outcome::TooLarge => "too_large",
        Outcome::Pending => "pending_at_shutdown",
        Outcome::Evicted => "evicted",
        Outcome::Unmatched => "unmatched",
    }
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A length of time in seconds, to the millisecond.
fn shown(time: Duration) -> String {
    let text = format!("{:.3}", time.as_secs_f64());
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// To the millisecond.
fn time(at: LogTime) -> String {
    rfc3339(i64::try_from(at.0 - at.0 % 1_000_000).unwrap_or(i64::MAX))
}

fn hex(TraceId(id): TraceId) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}
