//! How long to wait before the next attempt, and when to give up.

use std::time::Duration;

use tokio::time::Instant;
use tracetailor_core::config::RetryOnFailure;

/// The longest wait that a destination can ask for: one that asks for a day is mistaken, or wants us gone.
const LONGEST_HINT: Duration = Duration::from_secs(5 * 60);
/// The shortest wait. Settings that come to nothing (a multiplier of 0) would have us call without a pause.
const SHORTEST: Duration = Duration::from_millis(10);

/// The waits of one request, from its first attempt on.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Instant,
    interval: Option<Duration>,
}

impl Backoff {
    /// For a request whose first attempt begins now.
    pub(super) fn new(now: Instant) -> Self {
        Self { first: now, interval: None }
    }

    /// The wait before the next attempt: what the settings say, or what the destination asked for if that is longer. None when that attempt
    /// would come too late. `chance` is a number from 0 up to 1.
    pub(super) fn next(&mut self, retry: &RetryOnFailure, hint: Option<Duration>, now: Instant, chance: f64) -> Option<Duration> {
        let interval = self.interval.unwrap_or(retry.initial_interval.get());
        self.interval = Some(times(interval, retry.multiplier).min(retry.max_interval.get()));
        let spread = 1.0 + retry.randomization_factor * (2.0 * chance - 1.0);
        let wait = times(interval, spread.max(0.0)).max(hint.unwrap_or_default().min(LONGEST_HINT)).max(SHORTEST);
        let most = retry.max_elapsed_time.get();
        (most.is_zero() || now.duration_since(self.first) + wait <= most).then_some(wait)
    }
}

/// Any factor that a configuration may hold, also one that leads out of all time.
fn times(interval: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(interval.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use tracetailor_core::config::Period;

    use super::*;

    const EXACT: f64 = 0.5;

    fn settings() -> RetryOnFailure {
        RetryOnFailure { randomization_factor: 0.5, ..RetryOnFailure::default() }
    }

    /// What it shows, the settings, a hint in seconds, chance, and the waits in seconds.
    type Case = (&'static str, RetryOnFailure, Option<u64>, f64, &'static [f64]);

    /// The waits in seconds of a request that fails at once, every time, until it gives up or has failed 12 times.
    fn waits(retry: RetryOnFailure, hint: Option<Duration>, chance: f64) -> Vec<f64> {
        let start = Instant::now();
        let (mut backoff, mut now, mut waits) = (Backoff::new(start), start, Vec::new());
        while waits.len() < 12
            && let Some(wait) = backoff.next(&retry, hint, now, chance)
        {
            now += wait;
            waits.push(wait.as_secs_f64());
        }
        waits
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_the_longest_and_end_in_time() {
        let seconds = Period::seconds;
        let table: [Case; 10] = [
            (
                "the defaults: 5 minutes in all",
                settings(),
                None,
                EXACT,
                &[5.0, 7.5, 11.25, 16.875, 25.3125, 30.0, 30.0, 30.0, 30.0, 30.0, 30.0, 30.0],
            ),
            (
                "chance at its least",
                RetryOnFailure { max_elapsed_time: seconds(30), max_interval: seconds(30), ..settings() },
                None,
                0.0,
                &[2.5, 3.75, 5.625, 8.4375],
            ),
            (
                "chance at its most",
                RetryOnFailure { max_elapsed_time: seconds(30), max_interval: seconds(30), ..settings() },
                None,
                1.0,
                &[7.5, 11.25],
            ),
            ("a longer hint", RetryOnFailure { max_elapsed_time: seconds(25), ..settings() }, Some(12), EXACT, &[12.0, 12.0]),
            ("a shorter hint", RetryOnFailure { max_elapsed_time: seconds(25), ..settings() }, Some(6), EXACT, &[6.0, 7.5, 11.25]),
            ("a hint beyond what is left", settings(), Some(301), EXACT, &[300.0]),
            (
                "a hint beyond all reason, without an end",
                RetryOnFailure { max_elapsed_time: Period::ZERO, ..settings() },
                Some(86_400),
                EXACT,
                &[300.0; 12],
            ),
            (
                "a multiplier of 0",
                RetryOnFailure {
                    multiplier: 0.0,
                    initial_interval: Period::millis(300),
                    max_elapsed_time: Period::millis(325),
                    ..settings()
                },
                None,
                EXACT,
                &[0.3, 0.01, 0.01],
            ),
            (
                "a multiplier beyond all time",
                RetryOnFailure { multiplier: 1e300, max_elapsed_time: seconds(66), ..settings() },
                None,
                EXACT,
                &[5.0, 30.0, 30.0],
            ),
            ("no time at all", RetryOnFailure { max_elapsed_time: seconds(1), ..settings() }, None, EXACT, &[]),
        ];
        for (name, retry, hint, chance, expected) in table {
            assert_eq!(waits(retry, hint.map(Duration::from_secs), chance), expected, "{name}");
        }
    }
}
