//! The blocks and words that the Collector's keys take.

use serde::{Deserialize, Deserializer, Serialize};
use tracetailor_core::config::Schema;

/// How what is masked is made unreadable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Schema)]
pub enum HashFunction {
    /// By four stars.
    #[default]
    #[serde(rename = "")]
    None,
    /// By its MD5.
    #[serde(rename = "md5")]
    Md5,
    /// By its SHA-1.
    #[serde(rename = "sha1")]
    Sha1,
    /// By its SHA3-256.
    #[serde(rename = "sha3")]
    Sha3,
    /// By its HMAC with SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// By its HMAC with SHA-512.
    #[serde(rename = "hmac-sha512")]
    HmacSha512,
}

impl HashFunction {
    /// How long a key must be, in bytes; zero for those that take none.
    pub(in crate::redaction) fn key_length(self) -> usize {
        match self {
            HashFunction::HmacSha256 => 32,
            HashFunction::HmacSha512 => 64,
            _ => 0,
        }
    }
}

impl<'de> Deserialize<'de> for HashFunction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Any case, as the Collector reads it.
        match String::deserialize(deserializer)?.to_ascii_lowercase().as_str() {
            "" => Ok(HashFunction::None),
            "md5" => Ok(HashFunction::Md5),
            "sha1" => Ok(HashFunction::Sha1),
            "sha3" => Ok(HashFunction::Sha3),
            "hmac-sha256" => Ok(HashFunction::HmacSha256),
            "hmac-sha512" => Ok(HashFunction::HmacSha512),
            other => Err(serde::de::Error::unknown_variant(other, &["md5", "sha1", "sha3", "hmac-sha256", "hmac-sha512"])),
        }
    }
}

/// How much is told about what was redacted, in attributes beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Summary {
    /// How many keys, and which.
    Debug,
    /// How many keys.
    Info,
    /// Nothing.
    #[default]
    Silent,
}

impl<'de> Deserialize<'de> for Summary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Any other word is silence to the Collector too.
        Ok(match String::deserialize(deserializer)?.as_str() {
            "debug" => Summary::Debug,
            "info" => Summary::Info,
            _ => Summary::Silent,
        })
    }
}

/// Variable segments of paths become `*`, and queries go.
#[derive(Clone, Debug, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct UrlSanitizer {
    /// Whether it does.
    pub enabled: bool,
    /// The attributes that hold URLs.
    pub attributes: Vec<String>,
    /// Whether names of server and client spans are sanitized as well.
    pub sanitize_span_name: bool,
}

impl Default for UrlSanitizer {
    fn default() -> Self {
        Self { enabled: false, attributes: Vec::new(), sanitize_span_name: true }
    }
}

/// Literals in database statements become `?`. Which language an attribute is in, `db.system.name` or `db.system` beside it tells.
#[derive(Clone, Debug, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct DbSanitizer {
    /// SQL, where the system is `mysql`, `postgresql`, `mariadb`, `sqlite` or `other_sql`.
    pub sql: SqlSanitizer,
    /// Redis.
    pub redis: SqlSanitizer,
    /// Valkey.
    pub valkey: SqlSanitizer,
    /// Memcached.
    pub memcached: SqlSanitizer,
    /// MongoDB.
    pub mongo: SqlSanitizer,
    /// OpenSearch: span names only, as in the Collector.
    pub opensearch: SqlSanitizer,
    /// Elasticsearch: span names only, as in the Collector.
    pub es: SqlSanitizer,
    /// Whether names of server, client and internal spans are sanitized as well.
    pub sanitize_span_name: bool,
}

impl Default for DbSanitizer {
    fn default() -> Self {
        let off = SqlSanitizer::default;
        Self {
            sql: off(),
            redis: off(),
            valkey: off(),
            memcached: off(),
            mongo: off(),
            opensearch: off(),
            es: off(),
            sanitize_span_name: true,
        }
    }
}

/// Statements of one language.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct SqlSanitizer {
    /// Whether they are sanitized.
    pub enabled: bool,
    /// The attributes that hold them.
    pub attributes: Vec<String>,
}
