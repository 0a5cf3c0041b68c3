//! The hot paths, one at a time, to be counted instruction by instruction: `instructions NAME REQUESTS` runs one path over so many requests.
//!
//! Times differ from machine to machine and from minute to minute; counts do not. `benches/instructions/check` compares them with the budget beside it.

#[path = "../held/mod.rs"]
mod held;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use held::{Gateway, Judge, Requests};

use prost::bytes::Bytes;
use tracetailor_core::component::{Output, Processor, Room, Wants};
use tracetailor_core::ledger::{Books, Fate, Line, LineName, Nobody, Receipt};
use tracetailor_core::ottl::{Contexts, ErrorMode, Statement, Statements};
use tracetailor_core::telemetry::{self, Intake, Interner, Limits, Origin, Rewrite, Signal, Source, Telemetry, Traces, Value};
use tracetailor_core::testing::Payload;
use tracetailor_core::time::{Clock, LogTime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A path by name, and what one request of it does.
type Work = fn(&Ground, &mut Scratch, Bytes);

/// What is counted: work on one batch after the other, or a store that holds traces over several requests.
enum Path {
    Batches(Work),
    Held(Judge),
}

const DROPPING: Judge = Judge { keeps: false, wants: Wants { structure: false, skeletons: false }, patient: None };

/// Those that `benches/ottl.rs` measures.
const STATEMENTS: [&str; 3] =
    ["set(attributes[\"team\"], \"shop\")", "delete_key(attributes, \"server.address\")", "replace_pattern(name, \"^[A-Z]+ \", \"CALL \")"];

const PATHS: &[(&str, Path)] = &[
    ("receive", Path::Batches(|ground, _, request| drop(black_box(ground.intake.parse(Signal::Traces, request))))),
    ("pass_through", Path::Batches(pass_through)),
    ("regroup", Path::Batches(regroup)),
    ("visit_attributes", Path::Batches(visit_attributes)),
    ("set_one_attribute", Path::Batches(set_one_attribute)),
    ("rewrite_one_attribute", Path::Batches(rewrite_one_attribute)),
    ("three_statements", Path::Batches(three_statements)),
    ("split_in_four", Path::Batches(split_in_four)),
    ("hold_and_drop", Path::Held(DROPPING)),
    ("hold_and_emit", Path::Held(Judge { keeps: true, ..DROPPING })),
    ("hold_observe_and_drop", Path::Held(Judge { wants: Wants { structure: true, skeletons: false }, ..DROPPING })),
];

#[expect(clippy::print_stdout, reason = "the list of paths is what the caller asked for")]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(name), Some(requests)) = (arguments.next(), arguments.next()) else {
        PATHS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let (Some((_, path)), Ok(requests)) = (PATHS.iter().find(|(path, _)| *path == name), requests.parse::<usize>()) else {
        println!("usage: instructions NAME REQUESTS; without arguments the names are listed");
        return ExitCode::from(2);
    };
    match path {
        Path::Batches(work) => run_batches(*work, requests),
        Path::Held(judge) => run_held(*judge, requests),
    }
    ExitCode::SUCCESS
}

fn run_batches(work: Work, requests: usize) {
    let ground = Ground::new();
    let mut scratch = Scratch::default();
    for number in 0..requests {
        work(&ground, &mut scratch, ground.requests[number % ground.requests.len()].clone());
    }
}

/// Holds what comes for four turns, so that with each request that comes the traces of another are decided.
fn run_held(judge: Judge, requests: usize) {
    const TURN: Duration = Duration::from_secs(1);
    let (gateway, mut incoming) = (Gateway::new(), Requests::new(&Payload::STANDARD));
    let mut whole = gateway.whole_traces(TURN * 4, judge);
    let mut now = LogTime(1 << 60);
    for _ in 0..requests + 8 {
        now = now + TURN;
        let mut out = Output::new(now, Room::ENOUGH);
        whole.process(gateway.receive(incoming.next()), &mut out);
        let _ = whole.wake(now, &mut out);
        out.take().into_iter().for_each(|batch| batch.settle(Fate::Delivered));
    }
}

/// What a receiver has before any request comes.
struct Ground {
    requests: Vec<Bytes>,
    intake: Intake,
    books: Books,
    line: Line,
    source: Arc<Source>,
    address: telemetry::Path,
    clock: Clock,
}

/// What a lane uses again for every batch.
#[derive(Default)]
struct Scratch {
    traces: Traces,
    out: Vec<u8>,
    statements: Option<Statements>,
}

impl Ground {
    #[expect(clippy::expect_used, reason = "the path is a constant of this file")]
    fn new() -> Self {
        let books = Books::new();
        Self {
            requests: Payload::STANDARD.encoded_traces().into_iter().map(Bytes::from).collect(),
            intake: Intake::new(Interner::new(), Limits::default()),
            line: books.line(LineName::Pipeline("traces".to_owned()), Signal::Traces),
            books,
            source: Arc::default(),
            address: telemetry::Path::parse(Signal::Traces, r#"attributes["server.address"]"#).expect("a path"),
            clock: Clock::system(),
        }
    }

    #[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
    fn batch(&self, request: Bytes) -> Telemetry {
        let parsed = self.intake.parse(Signal::Traces, request).expect("the payload is valid");
        let share = Receipt::open(&self.books, Arc::new(Nobody), 0).accept(&self.line, parsed.total());
        parsed.from_origin(Origin { share, source: Arc::clone(&self.source), received_at: LogTime(0) })
    }
}

fn send(batch: Telemetry, scratch: &mut Scratch) {
    scratch.out.clear();
    batch.emit(&mut scratch.out);
    black_box(&scratch.out);
    batch.settle(Fate::Delivered);
}

fn pass_through(ground: &Ground, scratch: &mut Scratch, request: Bytes) {
    send(ground.batch(request), scratch);
}

fn regroup(ground: &Ground, scratch: &mut Scratch, request: Bytes) {
    let mut batch = ground.batch(request);
    scratch.traces.group(&batch);
    batch.gather(&scratch.traces);
    send(batch, scratch);
}

fn visit_attributes(ground: &Ground, scratch: &mut Scratch, request: Bytes) {
    let batch = ground.batch(request);
    let bytes: usize =
        batch.items().flat_map(|item| item.attributes()).map(|attribute| attribute.key.len() + attribute.value_bytes().len()).sum();
    black_box(bytes);
    send(batch, scratch);
}

fn set_one_attribute(ground: &Ground, scratch: &mut Scratch, request: Bytes) {
    let mut batch = ground.batch(request);
    let value = Value::from("elsewhere.example");
    batch.edit_items(|item| {
        black_box(item.set(&ground.address, &value).is_ok());
    });
    send(batch, scratch);
}

fn rewrite_one_attribute(ground: &Ground, scratch: &mut Scratch, request: Bytes) {
    let mut batch = ground.batch(request);
    batch.edit_items(|item| {
        let hidden = |key: &[u8]| if key == b"server.address" { Rewrite::Set(Value::from("****")) } else { Rewrite::Keep };
        black_box(item.rewrite_attributes(|attribute| hidden(attribute.key)));
    });
    send(batch, scratch);
}

#[expect(clippy::expect_used, reason = "the statements are constants of this file")]
fn three_statements(ground: &Ground, scratch: &mut Scratch, request: Bytes) {
    let mut batch = ground.batch(request);
    let statements = scratch.statements.get_or_insert_with(|| {
        let contexts = Contexts::of(Signal::Traces);
        let statements = STATEMENTS.iter().map(|text| Statement::parse(&contexts, Some("span"), text).expect("a statement"));
        Statements::of(vec![], statements.collect(), ErrorMode::Propagate)
    });
    black_box(statements.run(&mut batch, &ground.clock).is_ok());
    send(batch, scratch);
}

fn split_in_four(ground: &Ground, scratch: &mut Scratch, request: Bytes) {
    let batch = ground.batch(request);
    for part in batch.split(4, |item| usize::from(item.trace_id().0[15] & 3)) {
        send(part, scratch);
    }
}
