//! Texts within texts: percent-encoded, with backslashes, in base64. Each is undone once, and what is found in it is known by where it stands in the text.

use std::ops::Range;

use super::eight::{Places, others};

/// A text with its escapes undone, and where each of its bytes came from.
#[derive(Debug, Default)]
pub(super) struct Unescaped {
    pub(super) text: Vec<u8>,
    /// For each byte where its source begins; at the end, where the text ends.
    starts: Vec<u32>,
}

impl Unescaped {
    /// Where a piece of it stands in the text.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        let at = |place: usize| self.starts.get(place).map_or(0, |start| *start as usize);
        at(range.start)..at(range.end)
    }

    fn push(&mut self, byte: u8, start: usize) {
        self.text.push(byte);
        self.starts.push(start as u32);
    }

    fn push_char(&mut self, letter: char, start: usize) {
        let mut buffer = [0; 4];
        letter.encode_utf8(&mut buffer).bytes().for_each(|byte| self.push(byte, start));
    }
}

/// The text with `%40` and `\u0040`, `\/`, `\"` and their like undone; `None` where there is none of them.
pub(super) fn unescaped(text: &[u8]) -> Option<Unescaped> {
    if text.len() > u32::MAX as usize {
        return None;
    }
    let mut out = Unescaped::default();
    let (mut at, mut is_any) = (0, false);
    while let Some(byte) = text.get(at) {
        let length = match byte {
            b'%' => percent(text, at, &mut out),
            b'\\' => backslash(text, at, &mut out),
            _ => None,
        };
        is_any |= length.is_some();
        at += length.unwrap_or_else(|| {
            out.push(*byte, at);
            1
        });
    }
    out.starts.push(text.len() as u32);
    is_any.then_some(out)
}

fn percent(text: &[u8], at: usize, out: &mut Unescaped) -> Option<usize> {
    let byte = hex(text.get(at + 1..at + 3)?)?;
    out.push(byte as u8, at);
    Some(3)
}

fn backslash(text: &[u8], at: usize, out: &mut Unescaped) -> Option<usize> {
    match text.get(at + 1)? {
        b'u' => {
            let first = hex(text.get(at + 2..at + 6)?)?;
            let low = || text.get(at + 6..at + 8).filter(|next| *next == b"\\u").and_then(|_| hex(text.get(at + 8..at + 12)?));
            if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (first, low()) {
                out.push_char(char::from_u32(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00))?, at);
                return Some(12);
            }
            out.push_char(char::from_u32(first)?, at);
            Some(6)
        }
        b'x' => {
            let byte = hex(text.get(at + 2..at + 4)?)?;
            out.push(byte as u8, at);
            Some(4)
        }
        b'n' => put(b'\n', at, out),
        b'r' => put(b'\r', at, out),
        b't' => put(b'\t', at, out),
        byte @ (b'"' | b'\\' | b'/' | b'\'') => put(*byte, at, out),
        _ => None,
    }
}

fn put(byte: u8, at: usize, out: &mut Unescaped) -> Option<usize> {
    out.push(byte, at);
    Some(2)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + (*digit as char).to_digit(16)?))
}

/// Shorter ones hide nothing that any rule looks for.
const SHORTEST: usize = 11;
/// So many beginnings of one run are tried: base64 holds `/`, `-` and `_`, which paths and names hold as well.
const MOST_BEGINNINGS: usize = 6;

/// The runs of base64 in a text that decode to what can be read. One may begin where something else ends, or behind a sign of its own.
struct Runs<'t, C> {
    text: &'t [u8],
    /// Behind these a run may begin.
    signs: Places<'t, C>,
    begin: usize,
    /// How many beginnings of this run were tried.
    tried: usize,
}

fn runs(text: &[u8]) -> Runs<'_, impl Fn(u64) -> u64> {
    Runs { text, signs: Places::of(text, others), begin: 0, tried: 0 }
}

impl<C: Fn(u64) -> u64> Iterator for Runs<'_, C> {
    type Item = (Range<usize>, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(window) = self.text.get(self.begin..).and_then(<[u8]>::first_chunk::<SHORTEST>) {
            // What is no base64 ends a run that would be too short, and the next one begins behind it.
            if let Some(broken) = [SHORTEST - 1, SHORTEST / 2].into_iter().find(|at| !is_base64(window[*at])) {
                (self.begin, self.tried) = (self.begin + broken + 1, 0);
                continue;
            }
            if self.tried < MOST_BEGINNINGS
                && begins_readable(window)
                && let Some(run) = self.run()
            {
                (self.begin, self.tried) = (run.0.end, 0);
                return Some(run);
            }
            let sign = self.signs.next(self.begin)?;
            self.begin = sign + 1;
            self.tried = if is_base64(self.text[sign]) { self.tried + 1 } else { 0 };
        }
        None
    }
}

impl<C> Runs<'_, C> {
    /// The run that begins here, with the padding behind it, and what it decodes to, where that can be read.
    fn run(&self) -> Option<(Range<usize>, Vec<u8>)> {
        let rest = &self.text[self.begin..];
        let length = rest.iter().position(|byte| !is_base64(*byte)).unwrap_or(rest.len());
        let decoded = if length >= SHORTEST { readable(&rest[..length]) } else { None }?;
        let padding = rest[length..].iter().take(2).take_while(|byte| **byte == b'=').count();
        Some((self.begin..self.begin + length + padding, decoded))
    }
}

/// Whether there is a run of base64 in a text that decodes to what can be read.
pub(super) fn has_base64(text: &[u8]) -> bool {
    runs(text).next().is_some()
}

/// The runs of base64 in a text that decode to what can be read, with what they decode to.
pub(super) fn each_base64(text: &[u8], mut found: impl FnMut(Range<usize>, Vec<u8>)) {
    runs(text).for_each(|(range, decoded)| found(range, decoded));
}

/// What a run decodes to, where that can be read.
fn readable(run: &[u8]) -> Option<Vec<u8>> {
    let whole = run.len() - usize::from(run.len() % 4 == 1);
    decode_into(&run[..whole]).filter(|decoded| is_text(decoded))
}

/// The first eight characters tell nearly always, and without any room for them.
#[inline]
fn begins_readable(run: &[u8; SHORTEST]) -> bool {
    if !FIRST[usize::from(run[0])] {
        return false;
    }
    let of_four = |four: &[u8]| four.iter().fold(0u64, |bits, byte| bits << 6 | u64::from(SIXES[usize::from(*byte)]));
    let is_readable = |bits: u64| [16, 8, 0].into_iter().all(|place| READABLE[(bits >> place & 0xff) as usize]);
    let first = of_four(&run[..4]);
    if !is_readable(first) {
        return false;
    }
    let second = of_four(&run[4..8]);
    let bits = first << 24 | second;
    let bytes = &(bits << 16).to_be_bytes()[..6];
    // What is wrong in six bytes of UTF-8 stays wrong, whatever follows; what is cut off may be right.
    is_readable(second) && may_be_letters(bits) && std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
}

/// Whether of six bytes in a number each that goes on with a letter has one of the same before it, and each that begins a long one has such a byte behind it.
#[inline]
fn may_be_letters(bytes: u64) -> bool {
    let long = bytes & 0x8080_8080_8080;
    let begin = long & (bytes << 1);
    let goes_on = long & !begin;
    (begin >> 8) & !goes_on == 0 && goes_on & !(long >> 8) == 0
}

/// Of each character of base64, whether a byte of text may begin with its six bits.
static FIRST: [bool; 256] = {
    let mut first = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let bits = SIXES[byte] << 2;
        let mut low = 0;
        while low < 4 {
            // What begins a letter of UTF-8 lies between 0xc2 and 0xf4.
            let is_first = READABLE[(bits | low) as usize] && ((bits | low) < 0x80 || matches!(bits | low, 0xc2..=0xf4));
            first[byte] = first[byte] || SIXES[byte] < 64 && is_first;
            low += 1;
        }
        byte += 1;
    }
    first
};

/// Of each byte, whether a text may have it.
static READABLE: [bool; 256] = {
    let mut readable = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        readable[byte] = matches!(byte as u8, b' '..=b'~' | b'\t' | b'\n' | b'\r' | 0x80..);
        byte += 1;
    }
    readable
};

fn is_text(bytes: &[u8]) -> bool {
    let Err(error) = std::str::from_utf8(bytes) else {
        return bytes.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace());
    };
    // A run that is cut off may end within a letter.
    error.error_len().is_none() && error.valid_up_to() + 4 > bytes.len() && error.valid_up_to() > 0
}

fn is_base64(byte: u8) -> bool {
    SIXES[usize::from(byte)] < 64
}

/// The bytes that some base64 stands for, in either alphabet, padded or not.
pub(super) fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    decode_into(&text[..end])
}

fn decode_into(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for four in text.chunks(4) {
        let mut bits = 0u32;
        for byte in four {
            let six = SIXES[usize::from(*byte)];
            if six >= 64 {
                return None;
            }
            bits = bits << 6 | u32::from(six);
        }
        match four.len() {
            4 => out.extend_from_slice(&[(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]),
            3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
            2 => out.push((bits >> 4) as u8),
            _ => return None,
        }
    }
    Some(out)
}

/// What each byte stands for in base64; 64 for those that are none.
static SIXES: [u8; 256] = {
    let mut sixes = [64u8; 256];
    let mut byte = 0;
    while byte < 256 {
        sixes[byte] = match byte as u8 {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'a'..=b'z' => letter - b'a' + 26,
            digit @ b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => 64,
        };
        byte += 1;
    }
    sixes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_known_by_their_place() {
        let text = br"a%40b \u0040 \/ \x41 %zz \ud83d\ude00 \";
        let out = unescaped(text).unwrap();
        assert_eq!(String::from_utf8_lossy(&out.text), "a@b @ / A %zz \u{1f600} \\");
        let at = out.text.iter().rposition(|byte| *byte == b'@').unwrap();
        assert_eq!(&text[out.source(&(at..at + 1))], br"\u0040");
        assert!(unescaped(b"100 % of it \\").is_none());
    }

    #[test]
    fn base64_is_found_where_it_can_be_read() {
        let mut all = Vec::new();
        let text = b"token am9lQGV4YW1wbGUuY29t, path/am9lQGV4YW1wbGUuY29t and 4bf92f3577b34da6a3ce929d0e0e4736";
        each_base64(text, |range, decoded| all.push((text[range].to_vec(), decoded)));
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|(run, decoded)| run == b"am9lQGV4YW1wbGUuY29t" && decoded == b"joe@example.com"));
        assert_eq!(base64_decoded(b"dXNlcjpwYXNz").as_deref(), Some(&b"user:pass"[..]));
        assert_eq!(base64_decoded(b"a"), None);
        each_base64(b"dXNlcjpwYXNzd29yZA==", |range, decoded| assert_eq!((range, decoded), (0..20, b"user:password".to_vec())));
    }
}
