//! How a component is made from what the user wrote: one shape for all five kinds.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::error::{BuildError, NeedsRebuild};
use super::kind::{Connectors, Exporters, Extensions, Kind, Processors, Receivers};
use super::part::Part;
use crate::config::{ConfigErrors, Key, Node, Path, Schema, Validate, keys_of, load};
use crate::telemetry::Signal;

/// What a configuration struct must be able to do; every struct that can, is one. It is the only source: keys, defaults, checks and
/// documentation all come from it.
pub trait ComponentConfig: DeserializeOwned + Validate + Schema + Default + Send + Sync + 'static {}

impl<T: DeserializeOwned + Validate + Schema + Default + Send + Sync + 'static> ComponentConfig for T {}

/// What a component says of itself so that it can be made from a configuration.
pub trait Component: 'static {
    /// Which of the five it is: [`Processors`], [`Exporters`] …
    type Kind: Kind;
    /// What the user writes.
    type Config: ComponentConfig;

    /// Makes one. The configuration is valid; what can still go wrong is the world.
    fn build(config: &Self::Config, context: &<Self::Kind as Kind>::Context) -> Result<<Self::Kind as Kind>::Built, BuildError>;
}

/// How far a component can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stability {
    /// Being built: may change from one day to the next, or lose data.
    Development,
    /// Works; keys may still change.
    Alpha,
    /// In use; keys change only with a warning beforehand.
    Beta,
    /// Keys and behaviour stay.
    Stable,
}

impl fmt::Display for Stability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stability::Development => "development",
            Stability::Alpha => "alpha",
            Stability::Beta => "beta",
            Stability::Stable => "stable",
        })
    }
}

/// A component of a kind, with its types forgotten: what a [`Registry`](super::Registry) lists.
pub struct Factory<K: Kind> {
    /// Its type in the configuration, and its folder: `tail_sampling`.
    pub name: &'static str,
    /// Former spellings of the type. They work, with a warning.
    pub aliases: &'static [&'static str],
    /// How far it can be relied on.
    pub stability: Stability,
    /// Its manual.
    pub readme: &'static str,
    /// The signals that it can be part of a pipeline of. For a connector, see [`Factory::joins`].
    pub signals: &'static [Signal],
    /// What pipelines a connector can join: from a signal, to a signal. Empty for other kinds, and for one that joins pipelines of any one
    /// signal.
    pub joins: &'static [(Signal, Signal)],
    /// What the planner must know of it.
    pub part: Part,
    mends_ids: fn(&AnyConfig) -> bool,
    keys: fn() -> Vec<Key>,
    schema: fn() -> serde_json::Value,
    read: fn(&Node, &Path, &mut ConfigErrors) -> Option<AnyConfig>,
    build: Build<K>,
}

type Build<K> = fn(&AnyConfig, &<K as Kind>::Context) -> Result<<K as Kind>::Built, BuildError>;

/// How a receiver is made.
pub type ReceiverFactory = Factory<Receivers>;
/// How a processor is made.
pub type ProcessorFactory = Factory<Processors>;
/// How an exporter is made.
pub type ExporterFactory = Factory<Exporters>;
/// How a connector is made.
pub type ConnectorFactory = Factory<Connectors>;
/// How an extension is made.
pub type ExtensionFactory = Factory<Extensions>;

impl<K: Kind> Factory<K> {
    /// The factory of a component.
    pub const fn of<C: Component<Kind = K>>(name: &'static str, stability: Stability, readme: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            stability,
            readme,
            signals: &Signal::ALL,
            joins: &[],
            part: Part::Plain,
            mends_ids: |_| false,
            keys: keys_of::<C::Config>,
            schema: schema::<C::Config>,
            read: read::<C::Config>,
            build: build::<C>,
        }
    }

    /// The same, also found under former names.
    #[must_use]
    pub const fn formerly(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same, for pipelines of these signals alone.
    #[must_use]
    pub const fn only_for(mut self, signals: &'static [Signal]) -> Self {
        self.signals = signals;
        self
    }

    /// The same, joining pipelines of these signals.
    #[must_use]
    pub const fn joining(mut self, joins: &'static [(Signal, Signal)]) -> Self {
        self.joins = joins;
        self
    }

    /// The same, playing a part of its own.
    #[must_use]
    pub const fn playing(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// The same, giving ids to spans that come without one, or with one of the wrong length, where `tells` says so of a configuration.
    /// Everywhere else receivers reject such spans.
    #[must_use]
    pub const fn mending_ids(mut self, tells: fn(&AnyConfig) -> bool) -> Self {
        self.mends_ids = tells;
        self
    }

    /// Whether, as configured, it gives ids to spans that come without one.
    pub fn mends_ids(&self, config: &AnyConfig) -> bool {
        (self.mends_ids)(config)
    }

    /// The keys of its configuration.
    pub fn keys(&self) -> Vec<Key> {
        (self.keys)()
    }

    /// The JSON schema of its configuration, for editors.
    pub fn schema(&self) -> serde_json::Value {
        (self.schema)()
    }

    /// Reads and validates a block. What is wrong is added to `errors`; warnings too, with a value.
    pub fn read(&self, block: &Node, path: &Path, errors: &mut ConfigErrors) -> Option<AnyConfig> {
        (self.read)(block, path, errors)
    }

    /// Reads a block from text: for tests and examples.
    pub fn parse(&self, yaml: &str) -> Result<Parsed<'_, K>, ConfigErrors> {
        let mut errors = ConfigErrors::default();
        let path = Path::of(K::SECTION).key(self.name);
        match self.read(&load(yaml, "config.yaml")?, &path, &mut errors) {
            Some(config) => Ok(Parsed { factory: self, config }),
            None => Err(errors),
        }
    }

    /// Makes a component from a configuration that this factory has read.
    pub fn build(&self, config: &AnyConfig, context: &K::Context) -> Result<K::Built, BuildError> {
        (self.build)(config, context)
    }
}

impl<K: Kind> fmt::Debug for Factory<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", K::WORD, self.name, self.stability)
    }
}

/// A configuration and who read it: all that it takes to build.
pub struct Parsed<'a, K: Kind> {
    factory: &'a Factory<K>,
    /// The configuration.
    pub config: AnyConfig,
}

impl<K: Kind> Parsed<'_, K> {
    /// Makes the component.
    pub fn build(&self, context: &K::Context) -> Result<K::Built, BuildError> {
        self.factory.build(&self.config, context)
    }
}

impl<K: Kind> fmt::Debug for Parsed<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration of {:?}", self.factory)
    }
}

/// A configuration that was read and is valid, with its type forgotten: the gateway carries it, its component knows what it is.
#[derive(Clone)]
pub struct AnyConfig(Arc<dyn Any + Send + Sync>);

impl AnyConfig {
    /// Forgets the type.
    pub fn new<C: ComponentConfig>(config: C) -> Self {
        Self(Arc::new(config))
    }

    /// The configuration as its component knows it. Of any other type there is none, which asks for a rebuild, so that `reconfigure` can
    /// begin with `let config: &Config = config.get()?;`.
    pub fn get<C: ComponentConfig>(&self) -> Result<&C, NeedsRebuild> {
        self.0.downcast_ref().ok_or(NeedsRebuild)
    }
}

/// Not what is in it: secrets have no business in a log.
impl fmt::Debug for AnyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyConfig")
    }
}

fn schema<C: ComponentConfig>() -> serde_json::Value {
    schemars::schema_for!(C).to_value()
}

fn read<C: ComponentConfig>(block: &Node, path: &Path, errors: &mut ConfigErrors) -> Option<AnyConfig> {
    block.read_valid::<C>(path, errors).map(AnyConfig::new)
}

fn build<C: Component>(config: &AnyConfig, context: &<C::Kind as Kind>::Context) -> Result<<C::Kind as Kind>::Built, BuildError> {
    match config.get::<C::Config>() {
        Ok(config) => C::build(config, context),
        Err(NeedsRebuild) => Err(BuildError::new("this configuration was read by another component", "this is a bug: please report it")),
    }
}
