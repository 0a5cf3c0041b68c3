//! Our side of a comparison: a receiver's intake with the books around it, so that what is measured is all that a pipeline pays.

use std::sync::Arc;

use bytes::Bytes;
use tracetailor_core::ledger::{Books, Fate, Line, LineName, Nobody, Receipt, Settled};
use tracetailor_core::telemetry::{Intake, Interner, Limits, Origin, Parsed, Signal, Source, Telemetry};
use tracetailor_core::time::LogTime;

/// What stands at both ends of a pipeline.
pub(crate) struct Gateway {
    intake: Intake,
    pub(crate) books: Books,
    line: Line,
    client: Arc<dyn Settled>,
    source: Arc<Source>,
}

impl Gateway {
    pub(crate) fn new() -> Self {
        let books = Books::new();
        Self {
            intake: Intake::new(Interner::new(), Limits::default()),
            line: books.line(LineName::Pipeline("traces".to_owned()), Signal::Traces),
            client: Arc::new(Nobody),
            source: Arc::default(),
            books,
        }
    }

    #[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
    pub(crate) fn parse(&self, request: Bytes) -> Parsed {
        self.intake.parse(Signal::Traces, request).expect("the payload is valid")
    }

    /// A request as a batch, with a receipt.
    pub(crate) fn receive(&self, request: Bytes) -> Telemetry {
        let parsed = self.parse(request);
        let receipt = Receipt::open(&self.books, self.client.clone(), 0);
        let share = receipt.accept(&self.line, parsed.total());
        parsed.from_origin(Origin { share, source: self.source.clone(), received_at: LogTime(0) })
    }

    /// A batch as the bytes of a request, delivered.
    pub(crate) fn send(&self, batch: Telemetry, out: &mut Vec<u8>) {
        out.clear();
        batch.emit(out);
        std::hint::black_box(&out);
        batch.settle(Fate::Delivered);
    }
}

/// Calls `work` with one of the requests after the other, each in a buffer that is shared and not copied, as a receiver's is.
pub(crate) fn cycle_bytes(requests: &[Vec<u8>], mut work: impl FnMut(Bytes) + 'static) -> impl FnMut() + 'static {
    let requests: Vec<Bytes> = requests.iter().cloned().map(Bytes::from).collect();
    let mut next = 0;
    move || {
        work(requests[next].clone());
        next = (next + 1) % requests.len();
    }
}
