//! What a configuration block checks beyond the types of its keys.

use std::collections::BTreeMap;

use super::errors::ConfigErrors;
use super::path::{Path, Step};

/// Checks that need more than one key's type: limits, keys that exclude each other, values that can hardly be meant.
///
/// A block that has nothing to check says so in one line, `impl Validate for Config {}`. One that has blocks inside passes on:
///
/// ```
/// use tracetailor_core::config::{ConfigErrors, Validate};
///
/// struct Queue {
///     size: u64,
/// }
///
/// impl Validate for Queue {
///     fn validate(&self, errors: &mut ConfigErrors) {
///         if self.size == 0 {
///             errors.error("size", "a queue of 0 holds nothing", "give a size such as 1000");
///         }
///     }
/// }
///
/// struct Config {
///     queues: Vec<Queue>,
/// }
///
/// impl Validate for Config {
///     fn validate(&self, errors: &mut ConfigErrors) {
///         errors.within("queues", &self.queues);
///     }
/// }
///
/// let mut errors = ConfigErrors::default();
/// Config { queues: vec![Queue { size: 5 }, Queue { size: 0 }] }.validate(&mut errors);
/// assert_eq!(errors.to_string(), "error: queues[1].size: a queue of 0 holds nothing\n    give a size such as 1000\n");
/// ```
///
/// It runs once the block could be read, on any machine: it opens no file, looks up no name and does not ask the clock, so that
/// `validate` in a build pipeline says what the gateway itself would say.
pub trait Validate {
    /// Adds what is wrong to `errors`, with paths relative to this block.
    fn validate(&self, _errors: &mut ConfigErrors) {}
}

impl ConfigErrors {
    /// Checks a block inside the one that is being checked.
    pub fn within(&mut self, key: &str, block: &impl Validate) {
        block.validate(&mut self.at(key));
    }
}

impl<T: Validate> Validate for Option<T> {
    fn validate(&self, errors: &mut ConfigErrors) {
        if let Some(block) = self {
            block.validate(errors);
        }
    }
}

impl<T: Validate> Validate for Vec<T> {
    fn validate(&self, errors: &mut ConfigErrors) {
        for (index, block) in self.iter().enumerate() {
            block.validate(&mut errors.below(Path::ROOT.then(Step::Index(index))));
        }
    }
}

impl<T: Validate> Validate for BTreeMap<String, T> {
    fn validate(&self, errors: &mut ConfigErrors) {
        for (key, block) in self {
            errors.within(key, block);
        }
    }
}

/// A key that the Collector has and this gateway does not have yet: a field of this type is read whatever stands in it, and refused by
/// [`ConfigErrors::planned`] with what to do meanwhile, one of our own by [`ConfigErrors::not_yet`]. So a user is not told that a key he knows does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    present: bool,
}

impl<'de> serde::Deserialize<'de> for Planned {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Planned { present: true })
    }
}

impl schemars::JsonSchema for Planned {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Planned".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "title": "planned", "not": {} })
    }
}

impl ConfigErrors {
    /// Refuses a [`Planned`] key where it was written.
    pub fn planned(&mut self, key: &str, planned: Planned, meanwhile: &str) {
        if planned.present {
            self.error(key, "the Collector has this key; here it is planned and does not work yet", meanwhile);
        }
    }

    /// The same for a key that is ours alone, which no user has from elsewhere.
    pub fn not_yet(&mut self, key: &str, planned: Planned, meanwhile: &str) {
        if planned.present {
            self.error(key, "is planned and does not work yet", meanwhile);
        }
    }
}

/// A key that the Collector has and that means nothing here: a field of this type is read whatever stands in it, so that a team's file
/// starts. Its words say why it is not used; where that could surprise somebody, [`ConfigErrors::unused`] warns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unused {
    present: bool,
}

impl<'de> serde::Deserialize<'de> for Unused {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Unused { present: true })
    }
}

impl schemars::JsonSchema for Unused {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Unused".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "title": "anything" })
    }
}

impl ConfigErrors {
    /// Warns of an [`Unused`] key where it was written.
    pub fn unused(&mut self, key: &str, unused: Unused, why: &str, instead: &str) {
        if unused.present {
            self.warn(key, why, instead);
        }
    }
}
