//! The keys of `service.telemetry`.

use serde::Deserialize;
use tracetailor_core::config::{Schema, Validate};

/// What the gateway says of itself, and to whom.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {}

impl Validate for Telemetry {}
