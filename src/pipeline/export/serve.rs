//! How a lane serves the queue: it takes what may be sent, and sends several requests at once.

use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use tracetailor_core::component::Exporter;

use super::Export;
use super::queue::Next;
use super::request::Request;
use super::settings::Settings;

impl Export {
    /// Serves in one lane, with that lane's exporter, until the queue is closed and empty and what this lane sends has ended. Called once
    /// for each lane, on its runtime. It must not be dropped before it ends: what it holds would be lost.
    pub fn serve(self: Arc<Self>, lane: usize, exporter: Box<dyn Exporter>) -> impl Future<Output = ()> + Send {
        // At once, so that nothing is pushed before there is somebody to prepare it.
        self.swap(lane, exporter);
        self.serving(lane)
    }

    async fn serving(self: Arc<Self>, lane: usize) {
        let mut under_way = FuturesUnordered::new();
        loop {
            match self.next() {
                Next::Send(request, settings, role) => under_way.push(self.carry(lane, request, settings, role)),
                Next::Abandon(requests, settings) => requests.into_iter().for_each(|request| self.never_begun(request, &settings)),
                Next::Done if under_way.is_empty() => return,
                Next::Done | Next::Wait => self.rest(lane, &mut under_way, None).await,
                Next::At(then) => self.rest(lane, &mut under_way, Some(then)).await,
            }
        }
    }

    fn next(&self) -> Next {
        let mut queue = self.lock();
        let next = queue.next(Instant::now());
        self.told.level(&queue);
        next
    }

    /// Until there is something to begin: a request has ended, somebody pushed, or it is time.
    async fn rest<F: Future<Output = ()>>(&self, lane: usize, under_way: &mut FuturesUnordered<F>, until: Option<Instant>) {
        let time = async {
            match until {
                Some(then) => sleep_until(then).await,
                None => std::future::pending().await,
            }
        };
        let exporter = self.slot(lane).exporter();
        let rerouted = async {
            match &exporter {
                Some(exporter) => exporter.rerouted().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(()) = under_way.next() => {}
            () = self.slot(lane).wake.notified() => {}
            () = rerouted => self.reroute(lane),
            () = time => {}
        }
    }

    fn never_begun(&self, request: Request, settings: &Settings) {
        let (way, load) = (request.way, request.load);
        self.abandon(request.merge(), settings);
        self.let_go(load, |queue| queue.leave(way, load));
    }
}
