#![doc = include_str!("README.md")]

use serde::Deserialize;
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, Memory, MemoryLimit, NeedsRebuild, Output, Part, Processor, ProcessorContext, ProcessorFactory,
    Processors, Stability,
};
use tracetailor_core::config::{ConfigErrors, Period, Schema, Validate};
use tracetailor_core::telemetry::Telemetry;

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How often the memory that the process really takes is looked at, beside what is counted all the time. Must be given; `1s` does.
    pub check_interval: Period,
    /// The hard limit, in MiB.
    pub limit_mib: u32,
    /// So many MiB below the hard limit admission begins to refuse; 0 is a fifth of it.
    pub spike_limit_mib: u32,
    /// The hard limit, in hundredths of what the cgroup, or else the machine, has. `limit_mib` goes before it.
    pub limit_percentage: u32,
    /// So many hundredths below the hard limit admission begins to refuse; 0 is a fifth of the limit.
    pub spike_limit_percentage: u32,
    /// Read and without effect: there is no garbage to collect.
    pub min_gc_interval_when_soft_limited: Period,
    /// Read and without effect.
    pub min_gc_interval_when_hard_limited: Period,
    /// Read and without effect.
    pub max_gc_interval_when_soft_limited: Period,
    /// Read and without effect.
    pub max_gc_interval_when_hard_limited: Period,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            check_interval: Period::ZERO,
            limit_mib: 0,
            spike_limit_mib: 0,
            limit_percentage: 0,
            spike_limit_percentage: 0,
            min_gc_interval_when_soft_limited: Period::seconds(10),
            min_gc_interval_when_hard_limited: Period::ZERO,
            max_gc_interval_when_soft_limited: Period::seconds(30),
            max_gc_interval_when_hard_limited: Period::seconds(30),
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.check_interval.is_zero() {
            errors.error("check_interval", "must be greater than zero", "write check_interval: 1s");
        }
        if self.limit_mib == 0 && self.limit_percentage == 0 {
            errors.error_here("has no limit", "write limit_percentage: 80, or limit_mib with a number of MiB");
        }
        for (key, percentage) in [("limit_percentage", self.limit_percentage), ("spike_limit_percentage", self.spike_limit_percentage)] {
            if percentage > 100 {
                errors.error(key, format!("{percentage} is more than all there is"), "write a number from 1 to 100");
            }
        }
        let below = |errors: &mut ConfigErrors, spike: (&str, u32), limit: (&str, u32)| {
            if limit.1 > 0 && spike.1 >= limit.1 {
                let wrong = format!("must be smaller than {} ({})", limit.0, limit.1);
                errors.error(spike.0, wrong, format!("write about {}, or leave it out for a fifth of the limit", limit.1 / 5));
            }
        };
        below(errors, ("spike_limit_mib", self.spike_limit_mib), ("limit_mib", self.limit_mib));
        below(errors, ("spike_limit_percentage", self.spike_limit_percentage), ("limit_percentage", self.limit_percentage));
        self.validate_collections(errors);
    }
}

impl Config {
    /// What concerns a garbage collector is still checked: the file may go back to where there is one.
    fn validate_collections(&self, errors: &mut ConfigErrors) {
        let hard = self.min_gc_interval_when_hard_limited;
        if self.min_gc_interval_when_soft_limited < hard {
            let wrong = format!("must not be shorter than min_gc_interval_when_hard_limited ({hard})");
            let right = format!("write at least {hard}, or remove both: they have no effect here");
            errors.error("min_gc_interval_when_soft_limited", wrong, right);
        }
    }

    /// What admission goes by.
    pub fn limit(&self) -> MemoryLimit {
        let (hard, spike) = match self.limit_mib {
            0 => (percent(self.limit_percentage), (self.spike_limit_percentage > 0).then(|| percent(self.spike_limit_percentage))),
            mib => (mebibytes(mib), (self.spike_limit_mib > 0).then(|| mebibytes(self.spike_limit_mib))),
        };
        MemoryLimit { hard, spike, check_interval: self.check_interval.get() }
    }
}

fn mebibytes(count: u32) -> Memory {
    Memory::Bytes(u64::from(count) << 20)
}

/// Validation has seen that it is 100 at most.
fn percent(percentage: u32) -> Memory {
    Memory::Percent(u8::try_from(percentage).unwrap_or(100))
}

/// How one is made, and what limit it stands for.
pub const FACTORY: ProcessorFactory =
    ProcessorFactory::of::<MemoryLimiter>("memory_limiter", Stability::Beta, include_str!("README.md")).playing(Part::Limiter(limit));

fn limit(config: &AnyConfig) -> Result<MemoryLimit, NeedsRebuild> {
    config.get::<Config>().map(Config::limit)
}

/// What is left of it in the pipeline: the limit holds where requests are admitted.
pub struct MemoryLimiter;

impl Component for MemoryLimiter {
    type Kind = Processors;
    type Config = Config;

    fn build(_config: &Config, _context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Ok(Box::new(Self))
    }
}

impl Processor for MemoryLimiter {
    fn process(&mut self, batch: Telemetry, out: &mut Output) {
        out.emit(batch);
    }

    /// The limit is the planner's to change.
    fn reconfigure(&mut self, _config: &AnyConfig) -> Result<(), NeedsRebuild> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
