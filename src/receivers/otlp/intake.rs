//! The way of one request, whatever it came over: room first, then the body, then the books, then the answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tracetailor_core::component::{Outlet, Permit, Request};
use tracetailor_core::ledger::{Books, Cause, Fate, Milestone, Receipt, Retry};
use tracetailor_core::telemetry::{Intake, OddIds, Origin, Parsed, Reason, Signal, json};
use tracetailor_core::time::Clock;

use super::outcome::{Outcome, Refusal, Taken, Told};
use super::sender::{Lift, Sender};
use super::waiting::Waiting;

/// What requests of both protocols have in common.
pub(super) struct Inlet {
    pub(super) outlet: Arc<dyn Outlet>,
    pub(super) books: Books,
    pub(super) clock: Clock,
    pub(super) intake: Intake,
    /// What a client waits for.
    pub(super) milestone: Milestone,
    /// How long a request waits for room at most.
    pub(super) admission_wait: Duration,
    /// Headers that become resource attributes.
    pub(super) lifts: Arc<Vec<Lift>>,
    /// In the order of [`Reason::ALL`].
    pub(super) causes: [Cause; Reason::ALL.len()],
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Protobuf,
    Json,
}

/// What was read of a body.
struct Read {
    parsed: Parsed,
    /// Items that JSON lost, and why.
    lost: u64,
    problems: String,
}

impl Inlet {
    /// Asks for room for so many bytes, as long as the client may wait.
    pub(super) async fn admit(&self, signal: Signal, bytes: usize, deadline: Option<Duration>) -> Result<Box<dyn Permit>, Refusal> {
        // What is left of the deadline is for the request itself.
        let patience = deadline.map_or(self.admission_wait, |deadline| self.admission_wait.min(deadline / 2));
        let request = Request { patience: Some(patience), ..Request::new(signal, bytes) };
        Ok(self.outlet.admit(request).await?)
    }

    /// Takes a request in and says what became of it.
    pub(super) async fn take(&self, signal: Signal, form: Form, permit: Box<dyn Permit>, body: Bytes, sender: Sender) -> Outcome {
        let Some((waiting, mut told)) = self.send(self.read(signal, form, body, permit.odd_ids())?, permit, &sender) else {
            return Ok(Taken::default());
        };
        let answer = waiting.answer(told.items).await;
        (told.tally, told.is_settled, told.explanation) = (answer.tally, answer.is_settled, answer.explanation);
        told.outcome()
    }

    fn read(&self, signal: Signal, form: Form, body: Bytes, odd_ids: OddIds) -> Result<Read, Refusal> {
        let (body, lost, problems) = match form {
            Form::Protobuf => (body, 0, String::new()),
            // What some senders write for nothing at all.
            Form::Json if body.trim_ascii() == b"null" => (Bytes::new(), 0, String::new()),
            Form::Json => {
                let mut protobuf = Vec::with_capacity(body.len());
                let rejected = json::to_protobuf(signal, &body, &mut protobuf).map_err(|error| Refusal::malformed(error.to_string()))?;
                let problems: Vec<String> = rejected.reasons.iter().map(ToString::to_string).collect();
                (protobuf.into(), rejected.count, problems.join("; "))
            }
        };
        let parsed = self.intake.letting(odd_ids).parse(signal, body).map_err(|refusal| Refusal::malformed(refusal.to_string()))?;
        Ok(Read { parsed, lost, problems })
    }

    /// From the books to the lanes, without a pause. None where there is nothing to send.
    fn send(&self, read: Read, permit: Box<dyn Permit>, sender: &Sender) -> Option<(Arc<Waiting>, Told)> {
        let Read { parsed, lost, problems } = read;
        let items = parsed.total() + lost;
        if items == 0 {
            return None;
        }
        let rejected = parsed.rejections.total() + lost;
        let waiting = Arc::new(Waiting::new(self.milestone));
        let receipt = Receipt::open(&self.books, waiting.clone(), 0);
        let mut share = permit.accept(&receipt, items);
        share.settle_some(lost, self.rejected_as(Reason::Malformed));
        for (reason, count, _) in parsed.rejections.iter() {
            share.settle_some(count, self.rejected_as(reason));
        }
        let reasons = if rejected == 0 { String::new() } else { reasons(&problems, &parsed.rejections) };
        if !parsed.is_empty() {
            let origin = Origin { share, source: sender.source.clone(), received_at: self.clock.now() };
            let mut batch = parsed.from_origin(origin);
            if sender.marks() {
                sender.mark(&self.lifts, &mut batch);
            }
            permit.send(batch);
        }
        receipt.close();
        let told = Told { items, rejected, reasons, tally: Default::default(), is_settled: false, explanation: None };
        Some((waiting, told))
    }

    fn rejected_as(&self, reason: Reason) -> Fate {
        let place = Reason::ALL.iter().position(|known| *known == reason).unwrap_or_default();
        Fate::Rejected { cause: self.causes[place], retry: Retry::Never }
    }
}

fn reasons(problems: &str, rejections: &impl fmt::Display) -> String {
    let rejections = rejections.to_string();
    let separator = if problems.is_empty() || rejections.is_empty() { "" } else { "; " };
    format!("{problems}{separator}{rejections}")
}
