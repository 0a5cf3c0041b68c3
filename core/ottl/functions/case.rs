//! Letters in one case, and names in the two spellings of programmers.

/// In small letters, each by itself: no letter becomes two, and a final sigma is like any other.
pub(super) fn lower(text: &str) -> String {
    let small = |letter: char| {
        let mut small = letter.to_lowercase();
        // The dotted capital I alone becomes two.
        if small.len() == 1 { small.next().unwrap_or(letter) } else { 'i' }
    };
    text.chars().map(small).collect()
}

/// In capital letters, each by itself: what would become two letters stays as it is.
pub(super) fn upper(text: &str) -> String {
    let capital = |letter: char| {
        let mut capital = letter.to_uppercase();
        if capital.len() == 1 { capital.next().unwrap_or(letter) } else { single_capital(letter) }
    };
    text.chars().map(capital).collect()
}

/// Greek letters with an iota below have a capital of one letter beside the one of two.
fn single_capital(letter: char) -> char {
    let shift = match letter {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(letter) + shift).unwrap_or(letter)
}

/// `some_name` of `someName`, `Some-Name` or `some.name`. Digits are words of their own, and so is a run of capitals: `JSONData` is `json_data`.
pub(super) fn snake(text: &str) -> String {
    let text = text.trim();
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(text.len() + 2);
    for (at, &byte) in bytes.iter().enumerate() {
        let after = bytes.get(at + 1).copied().unwrap_or(0);
        let begins_new = byte.is_ascii_uppercase() && (after.is_ascii_lowercase() || after.is_ascii_digit());
        let ends = (byte.is_ascii_lowercase() && (after.is_ascii_uppercase() || after.is_ascii_digit()))
            || (byte.is_ascii_digit() && after.is_ascii_alphabetic());
        let ends_capitals = begins_new && after.is_ascii_lowercase() && at > 0 && bytes[at - 1].is_ascii_uppercase();
        if ends_capitals {
            out.push(b'_');
        }
        match byte {
            b' ' | b'_' | b'-' | b'.' => out.push(b'_'),
            byte => out.push(byte.to_ascii_lowercase()),
        }
        if ends || (begins_new && after.is_ascii_digit()) {
            out.push(b'_');
        }
    }
    // Only ASCII was changed or added.
    String::from_utf8(out).unwrap_or_default()
}

/// `SomeName` of `some_name`, `some-name` or `some name`. What is neither ASCII letter nor digit falls out, and a run of capitals keeps its first.
pub(super) fn camel(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    let mut after_capital = false;
    for byte in text.trim().bytes() {
        let is_capital = byte.is_ascii_uppercase();
        if byte.is_ascii_alphabetic() {
            let letter = if begins {
                byte.to_ascii_uppercase()
            } else if after_capital {
                byte.to_ascii_lowercase()
            } else {
                byte
            };
            out.push(char::from(letter));
            begins = false;
        } else if byte.is_ascii_digit() {
            out.push(char::from(byte));
            begins = true;
        } else {
            begins = matches!(byte, b'_' | b' ' | b'-' | b'.');
        }
        after_capital = is_capital;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stay_single() {
        assert_eq!(upper("straße ŉ ǰ ﬁ ᾀ ᾳ İ"), "STRAßE ŉ ǰ ﬁ ᾈ ᾼ İ");
        assert_eq!(lower("ΣΑΣ İ"), "σασ i");
    }

    #[test]
    fn words_are_told_apart() {
        for (text, in_snake, in_camel) in [
            ("myHTTPMetric2Go", "my_http_metric_2_go", "MyHttpmetric2Go"),
            ("my_metric-name x", "my_metric_name_x", "MyMetricNameX"),
            ("ÄpfelSaft", "Äpfel_saft", "pfelSaft"),
            ("", "", ""),
            ("__a", "__a", "A"),
            ("A1b", "a_1_b", "A1B"),
        ] {
            assert_eq!((snake(text).as_str(), camel(text).as_str()), (in_snake, in_camel), "{text}");
        }
    }
}
