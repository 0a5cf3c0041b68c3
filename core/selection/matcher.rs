//! One block, made ready.

use std::borrow::Cow;

use super::properties::{Library, MatchType, Properties, Property, SeverityNumber};
use super::texts::{KINDS, Texts};
use crate::component::BuildError;
use crate::telemetry::{Context, ContextCache, Item, Path, Signal, Value, ValueRef};

/// Everything that is asked of an item; what is not asked is none.
#[derive(Debug)]
pub(super) struct Matcher {
    services: Option<Texts>,
    resources: Vec<Attribute>,
    libraries: Vec<(Option<Texts>, Option<Texts>)>,
    scope: Paths,
    /// What came of the three above.
    contexts: ContextCache<bool>,
    names: Option<Texts>,
    kinds: Option<Texts>,
    attributes: Vec<Attribute>,
    log: Option<Log>,
}

/// Where the scope's name and version stand.
#[derive(Debug)]
struct Paths {
    name: Path,
    version: Path,
}

/// One attribute, and what its value must be.
#[derive(Debug)]
struct Attribute {
    key: String,
    wanted: Wanted,
}

#[derive(Debug)]
enum Wanted {
    Anything,
    Value(Value),
    Text(Texts),
}

#[derive(Debug)]
struct Log {
    bodies: Option<Texts>,
    texts: Option<Texts>,
    number: Option<SeverityNumber>,
    body: Path,
    severity_text: Path,
    severity_number: Path,
}

impl Matcher {
    pub(super) fn new(properties: &Properties, signal: Signal) -> Result<Self, BuildError> {
        if let Some(key) = properties.foreign(signal) {
            let wrong = format!("{key} is nothing that {} have", signal.items().replace('_', " "));
            return Err(BuildError::new(wrong, format!("give the pipeline of {} a processor of its own, without it", signal.name())));
        }
        let match_type = properties.match_type.unwrap_or(MatchType::Strict);
        let attributes = |list: &[Property]| list.iter().map(|property| Attribute::new(property, match_type)).collect::<Result<_, _>>();
        let names = if signal == Signal::Metrics { &properties.metric_names } else { &properties.span_names };
        let library = |library: &Library| {
            let version = library.version.clone().map(|version| Texts::of(&[version], match_type)).transpose()?;
            Ok((Texts::of(std::slice::from_ref(&library.name), match_type)?, version.flatten()))
        };
        Ok(Self {
            services: Texts::of(properties.services.as_slice(), match_type)?,
            resources: attributes(&properties.resources)?,
            libraries: properties.libraries.iter().map(library).collect::<Result<_, BuildError>>()?,
            scope: Paths { name: path(signal, "scope.name")?, version: path(signal, "scope.version")? },
            contexts: ContextCache::new(),
            names: Texts::of(names.as_slice(), match_type)?,
            kinds: Texts::of(properties.span_kinds.as_slice(), match_type)?,
            attributes: attributes(&properties.attributes)?,
            log: (signal == Signal::Logs).then(|| Log::new(properties, match_type)).transpose()?,
        })
    }

    pub(super) fn matches(&mut self, item: &Item<'_>) -> bool {
        self.fits_context(item)
            && self.names.as_ref().is_none_or(|names| names.fit(&item.name()))
            && self.kinds.as_ref().is_none_or(|kinds| KINDS.get(usize::from(item.head().kind)).is_some_and(|kind| kinds.fit(kind)))
            && self.attributes.iter().all(|wanted| wanted.fits(item.attribute(&wanted.key)))
            && self.log.as_ref().is_none_or(|log| log.fits(item))
    }

    fn fits_context(&mut self, item: &Item<'_>) -> bool {
        let Self { services, resources, libraries, scope, contexts, .. } = self;
        if services.is_none() && resources.is_empty() && libraries.is_empty() {
            return true;
        }
        *contexts.get(item.context(), |context| {
            services.as_ref().is_none_or(|services| services.fit(&service(context)))
                && resources.iter().all(|wanted| wanted.fits(context.resource_attribute(&wanted.key)))
                && libraries.iter().all(|library| scope.fits(item, library))
        })
    }
}

/// One that is missing is empty.
fn service(context: &Context) -> Cow<'_, str> {
    context.resource_attribute("service.name").and_then(ValueRef::text).unwrap_or_default()
}

fn path(signal: Signal, text: &str) -> Result<Path, BuildError> {
    Path::parse(signal, text).map_err(|error| BuildError::new(error.to_string(), "this is a bug: please report it"))
}

fn text_at(item: &Item<'_>, path: &Path) -> String {
    match item.get(path) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

impl Paths {
    fn fits(&self, item: &Item<'_>, (name, version): &(Option<Texts>, Option<Texts>)) -> bool {
        let fits = |wanted: &Option<Texts>, path: &Path| wanted.as_ref().is_none_or(|wanted| wanted.fit(&text_at(item, path)));
        fits(name, &self.name) && fits(version, &self.version)
    }
}

impl Attribute {
    fn new(property: &Property, match_type: MatchType) -> Result<Self, BuildError> {
        let wanted = match (&property.value, match_type) {
            (None, _) => Wanted::Anything,
            (Some(literal), MatchType::Strict) => Wanted::Value(literal.0.clone()),
            (Some(literal), MatchType::Regexp) => {
                let pattern = if let Value::String(pattern) = &literal.0 { pattern.clone() } else { String::new() };
                Texts::of(&[pattern], match_type)?.map_or(Wanted::Anything, Wanted::Text)
            }
        };
        Ok(Self { key: property.key.clone(), wanted })
    }

    fn fits(&self, found: Option<ValueRef<'_>>) -> bool {
        let Some(found) = found else { return false };
        match &self.wanted {
            Wanted::Anything => true,
            Wanted::Value(value) => found.to_value() == *value,
            Wanted::Text(texts) => simple_text(found).is_some_and(|text| texts.fit(&text)),
        }
    }
}

/// What a regular expression sees of a value: of lists, maps and bytes, nothing.
fn simple_text(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::String(_) => value.text(),
        ValueRef::Bool(truth) => Some(truth.to_string().into()),
        ValueRef::Int(number) => Some(number.to_string().into()),
        ValueRef::Double(number) => Some(number.to_string().into()),
        ValueRef::Empty | ValueRef::Bytes(_) | ValueRef::List(_) | ValueRef::Map(_) => None,
    }
}

impl Log {
    fn new(properties: &Properties, match_type: MatchType) -> Result<Self, BuildError> {
        Ok(Self {
            bodies: Texts::of(properties.log_bodies.as_slice(), match_type)?,
            texts: Texts::of(properties.log_severity_texts.as_slice(), match_type)?,
            number: properties.log_severity_number.clone(),
            body: path(Signal::Logs, "body")?,
            severity_text: path(Signal::Logs, "severity_text")?,
            severity_number: path(Signal::Logs, "severity_number")?,
        })
    }

    fn fits(&self, item: &Item<'_>) -> bool {
        let body = |bodies: &Texts| item.get_ref(&self.body).and_then(ValueRef::text).is_some_and(|body| bodies.fit(&body));
        self.bodies.as_ref().is_none_or(body)
            && self.texts.as_ref().is_none_or(|texts| texts.fit(&text_at(item, &self.severity_text)))
            && self.number.as_ref().is_none_or(|wanted| match item.get(&self.severity_number) {
                Some(Value::Int(number)) if number != 0 => number >= i64::from(wanted.min),
                _ => wanted.match_undefined,
            })
    }
}
