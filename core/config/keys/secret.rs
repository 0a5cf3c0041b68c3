//! A password, a token, a private key: text that is nowhere shown.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;

use serde::{Deserialize, Deserializer};

/// Text that must not be shown. It has no `Display` and no `Serialize`, so it cannot get into a log line or a printed configuration by
/// accident, its `Debug` says only that there is something, and comparing it takes as long for a near miss as for a far one.
///
/// Its bytes are overwritten when it is dropped, as far as safe code reaches: not the copies that the file and the YAML reader made before.
///
/// ```
/// use tracetailor_core::config::Secret;
///
/// let token = Secret::from("s3cret".to_owned());
/// assert_eq!(format!("{token:?}"), "[redacted]");
/// assert!(token.is("s3cret"));
/// ```
#[derive(Clone, Default)]
pub struct Secret {
    text: String,
}

impl Secret {
    /// The text itself, for the one place that needs it. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// True when none was given.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Compares with what somebody presents, in a time that depends on the lengths alone.
    pub fn is(&self, presented: &str) -> bool {
        let (ours, theirs) = (self.text.as_bytes(), presented.as_bytes());
        let differing = ours.iter().zip(theirs).fold(0u8, |seen, (a, b)| black_box(seen | (a ^ b)));
        black_box(differing) == 0 && ours.len() == theirs.len()
    }

    /// True when it has a line break: a file with a token often ends with one, and a header with one in it is refused by every server.
    pub fn has_line_break(&self) -> bool {
        self.text.contains(['\n', '\r'])
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret { text }
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.is(&other.text)
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.fill(0);
        // Without it the compiler may leave out writes that nobody reads.
        black_box(&bytes);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "[none]" } else { "[redacted]" })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Secret::from)
    }
}

impl schemars::JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "title": "secret", "type": "string", "writeOnly": true })
    }
}
