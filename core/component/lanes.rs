//! The threads that a gateway works on, as a receiver sees them: where it serves its connections.

use std::fmt;
use std::sync::Arc;

use super::BoxFuture;

/// The lanes of a gateway. Clones are of the same.
///
/// A lane's thread does its own sockets: what needs not be split is received, worked on and sent by one thread, and no batch waits for
/// another thread to wake. So a receiver that serves connections gives each of them to a lane, and goes on serving it there:
///
/// ```
/// # use tracetailor_core::component::Lanes;
/// # fn serve(lanes: &Lanes, connection: impl std::future::Future<Output = ()> + Send + 'static) {
/// let emptiest = 0;
/// lanes.spawn(emptiest, Box::pin(connection));
/// # }
/// ```
///
/// A task that runs in a lane shares it with the pipelines: it must not block, and what takes longer than some milliseconds it cuts into
/// pieces, with an await between.
#[derive(Clone)]
pub struct Lanes(Arc<dyn LaneThreads>);

/// What [`Lanes`] are made of: the gateway's threads, or a test's runtime.
pub trait LaneThreads: Send + Sync {
    /// How many there are; at least one.
    fn count(&self) -> usize;

    /// Runs a task in a lane. A lane that is going down drops it.
    fn spawn(&self, lane: usize, task: BoxFuture<'static, ()>);
}

impl Lanes {
    /// These threads.
    pub fn new(threads: Arc<dyn LaneThreads>) -> Self {
        Self(threads)
    }

    /// How many there are; at least one.
    pub fn count(&self) -> usize {
        self.0.count()
    }

    /// Runs a task in a lane. A lane that is going down drops it.
    pub fn spawn(&self, lane: usize, task: BoxFuture<'static, ()>) {
        self.0.spawn(lane, task);
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lanes({})", self.count())
    }
}
