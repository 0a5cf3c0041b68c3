//! `service.telemetry.traces`: read, so that a team's file starts, and not used.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use tracetailor_core::config::{ConfigErrors, Schema, Validate};

use super::metrics::Level;

/// Accepted and not used: the gateway does not trace itself.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// Accepted and not used.
    pub level: Option<Level>,
    /// Accepted and not used: headers of a request are passed on as they come.
    pub propagators: Anything,
    /// Accepted and not used.
    pub processors: Anything,
    /// Accepted and not used.
    pub sampler: Anything,
    /// Accepted and not used.
    pub limits: Anything,
}

/// Whatever stands there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anything;

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Anything)
    }
}

impl Schema for Anything {
    fn schema_name() -> Cow<'static, str> {
        "Anything".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "title": "anything" })
    }
}

impl Validate for Traces {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.level != Some(Level::None) {
            errors
                .warn_here("the gateway does not trace itself", "remove it; what takes how long is among the metrics, see docs/metrics.md");
        }
    }
}
