//! One action as a user writes it, and what of it cannot be meant.

use regex::Regex;
use serde::Deserialize;
use serde::de::Deserializer;

use crate::config::{ConfigErrors, KeyError, Literal, Validate, quoted};

/// One action on attributes.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AttributeAction {
    /// The attribute that is changed; of `extract`, the one that is read.
    pub key: String,
    /// What is done. Must be given.
    pub action: Option<ActionKind>,
    /// What is put there: text, a number, `true`, a list or a map.
    pub value: Option<Literal>,
    /// The attribute whose value is put there.
    pub from_attribute: String,
    /// What of the request is put there: `metadata.` and the name of a header that the receiver includes. Several values are joined with `;`.
    pub from_context: String,
    /// What is put there where `from_attribute` or `from_context` finds nothing.
    pub default_value: Option<Literal>,
    /// A regular expression: of `delete` and `hash`, on keys; of `extract`, on the text, with a name for each group.
    pub pattern: String,
    /// Of `convert`, what the value becomes.
    pub converted_type: Option<ConvertedType>,
}

/// What is done to an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum ActionKind {
    /// Put there unless something is.
    Insert,
    /// Put in the place of what is there.
    Update,
    /// Put there in any case.
    Upsert,
    /// Taken away.
    Delete,
    /// Replaced by its SHA-256.
    Hash,
    /// Taken apart by a regular expression.
    Extract,
    /// Made a value of another type.
    Convert,
}

impl ActionKind {
    const ALL: [(&'static str, ActionKind); 7] = [
        ("insert", ActionKind::Insert),
        ("update", ActionKind::Update),
        ("upsert", ActionKind::Upsert),
        ("delete", ActionKind::Delete),
        ("hash", ActionKind::Hash),
        ("extract", ActionKind::Extract),
        ("convert", ActionKind::Convert),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// Whether it puts something in a place.
    pub(super) fn puts(self) -> bool {
        matches!(self, ActionKind::Insert | ActionKind::Update | ActionKind::Upsert)
    }
}

/// Case does not matter.
impl<'de> Deserialize<'de> for ActionKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
        known.map(|(_, kind)| *kind).ok_or_else(|| {
            let words = crate::config::one_of(Self::ALL.iter().map(|(word, _)| *word));
            KeyError::new(format!("there is no action {}", quoted(&text)), format!("write {words}")).into_serde()
        })
    }
}

/// What a value is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConvertedType {
    /// A whole number.
    Int,
    /// A number with a fraction.
    Double,
    /// Text.
    String,
}

impl Validate for AttributeAction {
    fn validate(&self, errors: &mut ConfigErrors) {
        let Some(action) = self.action else {
            return errors.error("action", "is missing", "write insert, update, upsert, delete, hash, extract or convert");
        };
        let by_pattern = matches!(action, ActionKind::Delete | ActionKind::Hash) && !self.pattern.is_empty();
        if self.key.is_empty() && !by_pattern {
            errors.error("key", "is missing", "name an attribute");
        }
        self.check_sources(action, errors);
        self.check_context(errors);
        let takes_pattern = matches!(action, ActionKind::Delete | ActionKind::Hash | ActionKind::Extract);
        match (self.pattern.is_empty(), takes_pattern) {
            (false, false) => errors.error("pattern", format!("is not for {}", action.word()), "remove it"),
            (true, _) if action == ActionKind::Extract => {
                errors.error("pattern", "is missing", "write a regular expression with named groups: (?P<scheme>[a-z]+)://");
            }
            _ => self.check_pattern(action, errors),
        }
        match (self.converted_type, action) {
            (None, ActionKind::Convert) => errors.error("converted_type", "is missing", "write int, double or string"),
            (Some(_), ActionKind::Convert) | (None, _) => {}
            (Some(_), _) => errors.error("converted_type", format!("is not for {}", action.word()), "remove it, or write action: convert"),
        }
    }
}

impl AttributeAction {
    fn check_sources(&self, action: ActionKind, errors: &mut ConfigErrors) {
        let given = [
            ("value", self.value.is_some()),
            ("from_attribute", !self.from_attribute.is_empty()),
            ("from_context", !self.from_context.is_empty()),
        ];
        let given: Vec<&str> = given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect();
        match (action.puts(), given.as_slice()) {
            (true, []) if self.default_value.is_none() => {
                errors.error_here(
                    format!("{} {} with what?", action.word(), quoted(&self.key)),
                    "write value, from_attribute or from_context",
                );
            }
            (true, [_, another, ..]) => {
                errors.error(another, format!("stands beside {}", given[0]), "write one of the two");
            }
            (false, [first, ..]) => errors.error(first, format!("is not for {}", action.word()), "remove it"),
            (false, []) if self.default_value.is_some() => {
                errors.error("default_value", format!("is not for {}", action.word()), "remove it");
            }
            _ => {}
        }
    }

    fn check_context(&self, errors: &mut ConfigErrors) {
        let source = self.from_context.as_str();
        if source.is_empty() || source.strip_prefix("metadata.").is_some_and(|name| !name.is_empty()) {
            return;
        }
        if source == "client.address" || source.starts_with("auth.") {
            let wrong = format!("the Collector has {source}; here it is planned and does not work yet");
            return errors.error("from_context", wrong, "take metadata. and a header that the client or a proxy before it sends");
        }
        errors.error(
            "from_context",
            format!("there is no {}", quoted(source)),
            "write metadata. and the name of a header: metadata.x-tenant",
        );
    }

    fn check_pattern(&self, action: ActionKind, errors: &mut ConfigErrors) {
        let pattern = match Regex::new(&self.pattern) {
            Ok(pattern) => pattern,
            Err(error) => {
                let last = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                return errors.error("pattern", format!("is no regular expression: {last}"), "the syntax is that of RE2");
            }
        };
        if action != ActionKind::Extract {
            return;
        }
        let names: Vec<Option<&str>> = pattern.capture_names().skip(1).collect();
        if names.is_empty() {
            errors.error("pattern", "has no group", "give each part that becomes an attribute a name: (?P<scheme>[a-z]+)://");
        } else if names.contains(&None) {
            errors.error("pattern", "has a group without a name", "write (?P<name>…), or (?:…) for a group that becomes no attribute");
        }
    }
}
