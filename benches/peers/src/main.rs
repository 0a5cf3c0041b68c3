//! Runs gateways side by side, ours and others, under the same load, and says what each cost in processor time and memory.

mod compression;
mod echo;
mod generator;
mod ids;
mod load;
mod message;
mod peer;
mod serve;
mod sink;
mod soak;
mod table;
mod trial;
mod wire;
mod yardstick;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use compression::Compression;
use echo::Echo;
use generator::{Clients, Protocol};
use load::{Load, Shape};
use peer::{Description, Post};
use sink::Sink;
use soak::Soak;
use table::Row;
use trial::Task;
use yardstick::Yardstick;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Gateways side by side.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Compare gateways, interleaved, and print medians.
    Run(Run),
    /// Load a gateway for long, with an outage of the back end in the middle, and see that everything adds up.
    Soak(Soak),
    /// Be a gateway that passes requests on unread.
    Echo(Echo),
}

/// What is compared, and over which loads. Every combination is a table.
#[derive(Args, Debug)]
struct Run {
    /// Names of files in benches/peers/peers, the first being what the others are held against.
    #[arg(long, value_delimiter = ',', default_value = "tracetailor,otelcol,echo")]
    peers: Vec<String>,
    /// Spans per request.
    #[arg(long, value_delimiter = ',', default_value = "1000,10")]
    spans: Vec<usize>,
    /// How requests are compressed.
    #[arg(long, value_delimiter = ',', value_enum, default_value = "none")]
    compression: Vec<Compression>,
    /// Threads that a gateway may work with.
    #[arg(long, value_delimiter = ',', default_value = "2")]
    lanes: Vec<usize>,
    /// 1, 10, 100, 1,000 and 8,192 spans per request, all compressions, one lane and two.
    #[arg(long, conflicts_with_all = ["spans", "compression", "lanes"])]
    sweep: bool,
    /// How often each gateway is measured.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Spans per measurement; by the size of requests where not given.
    #[arg(long)]
    total: Option<u64>,
    /// Spans of one trace.
    #[arg(long, default_value_t = 8)]
    spans_per_trace: usize,
    /// How requests travel to the gateway.
    #[arg(long, value_enum, default_value = "grpc")]
    protocol: Protocol,
    /// Connections of the clients.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Requests under way on each connection of gRPC.
    #[arg(long, default_value_t = 4)]
    streams: usize,
    /// Spans per second; without it the next request goes out when one is answered.
    #[arg(long)]
    rate: Option<f64>,
    /// How gateways compress what they send.
    #[arg(long, value_enum, default_value = "none")]
    outgoing: Compression,
}

fn main() -> ExitCode {
    let end = match Cli::parse().command {
        What::Echo(echo) => echo.run().map(|()| ExitCode::SUCCESS),
        What::Run(run) => run.all(),
        What::Soak(soak) => soak.run(),
    };
    end.unwrap_or_else(|error| {
        drop(writeln!(std::io::stderr(), "{error:#}"));
        ExitCode::FAILURE
    })
}

impl Run {
    fn all(mut self) -> Result<ExitCode> {
        if self.sweep {
            (self.spans, self.lanes) = (vec![1, 10, 100, 1_000, 8_192], vec![1, 2]);
            self.compression = Compression::ALL.to_vec();
        }
        let read = |name: &String| Ok((name.clone(), Description::read(name)?));
        let peers: Vec<(String, Description)> = self.peers.iter().map(read).collect::<Result<_>>()?;
        let sink = Sink::start()?;
        let mut adds_up = true;
        for &spans in &self.spans {
            for &compression in &self.compression {
                let task = self.task(spans, compression)?;
                let yardstick = Yardstick::measure(&task.load)?;
                for &lanes in &self.lanes {
                    let post = Post { sink: sink.address(), lanes, outgoing: self.outgoing };
                    let rows = self.compare(&peers, &post, &task, &sink)?;
                    adds_up &= rows.iter().flat_map(|row| &row.runs).all(|run| run.complaints.is_empty());
                    table::write(&mut std::io::stdout().lock(), &self.title(&task, lanes), &yardstick, &rows)?;
                }
            }
        }
        Ok(if adds_up { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn task(&self, spans: usize, compression: Compression) -> Result<Task> {
        // Some seconds of the dearest gateway. More at once would be more than the Collector's queue holds: it would lose spans.
        let total = self.total.unwrap_or(match spans {
            0..10 => 60_000,
            10..100 => 300_000,
            _ => 600_000,
        });
        let requests = total.div_ceil(spans as u64);
        let warm_up = requests.div_ceil(4);
        let shape = Shape { spans, spans_per_trace: self.spans_per_trace, compression };
        let load = Arc::new(Load::prepare(shape, warm_up + requests)?);
        let clients = Clients { protocol: self.protocol, connections: self.connections, streams: self.streams, rate: self.rate };
        Ok(Task { load, clients, warm_up, requests })
    }

    /// One run of every gateway, then the next run of every gateway: what disturbs the machine for a while disturbs all of them.
    fn compare(&self, peers: &[(String, Description)], post: &Post, task: &Task, sink: &Sink) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = peers.iter().map(|(name, _)| Row { name: name.clone(), runs: Vec::new() }).collect();
        for _ in 0..self.runs {
            for ((name, description), row) in peers.iter().zip(&mut rows) {
                row.runs.push(trial::run(name, description, post, task, sink)?);
            }
        }
        Ok(rows)
    }

    fn title(&self, task: &Task, lanes: usize) -> String {
        let shape = task.load.shape();
        let (mut spans, mut bytes) = (0, 0);
        for body in task.load.bodies() {
            (spans, bytes) = (spans + shape.spans, bytes + body.len());
        }
        let Run { protocol, connections, runs, .. } = self;
        let streams = if *protocol == Protocol::Grpc { format!(" of {} streams", self.streams) } else { String::new() };
        let rate = self.rate.map_or_else(String::new, |rate| format!(", {rate} spans/s offered"));
        format!(
            "{} spans per request of {} bytes each, in by {} with {}, out with {}; lanes: {lanes}; {connections} connections{streams}{rate}; {} spans, median of {runs}",
            shape.spans,
            bytes / spans.max(1),
            format!("{protocol:?}").to_lowercase(),
            shape.compression.name(),
            self.outgoing.name(),
            task.requests * shape.spans as u64,
        )
    }
}
