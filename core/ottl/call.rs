//! Checks calls: which argument belongs to which parameter, whether it fits, and what the function says to it.

use super::check::Checker;
use super::checked::{Call, Expr};
use super::eval::worked_out;
use super::functions::{self, Arguments, Converter, Given, Parameter, Refusal, Run, Takes, Work};
use super::place::Place;
use super::problem::Problem;
use super::table::Field;
use super::tree::{self, Node, Term};
use super::value::{Type, Value};
use crate::config::nearest;

/// An editor that was made ready.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) work: Work,
    /// What is changed; `None` for an editor of the item as a whole.
    pub(super) target: Option<Place>,
    pub(super) editor: &'static functions::Editor,
    pub(super) arguments: Vec<Expr>,
}

/// The arguments of a call in the order of the parameters: as the function is told of them, and as they are evaluated.
struct Bound {
    given: Vec<Given>,
    arguments: Vec<Expr>,
    target: Option<Place>,
    places: Vec<usize>,
}

impl Checker<'_> {
    /// A converter.
    pub(super) fn call(&mut self, at: usize, call: &tree::Call) -> Option<Expr> {
        let Some(converter) = functions::converters().find(|known| known.name == call.name) else {
            let names = functions::converters().map(|known| known.name);
            self.unknown_function("converter", at, &call.name, names.collect());
            return None;
        };
        let bound = self.bind(at, call, converter.parameters)?;
        let made = (converter.make)(&Arguments::new(converter.parameters, &bound.given));
        let run = self.made(at, made, converter.parameters, &bound.places)?;
        let keys = call.keys.iter().map(|(_, key)| key.clone()).collect();
        let pure = matches!(run, Run::Values(_) | Run::Match(_) | Run::First);
        let known = pure && bound.arguments.iter().all(|argument| matches!(argument, Expr::Known(_)));
        let call = Call { converter, run, arguments: bound.arguments, keys };
        if known { self.known(at, worked_out(&call)) } else { Some(Expr::Call(Box::new(call))) }
    }

    /// An editor.
    pub(super) fn edit(&mut self, at: usize, call: &tree::Call) -> Option<Edit> {
        let Some(editor) = functions::editors().find(|known| known.name == call.name) else {
            let names = functions::editors().map(|known| known.name);
            self.unknown_function("editor", at, &call.name, names.collect());
            return None;
        };
        let bound = self.bind(at, call, editor.parameters)?;
        let made = (editor.make)(&Arguments::new(editor.parameters, &bound.given));
        let work = self.made(at, made, editor.parameters, &bound.places)?;
        Some(Edit { work, target: bound.target, editor, arguments: bound.arguments })
    }

    fn unknown_function(&mut self, what: &str, at: usize, name: &str, names: Vec<&'static str>) {
        if let Some((_, meanwhile)) = functions::PLANNED.iter().find(|(planned, _)| *planned == name) {
            self.error(at, format!("the Collector has {name}; here it is planned and does not work yet"), *meanwhile);
            return;
        }
        let right = match nearest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            // There are too many to be named.
            None => format!("none is called anything like it; begin with {}", if what == "editor" { "set(…)" } else { "IsMatch(…)" }),
        };
        self.error(at, format!("there is no {what} {name}"), right);
    }

    /// What a function made of its arguments, or why it refused them, told where the argument stands.
    fn made<T>(&mut self, at: usize, made: Result<T, Refusal>, parameters: &[Parameter], places: &[usize]) -> Option<T> {
        made.map_err(|refusal| {
            let parameter = refusal.parameter.and_then(|name| parameters.iter().position(|parameter| parameter.name == name));
            let place = parameter.and_then(|place| places.get(place)).copied().unwrap_or(at);
            self.error(place, refusal.wrong, refusal.right);
        })
        .ok()
    }

    fn bind(&mut self, at: usize, call: &tree::Call, parameters: &'static [Parameter]) -> Option<Bound> {
        if call.arguments.len() > parameters.len() {
            let wrong = format!("{} takes {}, not {}", call.name, count(parameters.len()), call.arguments.len());
            self.error(at, wrong, usage(&call.name, parameters));
            return None;
        }
        let mut given: Vec<Option<&Node>> = vec![None; parameters.len()];
        for (place, (name, node)) in call.arguments.iter().enumerate() {
            let place = match name {
                None => place,
                Some(name) => self.named(call, parameters, name, node.at)?,
            };
            if given[place].is_some() {
                self.error(node.at, format!("{} is given twice", parameters[place].name), "remove one of the two");
                return None;
            }
            given[place] = Some(node);
        }
        let missing = parameters.iter().zip(&given).find(|(parameter, given)| parameter.is_needed && given.is_none());
        if let Some((parameter, _)) = missing {
            self.error(at, format!("{} lacks its argument {}", call.name, parameter.name), usage(&call.name, parameters));
            return None;
        }
        let mut bound = Bound { given: Vec::new(), arguments: Vec::new(), target: None, places: Vec::new() };
        let mut is_whole = true;
        for (parameter, node) in parameters.iter().zip(given) {
            is_whole &= self.argument(parameter, node, &mut bound).is_some();
        }
        is_whole.then_some(bound)
    }

    fn named(&mut self, call: &tree::Call, parameters: &[Parameter], name: &str, at: usize) -> Option<usize> {
        let place = parameters.iter().position(|parameter| parameter.name == name);
        if place.is_none() {
            let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
            let right = match nearest(name, names.iter().copied()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => usage(&call.name, parameters),
            };
            self.error(at, format!("{} has no parameter {name}", call.name), right);
        }
        place
    }

    /// Fits one argument to its parameter.
    fn argument(&mut self, parameter: &Parameter, node: Option<&Node>, bound: &mut Bound) -> Option<()> {
        bound.places.push(node.map_or(0, |node| node.at));
        let (given, argument) = match (node, parameter.takes) {
            (None, _) => (Given::Nothing, Expr::Known(Value::Nil)),
            (Some(node), Takes::Function) => (self.function(node)?, Expr::Known(Value::Nil)),
            (Some(node), Takes::Target | Takes::MapTarget) => {
                let place = self.target(node, parameter.takes)?;
                let given = Given::Computed(place.type_of());
                bound.target = Some(place);
                (given, Expr::Known(Value::Nil))
            }
            (Some(node), takes) => {
                let value = self.value(node)?;
                self.fitted(parameter, takes, node.at, value)?
            }
        };
        bound.given.push(given);
        bound.arguments.push(argument);
        Some(())
    }

    fn fitted(&mut self, parameter: &Parameter, takes: Takes, at: usize, value: Expr) -> Option<(Given, Expr)> {
        match value {
            Expr::Known(value) => match takes.fit(value) {
                Ok(value) if parameter.is_known => Some((Given::Literal(value), Expr::Known(Value::Nil))),
                Ok(value) => Some((Given::Literal(value.clone()), Expr::Known(value))),
                Err(error) => {
                    self.error(at, error.to_string(), format!("{} takes {}", parameter.name, takes.name()));
                    None
                }
            },
            _ if parameter.is_known => {
                let wrong = format!("{} must be known when the configuration is read", parameter.name);
                self.error(at, wrong, "write it out; one that is computed for every item is planned and does not work yet");
                None
            }
            value => {
                let found = value.type_of();
                if !takes.can_be(found) {
                    let wrong = format!("{} takes {}, and this gives {}", parameter.name, takes.name(), found.name());
                    self.problems.push(Problem::warning(
                        at,
                        wrong,
                        "it fails for every item; converters such as String(…) and Int(…) help",
                    ));
                }
                Some((Given::Computed(found), value))
            }
        }
    }

    /// A converter that is given by its bare name, to be called with one text.
    fn function(&mut self, node: &Node) -> Option<Given> {
        let Term::Name(name) = &node.term else {
            self.error(node.at, "this is not the name of a converter", "write the name alone, without parentheses: SHA256");
            return None;
        };
        let of_text = |converter: &&Converter| {
            let (needed, rest): (Vec<&Parameter>, Vec<&Parameter>) = converter.parameters.iter().partition(|parameter| parameter.is_needed);
            rest.len() + 1 == converter.parameters.len() && needed.iter().all(|one| one.takes.can_be(Type::String) && !one.is_known)
        };
        let Some(converter) = functions::converters().filter(of_text).find(|converter| converter.name == name) else {
            let names: Vec<&str> = functions::converters().filter(of_text).map(|converter| converter.name).collect();
            self.unknown_function("converter of one text", node.at, name, names);
            return None;
        };
        let mut given = vec![Given::Computed(Type::String)];
        given.resize_with(converter.parameters.len(), || Given::Nothing);
        let made = (converter.make)(&Arguments::new(converter.parameters, &given));
        self.made(node.at, made, converter.parameters, &[]).map(|run| Given::Function(converter, run))
    }

    /// A path that can be written to.
    fn target(&mut self, node: &Node, takes: Takes) -> Option<Place> {
        let Term::Path(parts) = &node.term else {
            self.error(node.at, "this cannot be changed", "name a path: span.attributes[\"key\"]");
            return None;
        };
        let place = self.path(node.at, parts)?;
        if let Some(what) = place.read_only() {
            self.error(node.at, format!("{what} cannot be changed"), "write to an attribute, or to cache[\"key\"]");
            return None;
        }
        if takes == Takes::MapTarget && !takes.can_be(place.type_of()) {
            self.error(node.at, format!("this is {}, and no map", place.type_of().name()), "name a map: span.attributes");
            return None;
        }
        let keeps_keys = matches!(place.field, Field::Attributes(_) | Field::Body | Field::Cache | Field::TraceState);
        if !place.keys.is_empty() && !keeps_keys {
            self.error(node.at, "a part of this cannot be changed alone", "set the whole");
            return None;
        }
        Some(place)
    }
}

fn count(number: usize) -> String {
    match number {
        0 => "no argument".to_owned(),
        1 => "1 argument".to_owned(),
        number => format!("{number} arguments"),
    }
}

/// How a function is called: `truncate_all(target, limit[, utf8_safe])`.
fn usage(name: &str, parameters: &[Parameter]) -> String {
    let mut text = format!("write {name}(");
    for (place, parameter) in parameters.iter().enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        text += &if parameter.is_needed { format!("{comma}{}", parameter.name) } else { format!("[{comma}{}]", parameter.name) };
    }
    text + ")"
}
