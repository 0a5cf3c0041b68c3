//! Waiting before an attempt: for the breaker's leave, or until it is time to try again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Export;
use super::breaker::{Heard, Leave, Role};
use super::queue::Queue;
use super::request::Load;
use super::settings::{Mode, Settings};

impl Export {
    /// Waits until an attempt may begin. None once time is up.
    pub(super) async fn leave(&self, way: u32) -> Option<Role> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Before anything is asked, so that a change meanwhile is not missed.
            changed.as_mut().enable();
            let now = Instant::now();
            let leave = {
                let mut queue = self.lock();
                if queue.closed().is_some_and(|deadline| deadline <= now) {
                    return None;
                }
                let leave = queue.may_send(way, now);
                self.told.level(&queue);
                leave
            };
            match leave {
                Leave::Go(role) => return Some(role),
                Leave::NotBefore(then) => tokio::select! { () = sleep_until(then) => {}, () = changed => {} },
                Leave::AfterProbe => changed.await,
            }
        }
    }

    /// Waits so long, or until no more input is to come, or what waits may have to go another way.
    pub(super) async fn pause(&self, wait: Duration) {
        let moves = self.moves.load(Ordering::Relaxed);
        let until = Instant::now() + wait;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.is_closed() || self.moves.load(Ordering::Relaxed) != moves {
                return;
            }
            tokio::select! {
                () = sleep_until(until) => return,
                () = changed => {}
            }
        }
    }

    /// Tells the breaker how an attempt ended. When that changes its mind, all who wait for it ask again.
    pub(super) fn hear(&self, way: u32, role: Role, heard: Heard, settings: &Settings) {
        if settings.mode == Mode::Direct {
            return;
        }
        let changed = {
            let mut queue = self.lock();
            let changed = queue.ways.of(way).breaker.hear(role, heard, &settings.patience, Instant::now());
            self.told.level(&queue);
            changed
        };
        if changed {
            self.told.breaker(heard);
            self.wake_all();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed().is_some()
    }

    /// Gives back the room of what has left the queue.
    pub(super) fn let_go(&self, load: Load, from: impl FnOnce(&mut Queue)) {
        let mut queue = self.lock();
        from(&mut queue);
        self.told.level(&queue);
        drop(queue);
        self.memory.unqueue(load.memory as usize);
        self.pace.left(load.memory);
        self.room.notify_waiters();
    }
}
