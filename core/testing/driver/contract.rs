//! What the contract of a processor asks for, looked at after every call.

use super::{Driver, IDLE_SLICES};
use crate::component::{Output, Processor, Progress, Room};
use crate::telemetry::Telemetry;

impl Driver {
    /// One call with so much room, for a processor that lets go what it holds.
    pub(super) fn slice(&mut self, room: Room, call: impl FnOnce(&mut dyn Processor, &mut Output) -> Progress) -> Progress {
        let mut out = Output::new(self.now(), room);
        let progress = call(self.processor(), &mut out);
        let emitted = out.take();
        let fitting = emitted.iter().scan(room, |left, batch| {
            let wanted = !left.is_used_up();
            *left = Room { items: left.items.saturating_sub(batch.len()), bytes: left.bytes.saturating_sub(batch.size()) };
            wanted.then_some(())
        });
        let (fitting, all) = (fitting.count(), emitted.len());
        assert!(fitting == all, "{all} batches were emitted and {fitting} used up the room: ask wants_more() before each");
        self.carry_on(emitted);
        progress
    }

    /// Calls slice after slice, as long as each changes something.
    pub(super) fn until_done(&mut self, slice: impl Fn(&mut Driver) -> Progress) {
        let mut idle = 0;
        let mut before = self.seen_from_outside();
        while slice(self) == Progress::More {
            let after = self.seen_from_outside();
            idle = if after == before { idle + 1 } else { 0 };
            assert!(idle < IDLE_SLICES, "it said {IDLE_SLICES} times in a row that there is more, and nothing came of it");
            before = after;
        }
    }

    fn seen_from_outside(&self) -> (usize, i64) {
        (self.sink.sent().len(), self.held())
    }

    /// What a lane does after a call: hands on what was emitted. Here every batch is looked at and sent, and the books are checked.
    pub(super) fn carry_on(&mut self, emitted: Vec<Telemetry>) {
        for batch in emitted {
            self.look_at(&batch);
            self.sink.deliver(batch);
        }
        self.assert_balanced();
    }

    fn look_at(&self, batch: &Telemetry) {
        assert_eq!(batch.signal(), self.context.line.signal(), "it emitted another signal than that of its pipeline");
        let mut items = vec![0; batch.origins().len()];
        batch.heads().iter().for_each(|head| items[batch.origin_of(head)] += 1);
        for (origin, items) in batch.origins().iter().zip(items) {
            let units = origin.share.count();
            assert_eq!(units, items, "a batch that was emitted has {items} items of an origin whose share counts {units}");
            let forgotten = items > 0 && self.forgotten.contains(&origin.source.tag);
            assert!(!forgotten, "{items} items were emitted that came from {:?}, which was taken away", origin.source.tag);
        }
    }

    #[track_caller]
    pub(super) fn assert_balanced(&self) {
        self.books().report().assert_balanced();
    }
}
