//! Time as the gateway orders events by it: injected, monotone, and the same again when a log is replayed.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use crate::utc::Utc;

/// Nanoseconds since 1970 as the gateway's own log counts them: never backwards, and stored with what it orders, so that a replay decides
/// as the first run did. It is not the time in a span: senders' clocks lie, and no deadline hangs on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LogTime(pub u64);

impl LogTime {
    /// Later than every deadline.
    pub const NEVER: LogTime = LogTime(u64::MAX);

    /// Time from `earlier` to this, zero where it lies ahead.
    pub fn since(self, earlier: LogTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for LogTime {
    type Output = LogTime;

    fn add(self, wait: Duration) -> LogTime {
        LogTime(self.0.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for LogTime {
    type Output = LogTime;

    fn sub(self, wait: Duration) -> LogTime {
        LogTime(self.0.saturating_sub(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Where [`LogTime`] comes from: the machine's clock, or a test's hand.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The latest time told; a machine's clock that is set back repeats it.
    latest: Arc<AtomicU64>,
    by_hand: bool,
}

impl Clock {
    /// The machine's clock, made monotone.
    pub fn system() -> Self {
        Self { latest: Arc::default(), by_hand: false }
    }

    /// A clock that stands still until somebody turns it.
    pub fn by_hand(start: LogTime) -> Self {
        Self { latest: Arc::new(AtomicU64::new(start.0)), by_hand: true }
    }

    /// The time now.
    pub fn now(&self) -> LogTime {
        if self.by_hand {
            return LogTime(self.latest.load(Ordering::Acquire));
        }
        #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        let wall = u64::try_from(wall).unwrap_or(u64::MAX);
        LogTime(self.latest.fetch_max(wall, Ordering::AcqRel).max(wall))
    }

    /// The same clock for somebody who asks often: the machine's is monotone for each by itself, and nobody waits for another to ask. One
    /// that is turned by hand stays the same.
    #[must_use]
    pub fn apart(&self) -> Self {
        if self.by_hand { self.clone() } else { Self::system() }
    }

    /// Turns the clock on. The machine's own clock does not listen.
    pub fn advance(&self, by: Duration) {
        if self.by_hand {
            self.latest.store((self.now() + by).0, Ordering::Release);
        }
    }
}

/// `2026-11-21T15:04:05.006Z`: shown in UTC, to the millisecond.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339(pub LogTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Utc { year, month, day, hour, minute, second, nanos } = Utc::from(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", nanos / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Rfc3339(LogTime(seconds * 1_000_000_000)).to_string(), shown);
        }
        assert_eq!(Rfc3339(LogTime(1_006_999_999)).to_string(), "1970-01-01T00:00:01.006Z");
    }
}
