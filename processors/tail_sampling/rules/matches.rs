//! `match`: what a rule is about, in everyday words. All that is given must hold of one span.

use std::collections::BTreeMap;

use serde::Deserialize;
use tracetailor_core::config::{ConfigErrors, Glob, OneOrMany, Period, Schema};

/// What some one span must have.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// Where it ran: `deployment.environment.name` of its resource, or `deployment.environment`.
    pub environment: OneOrMany<Glob>,
    /// Who it is of: `service.name`.
    pub service: OneOrMany<Glob>,
    /// What it is called.
    pub span_name: OneOrMany<Glob>,
    /// Its `http.route`.
    pub route: OneOrMany<Glob>,
    /// What was answered: `http.response.status_code`, or `http.status_code`.
    pub status_code: OneOrMany<Glob>,
    /// With `true`, its status is `ERROR`, or it has an event `exception`.
    pub error: Option<bool>,
    /// It lasts longer than so.
    pub slower_than: Option<Period>,
    /// Attributes of it or its resource, by name.
    pub attributes: BTreeMap<String, OneOrMany<Glob>>,
}

/// One thing that a span must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// An attribute of the resource.
    Resource(&'static str, OneOrMany<Glob>),
    /// An attribute of the span or of the resource.
    Attribute(String, OneOrMany<Glob>),
    /// A name.
    Name(OneOrMany<Glob>),
    /// A failure.
    Error,
    /// More nanoseconds than so.
    Longer(u64),
}

impl Match {
    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.needs().is_empty()
    }

    pub(super) fn check(&self, errors: &mut ConfigErrors) {
        if self.is_empty() && self.error.is_none() {
            errors.error_here("says nothing", "give a key, such as service: shop, or remove it: then the rule is for all traces");
        }
        if self.error == Some(false) {
            let right = "put a rule for errors before this one, or write unless: ['span.status.code == STATUS_CODE_ERROR']";
            errors.error("error", "cannot be false: of almost every trace some span did not fail", right);
        }
        for (name, globs) in &self.attributes {
            if globs.is_empty() {
                errors.at("attributes").error(name, "lists no value: nothing would fit", "write \"*\" for any value");
            }
        }
    }

    /// Everything that is given.
    pub(super) fn needs(&self) -> Vec<Need> {
        let given = |globs: &OneOrMany<Glob>| (!globs.is_empty()).then(|| globs.clone());
        let attribute = |name: &str, globs| given(globs).map(|globs| Need::Attribute(name.to_owned(), globs));
        let mut needs: Vec<Need> = [
            given(&self.environment).map(|globs| Need::Resource("deployment.environment.name", globs)),
            given(&self.service).map(|globs| Need::Resource("service.name", globs)),
            given(&self.span_name).map(Need::Name),
            attribute("http.route", &self.route),
            attribute("http.response.status_code", &self.status_code),
            (self.error == Some(true)).then_some(Need::Error),
            self.slower_than.map(|than| Need::Longer(u64::try_from(than.get().as_nanos()).unwrap_or(u64::MAX))),
        ]
        .into_iter()
        .flatten()
        .collect();
        needs.extend(self.attributes.iter().map(|(name, globs)| Need::Attribute(name.clone(), globs.clone())));
        needs
    }
}
