//! The way of one request: attempt after attempt, whole or in parts, until all of it has ended.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;
use tracetailor_core::component::{Delivered, ExportError, Failing, Parcel};
use tracetailor_core::ledger::Cause;
use tracetailor_core::telemetry::Telemetry;

use super::Export;
use super::attempt::Answer;
use super::backoff::Backoff;
use super::breaker::{Heard, Role};
use super::request::{Load, Request, join};
use super::settings::{Sender, Settings};
use super::told::advice;

/// In how many sends without one that passes we believe that items are bad, and not that the destination takes nothing. Enough to find the
/// first item of a million, should that be the culprit: each send halves what is left, and one more passes.
const MOST_REFUSALS: u32 = 24;

/// How often a request may have to go another way before that is a failure of its own.
const MOST_MOVES: u32 = 100;

impl Export {
    /// Carries one request to its end.
    pub(super) async fn carry(&self, lane: usize, request: Request, settings: Arc<Settings>, role: Role) {
        let way = request.way;
        let (batch, load) = self.cut(lane, request, &settings);
        Carrier::new(self, lane, settings, role, Parcel { way, batch }).run().await;
        self.let_go(load, |queue| queue.end(way, load));
    }

    /// One request's worth of what was gathered. The rest goes back into the queue.
    fn cut(&self, lane: usize, request: Request, settings: &Settings) -> (Telemetry, Load) {
        let Some(batching) = &settings.batch else {
            let load = request.load;
            return (request.merge(), load);
        };
        let (first, rest) = request.cut(batching);
        if !rest.is_empty() {
            self.lock().put_back(rest, Instant::now());
            self.slot(lane).wake.notify_one();
        }
        let load = first.load;
        (first.merge(), load)
    }
}

/// One request under way.
struct Carrier<'a> {
    export: &'a Export,
    lane: usize,
    settings: Arc<Settings>,
    /// Leave for the next attempt, where it was given already.
    leave: Option<Role>,
    backoff: Backoff,
    /// What has not ended, the next one last.
    parts: Vec<Parcel>,
    /// Single items that the destination called bad, while nobody knows whether it calls everything so.
    suspects: Vec<(Parcel, ExportError)>,
    /// How often something of this had to go another way.
    moves: u32,
    /// How often it called something of this bad.
    refusals: u32,
    /// How often it had taken something, from anybody, when it first called something of this bad.
    passes_before: Option<u64>,
}

/// How the attempts to send one part ended.
enum Outcome {
    Delivered(Delivered),
    Invalid(ExportError),
    TooLarge(ExportError),
    Elsewhere,
    GaveUp(ExportError, Cause),
    Panicked,
    TimeIsUp,
}

impl<'a> Carrier<'a> {
    fn new(export: &'a Export, lane: usize, settings: Arc<Settings>, role: Role, parcel: Parcel) -> Self {
        let mut carrier = Self {
            export,
            lane,
            settings,
            leave: Some(role),
            backoff: Backoff::new(Instant::now()),
            parts: Vec::new(),
            suspects: Vec::new(),
            moves: 0,
            refusals: 0,
            passes_before: None,
        };
        carrier.push(parcel);
        carrier
    }

    async fn run(mut self) {
        while let Some(parcel) = self.parts.pop() {
            let outcome = self.deliver(&parcel).await;
            let Parcel { way, batch } = parcel;
            match outcome {
                Outcome::Delivered(delivered) => self.export.delivered(batch, &delivered),
                Outcome::Invalid(error) => self.suspect(Parcel { way, batch }, error),
                Outcome::TooLarge(error) if batch.len() > 1 => self.halve(Parcel { way, batch }, &error),
                Outcome::TooLarge(error) => self.set_aside(batch, self.export.ends.too_large, error).await,
                Outcome::Elsewhere => self.move_on(batch),
                Outcome::GaveUp(error, cause) => self.fail(batch, cause, &error),
                Outcome::Panicked => self.panicked(batch),
                Outcome::TimeIsUp => self.export.abandon(batch, &self.settings),
            }
            self.judge().await;
        }
    }

    /// Attempts to send one part, until it is clear what becomes of it.
    async fn deliver(&mut self, parcel: &Parcel) -> Outcome {
        let Parcel { way, batch: part } = parcel;
        loop {
            let leave = match self.leave.take() {
                Some(role) => Some(role),
                None => self.export.leave(*way).await,
            };
            let (Some(role), Some(exporter)) = (leave, self.export.slot(self.lane).exporter()) else { return Outcome::TimeIsUp };
            let began_closed = self.export.is_closed();
            let answer = self.export.attempt(&*exporter, part, self.settings.timeout).await;
            self.export.hear(*way, role, heard(&answer), &self.settings);
            let error = match answer {
                Answer::Said(Ok(delivered)) => return Outcome::Delivered(delivered),
                Answer::Said(Err(error)) => error,
                Answer::Panicked => return Outcome::Panicked,
                Answer::Cut => return Outcome::TimeIsUp,
            };
            match error.failing {
                Failing::Invalid => return Outcome::Invalid(error),
                Failing::TooLarge => return Outcome::TooLarge(error),
                Failing::Elsewhere if self.moves < MOST_MOVES => return Outcome::Elsewhere,
                Failing::Elsewhere | Failing::Retry { .. } | Failing::Denied => {}
            }
            if let Err(cause) = self.before_next(&error, part.len(), began_closed).await {
                return Outcome::GaveUp(error, cause);
            }
        }
    }

    /// Waits before the next attempt. Gives the reason where there is none.
    async fn before_next(&mut self, error: &ExportError, items: usize, began_closed: bool) -> Result<(), Cause> {
        let ends = &self.export.ends;
        let (hint, reason) = match error.failing {
            // Who waits for the answer hears it; the others' data stays where it is until the destination was asked again.
            Failing::Denied if self.settings.sender == Sender::Waits => return Err(ends.denied),
            Failing::Retry { after } => (after, ends.retries_exhausted),
            _ => (None, ends.denied),
        };
        let Some(retry) = &self.settings.retry else {
            return Err(if reason == ends.denied { reason } else { ends.not_retried });
        };
        if self.export.is_closed() {
            return if began_closed { Err(ends.shutdown) } else { Ok(()) };
        }
        let Some(wait) = self.backoff.next(retry, hint, Instant::now(), rand::random()) else { return Err(reason) };
        self.export.told.will_retry(error, items, wait);
        self.export.pause(wait).await;
        Ok(())
    }

    /// The destination calls it bad data: halved until the culprit is alone.
    fn suspect(&mut self, part: Parcel, error: ExportError) {
        self.export.refusals.fetch_add(1, Ordering::Relaxed);
        self.passes_before.get_or_insert(self.export.passes.load(Ordering::Relaxed));
        self.refusals += 1;
        if part.batch.len() > 1 {
            return self.halve(part, &error);
        }
        self.suspects.push((part, error));
    }

    /// Decides about single items that were called bad. They are, if something else passed, whoever's it was; if nothing does, the
    /// destination takes nothing, and to blame an item would be to throw it away.
    async fn judge(&mut self) {
        let passes = self.export.passes.load(Ordering::Relaxed);
        let something_passed = self.passes_before.is_some_and(|before| before != passes);
        let at_the_end = self.parts.is_empty();
        if something_passed || (at_the_end && self.export.refusals.load(Ordering::Relaxed) < MOST_REFUSALS) {
            self.refusals = 0;
            for (culprit, error) in std::mem::take(&mut self.suspects) {
                self.set_aside(culprit.batch, self.export.ends.invalid, error).await;
            }
        } else if !self.suspects.is_empty() && (at_the_end || self.refusals >= MOST_REFUSALS) {
            self.reconsider().await;
        }
    }

    /// Nothing passes: this is no culprit but a refusal of everything, and what there is waits as a whole.
    async fn reconsider(&mut self) {
        let Some((Parcel { way, batch: whole }, error)) = self.gather_again() else { return };
        let error = ExportError { failing: Failing::Denied, ..error };
        self.export.hear(way, Role::Plain, Heard::Denial, &self.settings);
        let began_closed = self.export.is_closed();
        match self.before_next(&error, whole.len(), began_closed).await {
            Ok(()) => self.move_on(whole),
            Err(cause) => self.fail(whole, cause, &error),
        }
        self.refusals = 0;
    }

    /// Everything that has not ended, in one batch, and the last complaint about it.
    fn gather_again(&mut self) -> Option<(Parcel, ExportError)> {
        let mut error = None;
        let mut whole: Option<Parcel> = None;
        let suspects = std::mem::take(&mut self.suspects).into_iter().map(|(part, complaint)| {
            error = Some(complaint);
            part
        });
        for part in suspects.chain(std::mem::take(&mut self.parts).into_iter().rev()) {
            match &mut whole {
                Some(whole) => join(&mut whole.batch, part.batch),
                None => whole = Some(part),
            }
        }
        whole.zip(error)
    }

    /// Sends it in parts that are not larger than a request may be.
    fn push(&mut self, Parcel { way, batch }: Parcel) {
        if is_within(&batch, self.settings.most_bytes) {
            return self.parts.push(Parcel { way, batch });
        }
        let parts = batch.split_by_size(self.settings.most_bytes).into_iter().rev();
        self.parts.extend(parts.map(|batch| Parcel { way, batch }));
    }

    /// Sends it where it belongs by now.
    fn move_on(&mut self, batch: Telemetry) {
        self.moves += 1;
        self.export.prepare_again(self.lane, batch).into_iter().for_each(|parcel| self.push(parcel));
    }

    fn halve(&mut self, Parcel { way, batch }: Parcel, error: &ExportError) {
        tracing::debug!(exporter = self.export.told.exporter(), items = batch.len(), %error, "halving a batch");
        let half = batch.len().div_ceil(2);
        self.parts.extend(batch.split_by_count(half).into_iter().rev().map(|batch| Parcel { way, batch }));
    }

    /// Nobody takes it: into the file for such things, where there is one.
    async fn set_aside(&self, culprit: Telemetry, cause: Cause, error: ExportError) {
        let Some(letters) = self.settings.dead_letters.clone() else { return self.fail(culprit, cause, &error) };
        let (exporter, signal, request) = (self.export.told.exporter().to_owned(), culprit.signal(), culprit.to_bytes());
        let reason = error.to_string();
        // A file can make its writer wait, and a lane must not.
        let written = tokio::task::spawn_blocking(move || letters.write(&exporter, &reason, signal, &request)).await;
        match written.map_err(std::io::Error::other).and_then(|written| written) {
            Ok(()) => self.export.dead_lettered(culprit, cause),
            Err(problem) => {
                self.export.told.dead_letter_failed(&problem);
                self.fail(culprit, cause, &error);
            }
        }
    }

    fn fail(&self, part: Telemetry, cause: Cause, error: &ExportError) {
        let advice = advice(error.failing, self.settings.retry.is_some(), self.settings.sender == Sender::Answered);
        self.export.told.gave_up(error, part.len(), advice);
        self.export.failed(part, cause, error, &self.settings);
    }

    /// Nobody knows whether the destination has it, and to try again may be to panic again.
    fn panicked(&self, part: Telemetry) {
        self.export.told.panicked(part.len());
        let error = ExportError::new(Failing::Invalid, "the exporter panicked").with_code(INTERNAL);
        self.export.failed(part, self.export.ends.panic, &error, &self.settings);
    }
}

/// The gRPC status code of a fault of ours.
const INTERNAL: i32 = 13;

fn heard(answer: &Answer) -> Heard {
    match answer {
        Answer::Said(Ok(_)) => Heard::Answer,
        Answer::Said(Err(error)) => match error.failing {
            Failing::Invalid | Failing::TooLarge | Failing::Elsewhere => Heard::Answer,
            Failing::Retry { .. } => Heard::Failure,
            Failing::Denied => Heard::Denial,
        },
        Answer::Panicked | Answer::Cut => Heard::Failure,
    }
}

/// Whether a batch is surely sent as no more bytes than that: quick to say of most, by counting a context each time that it changes.
fn is_within(batch: &Telemetry, most: usize) -> bool {
    if most == usize::MAX {
        return true;
    }
    let (mut bytes, mut last) = (0, None);
    for item in batch.items() {
        let context = item.context();
        bytes += item.bytes().len() + MOST_FRAMING;
        if last.replace(context.id()) != Some(context.id()) {
            bytes += context.size() + 4 * MOST_FRAMING;
        }
    }
    bytes <= most || batch.emitted_bound() <= most
}

/// The most bytes that a tag and a length take.
const MOST_FRAMING: usize = 6;
