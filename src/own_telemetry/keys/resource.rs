//! `service.telemetry.resource`: what the gateway calls itself, in both shapes that the Collector has had.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use tracetailor_core::config::{ConfigErrors, Planned, Schema, Validate};

/// What the gateway calls itself: a list under `attributes`, or each attribute as a key. One that is null is left out.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    attributes: BTreeMap<String, Option<String>>,
    /// Named in the list and given as a key as well.
    twice: Vec<String>,
    detection: Planned,
}

/// An element of `attributes`.
#[derive(Debug, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct Attribute {
    /// `service.name`.
    name: String,
    /// What it is.
    #[serde(default)]
    value: Option<String>,
    /// Accepted and not used: labels are text.
    #[serde(default, rename = "type")]
    _type: Option<String>,
}

impl Resource {
    /// What the user says, by name; `None` takes a default away.
    pub fn attributes(&self) -> &BTreeMap<String, Option<String>> {
        &self.attributes
    }

    fn add(&mut self, name: String, value: Option<String>) {
        if self.attributes.insert(name.clone(), value).is_some() {
            self.twice.push(name);
        }
    }
}

impl Validate for Resource {
    fn validate(&self, errors: &mut ConfigErrors) {
        for name in &self.twice {
            errors.error_here(format!("{name} is given twice"), "keep one of the two");
        }
        errors.planned("detection/development", self.detection, "remove it, and write the attributes");
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ResourceVisitor)
    }
}

struct ResourceVisitor;

impl<'de> Visitor<'de> for ResourceVisitor {
    type Value = Resource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attributes and what they are, such as service.name: gateway")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Resource, E> {
        Ok(Resource::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Resource, A::Error> {
        let mut resource = Resource::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "attributes" => {
                    let list: Option<Vec<Attribute>> = map.next_value()?;
                    list.into_iter().flatten().for_each(|attribute| resource.add(attribute.name, attribute.value));
                }
                "detection/development" | "detectors" => resource.detection = map.next_value()?,
                // Where the names of the attributes are defined. Nothing here says so, and nobody who reads the metrics asks.
                "schema_url" => drop(map.next_value::<Option<String>>()?),
                _ => resource.add(key, map.next_value()?),
            }
        }
        Ok(resource)
    }
}

impl Schema for Resource {
    fn schema_name() -> Cow<'static, str> {
        "Resource".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let attribute = generator.subschema_for::<Attribute>();
        schemars::json_schema!({
            "title": "attributes",
            "type": ["object", "null"],
            "properties": {
                "attributes": { "type": ["array", "null"], "items": attribute },
                "schema_url": { "type": ["string", "null"] },
            },
            "additionalProperties": { "type": ["string", "number", "null"] },
        })
    }
}
