//! Which of several spans that can be the one is it, as far as times tell.
//!
//! A span that waits for what it begins is idle meanwhile, and not for much longer: what hangs below it fills a time in which it did nothing else. So a candidate weighs
//! as much as the orphans lasted, in comparison with how long it was idle around them. One that did something else all the while can be it only if it does things
//! at once; then its weight is that of what the trace shows of that, the less the longer it had done nothing before they began.
//!
//! The smallest span around an orphan would often be the wrong one. It is not the size of a span that counts here, but what it did at the time.

use tracetailor_core::telemetry::SpanKind;

use super::super::clocks::{JITTER, apart};
use super::super::evidence::Habit;
use super::super::tree::Tree;
use super::{Absent, Candidate, Fit, Search};

/// What a span needs around what it waits for, and what a call is on its way.
const SLACK: f64 = 300_000.0;
/// A weight by idle time is no less and no more than this.
const LEAST: f64 = 0.05;
const MOST: f64 = 30.0;
/// What a span weighs that did something else at the time, by its habits.
const AT_ONCE: f64 = 1.0;
const AS_OTHERS: f64 = 0.5;
const PERHAPS: f64 = 0.1;
const ONE_BY_ONE: f64 = 0.02;
/// What a span weighs that had ended when the orphans had not.
const OUTLIVED: f64 = 0.05;
/// What is begun begins so soon after something else has begun or ended: half the weight is left after as long again.
const SOON: f64 = 500_000.0;
const LATE: f64 = 0.01;
/// Orphans that lie within another child of a candidate may as well be below that.
const WITHIN: f64 = 0.5;
/// What a service weighs that is known to call theirs.
const LIKELY: f64 = 4.0;
/// What a sender weighs whose topic is known to come to their service; whose topic is known to go elsewhere; and of whose message it is the wrong time.
const CONSUMES: f64 = 10.0;
const CONSUMED_BY_OTHERS: f64 = 0.1;
const MISTIMED: f64 = 0.05;
/// What a sender weighs where its consumer would have to be lost, too.
const LOST_TOO: f64 = 0.1;
/// What a span weighs that was not open when a message must have been sent.
const NOT_OPEN: f64 = 0.01;
/// What it weighs that none of the candidates is the one; and where all of a process seems to be lost.
const NONE: f64 = 0.002;
const NONE_OF_PROCESS: f64 = 0.01;
/// What comes between a message and the first orphan below whoever took it.
const TAKING: i64 = 5_000_000;

/// How much of all weight may be left out.
const CARE: f64 = 0.06;
/// The same where clocks are known to be far apart, and how far that is.
const MORE_CARE: f64 = 0.03;
const FAR_APART: i64 = 10_000_000;

/// What a candidate did around the orphans.
#[derive(Clone, Copy, Debug)]
struct Doings {
    /// How long it did nothing else, beyond the time that they took; none where it did something.
    idle: Option<i64>,
    /// How long before them it had last begun or ended something.
    before: i64,
    /// They lie within another child of it.
    is_within: bool,
}

/// What is left, the heaviest last, when as many of the lightest are left out as weigh no more than this part of all.
pub(super) fn heavy(weights: &[(f64, u32)], care: f64) -> &[(f64, u32)] {
    let most = care * weights.iter().map(|(weight, _)| weight).sum::<f64>();
    let mut left_out = 0.0;
    let first = weights.iter().position(|(weight, _)| {
        left_out += weight;
        left_out > most
    });
    first.map_or(&[], |first| &weights[first..])
}

impl Search {
    /// How much of all weight may be left out.
    pub(super) fn care(&self) -> f64 {
        if self.clocks.apart_by() > FAR_APART { MORE_CARE } else { CARE }
    }

    /// What every candidate weighs, the lightest first; nothing where it is as likely that none of them is the one.
    pub(super) fn weigh(&mut self, tree: &Tree<'_>, absent: &Absent<'_>, candidates: &[Candidate], weights: &mut Vec<(f64, u32)>) {
        weights.clear();
        let is_outlived = candidates.iter().all(|candidate| candidate.fit != Fit::All);
        for candidate in candidates {
            self.looks += self.evidence.count_of_children(candidate.at);
            let weight = match tree.span(candidate.at).kind {
                SpanKind::Producer => self.weight_of_sender(tree, absent, candidate.at),
                _ if absent.is_message() => self.weight_of_source(tree, absent, candidate.at),
                _ => self.weight_in_time(tree, absent, *candidate),
            };
            let weight = if is_outlived { weight / OUTLIVED } else { weight };
            if weight > 0.0 {
                weights.push((weight, candidate.at));
            }
        }
        weights.sort_by(|one, other| one.0.total_cmp(&other.0));
        let none = if self.is_process_lost { NONE_OF_PROCESS } else { NONE };
        if none > self.care() * weights.iter().map(|(weight, _)| weight).sum::<f64>() {
            weights.clear();
        }
    }

    fn weight_in_time(&self, tree: &Tree<'_>, absent: &Absent<'_>, Candidate { at, fit }: Candidate) -> f64 {
        let span = tree.span(at);
        let Doings { idle, before, is_within } = self.doings(tree, absent, at);
        let likely = if absent.is_elsewhere && self.is_likely(span, absent) { LIKELY } else { 1.0 };
        if let Some(idle) = idle.filter(|_| fit == Fit::All) {
            let lasted = apart(absent.last_end, absent.child.start) as f64;
            return likely * ((lasted + SLACK) / (idle.max(0) as f64 + SLACK)).clamp(LEAST, MOST);
        }
        let habit = match self.evidence.habit(at, span) {
            _ if fit != Fit::All => OUTLIVED,
            Habit::AtOnce => AT_ONCE,
            Habit::AsOthers => AS_OTHERS,
            Habit::Perhaps => PERHAPS,
            Habit::OneByOne => ONE_BY_ONE,
        };
        let soon = (SOON / (SOON + before as f64)).max(LATE);
        likely * habit * soon * if is_within { WITHIN } else { 1.0 }
    }

    /// Whoever may have sent what a lost consumer took.
    fn weight_of_sender(&self, tree: &Tree<'_>, absent: &Absent<'_>, at: u32) -> f64 {
        let (span, service) = (tree.span(at), absent.child.service);
        let ahead = self.clocks.ahead(absent.clock, span);
        let messages = &self.evidence.messages;
        let beyond = if absent.is_message() { i64::MAX } else { TAKING };
        let in_time = if messages.may_have_caused(span, absent.child.start, ahead, beyond) { 1.0 } else { MISTIMED };
        if absent.is_elsewhere {
            return if self.is_process_lost { in_time } else { in_time * LOST_TOO };
        }
        let has_taken = |child: u32| tree.span(child).kind == SpanKind::Consumer && tree.span(child).service == service;
        if messages.has_one_of_each_service && self.evidence.children(at).any(has_taken) {
            return 0.0;
        }
        let is_known = if span.topic == 0 { self.evidence.calls(span.service, service) } else { messages.consumes(service, span.topic) };
        match is_known {
            true => in_time * CONSUMES,
            false if messages.has_consumer(span.topic) => in_time * CONSUMED_BY_OTHERS,
            false => in_time,
        }
    }

    /// Whatever may have begun to send the message that the orphans took.
    fn weight_of_source(&self, tree: &Tree<'_>, absent: &Absent<'_>, at: u32) -> f64 {
        let ahead = self.clocks.ahead(absent.clock, tree.span(at));
        if self.evidence.messages.may_have_sent(tree.span(at), absent.child.start, absent.last_start, ahead) { 1.0 } else { NOT_OPEN }
    }

    fn doings(&self, tree: &Tree<'_>, absent: &Absent<'_>, at: u32) -> Doings {
        let span = tree.span(at);
        let ahead = self.clocks.ahead(absent.clock, span);
        let (start, end) = (absent.child.start, absent.last_end);
        let lasted = apart(end, start);
        let mut doings = Doings { idle: None, before: i64::MAX, is_within: false };
        let mut after = |time: u64| {
            let after = apart(start, time);
            if after - ahead.least >= -JITTER {
                doings.before = doings.before.min((after - ahead.most).max(0));
            }
        };
        let mut fit_between = |from: u64, to: u64| {
            let least = ahead.least.max(apart(end, to) - JITTER);
            let most = ahead.most.min(apart(start, from) + JITTER);
            let idle = apart(to, from) - lasted;
            if least <= most && doings.idle.is_none_or(|known| idle < known) {
                doings.idle = Some(idle);
            }
        };
        let mut last = span.start;
        after(span.start);
        for child in self.evidence.children(at).map(|child| tree.span(child)).filter(|child| child.process == span.process) {
            if apart(start, child.start) + JITTER < ahead.least && self.evidence.is_forward {
                // It began after they did, and so did all that follow it.
                fit_between(last, child.start);
                return doings;
            }
            after(child.start);
            after(child.end);
            fit_between(last, child.start);
            last = last.max(child.end);
            doings.is_within |= apart(start, child.start) + JITTER >= ahead.least && apart(end, child.end) - JITTER <= ahead.most;
        }
        fit_between(last, span.end);
        doings
    }
}
