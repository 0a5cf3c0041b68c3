//! Conditions as a configuration has them: found in its three places, read, and checked.

use tracetailor_core::config::{ConfigErrors, TextOr, one_of, quoted};
use tracetailor_core::ottl::tree::{Node, Term};
use tracetailor_core::ottl::{Condition, Contexts, ErrorMode, Level};
use tracetailor_core::telemetry::Signal;

use super::{Config, Group};

/// A condition, and what becomes of its errors.
pub(super) struct Rule {
    pub(super) condition: Condition,
    pub(super) mode: ErrorMode,
}

/// Functions that look at all points of a metric.
const OF_POINTS: [&str; 2] = ["HasAttrKeyOnDatapoint", "HasAttrOnDatapoint"];

impl Rule {
    /// Whether it asks for what all points of a metric say.
    pub(super) fn asks_points(&self) -> bool {
        called(self.condition.tree(), &OF_POINTS).is_some()
    }
}

/// Those of a signal, in the order written. What is wrong with any is told, and leaves it out.
pub(super) fn read(config: &Config, signal: Signal, errors: &mut ConfigErrors) -> Vec<Rule> {
    let mut reader = Reader { contexts: Contexts::of(signal), rules: Vec::new() };
    let (key, groups) = config.groups(signal);
    one_kind(key, groups, errors);
    for (index, entry) in groups.iter().enumerate() {
        let mut here = errors.at(key).index(index);
        match entry {
            TextOr::Text(text) => reader.read(text, None, config.error_mode, &mut here),
            TextOr::Block(group) => reader.group(group, config.error_mode, &mut here),
        }
    }
    let (key, lists) = config.lists(signal);
    for (name, texts) in lists {
        let context = if name == "log_record" { "log" } else { name };
        for (index, text) in texts.iter().enumerate() {
            reader.read(text, Some(context), config.error_mode, &mut errors.at(key).at(name).index(index));
        }
    }
    reader.rules
}

fn one_kind(key: &str, groups: &[TextOr<Group>], errors: &mut ConfigErrors) {
    let of_another_kind = |entry: &TextOr<Group>| matches!(entry, TextOr::Text(_)) != matches!(groups[0], TextOr::Text(_));
    if let Some(index) = groups.iter().position(of_another_kind) {
        let wrong = "conditions and groups of conditions stand in one list";
        errors.at(key).index(index).error_here(wrong, "make a group of the conditions that have none: {conditions: [...]}");
    }
}

struct Reader {
    contexts: Contexts,
    rules: Vec<Rule>,
}

impl Reader {
    fn group(&mut self, group: &Group, mode: ErrorMode, errors: &mut ConfigErrors) {
        if let Some(context) = group.context.as_deref().filter(|context| self.contexts.level(context).is_none()) {
            let names = one_of(self.contexts.names());
            return errors.error("context", format!("there is no context {} here", quoted(context)), format!("write {names}"));
        }
        for (index, text) in group.conditions.iter().enumerate() {
            let mut here = errors.at("conditions").index(index);
            self.read(text, group.context.as_deref(), group.error_mode.unwrap_or(mode), &mut here);
        }
    }

    fn read(&mut self, text: &str, context: Option<&str>, mode: ErrorMode, errors: &mut ConfigErrors) {
        match Condition::parse(&self.contexts, context, text) {
            Ok(condition) => {
                condition.warnings().tell(errors);
                self.add(Rule { condition, mode }, errors);
            }
            Err(problems) => problems.tell(errors),
        }
    }

    fn add(&mut self, rule: Rule, errors: &mut ConfigErrors) {
        match called(rule.condition.tree(), &OF_POINTS) {
            Some(function) if rule.condition.level() != Level::Metric => {
                let wrong =
                    format!("{function} looks at all points of a metric, and this is a condition on a {}", rule.condition.context());
                errors.error_here(wrong, "make it a condition on the metric: name a path of it, or write context: metric");
            }
            _ => self.rules.push(rule),
        }
    }
}

/// The first of some functions that is called anywhere in an expression.
fn called<'n>(tree: &Node, names: &[&'n str]) -> Option<&'n str> {
    let mut found = None;
    tree.walk(&mut |node| {
        if let Term::Call(call) = &node.term {
            found = found.or_else(|| names.iter().find(|name| **name == call.name).copied());
        }
    });
    found
}
