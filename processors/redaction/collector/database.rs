//! Which attribute holds a statement of which language, and what is left of it.

use std::collections::HashSet;

use tracetailor_core::telemetry::{Item, ValueRef};

use super::super::sql;
use super::{DbSanitizer, SqlSanitizer, json, redis};

/// A language of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Sql,
    Redis,
    Valkey,
    Memcached,
    Mongo,
    OpenSearch,
    Elasticsearch,
}

/// The languages that are on, each with the attributes that hold its statements.
pub(super) struct Databases {
    on: Vec<(Language, HashSet<Vec<u8>>)>,
    names: bool,
}

impl Databases {
    pub(super) fn new(config: &DbSanitizer) -> Self {
        let all = [
            (Language::Sql, &config.sql),
            (Language::Redis, &config.redis),
            (Language::Valkey, &config.valkey),
            (Language::Memcached, &config.memcached),
            (Language::Mongo, &config.mongo),
            (Language::OpenSearch, &config.opensearch),
            (Language::Elasticsearch, &config.es),
        ];
        let attributes = |sanitizer: &SqlSanitizer| sanitizer.attributes.iter().map(|key| key.clone().into_bytes()).collect();
        let on = all.into_iter().filter(|(_, sanitizer)| sanitizer.enabled).map(|(language, sanitizer)| (language, attributes(sanitizer)));
        Self { on: on.collect(), names: config.sanitize_span_name }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.on.is_empty()
    }

    pub(super) fn reads_names(&self) -> bool {
        self.names && !self.is_idle()
    }

    /// What is left of an attribute, where it holds a statement of the system named beside it.
    pub(super) fn attribute(&self, key: &[u8], system: Option<&str>, text: &str) -> Option<String> {
        let system = system?;
        let language = language_of(system)?;
        let is_meant = self.on.iter().any(|(on, attributes)| *on == language && attributes.contains(key));
        let has_effect = !matches!(language, Language::OpenSearch | Language::Elasticsearch);
        (is_meant && has_effect).then(|| language.obfuscated(text, system))
    }

    pub(super) fn span_name(&self, span: &Item<'_>, name: &str) -> Option<String> {
        if !self.reads_names() {
            return None;
        }
        let system = system(|key| span.attribute(key))?;
        let language = language_of(&system).filter(|language| self.on.iter().any(|(on, _)| on == language))?;
        Some(language.obfuscated(name, &system))
    }

    /// What is left of a text of which nobody says what it is: every language has a go at it.
    pub(super) fn body(&self, text: &str) -> String {
        let shapes = |language: &Language| !matches!(language, Language::OpenSearch | Language::Elasticsearch);
        let languages = self.on.iter().map(|(language, _)| *language).filter(shapes);
        languages.fold(text.to_owned(), |text, language| language.obfuscated(&text, ""))
    }
}

/// The database that attributes name, in lower case.
pub(super) fn system<'a>(find: impl Fn(&str) -> Option<ValueRef<'a>>) -> Option<String> {
    let value = find("db.system.name").or_else(|| find("db.system"))?;
    value.text().map(|name| name.to_lowercase())
}

fn language_of(system: &str) -> Option<Language> {
    Some(match system {
        "mysql" | "postgresql" | "mariadb" | "sqlite" | "other_sql" => Language::Sql,
        "redis" => Language::Redis,
        "valkey" => Language::Valkey,
        "memcached" => Language::Memcached,
        "mongodb" => Language::Mongo,
        "opensearch" => Language::OpenSearch,
        "elasticsearch" => Language::Elasticsearch,
        _ => return None,
    })
}

impl Language {
    fn obfuscated(self, text: &str, system: &str) -> String {
        match self {
            Language::Sql => sql::obfuscated(text, sql::Dialect::of(system)),
            Language::Redis | Language::Valkey => redis::obfuscated(text),
            // The payload stands on the lines below the command.
            Language::Memcached => text.split_once("\r\n").map_or(text, |(command, _)| command).trim().to_owned(),
            Language::Mongo | Language::OpenSearch | Language::Elasticsearch => json::obfuscated(text).unwrap_or_else(|| text.to_owned()),
        }
    }
}
