//! Keys, what is refused, and what limit comes of it.

use std::time::Duration;

use tracetailor_core::component::{Memory, MemoryLimit, Part};
use tracetailor_core::testing::{Driver, assert_manual, run_stories, trace_of};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

fn limit(yaml: &str) -> MemoryLimit {
    let parsed = FACTORY.parse(yaml).unwrap_or_else(|errors| panic!("{yaml}:\n{errors}"));
    let Part::Limiter(limit) = FACTORY.part else { panic!("it limits memory") };
    limit(&parsed.config).unwrap()
}

#[test]
fn limits_are_read_as_the_collector_reads_them() {
    let check_interval = Duration::from_secs(1);
    let of = |hard, spike| MemoryLimit { hard, spike, check_interval };
    let (mib, percent) = (|n: u64| Memory::Bytes(n << 20), Memory::Percent);
    assert_eq!(limit("{check_interval: 1s, limit_mib: 400}"), of(mib(400), None));
    assert_eq!(limit("{check_interval: 1s, limit_mib: 400, spike_limit_mib: 100}"), of(mib(400), Some(mib(100))));
    assert_eq!(limit("{check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 25}"), of(percent(75), Some(percent(25))));
    let both = "{check_interval: 1s, limit_mib: 400, limit_percentage: 50, spike_limit_percentage: 10}";
    assert_eq!(limit(both), of(mib(400), None), "MiB go before percentages");
}

#[track_caller]
fn refused(yaml: &str) -> String {
    FACTORY.parse(yaml).expect_err(yaml).to_string()
}

#[test]
fn what_cannot_be_meant_is_refused() {
    assert!(refused("limit_mib: 100").contains("memory_limiter.check_interval: must be greater than zero"));
    assert!(refused("check_interval: 1s").contains("memory_limiter: has no limit"));
    assert!(refused("{check_interval: 1s, limit_mib: 100, spike_limit_mib: 100}").contains("smaller than limit_mib (100)"));
    assert!(refused("{check_interval: 1s, limit_percentage: 101}").contains("101 is more than all there is"));
    assert!(refused("{check_interval: 1s, limit_percentage: 5, spike_limit_percentage: 5}").contains("smaller than limit_percentage"));
    let collections = "{check_interval: 1s, limit_mib: 1, min_gc_interval_when_soft_limited: 1s, min_gc_interval_when_hard_limited: 2s}";
    assert!(refused(collections).contains("must not be shorter than min_gc_interval_when_hard_limited (2s)"));
    assert!(refused("{check_interval: 1s, limit_mib: 100, nope: 1}").contains("nope"));
}

#[test]
fn in_the_pipeline_it_passes_everything_on() {
    let mut driver = Driver::of(&FACTORY, "{check_interval: 1s, limit_mib: 1}");
    driver.receive(trace_of("a -> b").request());
    assert!(driver.reconfigure("{check_interval: 1s, limit_mib: 2}").is_ok(), "a new limit costs no rebuild");
    assert_eq!(driver.finish().span_names(), ["a", "b"]);
}
