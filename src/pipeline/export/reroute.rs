//! What waits is prepared again where the exporter's destinations have changed: a back end that leaves takes nothing with it.

use std::sync::atomic::Ordering;

use tokio::time::Instant;
use tracetailor_core::component::Parcel;
use tracetailor_core::telemetry::Telemetry;

use super::Export;
use super::request::Request;

impl Export {
    /// Prepares everything again that has not begun, and lets whoever waits for another attempt look again.
    pub(super) fn reroute(&self, lane: usize) {
        if let Some(exporter) = self.slot(lane).exporter() {
            self.spread_over(exporter.ways());
        }
        let waiting = self.lock().take_out();
        for request in waiting {
            let (mut left, flushed) = (request.load, request.flushed);
            let parcels = self.prepare_again(lane, request.merge());
            let again = parcels.into_iter().map(|parcel| {
                let load = left.take(parcel.batch.len() as u64);
                let mut request = Request::new(parcel, load);
                request.flushed = flushed;
                request
            });
            let again: Vec<Request> = again.collect();
            self.lock().put_in(again);
            self.let_go(left, |queue| queue.shed(left));
        }
        self.moves.fetch_add(1, Ordering::Relaxed);
        let mut queue = self.lock();
        queue.relent(Instant::now());
        self.told.level(&queue);
        drop(queue);
        self.wake_all();
    }

    /// What the exporter makes of a batch that it has prepared before. What it takes out now is held no more.
    pub(super) fn prepare_again(&self, lane: usize, batch: Telemetry) -> Vec<Parcel> {
        let before = batch.len();
        let parcels = self.prepare(lane, batch);
        let after: usize = parcels.iter().map(|parcel| parcel.batch.len()).sum();
        self.held.sub((before - after) as u64);
        parcels
    }
}
