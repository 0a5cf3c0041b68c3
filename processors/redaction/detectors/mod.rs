//! The detectors: what secrets and personal data look like, one file each.
//!
//! A detector is a hand-written search that takes time in proportion to the text, whatever the text. It says what a text must have before a search is worth it
//! ([`Needs`]), from which the [prefilter](super::prefilter) is derived, and it brings samples, which are tried each time the gateway starts.

mod aws_key;
mod azure_key;
mod basic_auth;
mod bearer;
mod connection_string;
mod cookie;
mod email;
mod gcp_key;
mod github_token;
mod iban;
mod ipv4;
mod ipv6;
mod jwt;
mod mac;
mod openai_key;
mod payment_card;
mod phone;
mod private_key;
mod slack_token;
mod ssn;
mod stripe_key;
mod text;
mod url_signature;
mod url_userinfo;

use std::ops::Range;

use super::prefilter::{Counts, Needed};

pub(super) use ipv4::bucket as ipv4_bucket;
pub(super) use ipv6::bucket as ipv6_bucket;

/// Something to be found in texts.
pub(super) struct Detector {
    /// Its name in configurations and metrics.
    pub(super) name: &'static str,
    /// What a text must have for it.
    pub(super) needs: Needs,
    /// Adds where it stands in a text. What is found may overlap.
    pub(super) find: fn(&[u8], &mut Vec<Range<usize>>),
    /// Texts that it finds something in: tried at every start.
    pub(super) samples: &'static [&'static str],
}

/// What a text must have for a search to be worth it.
pub(super) struct Needs {
    /// One of these, whatever the case, each of three bytes or more; none where any text will do.
    pub(super) literals: &'static [&'static str],
    /// So many bytes of some classes.
    pub(super) counts: Counts,
    /// So many digits in a row, with nothing between them but what separates groups: spaces, dashes, dots, brackets, slashes, plus signs.
    pub(super) in_a_row: u32,
    /// A closer look, for texts that have all this: whether a search is worth it.
    pub(super) closer: Option<fn(&[u8]) -> bool>,
}

impl Needs {
    /// The same as the prefilter wants it.
    pub(super) fn needed(&self) -> Needed {
        let literals = self.literals.iter().map(|literal| literal.as_bytes().to_vec()).collect();
        Needed { literals, counts: self.counts, in_a_row: self.in_a_row, closer: self.closer }
    }
}

/// The detectors that look into texts, by name.
pub(super) static ALL: [&Detector; 23] = [
    &payment_card::DETECTOR,
    &iban::DETECTOR,
    &email::DETECTOR,
    &phone::DETECTOR,
    &ipv4::DETECTOR,
    &ipv6::DETECTOR,
    &mac::DETECTOR,
    &jwt::DETECTOR,
    &bearer::DETECTOR,
    &basic_auth::DETECTOR,
    &cookie::DETECTOR,
    &aws_key::DETECTOR,
    &gcp_key::DETECTOR,
    &azure_key::DETECTOR,
    &github_token::DETECTOR,
    &slack_token::DETECTOR,
    &stripe_key::DETECTOR,
    &openai_key::DETECTOR,
    &private_key::DETECTOR,
    &connection_string::DETECTOR,
    &ssn::DETECTOR,
    &url_userinfo::DETECTOR,
    &url_signature::DETECTOR,
];

/// Tries the samples of a detector: a gateway whose detectors find nothing must not say that it redacts.
pub(super) fn finds_its_samples(detector: &Detector) -> bool {
    detector.samples.iter().all(|sample| {
        let mut found = Vec::new();
        (detector.find)(sample.as_bytes(), &mut found);
        !found.is_empty()
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::redaction::prefilter::Prefilter;

    /// What a detector finds in a text, as texts.
    pub(crate) fn found<'a>(detector: &'static Detector, text: &'a str) -> Vec<&'a str> {
        let mut found = Vec::new();
        (detector.find)(text.as_bytes(), &mut found);
        found.iter().map(|range| std::str::from_utf8(&text.as_bytes()[range.clone()]).unwrap()).collect()
    }

    /// Holds a detector against texts with what is to be found in them, texts that only look so, and texts made to hide it or to waste time.
    #[track_caller]
    pub(crate) fn assert_tables(
        detector: &'static Detector,
        positive: &[(&str, &[&str])],
        negative: &[&str],
        adversarial: &[(&str, &[&str])],
    ) {
        let prefilter = Prefilter::of([detector.needs.needed()].into_iter());
        for (text, expected) in positive.iter().chain(adversarial) {
            assert_eq!(found(detector, text), *expected, "{} in {text:?}", detector.name);
            assert!(expected.is_empty() || prefilter.suspects(text.as_bytes()) != 0, "the prefilter lets {text:?} pass {}", detector.name);
        }
        for text in negative {
            assert_eq!(found(detector, text), Vec::<&str>::new(), "{} in {text:?}", detector.name);
        }
        // Any byte in any place must do no harm.
        for text in ["", "-", "@", "::", "\u{fffd}", "%", "=", "eyJ", "sk-", "-----BEGIN", "://", "+", "(", "AKIA", "Bearer ", "cookie:"] {
            let _no_panic = found(detector, text);
        }
        let long = positive.first().map_or("", |(text, _)| text).repeat(2_000);
        let mut many = Vec::new();
        (detector.find)(long.as_bytes(), &mut many);
    }

    #[test]
    fn every_detector_finds_its_samples() {
        for detector in ALL {
            assert!(!detector.samples.is_empty() && finds_its_samples(detector), "{}", detector.name);
        }
    }
}
