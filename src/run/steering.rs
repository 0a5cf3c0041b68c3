//! What extensions and the control thread tell each other: please reload, this is in force, this is how it stands.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot};
use tracetailor_core::component::{BoxFuture, Counters, Reloaded, Steering};
use tracetailor_core::time::Clock;

use crate::config::Plan;
use crate::own_telemetry::Reloads;

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
    reloads: Reloads,
    clock: Clock,
}

impl Wheel {
    pub(super) fn new(plan: &Plan, counters: &Counters, clock: &Clock) -> (Wheel, mpsc::UnboundedReceiver<Asked>) {
        let (ask, asked) = mpsc::unbounded_channel();
        let inside = Inside {
            ask,
            configuration: ArcSwap::from_pointee(super::shown(plan)),
            unready: ArcSwap::from_pointee("starting".to_owned()),
            reloads: Reloads::started(counters, &plan.digest, clock.now()),
            clock: clock.clone(),
        };
        (Wheel(Arc::new(inside)), asked)
    }

    pub(super) fn set_ready(&self) {
        self.0.unready.store(Arc::default());
    }

    pub(super) fn set_stopping(&self) {
        self.0.unready.store(Arc::new("stopping".to_owned()));
    }

    pub(super) fn reloaded(&self, configuration: String, digest: &str) {
        self.0.configuration.store(Arc::new(configuration));
        self.0.reloads.took(digest, self.0.clock.now());
    }

    pub(super) fn reload_refused(&self) {
        self.0.reloads.refused();
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
