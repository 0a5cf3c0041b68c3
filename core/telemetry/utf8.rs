//! Text that should be UTF-8 and is not: mended where it is read, and counted, so that one bad byte never costs a span.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

static REPAIRS: AtomicU64 = AtomicU64::new(0);

/// The bytes as text. Every sequence that is not UTF-8 becomes one U+FFFD and is counted.
#[inline]
pub fn repair(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(replace(bytes)),
    }
}

/// How many sequences were replaced since the program began.
pub fn repairs() -> u64 {
    REPAIRS.load(Ordering::Relaxed)
}

/// Counts a replacement made elsewhere: JSON can escape half a surrogate pair, which no UTF-8 can hold.
pub(crate) fn count_repair() {
    REPAIRS.fetch_add(1, Ordering::Relaxed);
}

fn replace(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            count_repair();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_text_is_borrowed() {
        assert!(matches!(repair("grüße".as_bytes()), Cow::Borrowed("grüße")));
    }

    #[test]
    fn each_bad_sequence_is_replaced_and_counted() {
        let before = repairs();
        assert_eq!(repair(b"a\xffb\xe2\x82c"), "a\u{fffd}b\u{fffd}c");
        assert!(repairs() >= before + 2, "other tests may repair meanwhile");
    }
}
