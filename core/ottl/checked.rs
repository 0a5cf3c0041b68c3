//! An expression whose names were looked up and whose literals were worked out: what items are shown to.

use super::functions::{Converter, Run};
use super::place::Place;
use super::tree::{CompareOp, Key, MathOp};
use super::value::{Type, Value};

/// What gives a value.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// Known when the expression was read.
    Known(Value<'static>),
    /// Read from the scene.
    Read(Box<Place>, Slot),
    /// Given by a function.
    Call(Box<Call>),
    /// Operators of one rank, from left to right.
    Math(Box<Expr>, Vec<(MathOp, Expr)>),
    /// The same below zero.
    Minus(Box<Expr>),
    /// A list with at least one value that is not known.
    List(Vec<Expr>),
    /// The same as a map.
    Map(Vec<(String, Expr)>),
}

/// Which of the attributes that are looked up together a path reads; [`Slot::NONE`] for one that looks for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(pub(super) u8);

impl Slot {
    pub(super) const NONE: Slot = Slot(u8::MAX);
}

/// A function that was made ready, and its arguments.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) converter: &'static Converter,
    pub(super) run: Run,
    /// One for each parameter; what was not given, or is known to the function already, is `nil`.
    pub(super) arguments: Vec<Expr>,
    pub(super) keys: Vec<Key>,
}

/// What is true or not.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// Known when the expression was read.
    Known(bool),
    /// Two values side by side.
    Compare(Expr, CompareOp, Expr),
    /// A function that gives a boolean.
    Call(Expr),
    /// The contrary.
    Not(Box<Test>),
    /// Every one of several.
    All(Vec<Test>),
    /// One of several.
    Any(Vec<Test>),
    /// The same for all items of a context: kept with the context, under this number.
    Remembered(usize),
}

impl Expr {
    /// What it gives, as far as that is known.
    pub(super) fn type_of(&self) -> Type {
        match self {
            Expr::Known(value) => value.type_of(),
            Expr::Read(place, _) => place.type_of(),
            Expr::Call(call) if call.keys.is_empty() => call.converter.gives,
            Expr::Call(_) => Type::Any,
            Expr::Math(first, rest) => rest.iter().fold(first.type_of(), |left, (op, right)| math_type(left, *op, right.type_of())),
            Expr::Minus(inner) => inner.type_of(),
            Expr::List(_) => Type::List,
            Expr::Map(_) => Type::Map,
        }
    }

    /// Calls `visit` with every path that is read.
    pub(super) fn places<'e>(&'e self, visit: &mut dyn FnMut(&'e Place)) {
        match self {
            Expr::Known(_) => {}
            Expr::Read(place, _) => visit(place),
            Expr::Call(call) => call.arguments.iter().for_each(|expr| expr.places(visit)),
            Expr::Math(first, rest) => {
                first.places(visit);
                rest.iter().for_each(|(_, expr)| expr.places(visit));
            }
            Expr::Minus(inner) => inner.places(visit),
            Expr::List(list) => list.iter().for_each(|expr| expr.places(visit)),
            Expr::Map(entries) => entries.iter().for_each(|(_, expr)| expr.places(visit)),
        }
    }

    /// True when it calls a function that looks at the item, the sender or the time.
    pub(super) fn looks_around(&self) -> bool {
        match self {
            Expr::Known(_) | Expr::Read(..) => false,
            Expr::Call(call) => matches!(call.run, Run::Scene(_)) || call.arguments.iter().any(Expr::looks_around),
            Expr::Math(first, rest) => first.looks_around() || rest.iter().any(|(_, expr)| expr.looks_around()),
            Expr::Minus(inner) => inner.looks_around(),
            Expr::List(list) => list.iter().any(Expr::looks_around),
            Expr::Map(entries) => entries.iter().any(|(_, expr)| expr.looks_around()),
        }
    }

    /// True when its value is the same for all items of a context.
    pub(super) fn is_shared(&self) -> bool {
        let mut shared = !self.looks_around();
        self.places(&mut |place| shared &= place.is_shared());
        shared
    }

    /// Calls `change` with every path that is read, and where it looks.
    pub(super) fn slots(&mut self, change: &mut dyn FnMut(&Place, &mut Slot)) {
        match self {
            Expr::Known(_) => {}
            Expr::Read(place, slot) => change(place, slot),
            Expr::Call(call) => call.arguments.iter_mut().for_each(|expr| expr.slots(change)),
            Expr::Math(first, rest) => {
                first.slots(change);
                rest.iter_mut().for_each(|(_, expr)| expr.slots(change));
            }
            Expr::Minus(inner) => inner.slots(change),
            Expr::List(list) => list.iter_mut().for_each(|expr| expr.slots(change)),
            Expr::Map(entries) => entries.iter_mut().for_each(|(_, expr)| expr.slots(change)),
        }
    }
}

impl Test {
    /// Calls `visit` with every expression in it.
    pub(super) fn expressions<'t>(&'t self, visit: &mut dyn FnMut(&'t Expr)) {
        match self {
            Test::Known(_) | Test::Remembered(_) => {}
            Test::Compare(left, _, right) => {
                visit(left);
                visit(right);
            }
            Test::Call(call) => visit(call),
            Test::Not(inner) => inner.expressions(visit),
            Test::All(tests) | Test::Any(tests) => tests.iter().for_each(|test| test.expressions(visit)),
        }
    }

    pub(super) fn expressions_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        match self {
            Test::Known(_) | Test::Remembered(_) => {}
            Test::Compare(left, _, right) => {
                visit(left);
                visit(right);
            }
            Test::Call(call) => visit(call),
            Test::Not(inner) => inner.expressions_mut(visit),
            Test::All(tests) | Test::Any(tests) => tests.iter_mut().for_each(|test| test.expressions_mut(visit)),
        }
    }

    /// True when its outcome is the same for all items of a context.
    pub(super) fn is_shared(&self) -> bool {
        let mut shared = true;
        self.expressions(&mut |expr| shared &= expr.is_shared());
        shared
    }
}

/// What an operator gives; anything where it gives nothing or nobody knows.
pub(super) fn math_type(left: Type, op: MathOp, right: Type) -> Type {
    match (left, op, right) {
        (Type::Int, _, Type::Int) => Type::Int,
        (left, _, right) if left.is_number() && right.is_number() => Type::Float,
        (Type::Time, MathOp::Subtract, Type::Time) => Type::Duration,
        (Type::Time, MathOp::Add | MathOp::Subtract, Type::Duration) | (Type::Duration, MathOp::Add, Type::Time) => Type::Time,
        (Type::Duration, MathOp::Add | MathOp::Subtract, Type::Duration) => Type::Duration,
        _ => Type::Any,
    }
}
