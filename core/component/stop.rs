//! Asking tasks to stop: a signal that is given once and can be waited for.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Tells a receiver or an extension when to stop. Clones listen to the same [`Stopper`].
///
/// ```
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
/// use tracetailor_core::component::Stop;
///
/// let (stopper, stop) = Stop::new();
/// let mut asked = pin!(stop.asked());
/// let mut task = Context::from_waker(Waker::noop());
/// assert_eq!(asked.as_mut().poll(&mut task), Poll::Pending);
/// stopper.ask();
/// assert!(stop.is_asked());
/// assert_eq!(asked.as_mut().poll(&mut task), Poll::Ready(()));
/// # use std::future::Future;
/// ```
#[derive(Clone, Debug)]
pub struct Stop(Arc<Signal>);

/// Gives the signal. Dropped without having given it, nobody ever will: what waits then waits for ever, and does not take silence for a
/// signal.
#[derive(Debug)]
pub struct Stopper(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    asked: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Counted up, so that a future can find its own waker again.
    next: u64,
    wakers: Vec<(u64, Waker)>,
}

impl Stop {
    /// A signal, and the means to give it.
    pub fn new() -> (Stopper, Stop) {
        let signal = Arc::new(Signal::default());
        (Stopper(signal.clone()), Stop(signal))
    }

    /// Whether the signal was given.
    pub fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::Acquire)
    }

    /// Ends when the signal is given.
    pub fn asked(&self) -> Asked {
        Asked { signal: self.0.clone(), ticket: None }
    }
}

impl Stopper {
    /// Gives the signal. Giving it again does nothing.
    pub fn ask(&self) {
        let wakers = {
            let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            self.0.asked.store(true, Ordering::Release);
            std::mem::take(&mut waiting.wakers)
        };
        // Outside the lock: a waker may run what it wakes right here.
        for (_, waker) in wakers {
            waker.wake();
        }
    }
}

/// Ends when the signal is given.
#[derive(Debug)]
pub struct Asked {
    signal: Arc<Signal>,
    /// Under what number its waker is kept, once it has waited.
    ticket: Option<u64>,
}

impl Future for Asked {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let signal = self.signal.clone();
        let mut waiting = signal.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock, so that a signal given meanwhile finds the waker.
        if signal.asked.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let ticket = self.ticket.unwrap_or(waiting.next);
        match waiting.wakers.iter_mut().find(|(known, _)| *known == ticket) {
            Some((_, waker)) => waker.clone_from(task.waker()),
            None => {
                waiting.next += 1;
                waiting.wakers.push((ticket, task.waker().clone()));
            }
        }
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let mut waiting = self.signal.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.wakers.retain(|(known, _)| *known != ticket);
        }
    }
}
