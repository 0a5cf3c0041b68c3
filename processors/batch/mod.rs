#![doc = include_str!("README.md")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tracetailor_core::component::{
    BuildError, Component, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Progress, Stability,
};
use tracetailor_core::config::{CommaList, ConfigErrors, Period, Schema, Validate};
use tracetailor_core::ledger::{Cause, Explanation, Fate, Retry, Share};
use tracetailor_core::telemetry::{SourceTag, Telemetry};
use tracetailor_core::time::LogTime;

mod counts;
mod partition;
mod shelf;

use counts::Counts;
use partition::{Key, Partitions};
use shelf::{Added, Gathered, Shelf};

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// As soon as so many spans, log records or points are there they are sent.
    pub send_batch_size: u32,
    /// After how long what is there is sent in any case; `0s` sends everything at once, whatever its size.
    pub timeout: Period,
    /// What is larger is split; 0 for no limit.
    pub send_batch_max_size: u32,
    /// Names of client metadata: a batch for each combination of their values. Case does not matter.
    pub metadata_keys: CommaList,
    /// The most combinations that have something waiting; 0 for no limit.
    pub metadata_cardinality_limit: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            send_batch_size: 8192,
            timeout: Period::millis(200),
            send_batch_max_size: 0,
            metadata_keys: CommaList::default(),
            metadata_cardinality_limit: 1000,
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        let (size, most) = (self.send_batch_size, self.send_batch_max_size);
        if most > 0 && most < size {
            let wrong = format!("is less than the send_batch_size of {size}");
            errors.error("send_batch_max_size", wrong, format!("write at least {size}, or 0 for no limit"));
        }
        let mut seen: Vec<String> = Vec::new();
        for key in self.metadata_keys.iter() {
            let key = key.to_ascii_lowercase();
            if seen.contains(&key) {
                errors.error("metadata_keys", format!("names {key} twice"), "name each key once; case does not matter");
            }
            seen.push(key);
        }
    }
}

/// How one is made.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<Batch>("batch", Stability::Beta, include_str!("README.md"));

/// One lane's hand on a shelf that all lanes share: a user who writes 8192 means 8192, and not as many in each lane.
pub struct Batch {
    /// None sends at once and never looks at the shelf.
    timeout: Option<Duration>,
    /// None for no limit.
    most: Option<usize>,
    partitions: Partitions,
    shelf: Arc<Shelf>,
    /// Who this is among those who share the shelf.
    hand: u64,
    /// What this lane began to gather, and when it must go. Some of it another lane may have taken since; with one timeout for all, the
    /// order of beginning is the order of going.
    timers: VecDeque<Timer>,
    counts: Counts,
    too_many: Cause,
    no_time: Cause,
}

struct Timer {
    due: LogTime,
    key: Key,
    number: u64,
}

impl Component for Batch {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        let size = config.send_batch_size as usize;
        let id = context.id.to_string();
        let keys = || context.counters.gauge("otelcol_processor_batch_metadata_cardinality", &[("processor", &id)]);
        let shelf = context.share("shelf", || Shelf::new(context.line.held("batch"), keys()));
        shelf.set_limits(size, config.metadata_cardinality_limit as usize);
        Ok(Box::new(Self {
            timeout: (size > 0 && !config.timeout.is_zero()).then(|| config.timeout.get()),
            most: (config.send_batch_max_size > 0).then_some(config.send_batch_max_size as usize),
            partitions: Partitions::by(config.metadata_keys.iter()),
            hand: shelf.join(),
            shelf,
            timers: VecDeque::new(),
            counts: Counts::new(context),
            too_many: context.cause("too_many_metadata_values"),
            no_time: context.cause("no_time"),
        }))
    }
}

impl Processor for Batch {
    fn process(&mut self, batch: Telemetry, out: &mut Output) {
        let Some(timeout) = self.timeout else { return self.send_at_once(batch, out) };
        let due = out.now() + timeout;
        if let Some(key) = self.partitions.only() {
            return self.gather(key, batch, due, out);
        }
        for (key, part) in self.partitions.of(batch) {
            match self.shelf.admits(&key) {
                true => self.gather(key, part, due, out),
                false => self.refuse(part),
            }
        }
    }

    fn wake_at(&self) -> Option<LogTime> {
        self.timers.front().map(|timer| timer.due)
    }

    fn wake(&mut self, now: LogTime, out: &mut Output) -> Progress {
        while self.timers.front().is_some_and(|timer| timer.due <= now) {
            if !out.wants_more() {
                return Progress::More;
            }
            let Some(timer) = self.timers.pop_front() else { break };
            if let Some(gathered) = self.shelf.take(&timer.key, timer.number) {
                self.counts.timeout();
                self.send(gathered.into_one(), out);
            }
        }
        Progress::Done
    }

    fn drain(&mut self, out: &mut Output) -> Progress {
        self.timers.clear();
        while out.wants_more() {
            match self.shelf.take_any() {
                Some(gathered) => self.send(gathered.into_one(), out),
                None => return Progress::Done,
            }
        }
        if self.shelf.is_empty() { Progress::Done } else { Progress::More }
    }

    fn forget(&mut self, source: SourceTag) {
        self.shelf.forget(source).into_iter().for_each(|gone| gone.abandon(self.no_time));
    }
}

impl Batch {
    /// Without a timeout a batch only ever becomes smaller. Nobody is told that it is held, so a client hears what becomes of it.
    fn send_at_once(&self, batch: Telemetry, out: &mut Output) {
        for part in self.pieces(batch) {
            self.send(Some(part), out);
        }
    }

    /// Puts a batch to those that wait; where that makes enough of them, sends all and goes on with what is too little again.
    fn gather(&mut self, key: Key, mut batch: Telemetry, due: LogTime, out: &mut Output) {
        batch.each_share(Share::accepted);
        let mut rest = Some(batch);
        while let Some(batch) = rest.take() {
            match self.shelf.add(&key, batch, out.now(), due, self.hand) {
                Added::Waits => {}
                Added::Begins(number) => self.begin(Timer { due, key: key.clone(), number }),
                Added::Enough(gathered) => rest = self.send_enough(gathered, out),
            }
        }
    }

    fn begin(&mut self, timer: Timer) {
        self.timers.push_back(timer);
        // What others took leaves its timer behind, which only costs a wake; but a long timeout under a high load would pile them up.
        if self.timers.len() > 64.max(4 * self.shelf.len()) {
            self.shelf.keep_live(&mut self.timers, |timer| (&timer.key, timer.number));
        }
    }

    /// Sends all that is enough by itself; gives back what is not.
    fn send_enough(&mut self, gathered: Gathered, out: &mut Output) -> Option<Telemetry> {
        if self.timers.front().is_some_and(|timer| timer.number == gathered.number) {
            self.timers.pop_front();
        }
        let (is_due, enough) = (gathered.due <= out.now(), self.shelf.size());
        let mut pieces = self.pieces(gathered.into_one()?);
        let rest = pieces.pop_if(|last| last.len() < enough && !is_due);
        for piece in pieces {
            if is_due {
                self.counts.timeout()
            } else {
                self.counts.enough()
            }
            self.send(Some(piece), out);
        }
        rest
    }

    fn pieces(&self, batch: Telemetry) -> Vec<Telemetry> {
        match self.most {
            Some(most) => batch.split_by_count(most),
            None => vec![batch],
        }
    }

    fn send(&self, batch: Option<Telemetry>, out: &mut Output) {
        if let Some(batch) = batch {
            self.counts.sent(&batch);
            out.emit(batch);
        }
    }

    /// Not for good: places become free as soon as what waits is sent.
    fn refuse(&self, mut batch: Telemetry) {
        let message = "too many batcher metadata-value combinations".to_owned();
        let why = Explanation { message, code: None, retry_after: self.timeout };
        batch.each_share(|share| share.explain(&why));
        batch.settle(Fate::Rejected { cause: self.too_many, retry: Retry::Later });
    }
}

/// Whoever has no time left settles what it began; the last one, everything.
impl Drop for Batch {
    fn drop(&mut self) {
        self.shelf.leave(self.hand).into_iter().for_each(|left| left.abandon(self.no_time));
    }
}

#[cfg(test)]
mod tests;
