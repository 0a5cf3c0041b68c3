//! Bytes of a text looked at eight at a time, in one number: which of them are digits, which are letters, a bit for each of 64.
//!
//! What a class has is told by adding: a byte of seven bits carries into the eighth where it reaches a bound, and no byte carries into its neighbour. A class takes eight
//! bytes and gives back the highest bit of each that is of it.

/// The highest bit of each byte.
const HIGH: u64 = 0x8080_8080_8080_8080;
/// One in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;
/// So many bytes have a bit each.
pub(super) const BLOCK: usize = 64;

/// The bytes from `first` to `last`, which are ASCII.
#[inline(always)]
fn between(eight: u64, first: u8, last: u8) -> u64 {
    let low = eight & !HIGH;
    let reaches = low + (0x80 - u64::from(first)) * ONES;
    let exceeds = low + (0x7f - u64::from(last)) * ONES;
    reaches & !exceeds & !eight & HIGH
}

/// `0` to `9`.
#[inline(always)]
pub(super) fn digits(eight: u64) -> u64 {
    between(eight, b'0', b'9')
}

/// Letters of either case.
#[inline(always)]
pub(super) fn letters(eight: u64) -> u64 {
    between(eight | (0x20 * ONES), b'a', b'z')
}

/// Neither letters nor digits.
#[inline(always)]
pub(super) fn others(eight: u64) -> u64 {
    !(letters(eight) | digits(eight)) & HIGH
}

/// What may stand within a number written in groups, and a little more: digits, spaces, and from `(` to `/`.
#[inline(always)]
pub(super) fn numbers(eight: u64) -> u64 {
    between(eight, b'(', b'9') | between(eight, b' ', b' ')
}

/// A bit for each of the first 64 bytes from `from` on that is of a class, the first one lowest. Behind the end of the text stand zeros.
#[inline(always)]
pub(super) fn mask(text: &[u8], from: usize, class: impl Fn(u64) -> u64) -> u64 {
    let block = text.get(from..).map_or(&[][..], |rest| rest.get(..BLOCK).unwrap_or(rest));
    let (whole, rest) = block.as_chunks::<8>();
    let mut bits = 0;
    for (place, eight) in whole.iter().enumerate() {
        bits |= gathered(class(u64::from_le_bytes(*eight))) << (8 * place);
    }
    if !rest.is_empty() {
        bits |= gathered(class(last(block, rest.len()))) << (8 * whole.len());
    }
    bits
}

/// The last so many bytes of a text, less than eight of them, with zeros behind.
#[inline(always)]
fn last(text: &[u8], count: usize) -> u64 {
    match text.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * count),
        None => text.iter().rev().fold(0, |eight, byte| eight << 8 | u64::from(*byte)),
    }
}

/// The highest bits of eight bytes side by side.
#[inline(always)]
fn gathered(high: u64) -> u64 {
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Where a text has bytes of a class, asked for from front to back.
pub(super) struct Places<'t, C> {
    text: &'t [u8],
    class: C,
    /// Where the bits begin.
    from: usize,
    bits: u64,
}

impl<'t, C: Fn(u64) -> u64> Places<'t, C> {
    pub(super) fn of(text: &'t [u8], class: C) -> Self {
        Self { bits: mask(text, 0, &class), text, class, from: 0 }
    }

    /// The first one at `at` or behind it; nobody asks for one in front of what was asked for.
    #[inline]
    pub(super) fn next(&mut self, at: usize) -> Option<usize> {
        // What lies before the bits was looked through already, and there was none.
        let mut at = at.max(self.from);
        while at < self.text.len() {
            if let Some(bits) = self.bits.checked_shr((at - self.from) as u32).filter(|bits| *bits != 0) {
                return Some(at + bits.trailing_zeros() as usize).filter(|place| *place < self.text.len());
            }
            at = at.max(self.from + BLOCK);
            (self.from, self.bits) = (at, mask(self.text, at, &self.class));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_every_byte() {
        let all: Vec<u8> = (0..=255).collect();
        let check = |class: fn(u64) -> u64, is_of_it: fn(&u8) -> bool| {
            for from in 0..all.len() {
                let expected =
                    all[from..].iter().take(BLOCK).enumerate().fold(0, |bits, (at, byte)| bits | u64::from(is_of_it(byte)) << at);
                // Behind the end stand zeros, which are neither letters nor digits.
                let there = u64::MAX.checked_shr(BLOCK.saturating_sub(all.len() - from) as u32).unwrap_or(0);
                assert_eq!(mask(&all, from, class) & there, expected, "from {from}");
            }
        };
        check(digits, u8::is_ascii_digit);
        check(letters, u8::is_ascii_alphabetic);
        check(others, |byte| !byte.is_ascii_alphanumeric());
        check(numbers, |byte| matches!(byte, b' ' | b'('..=b'9'));
    }

    #[test]
    fn places_are_found_in_order() {
        let text: Vec<u8> = (0..300usize).map(|at| if at % 7 == 3 || at > 290 || (90..200).contains(&at) { b'-' } else { b'a' }).collect();
        for step in 1..80 {
            let mut places = Places::of(&text, others);
            for at in (0..text.len() + 90).step_by(step) {
                let expected = text.iter().enumerate().skip(at).find(|(_, byte)| **byte == b'-').map(|(at, _)| at);
                assert_eq!(places.next(at), expected, "{at} in steps of {step}");
            }
        }
    }
}
