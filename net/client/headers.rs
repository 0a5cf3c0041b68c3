//! The `headers:` of whoever sends: names and values as the user wrote them, values kept from sight.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use tracetailor_core::config::{ConfigErrors, Secret, Validate, quoted};

/// Headers to add to every request: a block of names and values, or the Collector's list of `{name, value}`. In the order written.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Secret)>);

impl Headers {
    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a header, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// These with one more, which takes the place of another of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: Secret) -> Headers {
        self.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), value));
        self
    }

    /// These and others, which take the place of those of their names.
    #[must_use]
    pub fn and(self, others: &Headers) -> Headers {
        others.iter().fold(self, |all, (name, value)| all.with(name, value.clone()))
    }

    /// Puts them in place of what is there. What no request can have was refused by [`Validate`].
    pub fn put_into(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), header_value(value)) {
                headers.insert(name, value);
            }
        }
    }
}

/// The value of a header from a secret, marked so that HTTP/2 does not put it into its tables and nobody shows it.
pub fn header_value(value: &Secret) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(value.expose())?;
    value.set_sensitive(true);
    Ok(value)
}

impl Validate for Headers {
    fn validate(&self, errors: &mut ConfigErrors) {
        for (name, value) in &self.0 {
            if name.parse::<HeaderName>().is_err() {
                errors.error(name, format!("{} is no name of a header", quoted(name)), "write letters, digits and - alone");
            } else if value.has_line_break() {
                errors.error(name, "has a line break in its value", "remove it: a file with a token often ends with one");
            } else if header_value(value).is_err() {
                errors.error(name, "has a character in its value that no header can have", "write printable text");
            }
        }
    }
}

/// Names only.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a block of names and values")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Headers, E> {
        Ok(Headers::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut headers = Vec::new();
        while let Some(entry) = map.next_entry()? {
            headers.push(entry);
        }
        Ok(Headers(headers))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Headers, A::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Header {
            name: String,
            value: Secret,
        }
        let mut headers = Vec::new();
        while let Some(Header { name, value }) = list.next_element()? {
            headers.push((name, value));
        }
        Ok(Headers(headers))
    }
}

impl schemars::JsonSchema for Headers {
    fn schema_name() -> Cow<'static, str> {
        "headers".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "title": "headers", "type": ["object", "array"] })
    }
}

#[cfg(test)]
mod tests {
    use tracetailor_core::config::{ConfigErrors, Validate, parse};

    use super::Headers;

    #[test]
    fn both_forms_are_read_and_no_value_is_shown() {
        for yaml in ["{X-Scope-OrgID: s3cret, n: 5}", "[{name: X-Scope-OrgID, value: s3cret}, {name: n, value: 5}]"] {
            let headers: Headers = parse(yaml, "f", "headers").unwrap();
            assert!(headers.get("x-scope-orgid").unwrap().is("s3cret"), "{yaml}");
            assert!(headers.get("N").unwrap().is("5"), "{yaml}");
            assert_eq!(format!("{headers:?}"), r#"["X-Scope-OrgID", "n"]"#);
        }
    }

    #[test]
    fn what_no_request_can_have_is_refused() {
        let headers: Headers = parse("{a b: x, token: \"t\\n\", bell: \"\\a\", fine: y}", "f", "headers").unwrap();
        let mut errors = ConfigErrors::default();
        headers.validate(&mut errors);
        let wrong: Vec<_> = errors.iter().map(|error| error.wrong.clone()).collect();
        let expected =
            [r#""a b" is no name of a header"#, "has a line break in its value", "has a character in its value that no header can have"];
        assert_eq!(wrong, expected);
    }
}
