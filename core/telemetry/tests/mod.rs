//! Property tests: what is done to telemetry as bytes must come to the same as if it had been done to prost's structs.
//!
//! | file | holds |
//! |---|---|
//! | `round_trip` | what comes in goes out, through any splitting and merging |
//! | `edits` | edits and reads by path agree with a model that knows no bytes |
//! | `bounds`, `depths`, `crowds` | broken, deep and crowded requests cost only themselves |
//! | `corpus` | the seeds of the fuzz target pass it |
//! | `rows` | a request as rows, to compare however it is grouped |
//! | `drafts` | edits drawn at random |
//! | `model`, `tree`, `values` | what edits must come to, on a plain tree |

mod bounds;
mod corpus;
mod crowds;
mod depths;
mod drafts;
mod edits;
mod model;
mod round_trip;
mod rows;
mod tree;
mod values;

use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;
use crate::ledger::{Books, Cause, Fate, Line, LineName, Nobody, Receipt, Retry};
use crate::testing::arbitrary::{self, Wild};
use crate::testing::wire;
use crate::time::LogTime;

/// How often every property is tried.
fn many() -> Config {
    Config::with_cases(10_000)
}

/// Requests of a handful of items: small enough for ten thousand of them, large enough to be oddly grouped.
fn small() -> Wild {
    Wild { groups: 2, items: 2, entries: 2, depth: 2, ..Wild::default() }
}

/// A request of any signal.
fn request(wild: &Wild) -> BoxedStrategy<Decoded> {
    requests(wild, 1).prop_map(|mut requests| requests.remove(0)).boxed()
}

/// One to so many requests of one signal.
fn requests(wild: &Wild, most: usize) -> BoxedStrategy<Vec<Decoded>> {
    let traces = proptest::collection::vec(arbitrary::traces(wild).prop_map(Decoded::Traces), 1..=most);
    let logs = proptest::collection::vec(arbitrary::logs(wild).prop_map(Decoded::Logs), 1..=most);
    let metrics = proptest::collection::vec(arbitrary::metrics(wild).prop_map(Decoded::Metrics), 1..=most);
    prop_oneof![2 => traces, 1 => logs, 2 => metrics].boxed()
}

/// The bytes of a request as some other encoder might have written them.
fn rewritten(request: &Decoded, how: &wire::Rewrite) -> Bytes {
    Bytes::from(wire::rewrite(message_of(request.signal()), &request.encode(), how))
}

fn message_of(signal: Signal) -> wire::Message {
    match signal {
        Signal::Traces => wire::Message::Traces,
        Signal::Logs => wire::Message::Logs,
        Signal::Metrics => wire::Message::Metrics,
    }
}

fn intake(odd_ids: OddIds) -> Intake {
    Intake::new(Interner::new(), Limits { odd_ids, ..Limits::default() })
}

/// A receiver with books of its own, which must balance when it closes.
struct Desk {
    books: Books,
    line: Line,
    refused: Cause,
    unwanted: Cause,
    requests: Cell<u64>,
}

impl Desk {
    fn open(signal: Signal) -> Self {
        let books = Books::new();
        let line = books.line(LineName::Pipeline("tested".into()), signal);
        let (refused, unwanted) = (books.cause("tested", "refused"), books.cause("tested", "unwanted"));
        Self { books, line, refused, unwanted, requests: Cell::new(0) }
    }

    /// The batch of what was let in. Its origin's time is the number of the request, counted from 0.
    fn take_in(&self, parsed: Parsed) -> Telemetry {
        let number = self.requests.replace(self.requests.get() + 1);
        let receipt = Receipt::open(&self.books, Arc::new(Nobody), number);
        let mut share = receipt.accept(&self.line, parsed.total());
        share.settle_some(parsed.rejections.total(), Fate::Rejected { cause: self.refused, retry: Retry::Never });
        let source = Arc::new(Source { receiver: format!("otlp/{number}"), ..Source::default() });
        parsed.from_origin(Origin { share, source, received_at: LogTime(number) })
    }

    /// Everything that was taken in must have ended.
    fn close(self) {
        self.books.report().assert_balanced();
        assert_eq!(self.books.open_receipts(), 0);
    }
}
