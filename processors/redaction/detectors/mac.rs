//! Addresses of network cards.

use std::ops::Range;

use super::text::is_word_at;
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "mac",
    needs: Needs { literals: &[], counts: Counts::separators(5), in_a_row: 0, closer: None },
    find,
    samples: &["01:23:45:67:89:ab", "A4-83-E7-12-34-56"],
};

const LENGTH: usize = 17;

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    for separator in [b':', b'-'] {
        let mut free_from = 0;
        for first in memchr::memchr_iter(separator, text) {
            let Some(start) = first.checked_sub(2).filter(|start| *start >= free_from) else { continue };
            let Some(address) = text.get(start..start + LENGTH) else { break };
            let is_ended = |at: Option<usize>| !is_word_at(text, at) && at.and_then(|at| text.get(at)) != Some(&separator);
            if is_address(address, separator) && is_ended(start.checked_sub(1)) && is_ended(Some(start + LENGTH)) {
                found.push(start..start + LENGTH);
                free_from = start + LENGTH;
            }
        }
    }
}

fn is_address(text: &[u8], separator: u8) -> bool {
    let fits = |(at, byte): (usize, &u8)| if at % 3 == 2 { *byte == separator } else { byte.is_ascii_hexdigit() };
    text.iter().enumerate().all(fits) && text.iter().any(|byte| !matches!(byte, b'0' | b':' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_tables;
    use super::*;

    #[test]
    fn tables() {
        assert_tables(
            &DETECTOR,
            &[
                ("01:23:45:67:89:ab", &["01:23:45:67:89:ab"]),
                ("eth0 A4-83-E7-12-34-56 up", &["A4-83-E7-12-34-56"]),
                ("01:23:45:67:89:ab,01:23:45:67:89:ac", &["01:23:45:67:89:ab", "01:23:45:67:89:ac"]),
            ],
            &[
                "00:00:00:00:00:00",
                "01:23:45:67:89",
                "01:23:45:67:89:ab:cd",
                "12:34:56",
                "550e8400-e29b-41d4-a716-446655440000",
                "01:23:45:67:89:ag",
            ],
            &[("01-23:45:67:89:ab", &[]), ("[01:23:45:67:89:ab]", &["01:23:45:67:89:ab"]), ("x01:23:45:67:89:ab", &[])],
        );
    }
}
