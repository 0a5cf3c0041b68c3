//! What extensions and the control thread tell each other: please reload, this is in force, this is how it stands.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot};
use tracetailor_core::component::{BoxFuture, Counter, Counters, Gauge, Reloaded, Steering};

use crate::config::Plan;

/// Somebody who wants a reload, and where to tell how it went.
pub(super) type Asked = oneshot::Sender<Reloaded>;

/// The steering wheel: one half with whoever steers, the other on the control thread. Clones are the same.
#[derive(Clone)]
pub(super) struct Wheel(Arc<Inside>);

struct Inside {
    ask: mpsc::UnboundedSender<Asked>,
    configuration: ArcSwap<String>,
    /// What is in the way of readiness; empty when nothing is.
    unready: ArcSwap<String>,
    reloads: Counter,
    failures: Counter,
    last_failed: Gauge,
    counters: Counters,
    /// The digest in force, told as the label of a gauge.
    digest: ArcSwap<Option<Gauge>>,
}

impl Wheel {
    pub(super) fn new(plan: &Plan, counters: &Counters) -> (Wheel, mpsc::UnboundedReceiver<Asked>) {
        let (ask, asked) = mpsc::unbounded_channel();
        let inside = Inside {
            ask,
            configuration: ArcSwap::from_pointee(super::shown(plan)),
            unready: ArcSwap::from_pointee("starting".to_owned()),
            reloads: counters.counter("tracetailor_config_reloads_total", &[("outcome", "taken_on")]),
            failures: counters.counter("tracetailor_config_reloads_total", &[("outcome", "failed")]),
            last_failed: counters.gauge("tracetailor_config_last_reload_failed", &[]),
            counters: counters.clone(),
            digest: ArcSwap::from_pointee(None),
        };
        let wheel = Wheel(Arc::new(inside));
        wheel.tell_digest(&plan.digest);
        (wheel, asked)
    }

    pub(super) fn set_ready(&self) {
        self.0.unready.store(Arc::default());
    }

    pub(super) fn set_stopping(&self) {
        self.0.unready.store(Arc::new("stopping".to_owned()));
    }

    pub(super) fn reloaded(&self, configuration: String, digest: String) {
        self.0.configuration.store(Arc::new(configuration));
        self.0.reloads.add(1);
        self.0.last_failed.set(0);
        self.tell_digest(&digest);
    }

    pub(super) fn reload_failed(&self) {
        self.0.failures.add(1);
        self.0.last_failed.set(1);
    }

    fn tell_digest(&self, digest: &str) {
        // The old one goes first, so that a page never shows two.
        self.0.digest.store(Arc::new(None));
        let gauge = self.0.counters.gauge("tracetailor_config_info", &[("digest", digest)]);
        gauge.set(1);
        self.0.digest.store(Arc::new(Some(gauge)));
    }
}

impl Steering for Wheel {
    fn reload(&self) -> BoxFuture<'static, Reloaded> {
        let (answer, told) = oneshot::channel();
        let asked = self.0.ask.send(answer);
        Box::pin(async move {
            match asked {
                Ok(()) => told.await.unwrap_or_else(|_| Err("the gateway is stopping".to_owned())),
                Err(_) => Err("the gateway is stopping".to_owned()),
            }
        })
    }

    fn configuration(&self) -> String {
        self.0.configuration.load().as_ref().clone()
    }

    fn ready(&self) -> Result<(), String> {
        match self.0.unready.load().as_str() {
            "" => Ok(()),
            why => Err(why.to_owned()),
        }
    }
}
