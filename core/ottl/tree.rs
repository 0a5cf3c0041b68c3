//! An expression as it is written: what belongs to what, before anybody asks whether its names exist.

use std::fmt;

/// A part of an expression, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// In bytes from the beginning of the text.
    pub at: usize,
    /// What it is.
    pub term: Term,
}

/// What a part is. What may stand where is the checker's business.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// `nil`.
    Nil,
    /// `true`, `false`.
    Bool(bool),
    /// `5`, `-5`.
    Int(i64),
    /// `5.5`.
    Float(f64),
    /// `"text"`.
    Text(String),
    /// `0x02ff`.
    Bytes(Vec<u8>),
    /// A bare word that begins in upper case: an enum, or the name of a converter.
    Name(String),
    /// `span.attributes["k"][0]`.
    Path(Vec<Part>),
    /// `IsMatch(name, "x")`, `Split(x, ",")[0]`, `set(…)`.
    Call(Call),
    /// `["a", 1]`.
    List(Vec<Node>),
    /// `{"k": 1}`.
    Map(Vec<(String, Node)>),
    /// `a + b - c`: operators of one rank, from left to right.
    Math(Box<Node>, Vec<(MathOp, Node)>),
    /// `-a`.
    Minus(Box<Node>),
    /// `a == b`.
    Compare(Box<Node>, CompareOp, Box<Node>),
    /// `not a`.
    Not(Box<Node>),
    /// `a and b`.
    And(Vec<Node>),
    /// `a or b`.
    Or(Vec<Node>),
}

/// One name of a path, and the keys behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Where it begins.
    pub at: usize,
    /// The name.
    pub name: String,
    /// In brackets.
    pub keys: Vec<(usize, Key)>,
}

/// What stands in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// `["k"]`, into a map.
    Text(String),
    /// `[0]`, into a list.
    Index(usize),
}

/// A function and what it is called with.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// With the name it was given by, if any.
    pub arguments: Vec<(Option<String>, Node)>,
    /// Into what it gives.
    pub keys: Vec<(usize, Key)>,
}

/// An editor and the condition under which it edits.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Where the editor begins.
    pub at: usize,
    /// The editor.
    pub editor: Call,
    /// What stands behind `where`.
    pub condition: Option<Node>,
}

/// An operator between numbers, times and durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MathOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// An operator that compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl CompareOp {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            CompareOp::Equal => "==",
            CompareOp::NotEqual => "!=",
            CompareOp::Less => "<",
            CompareOp::LessOrEqual => "<=",
            CompareOp::Greater => ">",
            CompareOp::GreaterOrEqual => ">=",
        }
    }

    /// What the two sides would have to be asked the other way round.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            CompareOp::Less => CompareOp::Greater,
            CompareOp::LessOrEqual => CompareOp::GreaterOrEqual,
            CompareOp::Greater => CompareOp::Less,
            CompareOp::GreaterOrEqual => CompareOp::LessOrEqual,
            same => same,
        }
    }
}

impl MathOp {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            MathOp::Add => "+",
            MathOp::Subtract => "-",
            MathOp::Multiply => "*",
            MathOp::Divide => "/",
        }
    }
}

impl Node {
    /// Calls `visit` with this part and all parts inside of it, in the order written.
    pub fn walk<'n>(&'n self, visit: &mut dyn FnMut(&'n Node)) {
        visit(self);
        match &self.term {
            Term::Call(call) => call.arguments.iter().for_each(|(_, node)| node.walk(visit)),
            Term::List(nodes) | Term::And(nodes) | Term::Or(nodes) => nodes.iter().for_each(|node| node.walk(visit)),
            Term::Map(entries) => entries.iter().for_each(|(_, node)| node.walk(visit)),
            Term::Math(first, rest) => {
                first.walk(visit);
                rest.iter().for_each(|(_, node)| node.walk(visit));
            }
            Term::Minus(inner) | Term::Not(inner) => inner.walk(visit),
            Term::Compare(left, _, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            _ => {}
        }
    }

    /// Draws it, one line per part.
    fn draw(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, words: &dyn fmt::Display| writeln!(f, "{:1$}{words}", "", depth * 2);
        let mut inner: Vec<&Node> = Vec::new();
        match &self.term {
            Term::Nil => line(f, &"nil")?,
            Term::Bool(truth) => line(f, truth)?,
            Term::Int(number) => line(f, number)?,
            Term::Float(number) => line(f, number)?,
            Term::Text(text) => line(f, &format_args!("{text:?}"))?,
            Term::Bytes(bytes) => line(f, &format_args!("0x{}", super::text::hex(bytes)))?,
            Term::Name(name) => line(f, name)?,
            Term::Path(parts) => line(f, &PathText(parts))?,
            Term::Call(call) => return call.draw(f, depth),
            Term::List(nodes) => (line(f, &"list")?, inner.extend(nodes)).1,
            Term::Map(entries) => {
                line(f, &"map")?;
                for (key, node) in entries {
                    writeln!(f, "{:1$}{key:?}:", "", depth * 2 + 2)?;
                    node.draw(f, depth + 2)?;
                }
            }
            Term::Math(first, rest) => {
                line(f, &"math")?;
                first.draw(f, depth + 1)?;
                for (op, node) in rest {
                    writeln!(f, "{:1$}{2}", "", depth * 2 + 2, op.sign())?;
                    node.draw(f, depth + 1)?;
                }
            }
            Term::Minus(node) => (line(f, &"-")?, inner.push(node)).1,
            Term::Compare(left, op, right) => (line(f, &op.sign())?, inner.extend([&**left, &**right])).1,
            Term::Not(node) => (line(f, &"not")?, inner.push(node)).1,
            Term::And(nodes) => (line(f, &"and")?, inner.extend(nodes)).1,
            Term::Or(nodes) => (line(f, &"or")?, inner.extend(nodes)).1,
        }
        inner.into_iter().try_for_each(|node| node.draw(f, depth + 1))
    }
}

impl Call {
    fn draw(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        writeln!(f, "{:1$}{2}{3}", "", depth * 2, self.name, Keys(&self.keys))?;
        for (name, node) in &self.arguments {
            match name {
                Some(name) => {
                    writeln!(f, "{:1$}{name}=", "", depth * 2 + 2)?;
                    node.draw(f, depth + 2)?;
                }
                None => node.draw(f, depth + 1)?,
            }
        }
        Ok(())
    }
}

/// The tree, a line per part and two spaces per level.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draw(f, 0)
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.editor.draw(f, 0)?;
        match &self.condition {
            Some(condition) => {
                writeln!(f, "where")?;
                condition.draw(f, 1)
            }
            None => Ok(()),
        }
    }
}

/// A path as it is written.
pub(super) struct PathText<'a>(pub(super) &'a [Part]);

impl fmt::Display for PathText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.0.iter().enumerate() {
            let dot = if place > 0 { "." } else { "" };
            write!(f, "{dot}{}{}", part.name, Keys(&part.keys))?;
        }
        Ok(())
    }
}

struct Keys<'a>(&'a [(usize, Key)]);

impl fmt::Display for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(_, key)| match key {
            Key::Text(text) => write!(f, "[{text:?}]"),
            Key::Index(index) => write!(f, "[{index}]"),
        })
    }
}
