//! The way of a name, in the one order there is: from, aliases, strip, rules, case, aliases again.

use std::collections::HashMap;

use regex::Regex;
use tracetailor_core::config::Glob;
use tracetailor_core::telemetry::Context;

use super::strip::{Cut, Said};
use super::words::spelled;
use super::{Case, Config, text_of};

/// The steps, made ready.
pub(super) struct Walk {
    from: Vec<String>,
    unknown: Vec<Glob>,
    /// What comes instead of a right name, and the right name.
    aliases: HashMap<String, String>,
    prefixes: Vec<Cut>,
    suffixes: Vec<Cut>,
    rules: Vec<Rule>,
    case: Case,
}

struct Rule {
    pattern: Regex,
    name: String,
    namespace: String,
}

/// Where a name came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walked {
    /// Empty where nothing names the service.
    pub(super) name: String,
    /// What a rule says of it.
    pub(super) namespace: Option<String>,
    pub(super) way: Way,
}

/// Where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It had a name.
    Named,
    /// Something else of the resource named it.
    Filled,
    /// Nothing names it.
    Unknown,
}

impl Walked {
    pub(super) fn is_change(&self, given: Option<&str>) -> bool {
        self.way != Way::Unknown && given != Some(self.name.as_str())
    }
}

impl Walk {
    pub(super) fn new(config: &Config) -> Self {
        let alias = |(right, others): (&String, &'_ tracetailor_core::config::OneOrMany<String>)| {
            let right = right.clone();
            others.iter().map(move |other| (other.clone(), right.clone())).collect::<Vec<_>>()
        };
        let rule =
            |rule: &super::Rule| Rule { pattern: rule.pattern.regex().clone(), name: rule.name.clone(), namespace: rule.namespace.clone() };
        Self {
            from: config.from.to_vec(),
            unknown: config.unknown.to_vec(),
            aliases: config.aliases.iter().flat_map(alias).collect(),
            prefixes: config.strip.prefixes.iter().map(|text| Cut::of(text)).collect(),
            suffixes: config.strip.suffixes.iter().map(|text| Cut::of(text)).collect(),
            rules: config.rules.iter().map(rule).collect(),
            case: config.case,
        }
    }

    /// The name of a service, from the one that came and what else the resource says.
    pub(super) fn of_service(&self, given: Option<&str>, context: &Context) -> Walked {
        let known = given.filter(|name| self.is_known(name));
        let found = || self.from.iter().find_map(|key| text_of(context, key).filter(|name| self.is_known(name)));
        let (name, way) = match known {
            Some(name) => (name.to_owned(), Way::Named),
            None => match found() {
                Some(name) => (name, Way::Filled),
                None => return Walked { name: given.unwrap_or_default().to_owned(), namespace: None, way: Way::Unknown },
            },
        };
        let (name, namespace) = self.on(&name, context);
        Walked { name, namespace, way }
    }

    /// The same for a name that is not the resource's own.
    pub(super) fn of_name(&self, name: &str, context: &Context) -> String {
        if self.is_known(name) { self.on(name, context).0 } else { name.to_owned() }
    }

    fn is_known(&self, name: &str) -> bool {
        !self.unknown.iter().any(|pattern| pattern.matches(name))
    }

    fn on(&self, given: &str, context: &Context) -> (String, Option<String>) {
        if let Some(right) = self.aliases.get(given) {
            return (right.clone(), None);
        }
        let (name, namespace) = self.ruled(self.stripped(given, context));
        let name = spelled(&name, self.case);
        // A pattern or a spelling that leaves nothing of a name was not meant for it.
        let name = if name.is_empty() { given.to_owned() } else { name };
        (self.aliases.get(&name).cloned().unwrap_or(name), namespace)
    }

    fn stripped<'a>(&self, name: &'a str, context: &Context) -> &'a str {
        if self.prefixes.is_empty() && self.suffixes.is_empty() {
            return name;
        }
        let environments = ["deployment.environment.name", "deployment.environment"].iter().filter_map(|key| text_of(context, key));
        let environments = environments.filter(|word| !word.is_empty()).collect();
        let said = Said { environments, version: text_of(context, "service.version").filter(|version| !version.is_empty()) };
        let name = self.prefixes.iter().fold(name, |name, cut| cut.off_the_front(name, &said));
        self.suffixes.iter().fold(name, |name, cut| cut.off_the_end(name, &said))
    }

    fn ruled(&self, name: &str) -> (String, Option<String>) {
        let Some((rule, found)) = self.rules.iter().find_map(|rule| Some((rule, rule.pattern.captures(name)?))) else {
            return (name.to_owned(), None);
        };
        let expanded = |template: &str| {
            let mut out = String::new();
            found.expand(template, &mut out);
            out
        };
        (expanded(&rule.name), Some(expanded(&rule.namespace)).filter(|namespace| !namespace.is_empty()))
    }
}
