//! What actions are applied to: the attributes of a resource or of an item.

use std::fmt;
use std::sync::Arc;

use super::list::Of;
use crate::component::BuildError;
use crate::telemetry::{Context, ItemMut, Path, Signal, Value, ValueRef};

/// One attribute, by its key.
#[derive(Clone)]
pub struct Place {
    key: String,
    path: Path,
}

impl Place {
    /// The attribute of a key, among those of a resource or of an item.
    pub fn of(key: &str, signal: Signal, of: Of) -> Result<Self, BuildError> {
        let begin = match of {
            Of::Resource => "resource.",
            Of::Item => "",
        };
        let quoted = key.replace('\\', "\\\\").replace('"', "\\\"");
        let path = Path::parse(signal, &format!("{begin}attributes[\"{quoted}\"]"));
        let path =
            path.map_err(|error| BuildError::new(format!("{key:?} cannot be the key of an attribute: {error}"), "write another key"))?;
        Ok(Self { key: key.to_owned(), path })
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.key, f)
    }
}

/// Attributes that can be looked at and changed. What cannot be written (a value too deep for anybody to read) stays as it was.
pub trait Attributes {
    /// The value of a key; of a repeated key, the first.
    fn find(&self, key: &str) -> Option<ValueRef<'_>>;
    /// The keys that are wanted, in the order written.
    fn keys(&self, wanted: impl FnMut(&str) -> bool) -> Vec<String>;
    /// Puts a value there.
    fn set(&mut self, place: &Place, value: &Value);
    /// Takes it away, if it is there.
    fn delete(&mut self, place: &Place);
}

/// The attributes of a resource: changing them leads to another context.
#[derive(Debug)]
pub struct ResourceAttributes {
    context: Arc<Context>,
    is_changed: bool,
}

impl ResourceAttributes {
    /// Those of a context.
    pub fn of(context: &Arc<Context>) -> Self {
        Self { context: context.clone(), is_changed: false }
    }

    /// The context with what was changed; `None` where nothing was.
    pub fn changed(self) -> Option<Arc<Context>> {
        self.is_changed.then_some(self.context)
    }

    fn take(&mut self, changed: Option<Arc<Context>>) {
        if let Some(context) = changed {
            self.context = context;
            self.is_changed = true;
        }
    }
}

impl Attributes for ResourceAttributes {
    fn find(&self, key: &str) -> Option<ValueRef<'_>> {
        self.context.resource_attribute(key)
    }

    fn keys(&self, mut wanted: impl FnMut(&str) -> bool) -> Vec<String> {
        self.context.resource_attributes().map(|attribute| attribute.key_text().into_owned()).filter(|key| wanted(key)).collect()
    }

    fn set(&mut self, place: &Place, value: &Value) {
        let changed = self.context.set(&place.path, value).ok();
        self.take(changed);
    }

    fn delete(&mut self, place: &Place) {
        let changed = self.context.delete(&place.path).ok().flatten();
        self.take(changed);
    }
}

impl Attributes for ItemMut<'_> {
    fn find(&self, key: &str) -> Option<ValueRef<'_>> {
        self.item().attribute(key)
    }

    fn keys(&self, mut wanted: impl FnMut(&str) -> bool) -> Vec<String> {
        let item = self.item();
        item.attributes().map(|attribute| attribute.key_text()).filter(|key| wanted(key)).map(std::borrow::Cow::into_owned).collect()
    }

    fn set(&mut self, place: &Place, value: &Value) {
        let _too_deep = ItemMut::set(self, &place.path, value);
    }

    fn delete(&mut self, place: &Place) {
        let _not_there = ItemMut::delete(self, &place.path);
    }
}
