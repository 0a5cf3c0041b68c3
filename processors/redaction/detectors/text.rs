//! What detectors have in common: runs of bytes of a class, and what stands beside them.

use std::ops::Range;

/// True where the byte at `at` is a letter or a digit; behind either end there is none.
pub(super) fn is_word_at(text: &[u8], at: Option<usize>) -> bool {
    at.and_then(|at| text.get(at)).is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// True where no letter or digit touches the range.
pub(super) fn stands_alone(text: &[u8], range: &Range<usize>) -> bool {
    !is_word_at(text, range.start.checked_sub(1)) && !is_word_at(text, Some(range.end))
}

/// How many bytes from `at` on are of a class.
pub(super) fn run(text: &[u8], at: usize, class: impl Fn(u8) -> bool) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|byte| class(**byte)).count()
}

/// How many bytes before `at` are of a class.
pub(super) fn run_before(text: &[u8], at: usize, class: impl Fn(u8) -> bool) -> usize {
    text[..at].iter().rev().take_while(|byte| class(**byte)).count()
}

/// Where a literal stands, whatever the case; the literal is in lower case.
pub(super) fn each(text: &[u8], literal: &[u8], mut found: impl FnMut(usize)) {
    let Some((first, rest)) = literal.split_first() else { return };
    for at in memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text) {
        if text.get(at + 1..at + literal.len()).is_some_and(|behind| behind.eq_ignore_ascii_case(rest)) {
            found(at);
        }
    }
}

/// Where a literal stands, as it is written.
pub(super) fn each_exact(text: &[u8], literal: &[u8], found: impl FnMut(usize)) {
    memchr::memmem::find_iter(text, literal).for_each(found);
}

/// Finds tokens that begin with a literal and go on with so many bytes of a class. A letter or digit before it makes it something else.
pub(super) fn prefixed(text: &[u8], prefix: &str, least: usize, class: impl Fn(u8) -> bool, found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    each_exact(text, prefix.as_bytes(), |at| {
        if at < free_from || is_word_at(text, at.checked_sub(1)) {
            return;
        }
        let length = run(text, at + prefix.len(), &class);
        if length >= least {
            free_from = at + prefix.len() + length;
            found.push(at..free_from);
        }
    });
}

/// Finds what stands behind a word, which is in lower case, and a gap: a run of a class, where it is accepted.
pub(super) fn behind_word(
    text: &[u8],
    word: &[u8],
    gap: impl Fn(u8) -> bool,
    class: impl Fn(u8) -> bool,
    accepts: impl Fn(&[u8]) -> bool,
    found: &mut Vec<Range<usize>>,
) {
    let mut free_from = 0;
    each(text, word, |at| {
        if at < free_from || is_word_at(text, at.checked_sub(1)) {
            return;
        }
        let behind = at + word.len();
        let start = behind + run(text, behind, &gap);
        let end = start + run(text, start, &class);
        if start > behind && accepts(&text[start..end]) {
            free_from = end;
            found.push(start..end);
        }
    });
}

/// Letters, digits, `-` and `_`: what tokens in URLs are made of.
pub(super) fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// What base64 is made of.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// True where there is a digit in it.
pub(super) fn has_digit(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

/// True for what was put in place of a secret before: it is not one.
pub(super) fn is_mask(text: &[u8]) -> bool {
    text.starts_with(b"****")
}
