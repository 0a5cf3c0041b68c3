//! What holding a million spans of 520 bytes in 125,000 traces takes of the machine's memory, what is left of that ten seconds after they have
//! gone, and how much one long-lived trace in a hundred holds back.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

mod held;

use std::time::Duration;

use held::{Gateway, Judge, Requests};
use tracetailor_core::component::{Output, Processor, Progress, Room};
use tracetailor_core::ledger::Fate;
use tracetailor_core::testing::Payload;
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::WholeTraces;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const REQUESTS: u32 = 1_000;
const SPANS: f64 = 1_000_000.0;
const WAIT: Duration = Duration::from_secs(60);

fn main() {
    let mut held = HeldMemory::new();
    held.hold_all();
    held.keep_one_in_a_hundred();
    held.end();
}

struct HeldMemory {
    requests: Requests,
    /// Small requests, held for a second by another store.
    small: Requests,
    other: WholeTraces,
    gateway: Gateway,
    now: LogTime,
}

impl HeldMemory {
    fn new() -> Self {
        let small = Payload { items: 100, seed: 1, ..Payload::STANDARD };
        let gateway = Gateway::new();
        let other = gateway.whole_traces(Duration::from_secs(1), Judge::default());
        Self { requests: Requests::new(&Payload::STANDARD), small: Requests::new(&small), other, gateway, now: LogTime(1 << 60) }
    }

    /// All are held, all are dropped.
    fn hold_all(&mut self) {
        let mut whole = self.gateway.whole_traces(WAIT, Judge::default());
        self.turn(&mut whole);
        let before = resident();
        self.fill(&mut whole);
        let peak = resident() - before;
        println!("held: {:.0} bytes of memory per span, {:.0} by the store's own count", peak / SPANS, whole.store().cost() as f64 / SPANS);
        self.now = self.now + WAIT;
        self.rest(&mut whole);
        let left = resident() - before;
        println!("ten seconds after release: {:.1} % of the growth is left ({:.1} MiB)", 100.0 * left / peak, left / 1024.0 / 1024.0);
    }

    /// Of a hundred traces, one is held on.
    fn keep_one_in_a_hundred(&mut self) {
        let mut whole = self.gateway.whole_traces(WAIT, Judge { patient: Some(100), ..Judge::default() });
        let before = resident();
        let mut peak = 0.0_f64;
        let mut segments = 0;
        // Nothing is decided before all are held.
        for _ in 0..REQUESTS {
            let mut out = Output::new(self.now, Room::ENOUGH);
            whole.process(self.gateway.receive(self.requests.next()), &mut out);
            peak = peak.max(resident() - before);
            segments = segments.max(whole.store().segment_bytes().0);
        }
        let all = whole.store().span_count();
        self.rest(&mut whole);
        let (in_use, _) = whole.store().segment_bytes();
        let share = whole.store().span_count() as f64 / all as f64;
        println!(
            "{:.2} % of the spans held on: segments {:.2} % of the peak, memory {:.2} %",
            100.0 * share,
            100.0 * in_use as f64 / segments as f64,
            100.0 * (resident() - before) / peak
        );
        self.now = self.now + WAIT;
        self.rest(&mut whole);
    }

    fn end(&mut self) {
        let mut out = Output::new(self.now, Room::ENOUGH);
        while self.other.drain(&mut out) == Progress::More {}
    }

    fn trickle(&mut self) {
        let mut out = Output::new(self.now, Room::ENOUGH);
        self.other.process(self.gateway.receive(self.small.next()), &mut out);
        let _ = self.other.wake(self.now, &mut out);
    }

    fn fill(&mut self, whole: &mut WholeTraces) {
        for _ in 0..REQUESTS {
            let mut out = Output::new(self.now, Room::ENOUGH);
            whole.process(self.gateway.receive(self.requests.next()), &mut out);
        }
    }

    fn turn(&mut self, whole: &mut WholeTraces) {
        let mut out = Output::new(self.now, Room::ENOUGH);
        let _ = whole.wake(self.now, &mut out);
        out.take().into_iter().for_each(|batch| batch.settle(Fate::Delivered));
    }

    /// Ten seconds by both clocks, woken as often as it asks for. Another pipeline goes on with little traffic: allocators give memory back when
    /// they are asked for some.
    #[expect(clippy::disallowed_methods, reason = "what is measured is what the allocator gives back in real time")]
    fn rest(&mut self, whole: &mut WholeTraces) {
        for _ in 0..100 {
            self.trickle();
            while whole.wake_at().is_some_and(|time| time <= self.now) {
                self.turn(whole);
            }
            std::thread::sleep(Duration::from_millis(100));
            self.now = self.now + Duration::from_millis(100);
        }
    }
}

/// The memory that the kernel has given the process, in bytes.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096.0
}
