//! What the builders of the three signals have in common: an item, and the resource and scope that it stands under.

use super::otlp::{InstrumentationScope, Resource};
use super::value::{IntoValue, attribute};

/// The resource and scope that an item is sent under. Items with equal places share one group of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// The resource; a request may leave it out.
    pub resource: Option<Resource>,
    /// The schema that the resource's attributes follow.
    pub resource_schema_url: String,
    /// The scope; a request may leave it out.
    pub scope: Option<InstrumentationScope>,
    /// The schema that the scope's items follow.
    pub scope_schema_url: String,
}

/// An item being built: a span, a log record or a metric. Every method gives the builder back, so that a test reads as one sentence.
#[derive(Clone, Debug)]
pub struct Built<T> {
    /// The item itself.
    pub item: T,
    /// What it is sent under.
    pub place: Place,
}

impl<T> Built<T> {
    pub(super) fn new(item: T) -> Self {
        Self { item, place: Place::default() }
    }

    /// The resource's `service.name`.
    pub fn service(self, name: &str) -> Self {
        self.resource("service.name", name)
    }

    /// One more attribute of the resource; a key that is there already is overwritten.
    pub fn resource(mut self, key: &str, value: impl IntoValue) -> Self {
        let attributes = &mut self.place.resource.get_or_insert_default().attributes;
        attributes.retain(|known| known.key != key);
        attributes.push(attribute(key, value));
        self
    }

    /// The name and version of the scope.
    pub fn scope(mut self, name: &str, version: &str) -> Self {
        let scope = self.place.scope.get_or_insert_default();
        scope.name = name.to_owned();
        scope.version = version.to_owned();
        self
    }

    /// One more attribute of the scope.
    pub fn scope_attribute(mut self, key: &str, value: impl IntoValue) -> Self {
        self.place.scope.get_or_insert_default().attributes.push(attribute(key, value));
        self
    }

    /// The schema urls of resource and scope.
    pub fn schema_urls(mut self, resource: &str, scope: &str) -> Self {
        self.place.resource_schema_url = resource.to_owned();
        self.place.scope_schema_url = scope.to_owned();
        self
    }

    /// The very place, for what the methods above do not say.
    pub fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

/// Items under their places.
pub(super) type Groups<T> = Vec<(Place, T)>;

/// Groups items by resource, then by scope, each in the order of first appearance.
pub(super) fn grouped<T>(items: impl IntoIterator<Item = Built<T>>) -> Groups<Groups<Vec<T>>> {
    let mut groups: Groups<Groups<Vec<T>>> = Vec::new();
    for Built { item, place } in items {
        let resource = entry(&mut groups, &place, same_resource);
        entry(resource, &place, |a, b| a == b).push(item);
    }
    groups
}

fn same_resource(a: &Place, b: &Place) -> bool {
    a.resource == b.resource && a.resource_schema_url == b.resource_schema_url
}

fn entry<'a, T>(groups: &'a mut Groups<Vec<T>>, place: &Place, same: fn(&Place, &Place) -> bool) -> &'a mut Vec<T> {
    let index = groups.iter().position(|(known, _)| same(known, place)).unwrap_or(groups.len());
    if index == groups.len() {
        groups.push((place.clone(), Vec::new()));
    }
    &mut groups[index].1
}
