//! `sample`: which share of the traces that a rule fits is kept.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use tracetailor_core::config::{ConfigErrors, OneOrMany, Percent, Schema};

use super::super::policies::dynamic::Dynamic;
use super::super::policies::{Block, Maker, Strictness, Voter, probabilistic};

/// A share, or a block that says how it is found.
#[derive(Clone, Debug)]
pub enum Sample {
    /// So many of all.
    Share(Percent),
    /// As the block says.
    Block(SampleBlock),
}

/// How a share is found.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct SampleBlock {
    /// A share that is another one for each kind of trace, with the keys of the policy `dynamic`.
    pub dynamic: Option<Dynamic>,
    /// So many of all journeys.
    pub share: Option<Percent>,
    /// What a journey is told by: attributes of any span or its resource, of which the first that is set counts.
    pub by: OneOrMany<String>,
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShareOrBlock)
    }
}

struct ShareOrBlock;

impl ShareOrBlock {
    fn share<E: de::Error>(text: &str) -> Result<Sample, E> {
        text.parse().map(Sample::Share).map_err(tracetailor_core::config::KeyError::into_serde)
    }
}

impl<'de> Visitor<'de> for ShareOrBlock {
    type Value = Sample;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a percentage such as 10%, or a block of keys")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Sample, E> {
        Self::share(text)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Sample, E> {
        Self::share(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Sample, E> {
        Self::share(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Sample, E> {
        Self::share(&number.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Sample, A::Error> {
        SampleBlock::deserialize(de::value::MapAccessDeserializer::new(map)).map(Sample::Block)
    }
}

impl schemars::JsonSchema for Sample {
    fn schema_name() -> Cow<'static, str> {
        "Sample".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (share, block) = (generator.subschema_for::<Percent>(), generator.subschema_for::<SampleBlock>());
        schemars::json_schema!({ "anyOf": [share, block] })
    }
}

impl Sample {
    pub(super) fn check(&self, errors: &mut ConfigErrors) {
        match self {
            Sample::Share(share) => check_share(*share, None, errors),
            Sample::Block(block) => block.check(errors),
        }
    }

    pub(super) fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        match self {
            Sample::Share(share) => probabilistic::of_share(share.ratio(), maker),
            Sample::Block(block) => block.voter(maker),
        }
    }
}

fn check_share(share: Percent, key: Option<&str>, errors: &mut ConfigErrors) {
    if !share.is_zero() {
        return;
    }
    let (wrong, right) = ("keeps nothing", "write drop: true in place of sample, or a share above 0");
    match key {
        Some(key) => errors.error(key, wrong, right),
        None => errors.error_here(wrong, right),
    }
}

impl SampleBlock {
    fn check(&self, errors: &mut ConfigErrors) {
        if let Some(dynamic) = &self.dynamic {
            if self.share.is_some() || !self.by.is_empty() {
                errors.error_here("says two ways to find a share", "leave dynamic, or share and by");
            }
            return dynamic.check(&mut errors.at("dynamic"), Strictness { lenient: false });
        }
        match self.share {
            None => errors.error("share", "is missing", "write share: 10%"),
            Some(share) => check_share(share, Some("share"), errors),
        }
        if self.by.is_empty() {
            errors.error("by", "is missing", "name the attribute that a journey is told by: by: session.id; or write sample: 10%");
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        if let Some(dynamic) = &self.dynamic {
            return dynamic.voter(maker);
        }
        super::journey::voter(self.share.unwrap_or(Percent::ALL), &self.by, maker)
    }
}
