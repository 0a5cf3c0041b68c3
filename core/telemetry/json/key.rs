//! The names that fields have in JSON, made from those of the protocol while compiling.

/// Room for the longest name, quotes and colon included.
const MOST: usize = 28;

/// A field's key as it is written: `"startTimeUnixNano":`.
#[derive(Debug)]
pub(crate) struct Key {
    bytes: [u8; MOST],
    length: u8,
}

impl Key {
    /// The key of the field that the protocol calls `name`, such as `start_time_unix_nano`.
    pub(crate) const fn new(name: &str) -> Self {
        let mut key = Self { bytes: [0; MOST], length: 0 }.with(b'"');
        let (mut at, mut upper) = (0, false);
        while at < name.len() {
            let letter = name.as_bytes()[at];
            if letter != b'_' {
                key = key.with(if upper { letter.to_ascii_uppercase() } else { letter });
            }
            upper = letter == b'_';
            at += 1;
        }
        key.with(b'"').with(b':')
    }

    const fn with(mut self, letter: u8) -> Self {
        self.bytes[self.length as usize] = letter;
        self.length += 1;
        self
    }

    /// As it is written: in quotes, and a colon.
    #[inline]
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The name alone: `startTimeUnixNano`.
    #[inline]
    pub(crate) fn name(&self) -> &[u8] {
        &self.bytes[1..usize::from(self.length) - 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_lower_camel_case() {
        for (name, key) in [("key", "key"), ("start_time_unix_nano", "startTimeUnixNano"), ("string_value_strindex", "stringValueStrindex")]
        {
            assert_eq!(Key::new(name).name(), key.as_bytes());
            assert_eq!(Key::new(name).written(), format!("\"{key}\":").as_bytes());
        }
    }
}
