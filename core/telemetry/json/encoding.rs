//! Bytes as letters: hex for ids, base64 for every other.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8; 16] = b"0123456789abcdef";
const NONE: u8 = u8::MAX;

/// What each letter stands for in base64, in the usual alphabet and in the one for URLs.
static SEXTETS: [u8; 256] = {
    let mut sextets = [NONE; 256];
    let mut sextet = 0;
    while sextet < 64 {
        sextets[ALPHABET[sextet] as usize] = sextet as u8;
        sextet += 1;
    }
    sextets[b'-' as usize] = 62;
    sextets[b'_' as usize] = 63;
    sextets
};

/// What each letter stands for in hex, lower and upper case.
static NIBBLES: [u8; 256] = {
    let mut nibbles = [NONE; 256];
    let mut nibble = 0;
    while nibble < 16 {
        nibbles[HEX[nibble] as usize] = nibble as u8;
        nibbles[HEX[nibble].to_ascii_uppercase() as usize] = nibble as u8;
        nibble += 1;
    }
    nibbles
};

/// True if there are hex digits only.
pub(super) fn is_hex(text: &str) -> bool {
    text.bytes().all(|letter| NIBBLES[usize::from(letter)] != NONE)
}

/// Appends the bytes of an even number of hex digits; false if there is any other letter, or half a byte.
pub(super) fn put_unhexed(out: &mut Vec<u8>, text: &str) -> bool {
    let (pairs, half) = text.as_bytes().as_chunks::<2>();
    let mut bad = !half.is_empty();
    out.extend(pairs.iter().map(|&[high, low]| {
        let (high, low) = (NIBBLES[usize::from(high)], NIBBLES[usize::from(low)]);
        bad |= (high | low) == NONE;
        high << 4 | low
    }));
    !bad
}

/// Appends bytes as lower-case hex digits.
pub(crate) fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len() * 2, 0);
    let (pairs, _) = out[start..].as_chunks_mut();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    }
}

/// Appends the bytes of a text in base64, in either alphabet, padded or not; false if it is none.
pub(super) fn put_unbase64(out: &mut Vec<u8>, text: &str) -> bool {
    let Some(letters) = unpadded(text) else { return false };
    for group in letters.chunks(4) {
        let mut bits = 0u32;
        for &letter in group {
            match SEXTETS[usize::from(letter)] {
                NONE => return false,
                sextet => bits = bits << 6 | u32::from(sextet),
            }
        }
        let bytes = (bits << (6 * (4 - group.len()) + 8)).to_be_bytes();
        out.extend_from_slice(&bytes[..group.len() - 1]);
    }
    true
}

/// The letters without `=`, of which there are as many as make the length a multiple of four, or none.
fn unpadded(text: &str) -> Option<&[u8]> {
    let letters = text.trim_end_matches('=');
    let padding = text.len() - letters.len();
    let fits = padding == 0 || (padding <= 2 && text.len().is_multiple_of(4));
    (fits && letters.len() % 4 != 1).then_some(letters.as_bytes())
}

/// Appends bytes in base64, in the usual alphabet, padded.
pub(crate) fn put_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    for group in bytes.chunks(3) {
        let mut bits = [0u8; 4];
        bits[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(bits);
        let letters = [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift & 63) as usize]);
        out.extend_from_slice(&letters[..=group.len()]);
        out.extend_from_slice(&b"=="[..3 - group.len()]);
    }
}

/// True for what an id of so many bytes is in base64, the form that protobuf's own JSON has for bytes.
pub(super) fn looks_like_base64(text: &str, bytes: usize) -> bool {
    let mut decoded = Vec::new();
    text.len() <= bytes * 2 && put_unbase64(&mut decoded, text) && decoded.len() == bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unbase64(text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        put_unbase64(&mut out, text).then_some(out)
    }

    #[test]
    fn base64_comes_back_from_either_alphabet_padded_or_not() {
        for length in 0..20u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(91) ^ 0xfb).collect();
            let mut text = Vec::new();
            put_base64(&mut text, &bytes);
            let text = String::from_utf8(text).unwrap();
            assert_eq!(text.len() % 4, 0);
            for variant in [text.clone(), text.replace('+', "-").replace('/', "_"), text.trim_end_matches('=').to_owned()] {
                assert_eq!(unbase64(&variant).as_deref(), Some(&bytes[..]), "{variant}");
            }
        }
        assert_eq!(unbase64("-_8=").unwrap(), [0xfb, 0xff]);
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["A", "AAAAA", "AA=", "AAA==", "AAAA=", "AAAA====", "A===", "=", "AA==AA==", "AA AA", "AAÄ="] {
            assert_eq!(unbase64(text), None, "{text}");
        }
    }

    #[test]
    fn hex_is_read_in_either_case_and_written_in_lower() {
        let (mut bytes, mut text) = (Vec::new(), Vec::new());
        assert!(put_unhexed(&mut bytes, "00fFA9"));
        assert_eq!(bytes, [0x00, 0xff, 0xa9]);
        put_hex(&mut text, &bytes);
        assert_eq!(text, b"00ffa9");
        for bad in ["0", "0g", "g0", "é", "0x", " 1"] {
            assert!(!put_unhexed(&mut bytes, bad), "{bad}");
        }
    }
}
