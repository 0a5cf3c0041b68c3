//! `--leave-out`: components that a file names and this gateway cannot have are taken out of it, with all that leads to them.
//!
//! So that a file of the Collector's can be started before all of its components are here. What is lost is said, each time: somebody
//! decides to go without, nobody finds out later. What hides secrets is never left out.

use tracetailor_core::component::{ComponentId, NEVER_LEFT_OUT};
use tracetailor_core::config::{ConfigError, ConfigErrors, Entry, Node, Path, Place, Severity, Step, Value, quoted, suggest};

use super::nowhere;

/// A kind of component: its section, the word for one, and in which lists of a pipeline it stands.
struct Family {
    section: &'static str,
    word: &'static str,
    lists: &'static [&'static str],
}

const FAMILIES: [Family; 5] = [
    Family { section: "receivers", word: "receiver", lists: &["receivers"] },
    Family { section: "processors", word: "processor", lists: &["processors"] },
    Family { section: "exporters", word: "exporter", lists: &["exporters"] },
    Family { section: "connectors", word: "connector", lists: &["receivers", "exporters"] },
    Family { section: "extensions", word: "extension", lists: &[] },
];

/// Takes out what was asked for, and warns of what that costs.
pub(super) fn leave_out(root: &mut Node, asked: &[String], problems: &mut ConfigErrors) {
    let (sided, mut left_out) = (Sides::of(root), false);
    for asked in asked.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|asked| !asked.is_empty()) {
        match find(root, asked) {
            Ok((family, id)) => {
                remove(root, family, &id, problems);
                left_out = true;
            }
            Err((wrong, right)) => tell(problems, Severity::Error, nowhere("--leave-out"), Path::ROOT, wrong, right),
        }
    }
    while left_out {
        let now = Sides::of(root);
        // What was so before is a mistake, to be told as one.
        let pipeline = now.pipelines.iter().find(|(key, _)| !sided.pipelines.iter().any(|(other, _)| key == other));
        let connector = now.connectors.iter().find(|id| !sided.connectors.contains(id));
        match (pipeline, connector) {
            (Some((key, why)), _) => remove_pipeline(root, key, why, problems),
            (None, Some(id)) => pipelines(root).into_iter().for_each(|pipeline| {
                remove_from(&mut pipeline.node, "exporters", id);
                remove_from(&mut pipeline.node, "receivers", id);
            }),
            (None, None) => left_out = false,
        }
    }
}

fn tell(problems: &mut ConfigErrors, severity: Severity, place: Place, path: Path, wrong: String, right: String) {
    problems.push(ConfigError { severity, place: Some(place), path, wrong, right });
}

/// Which component is meant by `ID`, or by `section.ID` where several kinds have one of that id.
fn find(root: &Node, asked: &str) -> Result<(&'static Family, ComponentId), (String, String)> {
    let (section, id) = match asked.split_once('.') {
        Some((section, id)) if FAMILIES.iter().any(|family| family.section == section) => (Some(section), id),
        _ => (None, asked),
    };
    let id: ComponentId = id.parse().map_err(|error: tracetailor_core::config::KeyError| (error.wrong, error.right))?;
    let families = FAMILIES.iter().filter(|family| section.is_none_or(|section| section == family.section));
    let holding: Vec<&Family> = families.filter(|family| ids(root, family.section).contains(&id)).collect();
    if NEVER_LEFT_OUT.contains(&id.kind()) {
        let right = "take it out of the file yourself, if what it hides may be seen";
        return Err((format!("{id} hides secrets, and is never left out on the way"), right.to_owned()));
    }
    match holding.as_slice() {
        [family] => Ok((family, id)),
        [] => {
            let all: Vec<String> = FAMILIES.iter().flat_map(|family| ids(root, family.section)).map(|id| id.to_string()).collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            Err((format!("there is no component {} to leave out", quoted(asked)), suggest(&id.to_string(), &all)))
        }
        several => {
            let words: Vec<String> = several.iter().map(|family| format!("--leave-out {}.{id}", family.section)).collect();
            Err((format!("several components have the id {id}"), format!("write {}", words.join(" or "))))
        }
    }
}

fn ids(root: &Node, section: &str) -> Vec<ComponentId> {
    let entries = root.get(section).map(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|entry| entry.key.parse().ok()).collect()
}

fn remove(root: &mut Node, family: &Family, id: &ComponentId, problems: &mut ConfigErrors) {
    let mut place = nowhere("--leave-out");
    if let Some(section) = child(root, family.section) {
        retain(section, |entry| {
            let stays = entry.key.parse().ok().as_ref() != Some(id);
            if !stays {
                place = entry.place.clone();
            }
            stays
        });
    }
    let mut lost = Vec::new();
    if family.section == "extensions" {
        without_extension(root, id, &mut lost, problems);
    }
    for list in family.lists {
        for pipeline in pipelines(root) {
            if remove_from(&mut pipeline.node, list, id) {
                lost.push(format!("{list} of {}", pipeline.key));
            }
        }
    }
    let from = if lost.is_empty() { "nothing named it".to_owned() } else { format!("gone from {}", lost.join(", ")) };
    let wrong = format!("left out, as --leave-out asks: {from}");
    let path = Path::of(family.section).key(&id.to_string());
    tell(problems, Severity::Warning, place, path, wrong, cost(family, id));
}

/// What somebody goes without.
fn cost(family: &Family, id: &ComponentId) -> String {
    match family.word {
        "receiver" => format!("nothing is received by {id}: whoever sends to it finds nobody"),
        "processor" => format!("what {id} would change, drop or add is not changed, dropped or added"),
        "exporter" => format!("nothing is sent to {id}"),
        "connector" => format!("nothing passes {id}: what it would make or pass on is missing"),
        _ => format!("what {id} would do for others is not done"),
    }
}

/// Takes an extension out of those who start it and those who use it.
fn without_extension(root: &mut Node, id: &ComponentId, lost: &mut Vec<String>, problems: &mut ConfigErrors) {
    if let Some(service) = child(root, "service")
        && remove_from(service, "extensions", id)
    {
        lost.push("service.extensions".to_owned());
    }
    for section in ["receivers", "processors", "exporters", "connectors", "extensions"] {
        if let Some(node) = child(root, section) {
            forget(node, &Path::of(section), id, problems);
        }
    }
}

/// Takes references to an extension out of a block and all below it.
fn forget(node: &mut Node, path: &Path, id: &ComponentId, problems: &mut ConfigErrors) {
    match &mut node.value {
        Value::List(list) => {
            for (index, element) in list.iter_mut().enumerate() {
                forget(element, &path.index(index), id, problems);
            }
        }
        Value::Map(entries) => {
            entries.retain(|entry| match without(entry, path, id) {
                None => true,
                Some(wrong) => {
                    let right = "remove the key to have it so for good".to_owned();
                    tell(problems, Severity::Warning, entry.place.clone(), path.key(&entry.key), wrong, right);
                    false
                }
            });
            for entry in entries {
                forget(&mut entry.node, &path.key(&entry.key), id, problems);
            }
        }
        _ => {}
    }
}

/// What is lost where a key names the extension and goes; nothing where it does not.
fn without(entry: &Entry, path: &Path, id: &ComponentId) -> Option<String> {
    let names = |node: &Node| matches!(&node.value, Value::Text(text) if text.parse().ok().as_ref() == Some(id));
    let user = owner(path);
    match entry.key.as_str() {
        "storage" | "storage_id" if names(&entry.node) => {
            Some(format!("left out with {id}: what {user} holds lies in memory, and a crash loses it"))
        }
        "auth" if entry.node.get("authenticator").is_some_and(names) => Some(match path.steps().first() {
            Some(Step::Key(section)) if section == "exporters" => {
                format!("left out with {id}: {user} sends without credentials, and may be refused")
            }
            _ => format!("left out with {id}: {user} lets in whoever reaches it, without asking who it is"),
        }),
        "encoding" | "encoding_extension" if names(&entry.node) => {
            Some(format!("left out with {id}: {user} writes and reads as it does by default"))
        }
        "middlewares" => match &entry.node.value {
            Value::List(list) if list.iter().any(|element| element.get("id").is_some_and(names)) => {
                Some(format!("left out with {id}: {user} goes without its middlewares, all of them"))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The component that a path lies in.
fn owner(path: &Path) -> String {
    let steps = path.steps();
    steps.iter().take(2).cloned().fold(Path::ROOT, |path, step| path.then(step)).to_string()
}

/// What stands with one side in the air: pipelines that nothing leads into or that lead nowhere, and why; connectors that are used as an
/// exporter or as a receiver, and not as both.
struct Sides {
    pipelines: Vec<(String, &'static str)>,
    connectors: Vec<ComponentId>,
}

impl Sides {
    fn of(root: &mut Node) -> Self {
        let connectors = ids(root, "connectors");
        let lists: Vec<(String, Vec<ComponentId>, Vec<ComponentId>)> = pipelines(root)
            .into_iter()
            .map(|pipeline| (pipeline.key.clone(), list_of(&pipeline.node, "receivers"), list_of(&pipeline.node, "exporters")))
            .collect();
        let begins = |id: &ComponentId| lists.iter().any(|(_, receivers, _)| receivers.contains(id));
        let ends = |id: &ComponentId| lists.iter().any(|(_, _, exporters)| exporters.contains(id));
        let hanging = lists.iter().filter_map(|(key, receivers, exporters)| {
            if !receivers.iter().any(|id| !connectors.contains(id) || ends(id)) {
                return Some((key.clone(), "nothing leads into it any more"));
            }
            let leads_on = exporters.iter().any(|id| !connectors.contains(id) || begins(id));
            (!leads_on).then(|| (key.clone(), "it leads nowhere any more"))
        });
        let pipelines = hanging.collect();
        let one_sided = connectors.iter().filter(|id| begins(id) != ends(id)).cloned().collect();
        Self { pipelines, connectors: one_sided }
    }
}

fn remove_pipeline(root: &mut Node, key: &str, why: &str, problems: &mut ConfigErrors) {
    let Some(pipelines) = child(root, "service").and_then(|service| child(service, "pipelines")) else { return };
    let mut place = nowhere("--leave-out");
    retain(pipelines, |entry| {
        if entry.key == key {
            place = entry.place.clone();
        }
        entry.key != key
    });
    let path = Path::of("service.pipelines").key(key);
    let signal = key.split('/').next().unwrap_or(key).trim();
    let right = format!("no {signal} go this way; remove the pipeline to have it so for good");
    tell(problems, Severity::Warning, place, path, format!("this pipeline is left out: {why}"), right);
}

fn child<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node),
        _ => None,
    }
}

fn retain(node: &mut Node, keep: impl FnMut(&Entry) -> bool) {
    if let Value::Map(entries) = &mut node.value {
        entries.retain(keep);
    }
}

fn pipelines(root: &mut Node) -> Vec<&mut Entry> {
    match child(root, "service").and_then(|service| child(service, "pipelines")).map(|node| &mut node.value) {
        Some(Value::Map(entries)) => entries.iter_mut().collect(),
        _ => Vec::new(),
    }
}

fn list_of(node: &Node, key: &str) -> Vec<ComponentId> {
    match node.get(key).map(|node| &node.value) {
        Some(Value::List(list)) => list.iter().filter_map(id_of).collect(),
        _ => Vec::new(),
    }
}

fn id_of(node: &Node) -> Option<ComponentId> {
    match &node.value {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// Takes an id out of a list, and says whether it was there.
fn remove_from(node: &mut Node, key: &str, id: &ComponentId) -> bool {
    let Some(Node { value: Value::List(list), .. }) = child(node, key) else { return false };
    let before = list.len();
    list.retain(|element| id_of(element).as_ref() != Some(id));
    list.len() < before
}
