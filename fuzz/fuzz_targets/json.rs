//! Arbitrary bytes as OTLP in JSON: the reader must end, must not panic, and what it accepts must be telemetry that the walker accepts.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tracetailor_core::testing::fuzz::json(data);
});
