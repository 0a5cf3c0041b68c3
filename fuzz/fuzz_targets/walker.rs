//! Arbitrary bytes as an OTLP request: the walker must end, must not panic, and must agree with itself about what it took.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tracetailor_core::testing::fuzz::walker(data);
});
