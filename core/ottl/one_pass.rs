//! Which statements can be made together, in one pass over an item: those that always make the same edit.

use std::sync::Arc;

use super::call::Edit;
use super::checked::{Expr, Test};
use super::functions::Work;
use super::place::Place;
use super::statements::Statement;
use super::table::{Field, Level};
use super::value::Value;
use crate::telemetry::schema::Kind;
use crate::telemetry::{ItemKind, OnText, OnePass, Step, When};

/// Adds what a statement edits to a pass, and tells whether it could: where it is plain, and means no place that another one means.
pub(super) fn add(pass: &mut OnePass, statement: &Statement) -> bool {
    if !statement.tests().iter().all(|test| matches!(test, Test::Known(true))) {
        return false;
    }
    let edit = statement.edit();
    let Some(place) = edit.target.as_ref().filter(|place| place.level == Level::Item) else { return false };
    if place.is_item_attributes() {
        return deleted_key(edit).is_some_and(|key| pass.delete(key));
    }
    match (place.item_attribute(), place.keys.len(), statement.puts(), on_text(edit)) {
        (Some(key), 1, Some(value), _) => pass.put(key, value, When::Always, false),
        (Some(key), 1, _, Some(work)) => pass.rewrite(key, work),
        (None, _, _, Some(work)) => text_field(place).is_some_and(|(kind, number)| pass.rewrite_field(kind, number, work)),
        _ => false,
    }
}

/// The key that is always taken out.
fn deleted_key(edit: &Edit) -> Option<&str> {
    match edit.arguments.as_slice() {
        [_, Expr::Known(Value::String(key))] if edit.editor.name == "delete_key" => Some(key),
        _ => None,
    }
}

/// What an edit of text does to it. What goes wrong is told by the statement itself.
fn on_text(edit: &Edit) -> Option<Arc<OnText>> {
    let Work::Text(work) = &edit.work else { return None };
    let work = Arc::clone(work);
    Some(Arc::new(move |text, made| work(text, made).ok()))
}

/// The text of an item that a place is: its kind and the number of its field.
fn text_field(place: &Place) -> Option<(ItemKind, u32)> {
    let path = place.path.as_ref().filter(|_| matches!(place.field, Field::Plain(_)) && place.keys.is_empty())?;
    let of_kind = |kind: ItemKind| match path.steps(kind)? {
        [Step::Field(field)] if matches!(field.kind, Kind::String) && !field.is_repeated() => Some((kind, field.number)),
        _ => None,
    };
    of_kind(ItemKind::Span).or_else(|| of_kind(ItemKind::LogRecord))
}
