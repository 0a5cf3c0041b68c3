//! What an expression looks at: so that whoever asks often can have it ready.

use super::checked::{Expr, Test};
use super::table::{Field, Level};

/// What a condition or a statement looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Every path, once, in the order written.
    pub paths: Vec<ReadPath>,
    /// Whether it asks what the client sent along with its request.
    pub metadata: bool,
    /// Whether it calls a function that looks at more than its arguments: `IsRootSpan()`, `Now()`.
    pub looks_around: bool,
}

/// One path that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPath {
    /// With its context and its keys: `span.attributes["http.route"]`.
    pub text: String,
    /// Of what.
    pub level: Level,
    /// The key, where it is an attribute or a part of one.
    pub attribute: Option<String>,
}

impl Reads {
    pub(super) fn of(test: &Test) -> Self {
        let mut reads = Reads::default();
        test.expressions(&mut |expr| reads.add(expr));
        reads
    }

    pub(super) fn add(&mut self, expr: &Expr) {
        self.looks_around |= expr.looks_around();
        expr.places(&mut |place| {
            self.metadata |= place.field == Field::Metadata;
            let attribute = match (place.field, place.keys.first()) {
                (Field::Attributes(_), Some(super::tree::Key::Text(key))) => Some(key.clone()),
                _ => None,
            };
            let path = ReadPath { text: place.text.clone(), level: place.level, attribute };
            if !self.paths.contains(&path) {
                self.paths.push(path);
            }
        });
    }

    /// Whether it looks at anything of that level.
    pub fn touches(&self, level: Level) -> bool {
        self.paths.iter().any(|path| path.level == level)
    }

    /// Whether its outcome is the same for all items of a context.
    pub fn is_shared(&self) -> bool {
        let shared = |path: &ReadPath| matches!(path.level, Level::Resource | Level::Scope | Level::Metric);
        !self.metadata && !self.looks_around && self.paths.iter().all(shared)
    }
}
