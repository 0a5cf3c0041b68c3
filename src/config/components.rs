//! Every section read by its registry: what is configured, under which ids, and what is wrong with it.

use std::collections::BTreeMap;

use tracetailor_core::component::{
    ComponentId, Configured, Connectors, Exporters, Extensions, Factory, Kind, Processors, Receivers, Registry,
};
use tracetailor_core::config::{ConfigErrors, Node, Path, Value, suggest};
use tracetailor_processors::PROCESSORS;

use super::service::Service;
use crate::connectors::CONNECTORS;
use crate::exporters::EXPORTERS;
use crate::extensions::{EXTENSIONS, UNNAMED};
use crate::receivers::RECEIVERS;

/// What a configuration may consist of.
pub(super) const SECTIONS: [&str; 6] = ["receivers", "processors", "exporters", "connectors", "extensions", "service"];

/// All sections.
pub(super) struct Components {
    pub(super) receivers: Section<Receivers>,
    pub(super) processors: Section<Processors>,
    pub(super) exporters: Section<Exporters>,
    pub(super) connectors: Section<Connectors>,
    pub(super) extensions: Section<Extensions>,
    /// Nothing where something in it is wrong.
    pub(super) service: Option<Service>,
}

/// The components of one kind.
pub(super) struct Section<K: Kind> {
    /// Those that could be read.
    pub(super) configured: Vec<Configured<K>>,
    /// All that were written, also where something in them is wrong; with what makes them, where there is such a thing.
    pub(super) written: BTreeMap<ComponentId, Written<K>>,
}

/// A component as it stands in the file.
pub(super) struct Written<K: Kind> {
    pub(super) key: String,
    pub(super) factory: Option<&'static Factory<K>>,
    /// It is there without being written.
    pub(super) is_unnamed: bool,
}

impl Components {
    pub(super) fn read(root: &Node, problems: &mut ConfigErrors) -> Self {
        for entry in root.entries() {
            if !SECTIONS.contains(&entry.key.as_str()) {
                problems.error(&entry.key, "there is no such section", suggest(&entry.key, &SECTIONS));
            }
        }
        Self {
            receivers: Section::read(&RECEIVERS, root, problems),
            processors: Section::read(&PROCESSORS, root, problems),
            exporters: Section::read(&EXPORTERS, root, problems),
            connectors: Section::read(&CONNECTORS, root, problems),
            extensions: Section::read(&EXTENSIONS, root, problems).with_unnamed(&EXTENSIONS, UNNAMED, root),
            service: match root.get("service") {
                Some(service) => service.read_valid(&Path::of("service"), problems),
                None => Some(Service::default()),
            },
        }
    }
}

impl<K: Kind> Section<K> {
    fn read(registry: &Registry<K>, root: &Node, problems: &mut ConfigErrors) -> Self {
        let mut section = Self { configured: Vec::new(), written: BTreeMap::new() };
        let Some(node) = root.get(K::SECTION) else { return section };
        if !matches!(node.value, Value::Map(_) | Value::Null | Value::Cut) {
            let wrong = format!("is {}, not a block of {}", node.value.kind(), K::SECTION);
            problems.error(K::SECTION, wrong, format!("write each {} as a key: its id, and below it what it is set to", K::WORD));
            return section;
        }
        for entry in node.entries() {
            if let Ok(id) = entry.key.parse::<ComponentId>() {
                let factory = registry.find(id.kind());
                section.written.entry(id).or_insert(Written { key: entry.key.clone(), factory, is_unnamed: false });
            }
        }
        section.configured = registry.read_section(node, &Path::of(K::SECTION), problems);
        section
    }

    /// The same, with those that need not be written, each as it is by default unless it was written.
    fn with_unnamed(mut self, registry: &Registry<K>, kinds: &[&str], root: &Node) -> Self {
        for kind in kinds {
            if self.written.keys().any(|id| id.kind() == *kind) {
                continue;
            }
            let block = Node::new(Value::Null, root.place.clone());
            let read = registry.read(kind, &block, &Path::of(K::SECTION).key(kind), &mut ConfigErrors::default());
            if let Some(configured) = read {
                let written = Written { key: configured.id.to_string(), factory: Some(configured.factory), is_unnamed: true };
                self.written.insert(configured.id.clone(), written);
                self.configured.push(configured);
            }
        }
        self
    }

    /// The ids that stand in the file.
    pub(super) fn ids(&self) -> impl Iterator<Item = String> {
        self.written.iter().filter(|(_, written)| !written.is_unnamed).map(|(id, _)| id.to_string())
    }

    pub(super) fn has(&self, id: &ComponentId) -> bool {
        self.written.contains_key(id)
    }

    pub(super) fn factory(&self, id: &ComponentId) -> Option<&'static Factory<K>> {
        self.written.get(id)?.factory
    }

    /// Where a component stands.
    pub(super) fn path(&self, id: &ComponentId) -> Path {
        let path = Path::of(K::SECTION);
        match self.written.get(id) {
            Some(written) => path.key(&written.key),
            None => path,
        }
    }

    /// Those with these ids, in the order of the ids.
    pub(super) fn take(self, ids: &[&ComponentId]) -> Vec<Configured<K>> {
        let mut configured: Vec<_> = self.configured.into_iter().filter(|found| ids.contains(&&found.id)).collect();
        configured.sort_by_key(|found| ids.iter().position(|id| **id == found.id));
        configured
    }
}
