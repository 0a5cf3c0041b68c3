//! The numbers of the specification, and that what is read is what is written.

use proptest::prelude::*;

use super::*;
use crate::telemetry::TraceId;

#[test]
fn thresholds_read_as_the_specification_has_them() {
    let texts = [
        (1.0, 4, "0"),
        (0.75, 4, "4"),
        (0.5, 4, "8"),
        (0.25, 4, "c"),
        (0.1, 4, "e666"),
        (0.01, 4, "fd70a"),
        (0.01, 5, "fd70a4"),
        (0.001, 4, "ffbe77"),
        (0.33, 1, "b"),
        (0.33, 4, "ab85"),
        (0.33, 8, "ab851eb8"),
        (0.99, 4, "028f6"),
        (0.9999, 4, "00068dc"),
    ];
    for (share, digits, text) in texts {
        let threshold = Threshold::of(share, digits);
        assert_eq!(threshold.to_string(), text, "{share} with {digits}");
        assert_eq!(Threshold::parse(text), Some(threshold), "{text}");
        assert!((threshold.probability() - share).abs() <= share.min(1.0 - share).max(1e-4) * 0.07, "{share}: {}", threshold.probability());
    }
    assert_eq!(Threshold::of(0.0, 4), Threshold::NEVER);
    assert_eq!(Threshold::of(f64::NAN, 4), Threshold::NEVER);
    assert_eq!(Threshold::of(0.5f64.powi(56), 4).bits(), (1 << 56) - 1);
    assert_eq!(Threshold::of(0.5f64.powi(57), 4), Threshold::NEVER);
    assert_eq!(Threshold::of(0.25, 14).weight(), Some(4.0));
    assert_eq!(Threshold::NEVER.weight(), None);
    assert!(!Threshold::NEVER.keeps(Randomness::HIGHEST) && Threshold::ALWAYS.keeps(Randomness::new(0)));
}

#[test]
fn the_randomness_of_a_trace_is_its_last_seven_bytes() {
    let trace = TraceId([1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xab, 0xcd, 0xef, 0, 1, 2, 3]);
    assert_eq!(Randomness::of(trace).to_string(), "abcdef00010203");
    assert_eq!(Randomness::parse("abcdef00010203"), Some(Randomness::of(trace)));
}

#[test]
fn what_is_no_state_is_told_from_what_is() {
    let long = format!("ot=a:{}", "x".repeat(300));
    let many = (0..33).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
    let bad = [
        ("not valid", BadState::Member),
        ("=1", BadState::Member),
        ("K=1", BadState::Member),
        ("ot=th", BadState::Part),
        ("ot=", BadState::Part),
        ("ot=Th:1", BadState::Part),
        ("ot=th:xyz", BadState::Threshold),
        ("ot=th:", BadState::Threshold),
        ("ot=th:012345678901234", BadState::Threshold),
        ("ot=rv:12", BadState::Randomness),
        (&long, BadState::TooLong),
        (&many, BadState::TooLong),
    ];
    for (text, why) in bad {
        assert_eq!(OtelState::read(text), Err(why), "{text}");
    }
    for (text, out) in [
        ("", ""),
        ("a=1", "a=1"),
        ("a=1,ot=th:8;x:y,b=2", "ot=th:8;x:y,a=1,b=2"),
        ("ot=th:8;rv:e0000000000000", "ot=rv:e0000000000000;th:8"),
        (" a=1 , ,b=2", "a=1,b=2"),
        ("ot=p:8", "ot=p:8"),
        ("ot=th:C00", "ot=th:c"),
        ("a@b/c=x y", "a@b/c=x y"),
    ] {
        assert_eq!(OtelState::read(text).map(|state| state.to_string()), Ok(out.to_owned()), "{text}");
    }
}

#[test]
fn a_threshold_is_raised_and_never_lowered() {
    let mut state = OtelState::read("ot=th:c").unwrap();
    state.set_threshold(Threshold::of(0.5, 4));
    assert_eq!(state.to_string(), "ot=th:c");
    state.set_threshold(Threshold::of(0.125, 4));
    assert_eq!(state.to_string(), "ot=th:e");
    state.erase_threshold();
    assert_eq!(state.to_string(), "");
    state.set_randomness(Randomness::new(1));
    state.set_randomness(Randomness::new(2));
    assert_eq!(state.to_string(), "ot=rv:00000000000001");
}

proptest! {
    #[test]
    fn what_is_read_is_what_is_written(threshold in 0..1_u64 << 56, random in 0..1_u64 << 56, rest in "([a-s][a-z]{0,3}:[a-z0-9]{0,4}(;[a-q]:1)?)?", other in "(v=[a-z]{1,4})?") {
        prop_assume!(!rest.starts_with("th:") && !rest.starts_with("rv:"));
        let others = [if rest.is_empty() { String::new() } else { format!("ot={rest}") }, other].join(",");
        let mut state = OtelState::read(&others).unwrap();
        state.set_threshold(Threshold::new(threshold));
        state.set_randomness(Randomness::new(random));
        let text = state.to_string();
        prop_assert_eq!(OtelState::read(&text), Ok(state));
    }

    #[test]
    fn any_text_is_a_state_or_none(text in "\\PC{0,40}|(ot=)?[a-z0-9:;=, ]{0,40}") {
        if let Ok(state) = OtelState::read(&text) {
            let written = state.to_string();
            prop_assert_eq!(OtelState::read(&written).map(|again| again.to_string()), Ok(written.clone()));
        }
    }

    /// A share is kept as often as it says: exact to the digits that it has.
    #[test]
    fn a_threshold_keeps_its_share(share in 1e-6..1.0_f64) {
        let kept = Threshold::of(share, 4).probability();
        prop_assert!((kept - share).abs() <= share.min(1.0 - share) / 1_000.0, "{} for {}", kept, share);
    }
}
