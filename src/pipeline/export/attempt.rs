//! One attempt to send one batch, within its time, whatever the exporter does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until, timeout};
use tracetailor_core::component::{BoxFuture, Delivered, ExportError, Exporter, Failing};
use tracetailor_core::ledger::after_panic;
use tracetailor_core::telemetry::Telemetry;

use super::Export;

/// The gRPC status code of an attempt that took too long.
const DEADLINE_EXCEEDED: i32 = 4;

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Answer {
    /// The exporter said so.
    Said(Result<Delivered, ExportError>),
    /// It panicked.
    Panicked,
    /// It has no limit of its own, and was still under way when all had to end.
    Cut,
}

impl Export {
    /// Sends a batch, once.
    pub(super) async fn attempt(&self, exporter: &dyn Exporter, batch: &Telemetry, limit: Option<Duration>) -> Answer {
        let Ok(call) = catch_unwind(AssertUnwindSafe(|| exporter.export(batch))) else { return Answer::Panicked };
        let Some(limit) = limit else {
            return tokio::select! {
                biased;
                answer = caught(call) => answer,
                () = self.end_of_time() => Answer::Cut,
            };
        };
        match timeout(limit, caught(call)).await {
            Ok(answer) => answer,
            Err(_) => {
                let error = ExportError::new(Failing::Retry { after: None }, format!("no answer within {limit:?}"));
                Answer::Said(Err(error.with_code(DEADLINE_EXCEEDED)))
            }
        }
    }

    /// Ends at the deadline, once there is one.
    async fn end_of_time(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let closed = self.lock().closed();
            match closed {
                Some(deadline) if deadline <= Instant::now() => return,
                Some(deadline) => tokio::select! { () = sleep_until(deadline) => {}, () = changed => {} },
                None => changed.await,
            }
        }
    }
}

/// A panic ends the attempt and nothing else. What the call still holds is dropped as behind a panic.
async fn caught(call: BoxFuture<'_, Result<Delivered, ExportError>>) -> Answer {
    let mut call = AssertUnwindSafe(call).catch_unwind();
    match (&mut call).await {
        Ok(said) => Answer::Said(said),
        Err(_) => {
            after_panic(|| drop(call));
            Answer::Panicked
        }
    }
}
