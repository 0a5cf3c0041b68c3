//! `service.telemetry.metrics`: how much is told, and where it can be read.

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use tracetailor_core::config::{Address, ConfigErrors, Endpoint, KeyError, Planned, Schema, Validate};

use super::word;

/// What the gateway counts of itself.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// How much to tell: none, basic, normal, detailed.
    pub level: Level,
    /// Where it can be read; without this, at localhost:8888.
    pub readers: Option<Vec<Reader>>,
    /// The former way to say where.
    pub address: Option<Endpoint>,
    /// Planned: other names and buckets for some metrics.
    pub views: Planned,
}

/// How much to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing; nobody listens.
    None,
    /// What alerts need.
    Basic,
    /// All but what is of use to few.
    #[default]
    Normal,
    /// Everything.
    Detailed,
}

/// One way in which the metrics get to where they are kept.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Reader {
    /// Somebody comes and reads them.
    pub pull: Option<Pull>,
    /// Planned: they are sent.
    pub periodic: Planned,
}

/// Somebody comes and reads them.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Pull {
    /// What he finds.
    pub exporter: PullExporter,
    /// Planned: a bound on series. There is no label here that a client chooses.
    pub cardinality_limits: Planned,
    /// Planned: metrics of other origins.
    pub producers: Planned,
}

/// What whoever reads finds.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct PullExporter {
    /// A page in Prometheus' text format, at `/metrics`.
    #[serde(alias = "prometheus/development")]
    pub prometheus: Option<Prometheus>,
}

/// A page in Prometheus' text format, at `/metrics`. The three switches are about the Collector's names; ours are the same in any case.
#[derive(Clone, Debug, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Prometheus {
    /// The address to listen at; empty for all of them.
    pub host: String,
    /// The port to listen at.
    pub port: u16,
    /// Leave out the label `otel_scope_name`.
    pub without_scope_info: bool,
    /// Leave out `_total` behind the Collector's counters.
    pub without_type_suffix: bool,
    /// Leave out `_seconds` and `_bytes` behind the Collector's names.
    pub without_units: bool,
    /// Planned: what the gateway calls itself as labels of every series.
    #[serde(skip_serializing)]
    pub with_resource_constant_labels: Planned,
    /// Planned: other ways to make a name of a name.
    #[serde(skip_serializing)]
    pub translation_strategy: Planned,
}

/// A place where the page of metrics is served, and how its names are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where.
    pub endpoint: Endpoint,
    /// With `otel_scope_name`.
    pub scope: bool,
    /// With `_total` behind the Collector's counters.
    pub type_suffix: bool,
    /// With `_seconds` and `_bytes` behind the Collector's names.
    pub units: bool,
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let known = [("none", Level::None), ("basic", Level::Basic), ("normal", Level::Normal), ("detailed", Level::Detailed)];
        word::read(deserializer, &known, &[])
    }
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 8888,
            // As the Collector's: what somebody's dashboards know has nothing behind its name.
            without_scope_info: true,
            without_type_suffix: true,
            without_units: true,
            with_resource_constant_labels: Planned::default(),
            translation_strategy: Planned::default(),
        }
    }
}

impl Metrics {
    /// The pages to serve.
    pub fn pages(&self) -> Vec<Page> {
        if self.level == Level::None {
            return Vec::new();
        }
        let plain = Prometheus::default();
        match (&self.address, &self.readers) {
            (Some(address), _) => plain.page().map(|page| Page { endpoint: address.clone(), ..page }).into_iter().collect(),
            (None, None) => plain.page().into_iter().collect(),
            (None, Some(readers)) => {
                let pages = readers.iter().filter_map(|reader| reader.pull.as_ref()?.exporter.prometheus.as_ref());
                pages.filter_map(|prometheus| prometheus.page().ok()).collect()
            }
        }
    }
}

impl Prometheus {
    fn page(&self) -> Result<Page, KeyError> {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        Ok(Page {
            endpoint: format!("{host}:{}", self.port).parse()?,
            scope: !self.without_scope_info,
            type_suffix: !self.without_type_suffix,
            units: !self.without_units,
        })
    }
}

impl Validate for Metrics {
    fn validate(&self, errors: &mut ConfigErrors) {
        if let Some(address) = &self.address {
            self.validate_address(address, errors);
        }
        if self.level != Level::None && self.readers.as_ref().is_some_and(Vec::is_empty) {
            let right = "remove readers to have the one at localhost:8888, or write level: none";
            errors.error("readers", "no reader is left, and the level is not none", right);
        }
        errors.within("readers", &self.readers);
        errors.planned("views", self.views, "remove it, and rename where the metrics are read");
    }
}

impl Metrics {
    fn validate_address(&self, address: &Endpoint, errors: &mut ConfigErrors) {
        let Address::Tcp { host, port } = &address.address else {
            errors.error("address", "is no host and port", "write one such as localhost:8888");
            return;
        };
        if let Err(error) = address.listens() {
            errors.error("address", error.wrong, error.right);
        }
        if self.readers.is_some() {
            errors.error("address", "readers say where already", "remove address");
            return;
        }
        let reader = format!("write readers: [{{pull: {{exporter: {{prometheus: {{host: \"{host}\", port: {port}}}}}}}}}]");
        errors.warn("address", "is the former way to say this; the Collector refuses it by now", reader);
    }
}

impl Validate for Reader {
    fn validate(&self, errors: &mut ConfigErrors) {
        let meanwhile = "have them read: pull: {exporter: {prometheus: {host: localhost, port: 8888}}}";
        let before = errors.len();
        errors.planned("periodic", self.periodic, meanwhile);
        if self.pull.is_none() && errors.len() == before {
            errors
                .error_here("the reader does not say how it reads", "write pull: {exporter: {prometheus: {host: localhost, port: 8888}}}");
        }
        errors.within("pull", &self.pull);
    }
}

impl Validate for Pull {
    fn validate(&self, errors: &mut ConfigErrors) {
        errors.planned("cardinality_limits", self.cardinality_limits, "remove it: the number of series is bounded by the configuration");
        errors.planned("producers", self.producers, "remove it");
        let mut exporter = errors.at("exporter");
        match &self.exporter.prometheus {
            None => exporter.error_here("the reader does not say what is read", "write prometheus: {host: localhost, port: 8888}"),
            Some(prometheus) => {
                let mut here = exporter.at("prometheus");
                if let Err(error) = prometheus.page() {
                    here.error("host", error.wrong, error.right);
                }
                let labels = prometheus.with_resource_constant_labels;
                here.planned("with_resource_constant_labels", labels, "remove it, and join with target_info");
                here.planned("translation_strategy", prometheus.translation_strategy, "remove it, and use the without_ switches");
            }
        }
    }
}
