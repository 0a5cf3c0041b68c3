//! The circuit breaker: when a destination that fails is left alone, and who may ask it again.

use std::time::Duration;

use tokio::time::Instant;

/// Whether requests go out.
///
/// It drops nothing: while it is open, requests wait where they are. It hears what became of every attempt, and only those count that it
/// let go: what was under way when it opened says nothing new.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    /// Failures since the last answer.
    failures: u32,
    /// Denials since the last answer.
    denials: u32,
}

/// How much it takes to leave a destination alone, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Failures in a row; zero for any number.
    pub(super) failures: u32,
    pub(super) after_failures: Duration,
    /// Denials in a row.
    pub(super) denials: u32,
    pub(super) after_denials: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Requests go out.
    Closed,
    /// None goes out before then.
    Open { until: Instant },
    /// One is under way to see whether the others may go.
    HalfOpen,
}

/// What one attempt is told before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// It may go.
    Go(Role),
    /// Not before then.
    NotBefore(Instant),
    /// Not before somebody else's attempt has ended.
    AfterProbe,
}

/// What an attempt is to the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// One of many.
    Plain,
    /// The one whose end decides for all.
    Probe,
}

/// How an attempt ended, as far as the breaker is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The destination took it, or said what is wrong with it: it is there.
    Answer,
    /// It could not take it, or was not there.
    Failure,
    /// It takes nothing from us.
    Denial,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self { state: State::Closed, failures: 0, denials: 0 }
    }

    /// Asks whether an attempt may begin.
    pub(super) fn ask(&mut self, now: Instant) -> Leave {
        match self.state {
            State::Closed => Leave::Go(Role::Plain),
            State::Open { until } if now < until => Leave::NotBefore(until),
            State::Open { .. } => {
                self.state = State::HalfOpen;
                Leave::Go(Role::Probe)
            }
            State::HalfOpen => Leave::AfterProbe,
        }
    }

    /// Takes note of how an attempt ended. True when others should ask again.
    pub(super) fn hear(&mut self, role: Role, heard: Heard, patience: &Patience, now: Instant) -> bool {
        let decides = match role {
            Role::Plain => self.state == State::Closed,
            Role::Probe => self.state == State::HalfOpen,
        };
        if !decides {
            return false;
        }
        match heard {
            Heard::Answer => (self.failures, self.denials) = (0, 0),
            Heard::Failure => self.failures = self.failures.saturating_add(1),
            Heard::Denial => (self.failures, self.denials) = (self.failures.saturating_add(1), self.denials.saturating_add(1)),
        }
        let before = self.state;
        let (enough_failures, enough_denials) =
            (patience.failures > 0 && self.failures >= patience.failures, self.denials >= patience.denials);
        self.state = match heard {
            Heard::Denial if role == Role::Probe || enough_denials => State::Open { until: now + patience.after_denials },
            Heard::Failure if role == Role::Probe || enough_failures => State::Open { until: now + patience.after_failures },
            Heard::Failure | Heard::Denial | Heard::Answer => State::Closed,
        };
        self.state != before
    }

    /// What it was left alone for may be over: one may ask at once.
    pub(super) fn relent(&mut self, now: Instant) {
        if let State::Open { until } = &mut self.state {
            *until = now;
        }
    }

    /// 0 while requests go out, 1 while none does, 2 while one does to see: the value of the metric.
    pub(super) fn level(&self) -> i64 {
        match self.state {
            State::Closed => 0,
            State::Open { .. } => 1,
            State::HalfOpen => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN_FOR: Duration = Duration::from_secs(30);

    fn patience(failures: u32, denials: u32) -> Patience {
        Patience { failures, after_failures: OPEN_FOR, denials, after_denials: OPEN_FOR * 2 }
    }

    fn hear(breaker: &mut Breaker, role: Role, heard: Heard, now: Instant) -> bool {
        breaker.hear(role, heard, &patience(3, 1), now)
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_a_probe_closes_it() {
        let (mut breaker, now) = (Breaker::new(), Instant::now());
        for (heard, level) in [(Heard::Failure, 0), (Heard::Failure, 0), (Heard::Answer, 0), (Heard::Failure, 0), (Heard::Failure, 0)] {
            assert!(!hear(&mut breaker, Role::Plain, heard, now));
            assert_eq!(breaker.level(), level);
        }
        assert!(hear(&mut breaker, Role::Plain, Heard::Failure, now));
        assert_eq!(breaker.level(), 1);
        assert_eq!(breaker.ask(now + OPEN_FOR / 2), Leave::NotBefore(now + OPEN_FOR));

        let later = now + OPEN_FOR;
        assert_eq!(breaker.ask(later), Leave::Go(Role::Probe));
        assert_eq!((breaker.ask(later), breaker.level()), (Leave::AfterProbe, 2));
        assert!(!hear(&mut breaker, Role::Plain, Heard::Answer, later), "it was under way before: it decides nothing");
        assert!(hear(&mut breaker, Role::Probe, Heard::Failure, later));
        assert_eq!(breaker.ask(later), Leave::NotBefore(later + OPEN_FOR));

        let last = later + OPEN_FOR;
        assert_eq!(breaker.ask(last), Leave::Go(Role::Probe));
        assert!(hear(&mut breaker, Role::Probe, Heard::Answer, last));
        assert_eq!(breaker.ask(last), Leave::Go(Role::Plain));
    }

    #[tokio::test(start_paused = true)]
    async fn a_denial_opens_it_at_once_even_where_it_is_off() {
        let (mut breaker, now) = (Breaker::new(), Instant::now());
        for _ in 0..100 {
            assert!(!breaker.hear(Role::Plain, Heard::Failure, &patience(0, 1), now));
        }
        assert!(breaker.hear(Role::Plain, Heard::Denial, &patience(0, 1), now));
        assert_eq!(breaker.ask(now), Leave::NotBefore(now + OPEN_FOR * 2));
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_denials_open_it_and_an_answer_forgets_them() {
        let (mut breaker, now, keys) = (Breaker::new(), Instant::now(), patience(0, 3));
        for heard in [Heard::Denial, Heard::Denial, Heard::Answer, Heard::Denial, Heard::Failure, Heard::Denial] {
            assert!(!breaker.hear(Role::Plain, heard, &keys, now));
        }
        assert!(breaker.hear(Role::Plain, Heard::Denial, &keys, now));
        let later = now + OPEN_FOR * 2;
        assert_eq!((breaker.ask(now), breaker.ask(later)), (Leave::NotBefore(later), Leave::Go(Role::Probe)));
        assert!(breaker.hear(Role::Probe, Heard::Denial, &keys, later));
        assert_eq!(breaker.ask(later), Leave::NotBefore(later + OPEN_FOR * 2));
    }
}
