//! What the same bytes cost on this machine just now when nothing but the least is done with them: figures of two days compare by it.

use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use nix::time::{ClockId, clock_gettime};
use prost::Message as _;
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;

use crate::load::Load;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(40);

/// Microseconds per span of copying requests, and of decoding them into structs and encoding them again.
pub(crate) struct Yardstick {
    pub(crate) memcpy: f64,
    pub(crate) prost: f64,
}

impl Yardstick {
    pub(crate) fn measure(load: &Load) -> Result<Self> {
        let mut out = Vec::new();
        let memcpy = best(load, |body| {
            out.clear();
            out.extend_from_slice(body);
            black_box(&out);
            Ok(())
        })?;
        let mut out = Vec::new();
        let prost = best(load, |body| {
            out.clear();
            ExportTraceServiceRequest::decode(body)?.encode_raw(&mut out);
            black_box(&out);
            Ok(())
        })?;
        Ok(Self { memcpy, prost })
    }
}

/// Microseconds per span in the best of some rounds: other work can only make a round slower.
fn best(load: &Load, mut work: impl FnMut(&[u8]) -> Result<()>) -> Result<f64> {
    let spans = load.shape().spans as f64;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let (start, mut done, mut took) = (thread_time()?, 0.0, Duration::ZERO);
        while took < ROUND {
            for body in load.bodies() {
                work(body)?;
                done += spans;
            }
            took = thread_time()? - start;
        }
        best = best.min(took.as_secs_f64() * 1e6 / done);
    }
    Ok(best)
}

fn thread_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
