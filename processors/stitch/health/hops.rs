//! Parents that never come: a proxy that passes the context on and reports nothing, a browser above every trace. Whoever has been missing always is not waited for.
//!
//! What is learned here shortens waiting and is shown; it puts no span anywhere.

/// What was seen of the requests that a service took: how often their parent was there, was missing, or was outside of all that reports.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    present: u32,
    missing: u32,
    outside: u32,
    hop: bool,
    silent: bool,
}

/// After so many the older ones count half.
const MEMORY: u32 = 1_024;
/// So many must have been missing before it is a habit.
const ENOUGH: u32 = 64;
/// One in so many may have been there for it to become one, and to stop being one.
const BEGINS: u32 = 100;
const ENDS: u32 = 20;

/// What one lane has learned, by the place of a service.
#[derive(Debug, Default)]
pub(super) struct Hops {
    services: Vec<Seen>,
    /// How many services have a parent that never comes.
    known: usize,
}

/// Where the parent of a request was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Above {
    Present,
    Missing,
    Outside,
}

impl Hops {
    pub(super) fn is_any(&self) -> bool {
        self.known > 0
    }

    /// Whether a parent between this service and its callers never comes.
    pub(super) fn is_hop(&self, service: u32) -> bool {
        self.services.get(service as usize).is_some_and(|seen| seen.hop)
    }

    /// Whether the parent above the traces that it enters never comes.
    pub(super) fn is_silent(&self, service: u32) -> bool {
        self.services.get(service as usize).is_some_and(|seen| seen.silent)
    }

    /// One more request.
    pub(super) fn saw(&mut self, service: u32, above: Above) {
        let at = service as usize;
        if at >= self.services.len() {
            self.services.resize(at + 1, Seen::default());
        }
        let seen = &mut self.services[at];
        self.known -= usize::from(seen.hop || seen.silent);
        seen.count(above);
        self.known += usize::from(seen.hop || seen.silent);
    }
}

impl Seen {
    fn count(&mut self, above: Above) {
        match above {
            Above::Present => self.present += 1,
            Above::Missing => self.missing += 1,
            Above::Outside => self.outside += 1,
        }
        if self.present + self.missing + self.outside > MEMORY {
            *self = Seen { present: self.present / 2, missing: self.missing / 2, outside: self.outside / 2, ..*self };
        }
        let all = self.present + self.missing + self.outside;
        let is_habit = |count: u32, was: bool| {
            let others = all - count;
            if was { others.saturating_mul(ENDS) <= all } else { count >= ENOUGH && others.saturating_mul(BEGINS) <= all }
        };
        (self.hop, self.silent) = (is_habit(self.missing, self.hop), is_habit(self.outside, self.silent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_always_missing_is_learned_and_unlearned() {
        let mut hops = Hops::default();
        (0..ENOUGH - 1).for_each(|_| hops.saw(3, Above::Missing));
        assert!(!hops.is_any());
        hops.saw(3, Above::Missing);
        assert!(hops.is_any() && hops.is_hop(3) && !hops.is_silent(3) && !hops.is_hop(2));
        (0..2).for_each(|_| hops.saw(3, Above::Present));
        assert!(hops.is_hop(3), "a habit is not given up for two");
        (0..8).for_each(|_| hops.saw(3, Above::Present));
        assert!(!hops.is_hop(3) && !hops.is_any());
    }

    #[test]
    fn what_is_missing_now_and_then_is_no_habit() {
        let mut hops = Hops::default();
        for number in 0..10_000 {
            hops.saw(0, if number % 20 == 0 { Above::Present } else { Above::Missing });
        }
        assert!(!hops.is_any());
    }

    #[test]
    fn a_silent_caller_is_no_hop() {
        let mut hops = Hops::default();
        (0..500).for_each(|_| hops.saw(0, Above::Outside));
        assert!(hops.is_silent(0) && !hops.is_hop(0));
    }
}
