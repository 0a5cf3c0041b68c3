//! What a dynamic sampler aims at: `10%` or `100 traces/s`.

use std::borrow::Cow;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::Deserializer;
use tracetailor_core::config::{KeyError, Percent, quoted};

/// How much is kept of everything that is offered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// A share of all traces.
    Share(Percent),
    /// So many traces a second.
    PerSecond(f64),
}

impl Goal {
    /// True where nothing would be kept.
    pub(super) fn is_nothing(self) -> bool {
        match self {
            Goal::Share(share) => share.is_zero(),
            Goal::PerSecond(rate) => rate <= 0.0,
        }
    }
}

impl FromStr for Goal {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Goal, KeyError> {
        const RIGHT: &str = "write 10%, or 100 traces/s";
        if text.ends_with('%') {
            return text.parse().map(Goal::Share);
        }
        let Some(rate) = text.strip_suffix("/s") else {
            let wrong = if text.parse::<f64>().is_ok() { "has no unit" } else { "is no goal" };
            return Err(KeyError::new(format!("{} {wrong}", quoted(text)), RIGHT));
        };
        let number = rate.trim_end_matches("traces").trim_end_matches("trace").trim();
        match number.parse::<f64>() {
            Ok(rate) if rate.is_finite() && rate >= 0.0 => Ok(Goal::PerSecond(rate)),
            _ => Err(KeyError::new(format!("{} is no rate", quoted(text)), RIGHT)),
        }
    }
}

impl<'de> Deserialize<'de> for Goal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(KeyError::into_serde)
    }
}

impl schemars::JsonSchema for Goal {
    fn schema_name() -> Cow<'static, str> {
        "Goal".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "title": "percentage or traces/s", "type": "string" })
    }
}
