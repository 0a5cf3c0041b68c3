//! `service.telemetry.logs`: how much is logged, in what shape, and where to.

use std::collections::BTreeMap;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use tracetailor_core::config::{CommaList, ConfigErrors, Period, Planned, Schema, Validate};

use super::word;

/// What the gateway logs.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Logs {
    /// The least grave lines to write: trace, debug, info, warn, error. A reload takes on another one.
    pub level: LogLevel,
    /// Lines for people or for machines: console, json.
    pub encoding: Encoding,
    /// Leave out the place in the code that logs.
    pub disable_caller: bool,
    /// Leave what the gateway calls itself out of JSON lines.
    pub disable_zap_resource: bool,
    /// What becomes of a line that is written again and again.
    pub sampling: Sampling,
    /// Where to: stderr, stdout, or files that are appended to.
    pub output_paths: CommaList,
    /// Fields that every line has.
    pub initial_fields: BTreeMap<String, serde_json::Value>,
    /// Accepted and not used: there is one way of logging, for development and for production.
    pub development: bool,
    /// Accepted and not used: no line has a stack trace.
    pub disable_stacktrace: bool,
    /// Accepted and not used: errors of the log itself have nowhere better to go than stderr.
    pub error_output_paths: CommaList,
    /// Planned: the log over OTLP.
    pub processors: Planned,
}

/// How much to log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// What helps to find a mistake.
    Debug,
    /// What an operator may want to know.
    #[default]
    Info,
    /// What will go wrong if nobody looks.
    Warn,
    /// What went wrong. The three graver levels of the Collector are the same here.
    Error,
}

/// The shape of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// For people.
    #[default]
    Console,
    /// For machines: an object a line.
    Json,
}

/// Of lines that the same place in the code writes at the same level, how many are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Leave any out at all.
    pub enabled: bool,
    /// After how long counting begins anew.
    pub tick: Period,
    /// So many are written at first.
    pub initial: u64,
    /// Then one of so many; 0 for none.
    pub thereafter: u64,
}

impl<'de> Deserialize<'de> for LogLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use LogLevel::{Debug, Error, Info, Trace, Warn};
        let known = [("trace", Trace), ("debug", Debug), ("info", Info), ("warn", Warn), ("error", Error)];
        word::read(deserializer, &known, &[("warning", Warn), ("dpanic", Error), ("panic", Error), ("fatal", Error)])
    }
}

impl Default for Logs {
    fn default() -> Self {
        let stderr = || CommaList::from(vec!["stderr".to_owned()]);
        Self {
            level: LogLevel::default(),
            encoding: Encoding::default(),
            disable_caller: false,
            disable_zap_resource: false,
            sampling: Sampling::default(),
            output_paths: stderr(),
            initial_fields: BTreeMap::new(),
            development: false,
            disable_stacktrace: false,
            error_output_paths: stderr(),
            processors: Planned::default(),
        }
    }
}

impl Default for Sampling {
    fn default() -> Self {
        Self { enabled: true, tick: Period::seconds(10), initial: 10, thereafter: 100 }
    }
}

impl Validate for Logs {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.output_paths.is_empty() {
            errors.warn("output_paths", "is empty, so nothing is logged", "write [stderr], stdout or the path of a file");
        }
        if self.sampling.enabled && self.sampling.tick.is_zero() {
            errors.at("sampling").error("tick", "is 0, so counting would never begin", "write a duration such as 10s, or enabled: false");
        }
        errors.planned("processors", self.processors, "remove it, and let an agent read the log from stderr");
    }
}
