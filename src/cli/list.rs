//! Commands that say what there is: the list of components, their manuals, the schema, the example.

use tracetailor::config::{self, Format, catalogue};
use tracetailor::core::config::{nearest, one_of};

use super::Outcome;

pub(super) fn components() -> Outcome {
    Outcome::done(config::print(&catalogue::tree(), Format::Yaml))
}

pub(super) fn explain(component: &str) -> Outcome {
    let (section, name) = match component.split_once('.') {
        Some((section, name)) => (Some(section), name),
        None => (None, component),
    };
    let all = catalogue::entries();
    let kind = name.split('/').next().unwrap_or(name);
    let found: Vec<_> = all
        .iter()
        .filter(|entry| section.is_none_or(|section| entry.section == section))
        .filter(|entry| entry.name == kind || entry.aliases.contains(&kind))
        .collect();
    if found.is_empty() {
        let hint = match nearest(kind, all.iter().map(|entry| entry.name)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("there are {}", one_of(all.iter().map(|entry| entry.name))),
        };
        return Outcome::not_understood(format!("error: there is no component {component}\n    {hint}\n"));
    }
    let manuals: Vec<&str> = found.iter().map(|entry| entry.readme.trim_end()).collect();
    Outcome::done(manuals.join("\n\n---\n\n") + "\n")
}

pub(super) fn schema() -> Outcome {
    Outcome::done(format!("{:#}\n", catalogue::schema()))
}

pub(super) fn example() -> Outcome {
    Outcome::done(config::example())
}
