//! What the pipelines and the list of extensions name: whether it is there, whether it fits, and what nobody names.

use std::collections::BTreeSet;

use tracetailor_core::component::{ComponentId, Kind, NEVER_LEFT_OUT};
use tracetailor_core::config::{ConfigErrors, Entry, Node, Path, Value, nearest, quoted, suggest};
use tracetailor_core::telemetry::Signal;

use super::components::{Components, Section};
use super::gates::Gates;
use super::plan::{PipelineId, PipelinePlan};
use super::service::Pipeline;
use super::{graph, order};
use crate::extensions::UNNAMED;

/// Types of processors that keep telemetry for longer than a request.
const HOLDING: [&str; 4] = ["batch", "groupbytrace", "stitch", "tail_sampling"];

/// The pipelines and extensions that are named, checked.
pub(super) struct Named {
    /// Pipelines, those before others that connectors lead on to.
    pub(super) pipelines: Vec<PipelinePlan>,
    pub(super) extensions: Vec<ComponentId>,
}

/// Checks the configuration as a whole.
pub(super) fn check(root: &Node, components: &Components, gates: Gates, problems: &mut ConfigErrors) -> Named {
    let extensions = extensions(root, components, problems);
    there_is_something(root, components, problems);
    ambiguous(components, problems);
    let pipelines = pipelines(root, components, gates, problems);
    if let Some(pipelines) = &pipelines {
        graph::check(pipelines, components, problems);
        order::check(pipelines, components, problems);
        unused(pipelines, &extensions, components, problems);
    }
    let pipelines = pipelines.map(|checked| graph::in_order(checked, components)).unwrap_or_default();
    Named { pipelines, extensions }
}

/// The path of a pipeline's block.
pub(super) fn path_of(id: &PipelineId) -> Path {
    Path::of("service.pipelines").key(&id.to_string())
}

fn extensions(root: &Node, components: &Components, problems: &mut ConfigErrors) -> Vec<ComponentId> {
    let mut named = Vec::new();
    let list = root.get("service").and_then(|service| service.get("extensions")).map(|list| &list.value);
    let list = if let Some(Value::List(list)) = list { list.as_slice() } else { &[] };
    for (index, element) in list.iter().enumerate() {
        let Value::Text(text) = &element.value else { continue };
        let at = Path::of("service.extensions").index(index);
        let Some(id) = reference(text, &at, problems) else { continue };
        if !components.extensions.has(&id) {
            not_configured(&components.extensions, &id, &at, problems);
        } else if named.contains(&id) {
            problems.below(at).warn_here(format!("{id} is named twice"), "remove one of the two");
        } else {
            named.push(id);
        }
    }
    for kind in UNNAMED {
        // One that is written and not listed runs as it is written.
        let there = components.extensions.written.keys().find(|id| id.kind() == *kind);
        named.extend(there.filter(|_| !named.iter().any(|id| id.kind() == *kind)).cloned());
    }
    authenticators(root, components, &named, problems);
    named
}

/// Whoever names an extension that checks or signs requests must find it started, or nothing would be checked.
fn authenticators(root: &Node, components: &Components, started: &[ComponentId], problems: &mut ConfigErrors) {
    for section in ["receivers", "exporters", "extensions"] {
        if let Some(node) = root.get(section) {
            each_authenticator(node, Path::of(section), &mut |text, at| {
                let Ok(id) = text.parse::<ComponentId>() else { return };
                if !components.extensions.has(&id) {
                    not_configured(&components.extensions, &id, at, problems);
                } else if !started.contains(&id) {
                    let right = format!("add {id} to service.extensions");
                    problems.below(at.clone()).error_here(format!("the extension {id} is not started"), right);
                }
            });
        }
    }
}

fn each_authenticator(node: &Node, path: Path, found: &mut impl FnMut(&str, &Path)) {
    match &node.value {
        Value::List(list) => list.iter().enumerate().for_each(|(index, element)| each_authenticator(element, path.index(index), found)),
        Value::Map(entries) => {
            for Entry { key, node, .. } in entries {
                match (key.as_str(), node.get("authenticator")) {
                    ("auth", Some(Node { value: Value::Text(text), .. })) => found(text, &path.key(key).key("authenticator")),
                    _ => each_authenticator(node, path.key(key), found),
                }
            }
        }
        _ => {}
    }
}

fn there_is_something(root: &Node, components: &Components, problems: &mut ConfigErrors) {
    let is_cut = |section| root.get(section).is_some_and(|node| node.value == Value::Cut);
    if components.receivers.written.is_empty() && root.get("receivers").is_none_or(|node| node.entries().is_empty()) && !is_cut("receivers")
    {
        problems.error("receivers", "there is no receiver", "add one: receivers: {otlp: {protocols: {grpc: {}, http: {}}}}");
    }
    if components.exporters.written.is_empty() && root.get("exporters").is_none_or(|node| node.entries().is_empty()) && !is_cut("exporters")
    {
        problems.error("exporters", "there is no exporter", "add one: exporters: {otlp_grpc: {endpoint: \"tempo:4317\"}}");
    }
}

/// In a pipeline's lists a connector stands among receivers and exporters, so it needs an id of its own.
fn ambiguous(components: &Components, problems: &mut ConfigErrors) {
    for id in components.connectors.written.keys() {
        for (kind, is_taken) in [("a receiver", components.receivers.has(id)), ("an exporter", components.exporters.has(id))] {
            if is_taken {
                let wrong = format!("the id {id} is ambiguous: there is {kind} of that id");
                let free = if id.name().is_empty() { format!("{id}/connector") } else { format!("{id}-connector") };
                problems.below(components.connectors.path(id)).error_here(wrong, format!("rename one of the two, for example to {free}"));
            }
        }
    }
}

/// All pipelines; nothing where one of them could not be read.
fn pipelines(root: &Node, components: &Components, gates: Gates, problems: &mut ConfigErrors) -> Option<Vec<PipelinePlan>> {
    let service = root.get("service");
    let blocks = service.and_then(|service| service.get("pipelines"));
    let is_broken = |node: Option<&Node>, or_list: bool| {
        node.is_some_and(|node| !(matches!(node.value, Value::Map(_) | Value::Null) || or_list && matches!(node.value, Value::List(_))))
    };
    if is_broken(service, false) || is_broken(blocks, false) {
        return None;
    }
    let entries = blocks.map(Node::entries).unwrap_or_default();
    if entries.is_empty() && !gates.allow_no_pipelines {
        let right = "add one: service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}}";
        problems.at("service").error("pipelines", "there is no pipeline", right);
    }
    let mut found: Vec<PipelinePlan> = Vec::new();
    let mut complete = true;
    for entry in entries {
        let at = Path::of("service.pipelines").key(&entry.key);
        match pipeline(entry, &at, components, problems) {
            Some(pipeline) if found.iter().any(|other| other.id == pipeline.id) => {
                problems.below(at).error_here(format!("{} is there already", pipeline.id), "give one of the two a name of its own");
            }
            Some(pipeline) => found.push(pipeline),
            None => complete = false,
        }
    }
    complete.then_some(found)
}

fn pipeline(entry: &Entry, at: &Path, components: &Components, problems: &mut ConfigErrors) -> Option<PipelinePlan> {
    let id = pipeline_id(&entry.key, at, problems);
    // What is wrong with its keys was told when the service was read.
    let block: Pipeline = entry.node.read(at, &mut ConfigErrors::default())?;
    let id = id?;
    let mut lists = Lists { id: &id, at, components, problems };
    let receivers = lists.receivers(&block.receivers);
    let processors = lists.processors(&block.processors);
    let exporters = lists.exporters(&block.exporters);
    Some(PipelinePlan { id, receivers, processors, exporters })
}

fn pipeline_id(key: &str, at: &Path, problems: &mut ConfigErrors) -> Option<PipelineId> {
    let id = reference(key, at, problems)?;
    match Signal::ALL.into_iter().find(|signal| signal.name() == id.kind()) {
        Some(signal) => Some(PipelineId { signal, name: id.name().to_owned() }),
        None if id.kind() == "profiles" => {
            let wrong = "profiles are a signal of the Collector; here they are planned and do not work yet";
            problems.below(at.clone()).error_here(wrong, "remove the pipeline, or leave profiles to a Collector");
            None
        }
        None => {
            let wrong = format!("{} is no signal", quoted(id.kind()));
            problems.below(at.clone()).error_here(wrong, suggest(id.kind(), &["traces", "logs", "metrics"]));
            None
        }
    }
}

fn reference(text: &str, at: &Path, problems: &mut ConfigErrors) -> Option<ComponentId> {
    text.parse().map_err(|error: tracetailor_core::config::KeyError| problems.below(at.clone()).error_here(error.wrong, error.right)).ok()
}

fn not_configured<K: Kind>(section: &Section<K>, id: &ComponentId, at: &Path, problems: &mut ConfigErrors) {
    let ids: Vec<String> = section.ids().collect();
    unknown(K::WORD, K::SECTION, &ids, id, at, problems);
}

fn unknown(word: &str, section: &str, ids: &[String], id: &ComponentId, at: &Path, problems: &mut ConfigErrors) {
    let name = id.to_string();
    // `otlp` for `otlp/edge` is no slip of the pen, but it is what was meant where there is only one.
    let of_the_type = ids.iter().map(String::as_str).find(|other| other.split('/').next() == Some(id.kind()));
    let meant = nearest(&name, ids.iter().map(String::as_str)).or(of_the_type);
    let right = match meant {
        Some(meant) => format!("did you mean {meant}? There are {}", ids.join(", ")),
        None if ids.is_empty() => format!("add {name} to {section}, or remove it here"),
        None => format!("add {name} to {section}, or name one of {}", ids.join(", ")),
    };
    problems.below(at.clone()).error_here(format!("references {word} \"{name}\" which is not configured"), right);
}

/// The lists of one pipeline.
struct Lists<'a> {
    id: &'a PipelineId,
    at: &'a Path,
    components: &'a Components,
    problems: &'a mut ConfigErrors,
}

impl Lists<'_> {
    fn receivers(&mut self, list: &[String]) -> Vec<ComponentId> {
        let section = &self.components.receivers;
        self.ends("receivers", "receiver", list, |id| section.has(id), |id| section.factory(id).map(|factory| factory.signals))
    }

    fn exporters(&mut self, list: &[String]) -> Vec<ComponentId> {
        let section = &self.components.exporters;
        self.ends("exporters", "exporter", list, |id| section.has(id), |id| section.factory(id).map(|factory| factory.signals))
    }

    /// Receivers or exporters, with the connectors among them.
    fn ends(
        &mut self,
        key: &str,
        word: &str,
        list: &[String],
        is_there: impl Fn(&ComponentId) -> bool,
        signals: impl Fn(&ComponentId) -> Option<&'static [Signal]>,
    ) -> Vec<ComponentId> {
        if list.is_empty() {
            let article = if word == "exporter" { "an" } else { "a" };
            self.problems.below(self.at.clone()).error(
                key,
                format!("must have at least one {word}"),
                format!("name {article} {word}, or remove the pipeline"),
            );
        }
        let mut found = Vec::new();
        for (index, id) in self.ids(key, list) {
            let at = self.at.key(key).index(index);
            if is_there(&id) {
                self.fits(word, &id, signals(&id), &at);
            } else if !self.components.connectors.has(&id) {
                let mut ids: Vec<String> = match word {
                    "receiver" => self.components.receivers.ids().collect(),
                    _ => self.components.exporters.ids().collect(),
                };
                ids.extend(self.components.connectors.ids());
                unknown(word, key, &ids, &id, &at, self.problems);
                continue;
            }
            if found.contains(&id) {
                self.problems.below(at).warn_here(format!("{id} is named twice; it is used once"), "remove one of the two");
            } else {
                found.push(id);
            }
        }
        found
    }

    fn processors(&mut self, list: &[String]) -> Vec<ComponentId> {
        let section = &self.components.processors;
        let mut found = Vec::new();
        for (index, id) in self.ids("processors", list) {
            let at = self.at.key("processors").index(index);
            if !section.has(&id) {
                not_configured(section, &id, &at, self.problems);
            } else if found.contains(&id) {
                let right = "remove one of the two, or configure a second one under a name of its own";
                self.problems.below(at).error_here(format!("references processor \"{id}\" multiple times"), right);
            } else {
                self.fits("processor", &id, section.factory(&id).map(|factory| factory.signals), &at);
                self.holds_before(&id, &found, &at);
                found.push(id);
            }
        }
        found
    }

    /// What is held before secrets are hidden lies in memory with the secrets in it.
    fn holds_before(&mut self, id: &ComponentId, before: &[ComponentId], at: &Path) {
        let Some(holder) = before.iter().find(|before| HOLDING.contains(&before.kind())).filter(|_| NEVER_LEFT_OUT.contains(&id.kind()))
        else {
            return;
        };
        let wrong = format!("{holder} stands before {id}, and holds what {id} would hide");
        self.problems.below(at.clone()).warn_here(wrong, format!("put {id} before {holder}"));
    }

    fn ids(&mut self, key: &str, list: &[String]) -> Vec<(usize, ComponentId)> {
        let mut found = Vec::with_capacity(list.len());
        for (index, text) in list.iter().enumerate() {
            let at = self.at.key(key).index(index);
            found.extend(reference(text, &at, self.problems).map(|id| (index, id)));
        }
        found
    }

    fn fits(&mut self, word: &str, id: &ComponentId, signals: Option<&[Signal]>, at: &Path) {
        let Some(signals) = signals.filter(|signals| !signals.contains(&self.id.signal)) else { return };
        let names: Vec<&str> = signals.iter().map(|signal| signal.name()).collect();
        let wrong = format!("the {word} {id} does not take {}: it takes {}", self.id.signal.name(), names.join(" and "));
        self.problems.below(at.clone()).error_here(wrong, format!("remove it from {}", self.id));
    }
}

/// What is configured and has no part in anything: allowed, and hardly meant.
fn unused(pipelines: &[PipelinePlan], extensions: &[ComponentId], components: &Components, problems: &mut ConfigErrors) {
    let used = |list: fn(&PipelinePlan) -> &Vec<ComponentId>| pipelines.iter().flat_map(list).collect::<BTreeSet<_>>();
    let (receivers, processors, exporters) = (used(|p| &p.receivers), used(|p| &p.processors), used(|p| &p.exporters));
    idle(&components.receivers, "receives nothing", "a pipeline", |id| receivers.contains(id), problems);
    idle(&components.processors, "does nothing", "a pipeline", |id| processors.contains(id), problems);
    idle(&components.exporters, "sends nothing", "a pipeline", |id| exporters.contains(id), problems);
    let joins = |id: &ComponentId| receivers.contains(id) || exporters.contains(id);
    idle(&components.connectors, "joins nothing", "the exporters of one pipeline and the receivers of another", joins, problems);
    idle(&components.extensions, "is not started", "service.extensions", |id| extensions.contains(id), problems);
}

fn idle<K: Kind>(section: &Section<K>, what: &str, whose: &str, is_used: impl Fn(&ComponentId) -> bool, problems: &mut ConfigErrors) {
    for id in section.written.iter().filter(|(_, written)| written.factory.is_some()).map(|(id, _)| id).filter(|id| !is_used(id)) {
        let wrong = format!("this {} {what}: nothing names it", K::WORD);
        problems.below(section.path(id)).warn_here(wrong, format!("add {id} to {whose}, or remove it"));
    }
}
