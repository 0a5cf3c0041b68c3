//! What stands before a processor under test: it takes requests in as a receiver does, and hears what became of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::spans::START;
use crate::ledger::{Books, Fate, Line, LineName, Milestone, Receipt, Retry, Settled, Share, Tally};
use crate::telemetry::{Decoded, Intake, Interner, Limits, OddIds, Origin, Refusal, Signal, Source, SourceTag, Telemetry};
use crate::time::Clock;

/// A receiver without a socket. It has the books, the clock and the contexts of the test, and opens a receipt for every request.
#[derive(Debug)]
pub struct Inlet {
    books: Books,
    clock: Clock,
    intake: Intake,
    source: Arc<Source>,
    answers: Arc<Mutex<BTreeMap<u64, Answer>>>,
    requests: u64,
}

/// What the receiver of a request was told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The milestones reached, in order.
    pub milestones: Vec<Milestone>,
    /// What had become of the items at the last of them.
    pub tally: Tally,
}

impl Answer {
    /// Whether everything of the request has come to its end.
    pub fn is_settled(&self) -> bool {
        self.milestones.last() == Some(&Milestone::Settled)
    }
}

/// Whoever sent a request: a client, or a partition that would be read again.
struct Sender {
    answers: Arc<Mutex<BTreeMap<u64, Answer>>>,
    tag: SourceTag,
}

impl Settled for Sender {
    fn reached(&self, key: u64, milestone: Milestone, tally: &Tally) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.entry(key).or_default();
        answer.milestones.push(milestone);
        answer.tally = *tally;
    }

    fn replayable(&self) -> bool {
        self.tag != SourceTag::NONE
    }
}

impl Default for Inlet {
    fn default() -> Self {
        Self::new()
    }
}

impl Inlet {
    /// One with books of its own and a clock that stands at [`START`] until the test turns it. Odd ids travel, flagged.
    pub fn new() -> Self {
        Self::with(Books::new(), Clock::by_hand(START), Limits { odd_ids: OddIds::Flag, ..Limits::default() })
    }

    /// One with given books, clock and limits.
    pub fn with(books: Books, clock: Clock, limits: Limits) -> Self {
        let source = Arc::new(Source { receiver: "test".to_owned(), ..Source::default() });
        Self { books, clock, intake: Intake::new(Interner::new(), limits), source, answers: Arc::default(), requests: 0 }
    }

    /// From now on requests come from here. What has a tag [can be replayed](crate::ledger::Share::replayable), what has none cannot.
    pub fn set_source(&mut self, source: Source) {
        self.source = Arc::new(source);
    }

    /// From now on requests come from a partition (or, with [`SourceTag::NONE`], from a client).
    pub fn set_tag(&mut self, tag: SourceTag) {
        self.set_source(Source { tag, ..Source::clone(&self.source) });
    }

    /// Where the contexts of its requests live.
    pub fn interner(&self) -> &Interner {
        self.intake.interner()
    }

    /// The books that every request is in.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The clock that requests are stamped by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The line that items of a signal are accepted in: that of the pipeline `test`.
    pub fn line(&self, signal: Signal) -> Line {
        self.books.line(LineName::Pipeline("test".to_owned()), signal)
    }

    /// Takes a request in, as it is built or decoded.
    pub fn receive(&mut self, request: impl Into<Decoded>) -> Telemetry {
        let request = request.into();
        self.receive_bytes(request.signal(), request.encode()).unwrap_or_else(|refusal| panic!("what prost encodes is refused: {refusal}"))
    }

    /// Takes a request in, as it came. Items that are no use are settled as rejected, one cause for each reason.
    pub fn receive_bytes(&mut self, signal: Signal, request: impl Into<Bytes>) -> Result<Telemetry, Refusal> {
        let parsed = self.intake.parse(signal, request.into())?;
        let mut share = self.accept(signal, parsed.total());
        for (reason, count, _) in parsed.rejections.iter() {
            let cause = self.books.cause("receiver", reason.name());
            share.settle_some(count, Fate::Rejected { cause, retry: Retry::Never });
        }
        Ok(parsed.from_origin(self.origin(share)))
    }

    /// So many units of a new receipt, which is closed at once.
    pub fn accept(&mut self, signal: Signal, items: u64) -> Share {
        let sender = Sender { answers: self.answers.clone(), tag: self.source.tag };
        let receipt = Receipt::open(&self.books, Arc::new(sender), self.requests);
        self.requests += 1;
        receipt.accept(&self.line(signal), items)
    }

    /// Where items with this share come from.
    pub fn origin(&self, share: Share) -> Origin {
        Origin { share, source: self.source.clone(), received_at: self.clock.now() }
    }

    /// What was told of the request with that number, counting from 0 in the order received.
    pub fn answer(&self, request: u64) -> Answer {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&request).cloned().unwrap_or_default()
    }

    /// How many requests were taken in.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Panics unless every unit of every request has ended, every answer was told, and the books balance.
    #[track_caller]
    pub fn assert_settled(&self) {
        let report = self.books.report();
        report.assert_balanced();
        assert_eq!(report.open_receipts, 0, "requests still wait for an end\n{report}");
        let unsettled: Vec<u64> = (0..self.requests).filter(|request| !self.answer(*request).is_settled()).collect();
        assert!(unsettled.is_empty(), "nobody was told of the end of the requests {unsettled:?}\n{report}");
    }
}
