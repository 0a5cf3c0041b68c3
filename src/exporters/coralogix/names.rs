//! The application and the subsystem of telemetry, which Coralogix reads from two attributes of its resource.

use std::sync::{Arc, Mutex, PoisonError};

use tracetailor_core::component::BuildError;
use tracetailor_core::telemetry::{Context, ContextCache, Path, Signal, Telemetry, Value};

use super::config::Config;

const APPLICATION: &str = "cx.application.name";
const SUBSYSTEM: &str = "cx.subsystem.name";

/// How both names are found, and where they are written.
pub(super) struct Names {
    application: Name,
    subsystem: Name,
    /// What resources became: found once for each, not once for each span.
    known: Mutex<ContextCache<Option<Arc<Context>>>>,
}

/// How one of the two is found.
struct Name {
    /// Attributes to look at first, in this order.
    attributes: Vec<String>,
    otherwise: String,
    /// Where it is written, and where a client may have written it already.
    attribute: &'static str,
    /// The same as a place, in the order of [`Signal::ALL`].
    places: [Path; 3],
}

impl Names {
    pub(super) fn new(config: &Config) -> Result<Self, BuildError> {
        Ok(Self {
            application: Name::new(&config.application_name_attributes, &config.application_name, APPLICATION)?,
            subsystem: Name::new(&config.subsystem_name_attributes, &config.subsystem_name, SUBSYSTEM)?,
            known: Mutex::default(),
        })
    }

    /// Writes both names on the resource of everything in a batch.
    pub(super) fn write_on(&self, batch: &mut Telemetry) {
        let signal = batch.signal();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        batch.map_contexts(|context| known.get(context, |context| self.named(signal, context)).clone());
    }

    /// The context with both names; none where it has them already.
    fn named(&self, signal: Signal, context: &Arc<Context>) -> Option<Arc<Context>> {
        let application = self.application.written(signal, context);
        let base = application.as_ref().unwrap_or(context);
        self.subsystem.written(signal, base).or(application)
    }
}

impl Name {
    fn new(attributes: &[String], otherwise: &str, attribute: &'static str) -> Result<Self, BuildError> {
        let place = |signal| {
            Path::parse(signal, &format!("resource.attributes[\"{attribute}\"]"))
                .map_err(|error| BuildError::new(error.to_string(), "report it as a fault of ours"))
        };
        Ok(Self {
            attributes: attributes.to_vec(),
            otherwise: otherwise.to_owned(),
            attribute,
            places: [place(Signal::ALL[0])?, place(Signal::ALL[1])?, place(Signal::ALL[2])?],
        })
    }

    /// The context with this name on its resource; none where it stands there already, or there is none.
    fn written(&self, signal: Signal, context: &Arc<Context>) -> Option<Arc<Context>> {
        let name = self.of(context)?;
        let stands = context.resource_attribute(self.attribute).is_some_and(|value| value.to_value() == Value::from(name.as_str()));
        (!stands).then(|| context.set(&self.places[signal as usize], &Value::from(name.as_str())).ok()).flatten()
    }

    fn of(&self, context: &Context) -> Option<String> {
        let by_attribute = |attribute: &String| text_of(context, attribute);
        let constant = || (!self.otherwise.is_empty()).then(|| self.otherwise.clone());
        self.attributes.iter().find_map(by_attribute).or_else(constant).or_else(|| text_of(context, self.attribute))
    }
}

/// What goes out in a request of its own: all of one application and subsystem. They are written on the resources by now.
pub(super) fn apart(batch: Telemetry) -> Vec<Telemetry> {
    let mut pairs: Vec<[Option<String>; 2]> = Vec::new();
    let mut last: Option<(u64, usize)> = None;
    let places = batch.items().map(|item| {
        let context = item.context();
        if let Some((known, place)) = last
            && known == context.id()
        {
            return place;
        }
        let pair = [text_of(context, APPLICATION), text_of(context, SUBSYSTEM)];
        let place = pairs.iter().position(|known| *known == pair).unwrap_or_else(|| {
            pairs.push(pair);
            pairs.len() - 1
        });
        last = Some((context.id(), place));
        place
    });
    let places: Vec<usize> = places.collect();
    if pairs.len() < 2 {
        return vec![batch];
    }
    let mut places = places.into_iter();
    batch.split(pairs.len(), |_| places.next().unwrap_or_default())
}

/// An attribute as text; none where it is not there or empty.
fn text_of(context: &Context, attribute: &str) -> Option<String> {
    let text = tracetailor_core::attributes::text(context.resource_attribute(attribute)?);
    (!text.is_empty()).then_some(text)
}
