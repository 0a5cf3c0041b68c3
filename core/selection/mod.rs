//! Which items a processor means: `include` and `exclude`, as several of the Collector's processors have them.
//!
//! A user writes up to two blocks of [`Properties`]; a [`Selection`] is both made ready. What an item shares with others (service, resource, library) is
//! looked at once per context.
//!
//! ```
//! use tracetailor_core::config::{ConfigErrors, parse};
//! use tracetailor_core::selection::{Properties, Selection};
//! use tracetailor_core::telemetry::Signal;
//!
//! let yaml = "{match_type: regexp, services: [^cart], span_names: [^GET]}";
//! let include: Properties = parse(yaml, "gateway.yaml", "processors.attributes.include")?;
//! assert!(Selection::new(Some(&include), None, Signal::Traces).is_ok());
//! # Ok::<(), ConfigErrors>(())
//! ```

mod matcher;
mod properties;
mod texts;

use crate::component::BuildError;
use crate::telemetry::{Item, Signal};

use matcher::Matcher;
pub use properties::{Library, MatchType, Properties, Property, RegexpCache, SeverityNumber};

/// Includes and excludes, made ready for one signal.
#[derive(Debug)]
pub struct Selection {
    include: Option<Matcher>,
    exclude: Option<Matcher>,
}

impl Selection {
    /// Of blocks that are [valid](crate::config::Validate). What only items of another signal have is refused here.
    pub fn new(include: Option<&Properties>, exclude: Option<&Properties>, signal: Signal) -> Result<Self, BuildError> {
        let matcher = |properties: Option<&Properties>| properties.map(|properties| Matcher::new(properties, signal)).transpose();
        Ok(Self { include: matcher(include)?, exclude: matcher(exclude)? })
    }

    /// Whether an item is meant: included, where anything is, and not excluded.
    pub fn means(&mut self, item: &Item<'_>) -> bool {
        self.include.as_mut().is_none_or(|include| include.matches(item))
            && !self.exclude.as_mut().is_some_and(|exclude| exclude.matches(item))
    }
}

#[cfg(test)]
mod tests;
