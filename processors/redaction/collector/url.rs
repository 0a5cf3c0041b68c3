//! Paths with their variable segments as `*`, and without what follows `?`, `&` or `#`.

use std::collections::HashSet;

use tracetailor_core::telemetry::Item;

use super::UrlSanitizer;
use super::words::is_word;

/// So many slashes are kept.
const MOST_SEGMENTS: usize = 10;

/// Where URLs are.
pub(super) struct Urls {
    attributes: HashSet<Vec<u8>>,
    pub(super) names: bool,
}

impl Urls {
    pub(super) fn new(config: &UrlSanitizer) -> Self {
        Self { attributes: config.attributes.iter().map(|key| key.clone().into_bytes()).collect(), names: config.sanitize_span_name }
    }

    pub(super) fn means(&self, key: &[u8]) -> bool {
        self.attributes.contains(key)
    }
}

/// The path, clustered: a segment is variable where it has anything but letters, `-`, `_`, `.` and spaces (one such in second place is forgiven, as in
/// `v1`), or where its letters make no word.
pub(super) fn clustered(path: &str) -> String {
    let path = path.as_bytes();
    let end = path.iter().position(|byte| matches!(byte, b'?' | b'&' | b'#')).unwrap_or(path.len());
    let mut out = Vec::with_capacity(end);
    for (number, segment) in path[..end].split(|byte| *byte == b'/').enumerate() {
        if number >= MOST_SEGMENTS {
            break;
        }
        if number > 0 {
            out.push(b'/');
        }
        if is_variable(segment) {
            out.push(b'*');
        } else {
            out.extend_from_slice(segment);
        }
    }
    // Segments are kept whole or not at all, so what was text still is.
    String::from_utf8(out).unwrap_or_default()
}

fn is_variable(segment: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'.' | b' ');
    let forgiven = usize::from(segment.get(1).is_some_and(|byte| !is_letter(byte)));
    let others = segment.iter().filter(|byte| !is_letter(byte)).count();
    others > forgiven || !is_word(segment)
}

/// True where nothing but `*` would be left: such a name says nothing.
pub(super) fn is_all_variable(path: &str) -> bool {
    !path.bytes().any(|byte| byte != b'*' && byte != b'/' && byte != b' ')
}

/// Attributes that only HTTP spans have.
const HTTP: [&str; 8] =
    ["http.method", "http.request.method", "http.route", "http.url", "http.target", "url.path", "url.full", "url.template"];

/// True for a span that says of itself that it is about HTTP.
pub(super) fn is_http(span: &Item<'_>) -> bool {
    span.attributes().any(|attribute| HTTP.iter().any(|key| key.as_bytes() == attribute.key))
}
