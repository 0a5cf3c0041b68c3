//! Arbitrary text as OTTL: reading it must end and must not panic, and what is understood must do so on a span as well.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tracetailor_core::testing::fuzz::ottl(data);
});
