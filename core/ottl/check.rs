//! From a tree to an expression that can be evaluated: names are looked up, arguments fitted, literals worked out.

use super::checked::{Expr, Slot, Test};
use super::eval::{compared, math, minus};
use super::place::{self, Place};
use super::problem::Problem;
use super::table::{self, Contexts, Field, Level, PathOf, Table};
use super::tree::{CompareOp, Key, MathOp, Node, Part, PathText, Term};
use super::value::{Type, Value};
use crate::config::{nearest, one_of, quoted};

/// The names that the Collector's contexts of profiles have.
const PLANNED_CONTEXTS: [&str; 3] = ["profile", "profilesample", "exemplar"];

/// Looks names up and gathers what is wrong. It goes on behind a mistake, so that a user is told of all of them.
pub(super) struct Checker<'c> {
    pub(super) contexts: &'c Contexts,
    /// The context of paths that do not say theirs.
    pub(super) own: Option<Level>,
    pub(super) problems: Vec<Problem>,
}

/// The innermost context that a tree names; `None` where no path says its own.
pub(super) fn innermost(contexts: &Contexts, node: &Node) -> Option<Level> {
    let mut found: Option<Level> = None;
    node.walk(&mut |node| {
        if let Term::Path(parts) = &node.term
            && let Some(table) = qualifier(contexts, parts)
        {
            found = found.max(Some(table.level));
        }
    });
    found
}

/// The context that a path begins with.
fn qualifier<'c>(contexts: &'c Contexts, parts: &[Part]) -> Option<&'c Table> {
    match parts {
        [first, _, ..] if first.keys.is_empty() => contexts.table(&first.name),
        _ => None,
    }
}

impl Checker<'_> {
    pub(super) fn error(&mut self, at: usize, wrong: impl Into<String>, right: impl Into<String>) {
        self.problems.push(Problem::new(at, wrong, right));
    }

    /// A part that is true or not; `None` where it cannot be one.
    pub(super) fn test(&mut self, node: &Node) -> Option<Test> {
        match &node.term {
            Term::Bool(truth) => Some(Test::Known(*truth)),
            Term::Not(inner) => Some(match self.test(inner)? {
                Test::Known(truth) => Test::Known(!truth),
                test => Test::Not(Box::new(test)),
            }),
            Term::And(nodes) => self.several(nodes, false),
            Term::Or(nodes) => self.several(nodes, true),
            Term::Compare(left, op, right) => self.comparison(node.at, left, *op, right),
            Term::Call(_) => {
                let call = self.value(node)?;
                match (call.type_of(), call) {
                    (_, Expr::Known(Value::Bool(truth))) => Some(Test::Known(truth)),
                    (Type::Bool | Type::Any, call) => Some(Test::Call(call)),
                    (other, _) => {
                        self.error(
                            node.at,
                            format!("this gives {}, which is neither true nor false", other.name()),
                            "compare it with something",
                        );
                        None
                    }
                }
            }
            Term::Path(_) => {
                self.value(node)?;
                self.error(node.at, "a path alone is no condition", "compare it with something: == true, != nil");
                None
            }
            _ => {
                self.error(node.at, "a value alone is no condition", "compare it with something");
                None
            }
        }
    }

    /// Tests joined by `and` or `or`. What is known to be `decisive` decides; what is known to be the contrary says nothing.
    fn several(&mut self, nodes: &[Node], decisive: bool) -> Option<Test> {
        let tests: Vec<Option<Test>> = nodes.iter().map(|node| self.test(node)).collect();
        let tests: Vec<Test> = tests.into_iter().collect::<Option<_>>()?;
        let before =
            tests.iter().position(|test| matches!(test, Test::Known(truth) if *truth == decisive)).map_or(tests.len(), |place| place + 1);
        let mut left: Vec<Test> =
            tests.into_iter().take(before).filter(|test| !matches!(test, Test::Known(truth) if *truth != decisive)).collect();
        Some(match left.len() {
            0 => Test::Known(!decisive),
            1 => left.swap_remove(0),
            _ if decisive => Test::Any(left),
            _ => Test::All(left),
        })
    }

    fn comparison(&mut self, at: usize, left_node: &Node, op: CompareOp, right_node: &Node) -> Option<Test> {
        let (left, right) = (self.value(left_node), self.value(right_node));
        let (mut left, mut op, mut right) = (left?, op, right?);
        if let (Expr::Known(left), Expr::Known(right)) = (&left, &right) {
            return Some(Test::Known(compared(left, op, right)));
        }
        self.warn_of_types(at, &left, op, &right);
        if matches!(left, Expr::Known(_)) {
            (left, op, right) = (right, op.turned(), left);
        }
        Some(Test::Compare(left, op, right))
    }

    /// Two types that are never equal are hardly meant to be compared.
    fn warn_of_types(&mut self, at: usize, left: &Expr, op: CompareOp, right: &Expr) {
        let (a, b) = (left.type_of(), right.type_of());
        let comparable = a == b || (a.is_number() && b.is_number()) || [a, b].iter().any(|side| matches!(side, Type::Any | Type::Nil));
        let ordered = !matches!(op, CompareOp::Equal | CompareOp::NotEqual);
        if comparable && !(ordered && matches!(a, Type::List | Type::Map)) {
            return;
        }
        let always = if op == CompareOp::NotEqual { "always" } else { "never" };
        let right = match (a, b) {
            (Type::Bytes, Type::String) | (Type::String, Type::Bytes) => {
                "compare an id with text by its `.string`, or with TraceID(0x…), SpanID(0x…)"
            }
            (Type::Int, Type::String) | (Type::String, Type::Int) => {
                "write numbers and enums without quotes, or take the path that gives text"
            }
            (Type::Time, _) | (_, Type::Time) => "take the path that ends in _unix_nano to compare with a number",
            (Type::Duration, _) | (_, Type::Duration) => "write a length of time as Duration(\"1s\")",
            _ => "compare values of one type; converters such as String(…) and Int(…) change it",
        };
        self.problems.push(Problem::warning(at, format!("{} is {always} {} {}", a.name(), op.sign(), b.name()), right));
    }

    /// A part that gives a value; `None` where something in it is wrong.
    pub(super) fn value(&mut self, node: &Node) -> Option<Expr> {
        match &node.term {
            Term::Nil => Some(Expr::Known(Value::Nil)),
            Term::Bool(truth) => Some(Expr::Known(Value::Bool(*truth))),
            Term::Int(number) => Some(Expr::Known(Value::Int(*number))),
            Term::Float(number) => Some(Expr::Known(Value::Float(*number))),
            Term::Text(text) => Some(Expr::Known(Value::from(text.clone()))),
            Term::Bytes(bytes) => Some(Expr::Known(Value::Bytes(bytes.clone().into()))),
            Term::Name(name) => self.symbol(node.at, name),
            Term::Path(parts) => self.path(node.at, parts).map(|place| Expr::Read(Box::new(place), Slot::NONE)),
            Term::Call(call) => self.call(node.at, call),
            Term::List(nodes) => self.list(nodes),
            Term::Map(entries) => self.map(entries),
            Term::Math(first, rest) => self.math(first, rest),
            Term::Minus(inner) => match self.value(inner)? {
                Expr::Known(value) => self.known(node.at, minus(&value)),
                expr => Some(Expr::Minus(Box::new(expr))),
            },
            Term::Compare(..) | Term::Not(_) | Term::And(_) | Term::Or(_) => {
                self.error(node.at, "a condition where a value should be", "a condition stands alone, or behind `where`");
                None
            }
        }
    }

    /// What was worked out, or why it could not be.
    pub(super) fn known(&mut self, at: usize, value: Result<Value<'static>, super::EvalError>) -> Option<Expr> {
        match value {
            Ok(value) => Some(Expr::Known(value)),
            Err(error) => {
                self.error(at, format!("this has no value: {error}"), "it is the same for every item, so it can be repaired here");
                None
            }
        }
    }

    fn symbol(&mut self, at: usize, name: &str) -> Option<Expr> {
        let mut symbols = table::enums(self.contexts.signal);
        if let Some((_, number)) = symbols.find(|(known, _)| *known == name) {
            return Some(Expr::Known(Value::Int(number)));
        }
        let right = if super::functions::converters().any(|converter| converter.name == name) {
            format!("a converter is called with parentheses: {name}(…)")
        } else {
            match nearest(name, table::enums(self.contexts.signal).map(|(known, _)| known)) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "text stands in quotes; enums are such as SPAN_KIND_SERVER and STATUS_CODE_ERROR".to_owned(),
            }
        };
        self.error(at, format!("there is no enum {name}"), right);
        None
    }

    fn list(&mut self, nodes: &[Node]) -> Option<Expr> {
        let list: Vec<Option<Expr>> = nodes.iter().map(|node| self.value(node)).collect();
        let list: Vec<Expr> = list.into_iter().collect::<Option<_>>()?;
        let known: Option<Vec<Value<'static>>> = list.iter().map(known_value).collect();
        Some(known.map_or(Expr::List(list), |values| Expr::Known(Value::list(values))))
    }

    fn map(&mut self, entries: &[(String, Node)]) -> Option<Expr> {
        let entries: Vec<Option<(String, Expr)>> = entries.iter().map(|(key, node)| Some((key.clone(), self.value(node)?))).collect();
        let entries: Vec<(String, Expr)> = entries.into_iter().collect::<Option<_>>()?;
        let known: Option<Vec<_>> = entries.iter().map(|(key, expr)| Some((key.clone().into(), known_value(expr)?))).collect();
        Some(known.map_or(Expr::Map(entries), |entries| Expr::Known(Value::map(entries))))
    }

    fn math(&mut self, first: &Node, rest: &[(MathOp, Node)]) -> Option<Expr> {
        let left = self.value(first);
        let rest: Vec<Option<(MathOp, Expr, usize)>> = rest.iter().map(|(op, node)| Some((*op, self.value(node)?, node.at))).collect();
        let (mut left, mut left_over) = (left?, Vec::new());
        for (op, right, at) in rest.into_iter().collect::<Option<Vec<_>>>()? {
            for (side, at) in [(&left, first.at), (&right, at)] {
                if matches!(side.type_of(), Type::String | Type::Bool | Type::Bytes | Type::List | Type::Map | Type::Nil) {
                    self.error(
                        at,
                        format!("{} in a calculation", side.type_of().name()),
                        "text is joined by Concat([a, b], \"\"), and counted by Len(a)",
                    );
                    return None;
                }
            }
            match (&left, &right, left_over.is_empty()) {
                (Expr::Known(a), Expr::Known(b), true) => left = self.known(at, math(a, op, b))?,
                (_, Expr::Known(Value::Int(0)), _) if op == MathOp::Divide => {
                    self.error(at, "division by zero", "divide by something else");
                    return None;
                }
                _ => left_over.push((op, right)),
            }
        }
        Some(if left_over.is_empty() { left } else { Expr::Math(Box::new(left), left_over) })
    }

    /// Looks a path up.
    pub(super) fn path(&mut self, at: usize, parts: &[Part]) -> Option<Place> {
        let (first, rest) = parts.split_first()?;
        if first.name == "otelcol" {
            return self.request(at, rest, parts);
        }
        if let Some(table) = qualifier(self.contexts, parts) {
            let (name, level) = (table.name, table.level);
            if self.own.is_some_and(|own| level > own) {
                let own = self.own.and_then(|own| self.contexts.at(own)).map_or("here", |table| table.name);
                self.error(at, format!("a {name} cannot be seen from the context {own}"), format!("choose the context {name}"));
                return None;
            }
            return self.in_table(name, rest, parts);
        }
        if parts.len() > 1 && PLANNED_CONTEXTS.contains(&first.name.as_str()) {
            self.error(
                at,
                format!("the Collector has the context {}; here it is planned and does not work yet", first.name),
                "leave the expression out",
            );
            return None;
        }
        let Some(table) = self.own.and_then(|own| self.contexts.at(own)) else {
            let contexts = one_of(self.contexts.names());
            let wrong = format!("of what is {}? The path does not say its context", quoted(&PathText(parts).to_string()));
            self.error(at, wrong, format!("write {contexts} and a dot before it"));
            return None;
        };
        self.in_table(table.name, parts, parts)
    }

    /// Looks the rest of a path up in a context. The whole path is for messages.
    fn in_table(&mut self, context: &'static str, rest: &[Part], whole: &[Part]) -> Option<Place> {
        let table = self.contexts.table(context)?;
        let name = rest.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".");
        let (last, before) = rest.split_last()?;
        if let Some((at, _)) = before.iter().flat_map(|part| &part.keys).next() {
            self.error(*at, "brackets before a dot", "a key inside of a value is written in brackets too: [\"a\"][\"b\"]");
            return None;
        }
        let Some(found) = table.paths.iter().find(|path| path.name == name) else {
            let (wrong, right) = self.unknown(table, rest, &name);
            self.error(rest.first().map_or(0, |part| part.at), wrong, right);
            return None;
        };
        self.place(table.level, *found, &last.keys, format!("{context}.{}", PathText(rest)), whole)
    }

    fn unknown(&self, table: &Table, rest: &[Part], name: &str) -> (String, String) {
        let wrong = format!("there is no path {name} in the context {}", table.name);
        let keyed = rest.split_first().filter(|(first, behind)| {
            let entered = |path: &&PathOf| path.name == first.name && enters(path.field, path.gives);
            !behind.is_empty() && table.paths.iter().any(|path| entered(&path))
        });
        if let Some((first, behind)) = keyed {
            let key = behind.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".");
            return (wrong, format!("a key is written in brackets: {}[\"{key}\"]", first.name));
        }
        let elsewhere =
            self.contexts.tables.iter().find(|other| other.name != table.name && other.paths.iter().any(|path| path.name == name));
        let right = match (nearest(name, table.paths.iter().map(|path| path.name)), elsewhere) {
            (_, Some(other)) if other.level < table.level => format!("write {}.{name}", other.name),
            (Some(meant), _) => format!("did you mean {meant}?"),
            (None, _) => format!("there are {}", one_of(table.paths.iter().map(|path| path.name)).replace(" or ", " and ")),
        };
        (wrong, right)
    }

    fn request(&mut self, at: usize, rest: &[Part], whole: &[Part]) -> Option<Place> {
        let name = rest.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".");
        if table::REQUEST_PLANNED.contains(&name.as_str()) {
            let wrong = format!("the Collector has otelcol.{name}; here it is planned and does not work yet");
            self.error(at, wrong, "take otelcol.client.metadata[\"…\"] and a header that the client or a proxy before it sends");
            return None;
        }
        let Some(found) = table::REQUEST.iter().find(|path| path.name == name) else {
            self.error(at, format!("there is no otelcol.{name}"), "write otelcol.client.metadata[\"x-tenant\"]");
            return None;
        };
        let keys = rest.last().map(|part| part.keys.as_slice()).unwrap_or_default();
        // It is the same for every context; the outermost one is where it does no harm.
        self.place(Level::Facts, *found, keys, PathText(whole).to_string(), whole)
    }

    fn place(&mut self, level: Level, found: PathOf, keys: &[(usize, Key)], text: String, whole: &[Part]) -> Option<Place> {
        if let Some((at, key)) = keys.first() {
            let by_text = matches!(found.field, Field::Attributes(_) | Field::Cache | Field::TraceState | Field::Metadata);
            let wrong = match key {
                _ if !enters(found.field, found.gives) => Some(("nothing can be entered here", "remove the brackets")),
                Key::Index(_) if by_text => Some(("a number enters a list, and this is none", "write a key: [\"key\"]")),
                Key::Text(_) if found.gives == Type::List => Some(("a key enters a map, and this is a list", "write a number: [0]")),
                _ if found.field == Field::TraceState && keys.len() > 1 => {
                    Some(("a member of a trace state is text", "remove the second brackets"))
                }
                _ => None,
            };
            if let Some((wrong, right)) = wrong {
                self.error(*at, wrong, right);
                return None;
            }
        }
        debug_assert!(!whole.is_empty(), "a path has a name");
        let keys: Vec<Key> = keys.iter().map(|(_, key)| key.clone()).collect();
        let (path, target) = place::paths(self.contexts.signal, found.field, &keys);
        Some(Place { text, level, field: found.field, gives: found.gives, keys, path, target })
    }
}

/// Whether brackets can stand behind a field.
fn enters(field: Field, gives: Type) -> bool {
    matches!(field, Field::Attributes(_) | Field::Body | Field::Cache | Field::TraceState | Field::Metadata | Field::Fact(_))
        || matches!(gives, Type::List | Type::Map | Type::Any)
}

pub(super) fn known_value(expr: &Expr) -> Option<Value<'static>> {
    match expr {
        Expr::Known(value) => Some(value.clone()),
        _ => None,
    }
}
