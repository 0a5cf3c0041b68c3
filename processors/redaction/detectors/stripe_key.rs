//! Secret and restricted keys of Stripe, and secrets of its webhooks. Publishable keys are what their name says.

use std::ops::Range;

use super::text::prefixed;
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "stripe_key",
    needs: Needs { literals: &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"], counts: Counts::NONE, in_a_row: 0, closer: None },
    find,
    // In two pieces, because keepers of repositories look for such texts too.
    samples: &[concat!("sk_live", "_abcdefghij0123456789"), concat!("whsec", "_abcdefghijklmnop0123")],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    for prefix in ["sk_live_", "sk_test_", "rk_live_", "rk_test_"] {
        prefixed(text, prefix, 10, |byte| byte.is_ascii_alphanumeric(), found);
    }
    prefixed(text, "whsec_", 16, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='), found);
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_tables;
    use super::*;

    #[test]
    fn tables() {
        let key = concat!("sk_live", "_abcdefghij0123456789");
        assert_tables(
            &DETECTOR,
            &[(key, &[key]), (&format!("key={key};"), &[key]), (DETECTOR.samples[1], &[DETECTOR.samples[1]])],
            &["sk_live_", "sk_live_short", "pk_live_abcdefghij0123456789", "ask_test_abcdefghij0123", "risk_live_abcdefghij012"],
            &[(&format!("{key}{key}"), &[concat!("sk_live", "_abcdefghij0123456789sk")]), ("sk_test_sk_test_", &[])],
        );
    }
}
