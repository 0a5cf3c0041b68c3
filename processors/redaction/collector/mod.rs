//! What the Collector's redaction processor does, in its places and in its order.
//!
//! Of an attribute: ignored keys stay; keys that are not allowed go; a value that is allowed stays; a blocked key masks the whole value; blocked values mask
//! their parts; then come the sanitizers of URLs and of database statements.

mod body;
mod database;
mod json;
mod keys;
mod masking;
mod redis;
mod summary;
mod url;
mod words;

pub use keys::{DbSanitizer, HashFunction, SqlSanitizer, Summary, UrlSanitizer};
pub(super) use masking::{Masking, hex};

use std::borrow::Cow;
use std::collections::HashSet;

use regex::Regex;
use tracetailor_core::attributes::text;
use tracetailor_core::component::BuildError;
use tracetailor_core::telemetry::{Attribute, Item, SpanKind, Value, ValueRef, utf8};

use self::database::Databases;
pub(super) use self::summary::Tally;
use self::url::Urls;
use super::Config;

/// The Collector's keys, made ready.
pub(super) struct Collector {
    /// Keys that stay; `None` where all do.
    allowed_keys: Option<HashSet<Vec<u8>>>,
    ignored_keys: HashSet<Vec<u8>>,
    ignored_key_patterns: Vec<Regex>,
    blocked_key_patterns: Vec<Regex>,
    allowed_values: Vec<Regex>,
    blocked_values: Vec<Regex>,
    all_types: bool,
    masking: Masking,
    pub(super) summary: Summary,
    urls: Option<Urls>,
    databases: Databases,
}

/// What becomes of an attribute or of a value in a body.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Its key is ignored: it stays.
    Ignored,
    /// Its key is not allowed: it goes.
    NotAllowed,
    /// Its value is allowed: it stays.
    Allowed,
    /// It is masked, whole or in part.
    Masked(String),
    /// Nothing speaks against it: it stays.
    Unharmed,
}

impl Collector {
    pub(super) fn new(config: &Config) -> Result<Self, BuildError> {
        let regexes = |patterns: &[tracetailor_core::config::Pattern]| patterns.iter().map(|pattern| pattern.regex().clone()).collect();
        let keys = |keys: &[String]| keys.iter().map(|key| key.clone().into_bytes()).collect::<HashSet<_>>();
        let mut allowed = keys(&config.allowed_keys);
        allowed.extend(summary::PASSING.iter().map(|key| key.as_bytes().to_vec()));
        Ok(Self {
            allowed_keys: (!config.allow_all_keys).then_some(allowed),
            ignored_keys: keys(&config.ignored_keys),
            ignored_key_patterns: regexes(&config.ignored_key_patterns),
            blocked_key_patterns: regexes(&config.blocked_key_patterns),
            allowed_values: regexes(&config.allowed_values),
            blocked_values: regexes(&config.blocked_values),
            all_types: config.redact_all_types,
            masking: Masking::new(config.hash_function, &config.hmac_key),
            summary: config.summary,
            urls: config.url_sanitizer.enabled.then(|| Urls::new(&config.url_sanitizer)),
            databases: Databases::new(&config.db_sanitizer),
        })
    }

    /// Whether it looks at anything: with all keys allowed and nothing else written it does not.
    pub(super) fn is_idle(&self) -> bool {
        self.allowed_keys.is_none()
            && self.blocked_key_patterns.is_empty()
            && self.blocked_values.is_empty()
            && self.urls.is_none()
            && self.databases.is_idle()
            && (self.summary == Summary::Silent || (self.allowed_values.is_empty() && self.ignored_keys.is_empty()))
    }

    /// Whether what becomes of an attribute depends on that attribute alone.
    pub(super) fn is_local(&self) -> bool {
        self.summary == Summary::Silent && self.databases.is_idle()
    }

    /// Whether blocked values are all that changes an attribute.
    pub(super) fn only_blocks_values(&self) -> bool {
        self.is_local() && self.allowed_keys.is_none() && self.blocked_key_patterns.is_empty() && self.urls.is_none() && !self.all_types
    }

    /// Judges an attribute. `system` is the database that its neighbours name. `suspect` tells which of the blocked values are worth a search.
    pub(super) fn attribute(&self, attribute: &Attribute<'_>, system: Option<&str>, suspect: &dyn Fn(&[u8], usize) -> bool) -> Verdict {
        if self.is_ignored(attribute.key) {
            return Verdict::Ignored;
        }
        if !self.is_allowed(attribute.key) {
            return Verdict::NotAllowed;
        }
        let value = attribute.value();
        let before = self.text_of(value);
        if self.allowed_values.iter().any(|pattern| pattern.is_match(&before)) {
            return Verdict::Allowed;
        }
        if self.is_blocked(attribute.key) {
            return Verdict::Masked(self.masking.lines(&before));
        }
        let mut after = self.without_blocked(&before, suspect);
        if let Some(urls) = &self.urls
            && urls.means(attribute.key)
        {
            after = Cow::Owned(url::clustered(&after));
        }
        if let Some(written) = self.databases.attribute(attribute.key, system, &after) {
            after = Cow::Owned(written);
        }
        if after == before { Verdict::Unharmed } else { Verdict::Masked(after.into_owned()) }
    }

    /// The text that is looked at: of what is no text nothing, unless all types are.
    fn text_of<'a>(&self, value: ValueRef<'a>) -> Cow<'a, str> {
        match value {
            ValueRef::String(bytes) => utf8::repair(bytes),
            _ if self.all_types => Cow::Owned(text(value)),
            _ => Cow::Borrowed(""),
        }
    }

    fn is_ignored(&self, key: &[u8]) -> bool {
        self.ignored_keys.contains(key) || matches_any(&self.ignored_key_patterns, key)
    }

    fn is_allowed(&self, key: &[u8]) -> bool {
        self.allowed_keys.as_ref().is_none_or(|allowed| allowed.contains(key))
    }

    fn is_blocked(&self, key: &[u8]) -> bool {
        matches_any(&self.blocked_key_patterns, key)
    }

    fn without_blocked<'a>(&self, text: &Cow<'a, str>, suspect: &dyn Fn(&[u8], usize) -> bool) -> Cow<'a, str> {
        let mut after = text.clone();
        for (index, pattern) in self.blocked_values.iter().enumerate() {
            if suspect(after.as_bytes(), index) && pattern.is_match(&after) {
                after = Cow::Owned(self.masking.matches(pattern, &after));
            }
        }
        after
    }

    /// A span's name as the sanitizers leave it; `None` where that is as it is.
    pub(super) fn span_name(&self, span: &Item<'_>) -> Option<String> {
        let kind = span.head().span_kind();
        let before = span.name();
        let mut after = before.to_string();
        if self.urls.as_ref().is_some_and(|urls| urls.names)
            && matches!(kind, SpanKind::Server | SpanKind::Client)
            && (after.contains('/') || url::is_http(span))
        {
            let clustered = url::clustered(&after);
            if !url::is_all_variable(&clustered) {
                after = clustered;
            }
        }
        if matches!(kind, SpanKind::Server | SpanKind::Client | SpanKind::Internal)
            && let Some(written) = self.databases.span_name(span, &after)
        {
            after = written;
        }
        (after != before).then_some(after)
    }

    /// Whether span names are looked at.
    pub(super) fn reads_names(&self) -> bool {
        self.urls.as_ref().is_some_and(|urls| urls.names) || self.databases.reads_names()
    }

    /// The database that a set of attributes names, where anybody asks.
    pub(super) fn system<'a>(&self, find: impl Fn(&str) -> Option<ValueRef<'a>>) -> Option<String> {
        if self.databases.is_idle() { None } else { database::system(find) }
    }

    /// What becomes of a log record's body, where it is to be something else.
    pub(super) fn body(&self, value: ValueRef<'_>, tally: &mut Tally) -> Option<Value> {
        body::redacted(self, value, tally)
    }
}

fn matches_any(patterns: &[Regex], key: &[u8]) -> bool {
    if patterns.is_empty() {
        return false;
    }
    let key = utf8::repair(key);
    patterns.iter().any(|pattern| pattern.is_match(&key))
}
