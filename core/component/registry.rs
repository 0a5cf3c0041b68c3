//! The components of one kind by name: an explicit list, sorted, and a kind word for names that are not on it.

use std::fmt;

use super::error::BuildError;
use super::factory::{AnyConfig, Factory};
use super::id::ComponentId;
use super::kind::Kind;
use crate::config::{ConfigErrors, Node, Path, nearest};

/// A component that the Collector has and this gateway does not have yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedComponent {
    /// Its type.
    pub name: &'static str,
    /// Former spellings of the type.
    pub aliases: &'static [&'static str],
    /// What to do until it is there.
    pub meanwhile: &'static str,
}

/// Types that are never left out of a configuration to get it started: they hide what must not leave.
pub const NEVER_LEFT_OUT: [&str; 1] = ["redaction"];

/// Types that decide or repair traces by what they see of them, so that spans left out before are missing.
pub const JUDGES_WHOLE_TRACES: [&str; 2] = ["stitch", "tail_sampling"];

/// The components of a kind. The list is written by hand, one line each, so that what the gateway has is what somebody can read.
#[derive(Clone, Copy)]
pub struct Registry<K: Kind> {
    /// What there is, sorted by name.
    pub factories: &'static [Factory<K>],
    /// What there will be, sorted by name.
    pub planned: &'static [PlannedComponent],
}

/// Why there is no component of a name, and what would be right.
struct Missing {
    wrong: String,
    right: String,
}

/// A component as the user configured it: read, valid, ready to be built as often as there are lanes.
pub struct Configured<K: Kind> {
    /// Its id.
    pub id: ComponentId,
    /// What makes it.
    pub factory: &'static Factory<K>,
    /// Its configuration.
    pub config: AnyConfig,
    /// Its block as it was written, expanded and merged: what a reload compares.
    pub block: Node,
}

impl<K: Kind> Registry<K> {
    /// A registry of these.
    pub const fn new(factories: &'static [Factory<K>], planned: &'static [PlannedComponent]) -> Self {
        Self { factories, planned }
    }

    /// The component of a type, under its name or a former one.
    pub fn find(&self, kind: &str) -> Option<&'static Factory<K>> {
        self.factories.iter().find(|factory| factory.name == kind || factory.aliases.contains(&kind))
    }

    /// Reads the section of this kind: ids, and a block for each. All that is wrong is added to `errors`.
    pub fn read_section(&self, section: &Node, path: &Path, errors: &mut ConfigErrors) -> Vec<Configured<K>> {
        let mut found: Vec<Configured<K>> = Vec::new();
        for entry in section.entries() {
            let at = path.key(&entry.key);
            let Some(configured) = self.read(&entry.key, &entry.node, &at, errors) else { continue };
            // `otlp` and ` otlp ` are two keys to YAML and one id to us.
            match found.iter().find(|other| other.id == configured.id) {
                Some(first) => {
                    errors.below(at).error_here(format!("{} is there already", first.id), "give one of the two a name of its own")
                }
                None => found.push(configured),
            }
        }
        errors.locate(section, path);
        found
    }

    /// Reads one block under its id.
    pub fn read(&self, id: &str, block: &Node, path: &Path, errors: &mut ConfigErrors) -> Option<Configured<K>> {
        let id: ComponentId = match id.parse() {
            Ok(id) => id,
            Err(error) => {
                errors.below(path.clone()).error_here(error.wrong, error.right);
                return None;
            }
        };
        let Some(factory) = self.find(id.kind()) else {
            let Missing { wrong, right } = self.missing(&id);
            errors.below(path.clone()).error_here(wrong, right);
            return None;
        };
        if factory.name != id.kind() {
            let wrong = format!("{} is the former name of {}", id.kind(), factory.name);
            errors.below(path.clone()).warn_here(wrong, format!("write {}, here and in service.pipelines", renamed(&id, factory.name)));
        }
        let config = factory.read(block, path, errors)?;
        Some(Configured { id, factory, config, block: block.clone() })
    }

    fn missing(&self, id: &ComponentId) -> Missing {
        let kind = id.kind();
        if let Some(planned) = self.planned.iter().find(|planned| planned.name == kind || planned.aliases.contains(&kind)) {
            let article = if K::WORD.starts_with('e') { "an" } else { "a" };
            let wrong = format!("the Collector has {article} {} {kind}; here it is planned and does not work yet", K::WORD);
            let right = match NEVER_LEFT_OUT.contains(&kind) {
                true => planned.meanwhile.to_owned(),
                false => format!("{}; or start without it: --leave-out {id}", planned.meanwhile),
            };
            return Missing { wrong, right };
        }
        let names = || self.factories.iter().map(|factory| factory.name);
        let all = names().collect::<Vec<_>>().join(", ");
        let former = self.factories.iter().flat_map(|factory| factory.aliases.iter().map(|alias| (*alias, factory.name)));
        let meant = nearest(kind, names().chain(former.clone().map(|(alias, _)| alias)));
        // A slip in a former name is best answered with the present one.
        let meant = meant.map(|name| former.clone().find(|(alias, _)| *alias == name).map_or(name, |(_, present)| present));
        let right = match meant {
            Some(meant) => format!("did you mean {meant}? There are {all}"),
            None => format!("there are {all}; to start without it: --leave-out {id}"),
        };
        Missing { wrong: format!("there is no {} {kind}", K::WORD), right }
    }

    /// What is wrong with the list itself, for the test that every registry has: names out of order, or given twice.
    pub fn faults(&self) -> Vec<String> {
        let names: Vec<&str> = self.factories.iter().map(|factory| factory.name).collect();
        let planned: Vec<&str> = self.planned.iter().map(|planned| planned.name).collect();
        let former =
            self.factories.iter().flat_map(|factory| factory.aliases).chain(self.planned.iter().flat_map(|planned| planned.aliases));
        let mut all: Vec<&str> = names.iter().chain(&planned).chain(former).copied().collect();
        all.sort_unstable();
        let out_of_order = [names, planned].into_iter().flat_map(|list| {
            list.windows(2)
                .filter(|pair| pair[0] > pair[1])
                .map(|pair| format!("{} stands behind {}", pair[1], pair[0]))
                .collect::<Vec<_>>()
        });
        let twice = all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| format!("{} is given twice", pair[0]));
        out_of_order.chain(twice).collect()
    }
}

fn renamed(id: &ComponentId, name: &str) -> String {
    if id.name().is_empty() { name.to_owned() } else { format!("{name}/{}", id.name()) }
}

impl<K: Kind> Configured<K> {
    /// Makes one. Called once per lane where the kind has an instance in each.
    pub fn build(&self, context: &K::Context) -> Result<K::Built, BuildError> {
        self.factory.build(&self.config, context)
    }

    /// The same, with what goes wrong told as a problem of the configuration.
    pub fn build_or_tell(&self, context: &K::Context, path: &Path, errors: &mut ConfigErrors) -> Option<K::Built> {
        match self.build(context) {
            Ok(built) => Some(built),
            Err(error) => {
                errors.below(path.clone()).error_here(error.wrong, error.right);
                None
            }
        }
    }
}

impl<K: Kind> fmt::Debug for Configured<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", K::WORD, self.id)
    }
}

impl<K: Kind> fmt::Debug for Registry<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.factories).finish()
    }
}
