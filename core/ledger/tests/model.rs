//! Random lives of requests against a model that counts by hand.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What can happen next. Numbers choose among what there is, modulo how much there is.
#[derive(Clone, Debug)]
enum Step {
    Open(bool),
    Accept { receipt: usize, line: usize, n: u64 },
    Close(usize),
    Split { hand: usize, n: u64 },
    Merge { hand: usize, other: usize },
    Fork { hand: usize },
    Create { hand: usize, n: u64 },
    Enter { hand: usize, line: usize },
    Accepted(usize),
    Durable(usize),
    Hold { hand: usize, store: usize },
    Retry { hand: usize, refused: u64 },
    Settle { hand: usize, fate: usize },
    SettleSome { hand: usize, n: u64, fate: usize },
    Abandon(usize),
    Crash { hand: usize, after: bool },
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..64usize;
    let n = || 0..20u64;
    prop_oneof![
        2 => any::<bool>().prop_map(Step::Open),
        4 => (at(), at(), n()).prop_map(|(receipt, line, n)| Step::Accept { receipt, line, n }),
        2 => at().prop_map(Step::Close),
        4 => (at(), n()).prop_map(|(hand, n)| Step::Split { hand, n }),
        3 => (at(), at()).prop_map(|(hand, other)| Step::Merge { hand, other }),
        2 => at().prop_map(|hand| Step::Fork { hand }),
        2 => (at(), n()).prop_map(|(hand, n)| Step::Create { hand, n }),
        2 => (at(), at()).prop_map(|(hand, line)| Step::Enter { hand, line }),
        3 => at().prop_map(Step::Accepted),
        2 => at().prop_map(Step::Durable),
        3 => (at(), at()).prop_map(|(hand, store)| Step::Hold { hand, store }),
        2 => (at(), n()).prop_map(|(hand, refused)| Step::Retry { hand, refused }),
        3 => (at(), at()).prop_map(|(hand, fate)| Step::Settle { hand, fate }),
        3 => (at(), n(), at()).prop_map(|(hand, n, fate)| Step::SettleSome { hand, n, fate }),
        1 => at().prop_map(Step::Abandon),
        1 => (at(), any::<bool>()).prop_map(|(hand, after)| Step::Crash { hand, after }),
        1 => Just(Step::Look),
    ]
}

/// A share, and what the model knows of it.
struct Hand {
    share: Share,
    receipt: usize,
    line: usize,
    n: u64,
    /// How many milestones it has passed.
    passed: usize,
    held: Option<usize>,
}

/// A receipt, and what the model knows of it.
struct Seat {
    handle: Option<Receipt>,
    replayable: bool,
    /// Nobody is told: what was created after the receipt had settled.
    silent: bool,
    told: Vec<(u64, Milestone, Tally)>,
    units: u64,
    tally: Tally,
}

struct World {
    books: Books,
    lines: Vec<Line>,
    stores: Vec<[Held; 2]>,
    causes: [Cause; 2],
    recorders: [Arc<Recorder>; 2],
    seats: Vec<Seat>,
    hands: Vec<Hand>,
    counted: BTreeMap<(usize, Column), u64>,
    reasons: BTreeMap<(usize, Column, &'static str), u64>,
}

impl World {
    fn new() -> Self {
        let books = Books::new();
        let names = [
            LineName::Pipeline("a".into()),
            LineName::Pipeline("b".into()),
            LineName::Exporter("x".into()),
            LineName::Exporter("y".into()),
            LineName::Exporter("z".into()),
        ];
        let lines: Vec<Line> = names.into_iter().map(|name| books.line(name, Signal::Traces)).collect();
        let recorder = |replayable| Arc::new(Recorder { replayable, ..Recorder::default() });
        Self {
            stores: lines.iter().map(|line| [line.held("store"), line.held("queue")]).collect(),
            causes: [books.cause("filter", "rule"), books.cause("tempo", "timeout")],
            recorders: [recorder(false), recorder(true)],
            books,
            lines,
            seats: Vec::new(),
            hands: Vec::new(),
            counted: BTreeMap::new(),
            reasons: BTreeMap::new(),
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Open(replayable) => self.open(replayable),
            Step::Accept { receipt, line, n } => self.accept(receipt, line % self.lines.len(), n),
            Step::Close(receipt) => self.close(receipt),
            Step::Look => self.look(),
            _ if self.hands.is_empty() => {}
            Step::Split { hand, n } => self.split(hand, n),
            Step::Merge { hand, other } => self.merge(hand, other),
            Step::Fork { hand } => self.fork(hand),
            Step::Create { hand, n } => self.create(hand, n),
            Step::Enter { hand, line } => self.enter(hand, line % self.lines.len()),
            Step::Accepted(hand) => self.pass(hand, 1),
            Step::Durable(hand) => self.pass(hand, 2),
            Step::Hold { hand, store } => self.hold(hand, store),
            Step::Retry { hand, refused } => self.retry(hand, refused),
            Step::Settle { hand, fate } => self.settle(hand, fate),
            Step::SettleSome { hand, n, fate } => self.settle_some(hand, n, fate),
            Step::Abandon(hand) => self.abandon(hand),
            Step::Crash { hand, after } => self.crash(hand, after),
        }
        self.tell();
    }

    fn open(&mut self, replayable: bool) {
        let key = self.seats.len() as u64;
        let handle = Receipt::open(&self.books, self.recorders[usize::from(replayable)].clone(), key);
        self.seats.push(Seat { handle: Some(handle), replayable, silent: false, told: Vec::new(), units: 0, tally: Tally::default() });
    }

    fn accept(&mut self, receipt: usize, line: usize, n: u64) {
        let open: Vec<usize> = (0..self.seats.len()).filter(|seat| self.seats[*seat].handle.is_some()).collect();
        if open.is_empty() {
            return;
        }
        let receipt = open[receipt % open.len()];
        let share = self.seats[receipt].handle.as_ref().unwrap().accept(&self.lines[line], n);
        self.seats[receipt].units += n;
        self.hands.push(Hand { share, receipt, line, n, passed: 0, held: None });
        self.count(line, Column::Accepted, n);
    }

    fn close(&mut self, receipt: usize) {
        if !self.seats.is_empty() {
            let receipt = receipt % self.seats.len();
            self.seats[receipt].handle = None;
        }
    }

    /// A share is worked on only once it has left the store.
    fn pick(&mut self, hand: usize) -> usize {
        let at = hand % self.hands.len();
        let hand = &mut self.hands[at];
        if let Some(store) = hand.held.take() {
            self.stores[hand.line][store].sub(hand.n);
        }
        at
    }

    fn split(&mut self, hand: usize, n: u64) {
        let at = self.pick(hand);
        let hand = &mut self.hands[at];
        let n = n.min(hand.n);
        hand.n -= n;
        let part = Hand { share: hand.share.take(n), receipt: hand.receipt, line: hand.line, n, passed: hand.passed, held: None };
        self.hands.push(part);
    }

    fn merge(&mut self, hand: usize, other: usize) {
        let (at, from) = (self.pick(hand), self.pick(other));
        if at == from {
            return;
        }
        let mut other = self.hands.remove(from);
        let hand = &mut self.hands[if from < at { at - 1 } else { at }];
        let alike = (hand.receipt, hand.line, hand.passed) == (other.receipt, other.line, other.passed);
        match hand.share.join(other.share) {
            Ok(()) => {
                assert!(alike);
                hand.n += other.n;
            }
            Err(back) => {
                assert!(!alike);
                other.share = back;
                self.hands.push(other);
            }
        }
    }

    /// To the three exporters: two copies, then each into its line.
    fn fork(&mut self, hand: usize) {
        let at = self.pick(hand);
        for line in [3, 4] {
            let hand = &self.hands[at];
            let copy =
                Hand { share: hand.share.copy(), receipt: hand.receipt, line: hand.line, n: hand.n, passed: hand.passed, held: None };
            self.count(copy.line, Column::Copied, copy.n);
            self.seats[copy.receipt].units += copy.n;
            self.hands.push(copy);
            self.enter(self.hands.len() - 1, line);
        }
        self.enter(at, 2);
    }

    fn create(&mut self, hand: usize, n: u64) {
        let at = self.pick(hand);
        self.hands[at].share.create(n);
        if n == 0 {
            return;
        }
        let hand = &mut self.hands[at];
        if hand.n == 0 {
            let told = self.seats[hand.receipt].told.len();
            if told == 3 {
                let (told, tally) = (Vec::new(), Tally::default());
                hand.receipt = self.seats.len();
                self.seats.push(Seat { handle: None, replayable: false, silent: true, told, units: 0, tally });
            } else {
                hand.passed = hand.passed.max(told);
            }
        }
        hand.n += n;
        let (line, receipt) = (hand.line, hand.receipt);
        self.seats[receipt].units += n;
        self.count(line, Column::Created, n);
    }

    fn enter(&mut self, hand: usize, line: usize) {
        let at = self.pick(hand);
        let hand = &mut self.hands[at];
        hand.share.enter(&self.lines[line]);
        let (from, n) = (hand.line, hand.n);
        hand.line = line;
        if from != line {
            self.count(from, Column::MovedOut, n);
            self.count(line, Column::MovedIn, n);
        }
    }

    fn pass(&mut self, hand: usize, milestones: usize) {
        let at = self.pick(hand);
        let hand = &mut self.hands[at];
        if milestones == 1 {
            hand.share.accepted();
        } else {
            hand.share.durable();
        }
        hand.passed = hand.passed.max(milestones);
    }

    fn hold(&mut self, hand: usize, store: usize) {
        let at = self.pick(hand);
        let hand = &mut self.hands[at];
        let store = store % 2;
        self.stores[hand.line][store].add(hand.n);
        hand.held = Some(store);
    }

    /// An exporter's try: some are refused for good, the others go back into the queue.
    fn retry(&mut self, hand: usize, refused: u64) {
        self.settle_some(hand, refused, 4);
        self.tell();
        self.hold(hand, 1);
    }

    /// The fate of that number, and how the model counts it. A receipt that cannot be replayed cannot be left.
    fn fate(&self, number: usize, receipt: usize) -> (Fate, Column, Option<&'static str>) {
        let [rule, timeout] = self.causes;
        match number % 8 {
            0 => (Fate::Delivered, Column::Delivered, None),
            1 => (Fate::Dropped(rule), Column::Dropped, Some("rule")),
            2 => (Fate::Rejected { cause: rule, retry: Retry::Later }, Column::Rejected, Some("rule")),
            3 => (Fate::Rejected { cause: timeout, retry: Retry::Never }, Column::Rejected, Some("timeout")),
            4 => (Fate::Failed(timeout), Column::Failed, Some("timeout")),
            5 => (Fate::DeadLettered(timeout), Column::DeadLettered, Some("timeout")),
            6 => (Fate::Stored, Column::Stored, None),
            _ if self.seats[receipt].replayable => (Fate::Left, Column::Left, None),
            _ => (Fate::Left, Column::Lost, Some("not_replayable")),
        }
    }

    fn ended(&mut self, receipt: usize, line: usize, n: u64, column: Column, reason: Option<&'static str>, later: bool) {
        self.count(line, column, n);
        if let Some(reason) = reason {
            *self.reasons.entry((line, column, reason)).or_default() += n;
        }
        let tally = &mut self.seats[receipt].tally;
        let slot = match column {
            Column::Delivered => &mut tally.delivered,
            Column::Dropped => &mut tally.dropped,
            Column::Rejected if later => &mut tally.rejected_retryable,
            Column::Rejected => &mut tally.rejected_for_good,
            Column::Failed => &mut tally.failed,
            Column::DeadLettered => &mut tally.dead_lettered,
            Column::Stored => &mut tally.stored,
            Column::Left => &mut tally.left,
            Column::Lost => &mut tally.lost,
            other => panic!("{other:?} is no end"),
        };
        *slot += n;
    }

    fn settle(&mut self, hand: usize, fate: usize) {
        let at = self.pick(hand);
        let hand = self.hands.swap_remove(at);
        let (end, column, reason) = self.fate(fate, hand.receipt);
        hand.share.settle(end);
        self.ended(hand.receipt, hand.line, hand.n, column, reason, fate % 8 == 2);
    }

    fn settle_some(&mut self, hand: usize, n: u64, fate: usize) {
        let at = self.pick(hand);
        let (end, column, reason) = self.fate(fate, self.hands[at].receipt);
        let hand = &mut self.hands[at];
        let n = n.min(hand.n);
        hand.share.settle_some(n, end);
        hand.n -= n;
        let (receipt, line) = (hand.receipt, hand.line);
        self.ended(receipt, line, n, column, reason, fate % 8 == 2);
    }

    fn abandon(&mut self, hand: usize) {
        let at = self.pick(hand);
        let hand = self.hands.swap_remove(at);
        hand.share.abandon(self.causes[1]);
        let (column, reason) = match self.seats[hand.receipt].replayable {
            true => (Column::Left, None),
            false => (Column::Rejected, Some("timeout")),
        };
        self.ended(hand.receipt, hand.line, hand.n, column, reason, true);
    }

    /// A task dies with the share in its hands, or its owner clears up behind it.
    fn crash(&mut self, hand: usize, after: bool) {
        let at = self.pick(hand);
        let Hand { share, receipt, line, n, .. } = self.hands.swap_remove(at);
        if after {
            after_panic(|| drop(share));
        } else {
            crash(|| {
                let _share = share;
                resume_unwind(Box::new("crash"))
            });
        }
        self.ended(receipt, line, n, Column::Lost, Some("panic"), false);
    }

    fn count(&mut self, line: usize, column: Column, n: u64) {
        *self.counted.entry((line, column)).or_default() += n;
    }

    /// What the receivers must have heard by now.
    fn tell(&mut self) {
        for (receipt, seat) in self.seats.iter_mut().enumerate() {
            let units = self.hands.iter().filter(|hand| hand.receipt == receipt && hand.n > 0);
            let least = units.map(|hand| hand.passed).min().unwrap_or(3);
            let reached = if seat.handle.is_some() { 0 } else { least };
            for milestone in &Milestone::ALL[seat.told.len().min(reached)..reached] {
                seat.told.push((receipt as u64, *milestone, seat.tally));
            }
        }
        for (number, recorder) in self.recorders.iter().enumerate() {
            let told = recorder.told();
            for (receipt, seat) in self.seats.iter().enumerate() {
                let heard: Vec<_> = told.iter().filter(|(key, ..)| *key == receipt as u64).copied().collect();
                let mine = !seat.silent && usize::from(seat.replayable) == number;
                assert_eq!(heard, if mine { seat.told.clone() } else { Vec::new() });
            }
        }
    }

    /// The whole of the books against the model: also in the middle of things.
    fn look(&self) {
        let report = self.books.report();
        assert_eq!(report.open_receipts, self.seats.iter().filter(|seat| seat.told.len() < 3).count() as u64);
        let mut reasons = BTreeMap::new();
        for (number, line) in self.lines.iter().enumerate() {
            let line = report.line(line.name(), line.signal()).unwrap();
            for column in Column::ALL {
                assert_eq!(line.sums[column], self.counted.get(&(number, column)).copied().unwrap_or(0), "{column:?}\n{report}");
            }
            for cause in &line.causes {
                *reasons.entry((number, cause.column, cause.name.reason.clone())).or_default() += cause.units;
            }
            let on_their_way = self.hands.iter().filter(|hand| hand.line == number && hand.held.is_none()).map(|hand| hand.n).sum::<u64>();
            assert_eq!(line.residual(), on_their_way.cast_signed(), "{report}");
        }
        let expected: BTreeMap<(usize, Column, String), u64> = self
            .reasons
            .iter()
            .filter(|(_, n)| **n > 0)
            .map(|((line, column, reason), n)| ((*line, *column, (*reason).to_owned()), *n))
            .collect();
        assert_eq!(reasons, expected);
    }

    /// Everything comes to its end; then nothing may be missing and nobody may be waiting.
    fn end(mut self) {
        for receipt in 0..self.seats.len() {
            self.close(receipt);
            self.tell();
        }
        while !self.hands.is_empty() {
            let fate = self.hands.len();
            self.settle(fate, fate);
            self.tell();
        }
        self.look();
        self.books.report().assert_balanced();
        assert_eq!(self.books.open_receipts(), 0);
        for seat in &self.seats {
            assert_eq!(seat.told.len(), 3);
            assert_eq!(seat.told[2].2.total(), seat.units, "every unit has ended, once");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_life_of_any_request_settles_every_unit_once(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        world.end();
    }
}
