//! Strings are bytes until somebody reads them: here is where they are checked, and repaired where they are no UTF-8.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

static REPAIRS: AtomicU64 = AtomicU64::new(0);

/// The text of a string field. Bytes that are no UTF-8 become U+FFFD, and the repair is counted.
pub fn repair(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    if matches!(text, Cow::Owned(_)) {
        REPAIRS.fetch_add(1, Ordering::Relaxed);
    }
    text
}

/// How many strings were repaired since the process began.
pub fn repairs() -> u64 {
    REPAIRS.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_broken_is_repaired_and_counted() {
        let before = repairs();
        assert_eq!(repair("grüß".as_bytes()), "grüß");
        assert_eq!(repair(&[b'a', 0xff, b'b']), "a\u{fffd}b");
        assert!(repairs() > before);
    }
}
