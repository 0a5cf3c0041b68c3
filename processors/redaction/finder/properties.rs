//! A look ahead may save work and must not cost a finding: with it and without it, the same is found in any text.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::redaction::detectors;
use crate::redaction::prefilter::Counts;

fn searches() -> Vec<Search> {
    let patterns = [r"TCK-\d{6}", r"(?i)order[_ ]no\s*\w+", r"4[0-9]{12}(?:[0-9]{3})?", "[A-F]{3}x", r"(?:AKIA|ASIA)[A-Z0-9]{16}"];
    let patterns = patterns.map(|pattern| Search::Pattern(Box::new(Regex::new(pattern).unwrap())));
    detectors::ALL.iter().map(|detector| Search::Detector(detector)).chain(patterns).collect()
}

/// Searches every text for everything.
fn thorough() -> Finder {
    let anything = || Needed { literals: Vec::new(), counts: Counts::NONE, in_a_row: 0, closer: None };
    let searches = searches();
    Finder { prefilter: Prefilter::of(searches.iter().map(|_| anything())), searches, ..Finder::new(Vec::new()) }
}

const THOROUGH: Look = Look { suspects: u128::MAX >> (128 - 28), has_escapes: true, has_runs: true };

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn in_base64(text: &str) -> String {
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        out.extend((0..=three.len()).map(|at| ALPHABET[(bits >> (18 - 6 * at)) as usize & 63] as char));
        out.push_str(&"="[..usize::from(three.len() < 3)]);
    }
    out
}

fn in_percent(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn in_json(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_string() } else { format!("\\u{:04x}", letter as u32) })
        .collect()
}

/// What detectors look for, whole, cut off, or with a byte that is another, in any dress.
fn secret() -> impl Strategy<Value = String> {
    let samples: Vec<&'static str> = detectors::ALL.iter().flat_map(|detector| detector.samples.iter().copied()).collect();
    let numbers = ["4111 1111 1111 1111", "5555-5555-5555-4444", "GB29NWBK60161331926819", "tel:555234", "ssn: 123456789", "+4930123456"];
    let others = ["TCK-123456", "ORDER no 17", "ABCx", "password=hunter2", "Bearer a1b2c3d4", "abc8Q~1234567890abcdefghijklmnopqrstuvw"];
    let all: Vec<&'static str> = samples.into_iter().chain(numbers).chain(others).collect();
    let changed = (prop::sample::select(all), any::<prop::sample::Index>(), "[ -~]", 0..6u8).prop_map(|(text, place, byte, change)| {
        let at = place.index(text.len());
        match change {
            0 => text[..at].to_owned(),
            1 => text[at..].to_owned(),
            2 => format!("{}{byte}{}", &text[..at], &text[at + 1..]),
            3 => text.to_ascii_uppercase(),
            _ => text.to_owned(),
        }
    });
    (changed, 0..6u8).prop_map(|(text, dress)| match dress {
        0 => in_base64(&text),
        1 => in_percent(&text),
        2 => in_json(&text),
        _ => text,
    })
}

fn text() -> impl Strategy<Value = String> {
    let filler = prop_oneof!["[a-z]{0,9}", "[ -~]{0,4}", "[0-9 ().+-]{0,14}", "\\PC{0,3}", "/[a-z]{3,9}/[0-9a-f]{8,36}", "[=:@%&?\"\\\\]"];
    prop::collection::vec(prop_oneof![2 => filler, 1 => secret()], 0..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn a_look_ahead_costs_no_finding() {
    let (quick, thorough) = (RefCell::new(Finder::new(searches())), RefCell::new(thorough()));
    let config = ProptestConfig { cases: 4_000, source_file: Some(file!()), ..ProptestConfig::default() };
    let held = TestRunner::new(config).run(&text(), |text| {
        let mut quick = quick.borrow_mut();
        let look = quick.look(text.as_bytes());
        let expected = thorough.borrow_mut().find(text.as_bytes(), THOROUGH, u128::MAX);
        prop_assert_eq!(&quick.find(text.as_bytes(), look, u128::MAX), &expected);
        prop_assert!(expected.is_empty() || !Finder::is_done(look, u128::MAX));
        Ok(())
    });
    held.unwrap();
}
