//! Encodings, put on and taken off again, by code of the tests' own.

/// A name, and what makes it of a text.
type Dress = (&'static str, fn(&str) -> String);

/// The dresses that a secret is planted in.
pub(super) const DRESSES: [Dress; 5] = [
    ("plain", |text| text.to_owned()),
    ("percent", |text| text.bytes().map(|byte| format!("%{byte:02X}")).collect()),
    ("base64", |text| base64(text.as_bytes(), false, true)),
    ("url-safe base64", |text| base64(text.as_bytes(), true, false)),
    ("json", |text| {
        let escaped: String = text
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_string() } else { format!("\\u{:04x}", letter as u32) })
            .collect();
        format!("{{\"note\":\"{escaped}\",\"n\":1}}")
    }),
];

pub(super) fn base64(bytes: &[u8], is_url_safe: bool, is_padded: bool) -> String {
    let alphabet: Vec<char> =
        ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(if is_url_safe { ['-', '_'] } else { ['+', '/'] }).collect();
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        (0..=three.len()).for_each(|place| text.push(alphabet[(bits >> (18 - 6 * place) & 63) as usize]));
        if is_padded {
            text.push_str(&"="[..].repeat(3 - three.len()));
        }
    }
    text
}

/// Whatever could be read in some bytes: as they are, and with every dress taken off.
pub(super) fn readable(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![bytes.to_vec(), without_percent(bytes), without_backslashes(bytes)];
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    for run in bytes.split(|byte| !is_base64(byte)).filter(|run| run.len() >= 6) {
        // It may begin anywhere: what stands before it can look like a part of it.
        for start in 0..run.len().min(4) {
            all.push(without_base64(&run[start..]));
        }
    }
    all
}

fn without_percent(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match hex.filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = &behind[2..];
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

fn without_backslashes(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut pieces = text.split("\\u");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let letter = piece.get(..4).and_then(|four| char::from_u32(u32::from_str_radix(four, 16).ok()?));
        match letter {
            Some(letter) => {
                out.push(letter);
                out.push_str(&piece[4..]);
            }
            None => out.push_str(piece),
        }
    }
    out.into_bytes()
}

fn without_base64(run: &[u8]) -> Vec<u8> {
    let six = |byte: &u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in run {
        bits = bits << 6 | u32::from(six(byte));
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}
