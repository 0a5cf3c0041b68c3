//! An address with a path, as those write it who post over HTTP: `https://user:password@tempo:4318/otlp`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::{Deserialize, Deserializer};
use tracetailor_core::config::{Address, Endpoint, KeyError, Scheme, Secret};

/// A URL. A user and a password in it become basic authentication, and are shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    endpoint: Endpoint,
    path: String,
    query: String,
    user: Option<Secret>,
}

impl Url {
    /// With whom.
    pub fn address(&self) -> &Address {
        &self.endpoint.address
    }

    /// `https://` or `http://`; a socket in the file system has neither.
    pub fn is_encrypted(&self) -> bool {
        self.endpoint.scheme == Some(Scheme::Https)
    }

    /// What follows the port, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is requested: the path and the query; a slash where there is neither.
    pub fn target(&self) -> String {
        format!("{}{}", if self.path.is_empty() { "/" } else { &self.path }, self.query)
    }

    /// The URL of something below this one: `/v1/traces`. The query stays behind the path.
    #[must_use]
    pub fn below(&self, path: &str) -> Url {
        Url { path: format!("{}{path}", self.path.trim_end_matches('/')), ..self.clone() }
    }

    /// The `authorization` of the user that is named in it.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let user = self.user.as_ref()?;
        let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(user.expose()))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl FromStr for Url {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Url, KeyError> {
        let (text, user) = without_user(text);
        // A blank within a path is written as Go does it.
        let end = text.trim_end().len();
        let endpoint: Endpoint = text[..end].replace(' ', "%20").parse()?;
        match endpoint.scheme {
            Some(Scheme::Http | Scheme::Https) => {}
            None if matches!(endpoint.address, Address::Unix { .. }) => {}
            _ => {
                let right = format!("write http://{0}, or https://{0} to send with TLS", endpoint.address);
                return Err(KeyError::new("does not begin with http:// or https://", right));
            }
        }
        let whole = endpoint.path.split('#').next().unwrap_or_default();
        let (path, query) = whole.split_at(whole.find('?').unwrap_or(whole.len()));
        let (path, query) = (path.to_owned(), query.to_owned());
        if target_is_wrong(&path, &query) {
            return Err(KeyError::new("has a character in its path that no URL can have", "write it as % and two hexadecimal digits"));
        }
        Ok(Url { endpoint, path, query, user })
    }
}

fn target_is_wrong(path: &str, query: &str) -> bool {
    !path.is_empty() && format!("{path}{query}").parse::<http::uri::PathAndQuery>().is_err()
}

/// Takes the user and the password out of a URL.
fn without_user(text: &str) -> (String, Option<Secret>) {
    let start = text.find("://").map_or(0, |place| place + 3);
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |place| start + place);
    match text[start..end].rfind('@') {
        Some(at) if start > 0 => {
            let user = percent_decoded(&text[start..start + at]);
            (format!("{}{}", &text[..start], &text[start + at + 1..]), Some(Secret::from(user)))
        }
        _ => (text.to_owned(), None),
    }
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits = (*byte == b'%').then(|| after.get(..2)).flatten().and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(escaped) => {
                out.push(escaped);
                rest = &after[2..];
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Without the user and the query, in which a token may stand.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.endpoint.scheme {
            Some(Scheme::Https) => "https://",
            Some(_) => "http://",
            None => "",
        };
        write!(f, "{scheme}{}{}", self.endpoint.address, self.path)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(KeyError::into_serde)
    }
}

impl schemars::JsonSchema for Url {
    fn schema_name() -> Cow<'static, str> {
        "url".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "title": "url", "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn paths_are_appended_as_the_collector_does_it() {
        for (base, target) in [
            ("http://h:1", "/v1/traces"),
            ("http://h:1/", "/v1/traces"),
            ("http://h:1/otlp/", "/otlp/v1/traces"),
            ("http://h:1/a b", "/a%20b/v1/traces"),
            ("http://h:1/a%2Fb", "/a%2Fb/v1/traces"),
            ("http://h:1/otlp?tenant=a", "/otlp/v1/traces?tenant=a"),
            ("unix:/run/t.sock", "/v1/traces"),
        ] {
            assert_eq!(url(base).below("/v1/traces").target(), target, "{base}");
        }
        assert_eq!(url("http://h:1/x/").target(), "/x/");
        assert_eq!(url("http://h:1").target(), "/");
    }

    #[test]
    fn a_user_is_known_and_not_shown() {
        let url = url("https://ann:p%40ss@h/otlp?token=t");
        assert_eq!(url.authorization().unwrap(), "Basic YW5uOnBAc3M=");
        assert_eq!((url.to_string(), url.is_encrypted()), ("https://h:443/otlp".to_owned(), true));
        assert!(!format!("{url:?}").contains("p@ss"));
    }

    #[test]
    fn what_is_no_url_is_refused_with_what_would_be() {
        let wrong = |text: &str| text.parse::<Url>().unwrap_err().to_string();
        assert_eq!(
            wrong("127.0.0.1:4318"),
            "does not begin with http:// or https://; write http://127.0.0.1:4318, or https://127.0.0.1:4318 to send with TLS"
        );
        assert!(wrong("").contains("is empty"), "{}", wrong(""));
        assert!(wrong("http://h:x").contains("has a port that is none"), "{}", wrong("http://h:x"));
    }
}
