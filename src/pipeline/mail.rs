//! What lanes are sent, by each other and by whoever steers them, and how a lane is woken.

use std::cell::Cell;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, oneshot};
use tracetailor_core::component::BoxFuture;
use tracetailor_core::telemetry::{SourceTag, Telemetry};
use tracetailor_core::time::LogTime;

use super::graph::Graph;
use super::memory::Charge;
use super::reload::LaneReload;

/// What a lane is asked to do.
pub(super) enum Post {
    /// To take in a batch that is for it: from another lane, or from a thread that is none. The charge is for the bytes while they wait.
    Batch { graph: Arc<Graph>, pipeline: usize, stage: usize, batch: Telemetry, charge: Option<Arc<Charge>> },
    /// The same, to be divided first.
    Enter { graph: Arc<Graph>, pipeline: usize, stage: usize, batch: Telemetry, charge: Arc<Charge> },
    /// To run a task.
    Task(BoxFuture<'static, ()>),
    /// To go on with another configuration.
    Reload(Box<LaneReload>, oneshot::Sender<()>),
    /// To let go of what it holds, until a time.
    Drain(Drain, LogTime, oneshot::Sender<()>),
    /// To give up what came from a source.
    Forget(SourceTag, oneshot::Sender<()>),
    /// To end.
    Stop,
}

/// What is drained.
#[derive(Clone, Copy, Debug)]
pub(super) enum Drain {
    Pipeline(usize),
    Connector(usize),
    /// What an earlier reload took away.
    Leaving,
}

/// How a lane reaches the others, and its own timer. Every lane has one.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    lanes: Arc<[mpsc::UnboundedSender<Post>]>,
    timer: Arc<Notify>,
    /// When the timer will go off as it is set; an earlier wish has to set it anew.
    set_to: Cell<LogTime>,
}

impl Mail {
    /// To these lanes.
    pub(super) fn new(lanes: Arc<[mpsc::UnboundedSender<Post>]>) -> Self {
        Self { lanes, timer: Arc::default(), set_to: Cell::new(LogTime::NEVER) }
    }

    /// Sends a lane something. What is sent to a lane that has ended is dropped there: it ends after everybody who could send.
    pub(super) fn send(&self, lane: usize, post: Post) {
        if let Some(lane) = self.lanes.get(lane) {
            let _ = lane.send(post);
        }
    }

    /// Sees to it that this lane wakes at a time at the latest.
    pub(super) fn wake_by(&self, time: LogTime) {
        if time < self.set_to.get() {
            self.set_to.set(time);
            self.timer.notify_one();
        }
    }

    /// The timer is set to this now.
    pub(super) fn timer_set(&self, time: LogTime) {
        self.set_to.set(time);
    }

    /// What rings when the timer is to be set anew.
    pub(super) fn timer(&self) -> Arc<Notify> {
        self.timer.clone()
    }
}
