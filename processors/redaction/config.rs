//! What the user writes: the Collector's keys first, then ours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ByteSize, ConfigErrors, Glob, OneOrMany, Pattern, Schema, Secret, Validate};
use tracetailor_core::telemetry::Place;

use super::collector::{DbSanitizer, HashFunction, Summary, UrlSanitizer};
use super::{detectors, skip};

/// What the user writes.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Every key may stay; else only the allowed ones.
    pub allow_all_keys: bool,
    /// The keys that may stay. All others are deleted.
    pub allowed_keys: Vec<String>,
    /// Keys that the Collector's keys do not look at.
    pub ignored_keys: Vec<String>,
    /// Regular expressions for such keys.
    pub ignored_key_patterns: Vec<Pattern>,
    /// Regular expressions for keys whose whole value is masked.
    pub blocked_key_patterns: Vec<Pattern>,
    /// Regular expressions for values that `blocked_key_patterns`, `blocked_values` and the sanitizers leave alone.
    pub allowed_values: Vec<Pattern>,
    /// Regular expressions for parts of values that are masked.
    pub blocked_values: Vec<Pattern>,
    /// Whether those look at numbers, booleans, lists and maps as well. What is changed in them becomes text.
    pub redact_all_types: bool,
    /// What stands in place of what is masked by those; four stars unless set.
    pub hash_function: HashFunction,
    /// The key of an HMAC: 32 bytes or more for `hmac-sha256`, 64 or more for `hmac-sha512`.
    pub hmac_key: Secret,
    /// What is told about it in attributes beside it.
    pub summary: Summary,
    /// Variable segments of paths become `*`, and queries go.
    pub url_sanitizer: UrlSanitizer,
    /// Literals in database statements become `?`.
    pub db_sanitizer: DbSanitizer,
    /// Conditions in OTTL, such as `span.attributes["audience"] == "internal"`: the Collector's keys leave alone whatever one of them holds for.
    pub skip_conditions: Vec<String>,
    /// Sets of detectors and names of keys, everywhere in an item.
    pub presets: OneOrMany<Preset>,
    /// What is done about what a detector finds. This goes before what a preset says; `none` turns a detector off.
    pub detectors: BTreeMap<String, Action>,
    /// Attributes by their keys, also inside of values.
    pub keys: Vec<KeyRule>,
    /// Expressions of your own.
    pub rules: Vec<PatternRule>,
    /// The key of the action `hmac`.
    pub hmac: Hmac,
    /// Countries whose national numbers are looked for.
    pub locales: OneOrMany<Locale>,
    /// Bounds for what is kept of an item.
    pub limits: ItemLimits,
    /// Keys with a number or an id in them become one.
    pub fold_keys: Vec<Fold>,
    /// Whether our keys, from `presets` on, change anything.
    pub mode: Mode,
}

/// A set of detectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Keys and tokens of every kind, and attributes by the names of their keys.
    Secrets,
    /// Payment cards (the last four digits stay) and literals of SQL.
    Pci,
    /// E-mail, phone, addresses of IP (their network stays) and MAC, IBAN, national numbers of the locales.
    Gdpr,
    /// Every other detector, in prompts and completions.
    Genai,
}

/// What is done about what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The attribute goes; where there is none, what was found is masked.
    Delete,
    /// Four stars, whatever the length.
    #[default]
    Mask,
    /// Four stars and the last four characters.
    Partial,
    /// A keyed digest, by which the same can be found again: `h1:`, the key's id, and 32 digits.
    Hmac,
    /// The digest of `hash_function`.
    Hash,
    /// Of an address of IP, its network.
    Bucket,
    /// The text ends there.
    Truncate,
    /// The whole item goes.
    DropSpan,
    /// Of `prompt`: the other detectors look in.
    Scan,
    /// Nothing.
    None,
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// What is found is redacted.
    #[default]
    Apply,
    /// What is found is counted and nothing else.
    Suggest,
}

/// A country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// Social security numbers of the United States.
    Us,
}

/// Attributes by their keys.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct KeyRule {
    /// Keys, `*` standing for anything, whatever the case.
    #[serde(rename = "match")]
    pub matches: OneOrMany<Glob>,
    /// What is done about their values.
    pub action: Action,
}

/// An expression of your own.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct PatternRule {
    /// Its name, in metrics.
    pub name: String,
    /// A regular expression.
    pub pattern: Option<Pattern>,
    /// What is done about what it matches.
    pub action: Action,
    /// Where it looks: `all`, or places such as `attribute`, `name`, `body`.
    pub places: OneOrMany<String>,
}

/// A key for digests.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Hmac {
    /// 32 bytes or more, from the environment or a file.
    pub key: Secret,
    /// Its name, which stands in every digest.
    pub key_id: String,
    /// Keys used before, which `tracetailor token` makes digests with as well.
    pub previous: Vec<PreviousKey>,
}

impl Default for Hmac {
    fn default() -> Self {
        Self { key: Secret::default(), key_id: "k1".to_owned(), previous: Vec::new() }
    }
}

/// A key used before.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct PreviousKey {
    /// The key.
    pub key: Secret,
    /// Its name.
    pub key_id: String,
}

/// Bounds for what is kept of an item.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct ItemLimits {
    /// Longer texts in attributes are cut; `0` for no bound.
    pub value_length: ByteSize,
    /// Further attributes of an item are deleted; `0` for no bound.
    pub attributes: u32,
}

/// Keys with a number or an id in them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Fold {
    /// A regular expression that a whole key matches.
    pub pattern: Option<Pattern>,
    /// The key they become, with `$1` for what a group matched. Without it they are deleted.
    pub key: String,
}

impl Config {
    /// Whether any of our keys asks for anything.
    pub(super) fn has_ours(&self) -> bool {
        !(self.presets.is_empty()
            && self.detectors.is_empty()
            && self.keys.is_empty()
            && self.rules.is_empty()
            && self.fold_keys.is_empty()
            && self.limits.value_length.is_zero()
            && self.limits.attributes == 0)
    }

    /// Every action that is written, and where.
    fn actions(&self) -> Vec<(&'static str, Action)> {
        let detectors = self.detectors.values().map(|action| ("detectors", *action));
        let keys = self.keys.iter().map(|rule| ("keys", rule.action));
        let rules = self.rules.iter().map(|rule| ("rules", rule.action));
        detectors.chain(keys).chain(rules).collect()
    }
}

/// Detectors that are no search in texts.
pub(super) const SPECIAL: [&str; 2] = ["sql_literal", "prompt"];
/// The shortest key of an HMAC that nobody tries out.
const KEY_LENGTH: usize = 32;
/// More rules than these do not fit.
const MOST_RULES: usize = 90;

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        let wanted = self.hash_function.key_length();
        let given = self.hmac_key.expose().len();
        if given < wanted {
            let wrong = format!("has {given} bytes, and this hash function takes {wanted} or more");
            errors.error("hmac_key", wrong, "give a longer one, from the environment: ${env:REDACTION_KEY}");
        }
        skip::check(&self.skip_conditions, errors);
        if self.has_ours() && !self.allow_all_keys && self.allowed_keys.is_empty() {
            errors.error("allowed_keys", "this would remove every attribute", "write allow_all_keys: true");
        }
        self.check_detectors(errors);
        self.check_rules(errors);
        self.check_actions(errors);
    }
}

impl Config {
    fn check_detectors(&self, errors: &mut ConfigErrors) {
        let known = || detectors::ALL.iter().map(|detector| detector.name).chain(SPECIAL);
        for (name, action) in &self.detectors {
            let mut errors = errors.at("detectors");
            if !known().any(|known| known == name) {
                let all = known().collect::<Vec<_>>().join(", ");
                errors.error(name, "is no detector", format!("there are {all}"));
            }
            match (name.as_str(), action) {
                ("prompt", Action::Scan | Action::Delete | Action::Mask | Action::None | Action::Hmac | Action::DropSpan) => {}
                ("prompt", _) => errors.error(name, "cannot be done to prompts", "write scan, mask, hmac, delete, drop_span or none"),
                ("sql_literal", Action::Mask | Action::Delete | Action::None | Action::DropSpan) => {}
                ("sql_literal", _) => errors.error(name, "cannot be done to literals of SQL", "write mask, delete, drop_span or none"),
                ("ipv4" | "ipv6", Action::Bucket) => {}
                (_, Action::Bucket) => errors.error(name, "has no network to be put in", "bucket is for ipv4 and ipv6: write mask or hmac"),
                (_, Action::Scan) => errors.error(name, "is not for scan", "scan is for prompt: write mask or none"),
                _ => {}
            }
        }
        if self.detectors.contains_key("ssn") && self.locales.is_empty() {
            errors.at("detectors").warn("ssn", "is looked for in the locale us alone", "write locales: [us]");
        }
    }

    fn check_rules(&self, errors: &mut ConfigErrors) {
        if self.rules.len() + self.keys.len() + self.blocked_values.len() > MOST_RULES {
            errors.error("rules", format!("are more than {MOST_RULES}, with keys and blocked_values"), "join some with |");
        }
        for (index, rule) in self.rules.iter().enumerate() {
            let mut errors = errors.at("rules").index(index);
            if rule.name.is_empty() {
                errors.error("name", "is missing", "give it a name, which metrics show");
            }
            match &rule.pattern {
                None => errors.error("pattern", "is missing", "write a regular expression such as 'TCK-\\d{6}'"),
                Some(pattern) if pattern.regex().is_match("") => {
                    errors.error("pattern", "matches a text of nothing", "write one that needs a character at least");
                }
                Some(_) => {}
            }
            for place in rule.places.iter().filter(|place| *place != "all" && place_named(place).is_none()) {
                let all = Place::ALL.map(Place::name).join(", ");
                errors.error("places", format!("{place} is no place"), format!("write all, or some of {all}"));
            }
        }
        for (index, _) in self.keys.iter().enumerate().filter(|(_, rule)| rule.matches.is_empty()) {
            errors.at("keys").index(index).error("match", "is missing", "write keys such as [\"*password*\", authorization]");
        }
        for (index, _) in self.fold_keys.iter().enumerate().filter(|(_, fold)| fold.pattern.is_none()) {
            errors.at("fold_keys").index(index).error("pattern", "is missing", "write a regular expression such as 'retry\\.attempt_\\d+'");
        }
    }

    fn check_actions(&self, errors: &mut ConfigErrors) {
        let asks_for = |wanted: Action| self.actions().iter().any(|(_, action)| *action == wanted);
        let length = self.hmac.key.expose().len();
        if asks_for(Action::Hmac) && length < KEY_LENGTH {
            let wrong = format!("has {length} bytes, and the action hmac takes {KEY_LENGTH} or more");
            errors.at("hmac").error("key", wrong, "give a longer one, from the environment: ${env:REDACTION_KEY}");
        }
        let is_word = |id: &str| (1..=16).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_word(&self.hmac.key_id) {
            errors.at("hmac").error("key_id", "must be 1 to 16 letters and digits", "write one such as a1");
        }
        if asks_for(Action::Hash) && self.hash_function == HashFunction::None {
            errors.error(
                "hash_function",
                "is missing, and an action is hash",
                "write hash_function: hmac-sha256 with hmac_key, or use hmac",
            );
        }
        for (key, action) in self.actions() {
            if key != "detectors" && matches!(action, Action::Bucket | Action::Scan) {
                errors.error(key, "bucket and scan are for detectors", "write mask, hmac or another action");
            }
        }
    }
}

/// The place of a name.
pub(super) fn place_named(name: &str) -> Option<Place> {
    Place::ALL.into_iter().find(|place| place.name() == name)
}
