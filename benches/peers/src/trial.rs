//! One run of one gateway: it is started, warmed up, offered a fixed number of spans, and not believed until every one has arrived.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::time::{ClockId, clock_gettime};

use crate::generator::{Clients, Generator, Protocol};
use crate::load::Load;
use crate::peer::{self, Description, Peer, Post};
use crate::sink::Sink;

/// Nothing has come for so long: nothing more will.
const SILENCE: Duration = Duration::from_secs(5);

/// What every gateway of a comparison is asked to do.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) load: Arc<Load>,
    pub(crate) clients: Clients,
    /// Requests before the measurement, and in it.
    pub(crate) warm_up: u64,
    pub(crate) requests: u64,
}

impl Task {
    fn spans(&self, requests: u64) -> u64 {
        requests * self.load.shape().spans as u64
    }
}

/// What one run cost.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// Microseconds of processor time per span, which are seconds per million spans.
    pub(crate) processor: f64,
    /// Bytes.
    pub(crate) peak: u64,
    /// Spans delivered per second, from the first request to the last arrival.
    pub(crate) throughput: f64,
    /// Share of the spans that arrived.
    pub(crate) delivered: f64,
    /// Requests that had to be sent again.
    pub(crate) refused: u64,
    /// What did not add up.
    pub(crate) complaints: Vec<String>,
}

/// Runs one gateway once.
pub(crate) fn run(name: &str, description: &Description, post: &Post, task: &Task, sink: &Sink) -> Result<Figures> {
    let (warm, all) = (task.spans(task.warm_up), task.spans(task.warm_up + task.requests));
    let arrivals = sink.expect(all);
    let gateway = Peer::start(name, description, post)?;
    let settles_after = description.settles_after_seconds.map(Duration::from_secs_f64);
    let arrive = |spans| wait_for(|| arrivals.distinct(), spans, settles_after);

    let address = if task.clients.protocol == Protocol::Grpc { gateway.grpc } else { gateway.http };
    let told = || format!("{name} failed; it says:\n{}", gateway.log());
    let mut generator = Generator::connect(address, task.clients, task.load.clone())?;
    generator.offer(0..task.warm_up).with_context(told)?;
    arrive(warm)?;
    gateway.forget_peak()?;
    let (start, before, arrived_before) = (now()?, gateway.processor_time()?, arrivals.distinct());
    let answers = generator.offer(task.warm_up..task.warm_up + task.requests).with_context(told)?;
    let took = arrive(all)? - start;
    let used = gateway.processor_time()? - before;
    let (peak, offered, delivered) = (gateway.peak()?, (all - warm) as f64, (arrivals.distinct() - arrived_before) as f64);

    let mut complaints: Vec<String> = arrivals.complaint().into_iter().collect();
    let (missing, unanswered) = (all - arrivals.distinct(), all - warm - answers.acknowledged - answers.rejected);
    if unanswered > 0 {
        complaints.push(format!("{unanswered} spans were not answered for"));
    }
    if missing > 0 && settles_after.is_none() {
        complaints.push(format!("{missing} of {all} spans did not arrive"));
    }
    if answers.rejected > 0 {
        complaints.push(format!("{} spans were rejected", answers.rejected));
    }
    if let Err(error) = gateway.stop() {
        complaints.push(error.to_string());
    }
    Ok(Figures {
        processor: used.as_secs_f64() * 1e6 / offered,
        peak,
        throughput: delivered / took.as_secs_f64(),
        delivered: delivered / offered,
        refused: answers.refused,
        complaints,
    })
}

/// When so many had arrived, or the last of them after which none came for a while.
fn wait_for(arrived: impl Fn() -> u64, spans: u64, settles_after: Option<Duration>) -> Result<Duration> {
    let silence = settles_after.unwrap_or(SILENCE);
    let (mut seen, mut last) = (arrived(), now()?);
    while seen < spans && peer::wait(silence, || arrived() > seen) {
        (seen, last) = (arrived(), now()?);
    }
    Ok(last)
}

fn now() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_MONOTONIC)?.into())
}
