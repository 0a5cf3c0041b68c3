//! The five kinds of component, as far as making one differs: what it is built with, and what comes of it.

use super::connector::Connector;
use super::context::{BuildContext, LaneContext, ProcessorContext};
use super::exporter::Exporter;
use super::extension::Extension;
use super::processor::Processor;
use super::receiver::Receiver;

/// A kind of component.
pub trait Kind: 'static {
    /// The word for one: `processor`.
    const WORD: &'static str;
    /// The section of the configuration where they stand: `processors`.
    const SECTION: &'static str;
    /// What one is built with.
    type Context;
    /// What is built.
    type Built;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $word:literal $section:literal $context:ty => $built:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Kind for $name {
            const WORD: &'static str = $word;
            const SECTION: &'static str = $section;
            type Context = $context;
            type Built = $built;
        }
    )*};
}

kinds! {
    /// [`Receiver`]s.
    Receivers: "receiver" "receivers" BuildContext => Box<dyn Receiver>;
    /// [`Processor`]s.
    Processors: "processor" "processors" ProcessorContext => Box<dyn Processor>;
    /// [`Exporter`]s.
    Exporters: "exporter" "exporters" BuildContext => Box<dyn Exporter>;
    /// [`Connector`]s.
    Connectors: "connector" "connectors" LaneContext => Box<dyn Connector>;
    /// [`Extension`]s.
    Extensions: "extension" "extensions" BuildContext => Box<dyn Extension>;
}
