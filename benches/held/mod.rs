//! What the benches of the trace store share: requests whose traces are spread over several, and a gateway of one lane that holds them.
#![allow(dead_code, reason = "every bench uses a part of it")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use prost::bytes::Bytes;
use tracetailor_core::component::{Notes, Output, Processor, Room, TraceStage, Verdict, Wants};
use tracetailor_core::ledger::{Books, Fate, Line, LineName, Nobody, Receipt};
use tracetailor_core::telemetry::{Intake, Interner, Item, Limits, Origin, Signal, Source, Telemetry};
use tracetailor_core::testing::Payload;
use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, Span};
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::{self, Budget, Outline, Remember, Slot, Trace, TraceStore, WholeTraces};

/// How many requests bring one trace.
const SPREAD: usize = 4;

/// Requests whose traces are spread over several, each trace new whenever it comes.
pub(crate) struct Requests {
    /// Each with the places of its trace ids.
    encoded: Vec<(Vec<u8>, Vec<usize>)>,
    sent: usize,
}

impl Requests {
    pub(crate) fn new(payload: &Payload) -> Self {
        let groups = [0, 1].map(|group| spread(payload, group * SPREAD as u64));
        let encoded = groups.into_iter().flatten().map(|request| (request.encode_to_vec(), ids_in(&request)));
        Self { encoded: encoded.map(|(bytes, ids)| (bytes.clone(), places(&bytes, ids))).collect(), sent: 0 }
    }

    pub(crate) fn next(&mut self) -> Bytes {
        let (request, places) = &self.encoded[self.sent % self.encoded.len()];
        let round = (self.sent / self.encoded.len()) as u64;
        self.sent += 1;
        let mut body = request.clone();
        for place in places {
            body[*place..*place + 8].copy_from_slice(&round.to_le_bytes());
        }
        body.into()
    }
}

/// As many requests as a trace is spread over, from as many in which every trace is whole.
fn spread(payload: &Payload, first: u64) -> Vec<ExportTraceServiceRequest> {
    let whole: Vec<ExportTraceServiceRequest> = (0..SPREAD as u64).map(|index| payload.traces(first + index)).collect();
    let each = payload.spans_per_trace.div_ceil(SPREAD);
    (0..SPREAD).map(|part| spans_of_part(&whole, part, each)).collect()
}

fn spans_of_part(whole: &[ExportTraceServiceRequest], part: usize, each: usize) -> ExportTraceServiceRequest {
    let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut is_in_part = |span: &Span| {
        let place = seen.entry(span.trace_id.clone()).or_default();
        *place += 1;
        (*place - 1) / each == part
    };
    let mut all = whole.to_vec();
    for scope in all.iter_mut().flat_map(|request| &mut request.resource_spans).flat_map(|resource| &mut resource.scope_spans) {
        scope.spans.retain(&mut is_in_part);
    }
    merged(all)
}

/// One request of several with the same resources and scopes.
fn merged(requests: Vec<ExportTraceServiceRequest>) -> ExportTraceServiceRequest {
    let mut merged = ExportTraceServiceRequest::default();
    for resource in requests.into_iter().flat_map(|request| request.resource_spans) {
        let Some(known) = merged.resource_spans.iter_mut().find(|known| known.resource == resource.resource) else {
            merged.resource_spans.push(resource);
            continue;
        };
        for scope in resource.scope_spans {
            match known.scope_spans.iter_mut().find(|known| known.scope == scope.scope) {
                Some(known) => known.spans.extend(scope.spans),
                None => known.scope_spans.push(scope),
            }
        }
    }
    merged
}

fn ids_in(request: &ExportTraceServiceRequest) -> Vec<Vec<u8>> {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans).map(|span| span.trace_id.clone()).collect()
}

/// Where the trace ids stand, which come in this order.
fn places(bytes: &[u8], ids: Vec<Vec<u8>>) -> Vec<usize> {
    let mut from = 0;
    let find = |id: Vec<u8>| {
        from += bytes[from..].windows(16).position(|window| window == id).unwrap_or_default();
        from
    };
    ids.into_iter().map(find).collect()
}

/// A gateway of one lane.
pub(crate) struct Gateway {
    books: Books,
    line: Line,
    intake: Intake,
    source: Arc<Source>,
}

impl Gateway {
    pub(crate) fn new() -> Self {
        let books = Books::new();
        let line = books.line(LineName::Pipeline("traces".to_owned()), Signal::Traces);
        Self { line, books, intake: Intake::new(Interner::new(), Limits::default()), source: Arc::default() }
    }

    #[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
    pub(crate) fn receive(&self, request: Bytes) -> Telemetry {
        let parsed = self.intake.parse(Signal::Traces, request).expect("the payload is valid");
        let share = Receipt::open(&self.books, Arc::new(Nobody), 0).accept(&self.line, parsed.len() as u64);
        parsed.from_origin(Origin { share, source: Arc::clone(&self.source), received_at: LogTime(0) })
    }

    /// A judge over a store that holds traces for so long and remembers a million verdicts.
    pub(crate) fn whole_traces(&self, wait: Duration, judge: Judge) -> WholeTraces {
        let (many, some) = (Budget::new(1_000_000), Budget::new(64 << 20));
        let remember = Remember { time: Duration::from_secs(900), kept: many.clone(), dropped: many, skeletons: some };
        let limits = trace_store::Limits { remember, ..trace_store::Limits::with_wait(wait) };
        let cause = self.books.cause("bench", "all");
        let store = TraceStore::new(limits, self.line.held("trace_store"), cause);
        let stage = Stage { verdict: if judge.keeps { Verdict::keep(cause) } else { Verdict::drop(cause) }, judge };
        WholeTraces::new(store, vec![Box::new(stage)], cause)
    }
}

/// Decides everything the same way.
#[derive(Clone, Copy, Default)]
pub(crate) struct Judge {
    pub(crate) keeps: bool,
    pub(crate) wants: Wants,
    /// All but one in so many are wished to be decided at once.
    pub(crate) patient: Option<u16>,
}

struct Stage {
    judge: Judge,
    verdict: Verdict,
}

impl TraceStage for Stage {
    fn wants(&self) -> Wants {
        self.judge.wants
    }

    fn open(&mut self, _trace: &Outline<'_>) {}

    fn arrive(&mut self, trace: &Outline<'_>, span: Item<'_>) {
        black_box((trace.slot(), span.head().status));
    }

    fn ready_in(&mut self, trace: &Outline<'_>) -> Option<Duration> {
        let one_in = self.judge.patient?;
        // Once it is whole.
        let is_patient = (u128::from_be_bytes(trace.id().0) % 100_003).is_multiple_of(u128::from(one_in));
        (trace.span_count() == 8 && !is_patient).then_some(Duration::ZERO)
    }

    fn decide(&mut self, _trace: &Trace<'_>, _notes: &Notes) -> Option<Verdict> {
        Some(self.verdict)
    }

    fn close(&mut self, _slot: Slot) {}
}

/// Spans held at any moment.
const HELD: usize = 200_000;
/// One request comes in each turn.
const TURN: Duration = Duration::from_millis(17);

/// How long traces wait, so that as many spans are held as should be.
pub(crate) fn wait(payload: &Payload) -> Duration {
    TURN * u32::try_from(HELD / payload.items).unwrap_or(u32::MAX)
}

/// What is below all holding.
pub(crate) fn parse_each(payload: &Payload) -> impl FnMut() + 'static {
    let (mut requests, gateway) = (Requests::new(payload), Gateway::new());
    move || gateway.receive(requests.next()).settle(Fate::Delivered)
}

/// Each time the next request is taken in, and what is due is decided and sent on.
pub(crate) fn each_turn(payload: &Payload, gateway: Gateway, mut processor: Box<dyn Processor>) -> impl FnMut() + 'static {
    let (mut requests, mut now) = (Requests::new(payload), LogTime(1 << 60));
    move || {
        now = now + TURN;
        let mut out = Output::new(now, Room::ENOUGH);
        processor.process(gateway.receive(requests.next()), &mut out);
        let _ = processor.wake(now, &mut out);
        out.take().into_iter().for_each(|batch| batch.settle(Fate::Delivered));
    }
}
