//! A long run of one gateway at half of what it can do, with an outage of the back end in the middle, after which everything must add up.

mod answer;
mod books;
mod client;
mod report;

use std::io::Write as _;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use tokio::time::{Instant, interval, sleep, sleep_until};

use crate::compression::Compression;
use crate::generator::{Clients, Protocol};
use crate::ids::Arrivals;
use crate::load::{Load, Shape};
use crate::message::on_this_thread;
use crate::peer::{Description, Peer, Post};
use crate::sink::Sink;
use crate::trial::{self, Task};

use books::Books;
use client::{Client, Plan};
use report::Report;

/// What one request holds.
const SHAPE: Shape = Shape { spans: 100, spans_per_trace: 8, compression: Compression::None };
/// Connections of gRPC and the clients on each; clients of HTTP have one each.
const GRPC: (usize, usize) = (4, 8);
const HTTP: usize = 32;
/// Spans of the calibration: some seconds.
const CALIBRATION: u64 = 600_000;
/// How long the gateway may take after the load to deliver what it holds, without a single arrival.
const SILENCE: Duration = Duration::from_secs(30);
const EVERY_SECOND: Duration = Duration::from_secs(1);
/// How many samples there are to a line about how it goes.
const SAMPLES_PER_LINE: usize = 10;

/// How long and how hard.
#[derive(Args, Debug)]
pub(crate) struct Soak {
    /// How long the load lasts.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// How long the back end refuses connections, in the middle of it; 0 for not at all.
    #[arg(long, default_value_t = 120.0)]
    outage_seconds: f64,
    /// Spans per second; without it half of what a short calibration reaches.
    #[arg(long)]
    rate: Option<f64>,
    /// The gateway: it is described by benches/peers/peers/PEER-soak.yaml.
    #[arg(long, default_value = "tracetailor")]
    peer: String,
    /// Threads that the gateway may work with.
    #[arg(long, default_value_t = 2)]
    lanes: usize,
}

impl Soak {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let (time, outage) = (Duration::try_from_secs_f64(60.0 * self.minutes)?, Duration::try_from_secs_f64(self.outage_seconds)?);
        ensure!(time >= Duration::from_secs(20), "less than 20 seconds tell nothing");
        ensure!(outage <= time / 2, "the outage must not be longer than half of the time, so that there is a before and an after");
        ensure!(self.rate.is_none_or(|rate| rate >= 1.0 && rate.is_finite()), "the rate must be a number of spans per second");
        let name = format!("{}-soak", self.peer);
        let description = Description::read(&name)?;
        let sink = Sink::start()?;
        let post = Post { sink: sink.address(), lanes: self.lanes, outgoing: Compression::None };
        let rate = match self.rate {
            Some(rate) => rate,
            None => calibrate(&name, &description, &post, &sink)? / 2.0,
        };
        say(&format!("{name}: {rate:.0} spans/s for {time:?}, an outage of {outage:?} in the middle"));
        // A request more than there is time for, and some for what is rounded.
        let requests = (rate * time.as_secs_f64() / SHAPE.spans as f64) as u64 + 100;
        let load = Arc::new(Load::prepare(SHAPE, requests)?);
        let arrivals = sink.expect(requests * SHAPE.spans as u64);
        let gateway = Peer::start(&name, &description, &post)?;
        let watched = Watched { gateway: &gateway, sink: &sink, arrivals: &arrivals };
        let report = on_this_thread(watched.soak(load, rate, time, outage)).with_context(|| format!("{name} says:\n{}", gateway.log()));
        let (mut report, log) = (report?, gateway.log());
        if let Err(error) = gateway.stop() {
            report.complaints.push(error.to_string());
        }
        if !report.complaints.is_empty() && !log.is_empty() {
            say(&format!("the end of what {name} says:\n{log}"));
        }
        write!(std::io::stdout().lock(), "{report}")?;
        Ok(if report.complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What the gateway reaches, in spans per second.
fn calibrate(name: &str, description: &Description, post: &Post, sink: &Sink) -> Result<f64> {
    let requests = CALIBRATION / SHAPE.spans as u64;
    let warm_up = requests / 4;
    let load = Arc::new(Load::prepare(SHAPE, warm_up + requests)?);
    let clients = Clients { protocol: Protocol::Grpc, connections: GRPC.0, streams: GRPC.1, rate: None };
    let figures = trial::run(name, description, post, &Task { load, clients, warm_up, requests }, sink)?;
    ensure!(figures.complaints.is_empty(), "the calibration does not add up: {}", figures.complaints.join("; "));
    say(&format!("calibration: {:.0} spans/s", figures.throughput));
    Ok(figures.throughput)
}

/// Everybody who takes part.
#[derive(Clone, Copy)]
struct Watched<'a> {
    gateway: &'a Peer,
    sink: &'a Sink,
    arrivals: &'a Arrivals,
}

impl Watched<'_> {
    async fn soak(self, load: Arc<Load>, rate: f64, time: Duration, outage: Duration) -> Result<Report> {
        let mut clients = Vec::new();
        for _ in 0..GRPC.0 {
            clients.extend(Client::over_grpc(self.gateway.grpc, GRPC.1).await?);
        }
        clients.extend((0..HTTP).map(|_| Client::over_http(self.gateway.http)));
        let plan = Rc::new(Plan::new(load, rate, time));
        let work: Vec<_> = clients.into_iter().map(|client| tokio::task::spawn_local(client.work(plan.clone()))).collect();
        let before = self.gateway.processor_time()?;
        let all_answered = async {
            for worker in work {
                worker.await?;
            }
            Ok::<_, anyhow::Error>(())
        };
        let ((), resident, ()) = tokio::try_join!(all_answered, self.sample(&plan), self.interrupt((time - outage) / 2, outage))?;
        let books = self.drain().await?;
        let heard = plan.heard.take();
        let mut report = Report {
            begun: plan.begun(),
            offered: rate * time.as_secs_f64(),
            processor: self.gateway.processor_time()? - before,
            resident,
            time,
            missing: heard.acknowledged.iter().map(|request| self.missing(*request)).sum(),
            distinct: self.arrivals.distinct(),
            repeated: self.arrivals.repeated(),
            strange: self.arrivals.strange(),
            heard,
            books,
            complaints: Vec::new(),
        };
        report.complaints = report.complaints();
        Ok(report)
    }

    /// How many spans of the request have not arrived.
    fn missing(self, request: u64) -> u64 {
        let first = request * SHAPE.spans as u64;
        (first..first + SHAPE.spans as u64).filter(|span| !self.arrivals.has(*span)).count() as u64
    }

    /// The gateway's memory, every second until the load ends.
    async fn sample(self, plan: &Plan) -> Result<Vec<u64>> {
        let (mut samples, mut ticks) = (Vec::new(), interval(EVERY_SECOND));
        while Instant::now() < plan.end() {
            ticks.tick().await;
            samples.push(self.gateway.resident()?);
            if samples.len() % SAMPLES_PER_LINE == 0 {
                let (heard, arrived) = (plan.heard.borrow(), self.arrivals.distinct());
                let (taken, refused) = (heard.acknowledged.len() * SHAPE.spans, heard.refused.values().sum::<u64>());
                let resident = report::mebibytes(samples.last().copied().unwrap_or_default());
                say(&format!("{} s: {taken} spans taken, {arrived} arrived; {refused} refusals; {resident:.0} MiB", samples.len()));
            }
        }
        Ok(samples)
    }

    /// The outage.
    async fn interrupt(self, after: Duration, outage: Duration) -> Result<()> {
        if outage.is_zero() {
            return Ok(());
        }
        let start = Instant::now();
        for (at, what) in [(after, "refuses connections"), (after + outage, "takes connections again")] {
            sleep_until(start + at).await;
            self.sink.turn()?;
            say(&format!("{:.0} s: the back end {what}", start.elapsed().as_secs_f64()));
        }
        Ok(())
    }

    /// The books once nothing is on its way any more, or nothing has come for long.
    async fn drain(self) -> Result<Books> {
        let (mut seen, mut last) = (self.arrivals.distinct(), Instant::now());
        loop {
            let books = Books::read(self.gateway.metrics).await.context("the metrics cannot be read")?;
            let now = self.arrivals.distinct();
            if now == seen && (books.are_closed() || last.elapsed() > SILENCE) {
                return Ok(books);
            }
            if now != seen {
                (seen, last) = (now, Instant::now());
            }
            sleep(EVERY_SECOND).await;
        }
    }
}

/// How it goes, beside what comes out of it.
fn say(what: &str) {
    drop(writeln!(std::io::stderr(), "{what}"));
}
