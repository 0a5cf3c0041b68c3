//! Whole traces by their shape: `trace_of("a -> b, c; c -> d")`, and a table of every odd shape that production sends.

use std::collections::BTreeSet;

use super::built::Built;
use super::ids::IntoTraceId;
use super::otlp::{ExportTraceServiceRequest, SpanKind};
use super::spans::{SpanDraft, span, traces};

/// How long a span lasts before its first and after its last child, and how long one without children lasts, in milliseconds.
const STEP: u64 = 10;

/// The spans of one trace, in the order in which the text names them.
#[derive(Clone, Debug)]
pub struct Trace {
    spans: Vec<Built<SpanDraft>>,
}

/// A trace drawn as text.
///
/// | text | trace |
/// |---|---|
/// | `a -> b -> c` | a chain |
/// | `a -> b, c, d` | `a` has three children |
/// | `a -> b, c; c -> d` | a name met again is the same span |
/// | `a -> b; x -> y` | two roots in one trace |
/// | `a -> [b] -> c` | `b` was never sent: `c` names a parent that is missing |
/// | `[a] -> b, c` | two orphans of one missing parent |
/// | `a -> b -> a` | a cycle |
/// | `a@web -> b@cart` | spans of two services |
///
/// The spans' names are their ids, the trace's id is the text's, parents enclose their children in time, and siblings follow each other.
/// A span with children in another service is a client, one with a parent in another service a server, the others are internal.
pub fn trace_of(text: &str) -> Trace {
    let drawing = Drawing::read(text);
    let sent = drawing.nodes.iter().enumerate().filter(|(_, node)| !node.missing);
    Trace { spans: sent.map(|(index, node)| drawing.span(index, node, text)).collect() }
}

#[derive(Default)]
struct Drawing {
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    name: String,
    service: Option<String>,
    missing: bool,
    parent: Option<usize>,
    children: Vec<usize>,
    start: u64,
    end: u64,
}

impl Drawing {
    fn read(text: &str) -> Self {
        let mut drawing = Self::default();
        for chain in text.split([';', '\n']).filter(|chain| !chain.trim().is_empty()) {
            drawing.read_chain(chain);
        }
        drawing.tell_times();
        drawing
    }

    fn read_chain(&mut self, chain: &str) {
        let mut above: Option<usize> = None;
        for link in chain.split("->") {
            let level: Vec<usize> = link.split(',').map(|name| self.node(name.trim())).collect();
            for &below in above.iter().flat_map(|_| &level) {
                self.nodes[below].parent = above;
            }
            if let Some(above) = above {
                self.nodes[above].children.extend(&level);
            }
            above = level.last().copied();
        }
    }

    fn node(&mut self, text: &str) -> usize {
        let missing = text.starts_with('[');
        let text = text.trim_matches(['[', ']']);
        assert!(!text.is_empty(), "a span of the drawing has no name");
        let (name, service) = text.split_once('@').map_or((text, None), |(name, service)| (name, Some(service.to_owned())));
        let index = self.nodes.iter().position(|node| node.name == name).unwrap_or(self.nodes.len());
        if index == self.nodes.len() {
            self.nodes.push(Node { name: name.to_owned(), ..Node::default() });
        }
        let node = &mut self.nodes[index];
        node.missing |= missing;
        node.service = service.or(node.service.take());
        index
    }

    /// Roots first, then whatever only a cycle leads to.
    fn tell_times(&mut self) {
        let mut told = BTreeSet::new();
        let mut now = 0;
        let roots: Vec<usize> = (0..self.nodes.len()).filter(|&index| self.nodes[index].parent.is_none()).collect();
        for index in roots.into_iter().chain(0..self.nodes.len()) {
            now = self.tell_time(index, now, &mut told);
        }
    }

    fn tell_time(&mut self, index: usize, start: u64, told: &mut BTreeSet<usize>) -> u64 {
        if !told.insert(index) {
            return start;
        }
        let mut now = start + STEP;
        for child in self.nodes[index].children.clone() {
            now = self.tell_time(child, now, told);
        }
        let end = if self.nodes[index].children.is_empty() { now } else { now + STEP };
        (self.nodes[index].start, self.nodes[index].end) = (start, end);
        end
    }

    fn span(&self, index: usize, node: &Node, trace: &str) -> Built<SpanDraft> {
        let mut built = span(&node.name).trace(trace).times(node.start, node.end).kind(self.kind(index));
        if let Some(parent) = node.parent {
            built = built.parent(self.nodes[parent].name.as_str());
        }
        match &node.service {
            Some(service) => built.service(service),
            None => built,
        }
    }

    fn kind(&self, index: usize) -> SpanKind {
        let node = &self.nodes[index];
        let elsewhere = |other: usize| self.nodes[other].service != node.service;
        if node.children.iter().copied().any(elsewhere) {
            SpanKind::Client
        } else if node.parent.is_some_and(elsewhere) {
            SpanKind::Server
        } else {
            SpanKind::Internal
        }
    }
}

impl Trace {
    /// Changes the span of this name: `trace.change("b", |span| span.status_error("timed out"))`. Panics where there is none.
    pub fn change(mut self, name: &str, change: impl FnOnce(Built<SpanDraft>) -> Built<SpanDraft>) -> Self {
        let index = self.spans.iter().position(|span| span.name() == name);
        let index = index.unwrap_or_else(|| panic!("the trace has no span {name:?}"));
        let built = self.spans.remove(index);
        self.spans.insert(index, change(built));
        self
    }

    /// Changes every span.
    pub fn change_all(mut self, change: impl FnMut(Built<SpanDraft>) -> Built<SpanDraft>) -> Self {
        self.spans = self.spans.into_iter().map(change).collect();
        self
    }

    /// Gives the trace another id.
    pub fn trace(self, id: impl IntoTraceId) -> Self {
        let id = id.trace_id_bytes();
        self.change_all(|span| span.trace(id.as_slice()))
    }

    /// The same spans in the order that a test wants them to arrive in. Panics unless every span is named once.
    pub fn in_order(mut self, names: &[&str]) -> Self {
        let place = |span: &Built<SpanDraft>| names.iter().position(|name| *name == span.name());
        let all = names.len() == self.spans.len() && self.spans.iter().all(|span| place(span).is_some());
        assert!(all, "name each of the {} spans once", self.spans.len());
        self.spans.sort_by_key(place);
        self
    }

    /// The builders of its spans, to send in several requests.
    pub fn spans(self) -> Vec<Built<SpanDraft>> {
        self.spans
    }

    /// One request with all of it.
    pub fn request(self) -> ExportTraceServiceRequest {
        traces(self.spans)
    }
}

/// Every odd shape, each with a name for a failing test to print: what a processor of traces must come through unharmed, books balanced.
pub fn odd_shapes() -> Vec<(&'static str, Trace)> {
    let drawn = [
        ("single span", "a"),
        ("chain", "a -> b -> c -> d"),
        ("fan-out", "a -> b, c, d, e, f"),
        ("tree", "a -> b, c; b -> d, e; c -> f"),
        ("services", "a@web -> b@web -> c@cart -> d@cart -> e@db"),
        ("two roots", "a -> b; c -> d"),
        ("orphan", "a -> b; [x] -> c"),
        ("orphans of one parent", "a; [x] -> b, c, d"),
        ("missing middle", "a -> [b] -> c -> d"),
        ("missing twice in a row", "a -> [b] -> [c] -> d"),
        ("missing root", "[a] -> b, c; b -> d"),
        ("only orphans of different parents", "[x] -> a; [y] -> b; [z] -> c"),
        ("cycle of two", "a -> b -> a"),
        ("cycle beside a root", "r -> s; a -> b -> c -> a"),
        ("its own parent", "a -> a"),
    ];
    let drawn = drawn.map(|(name, text)| (name, trace_of(text)));
    drawn.into_iter().chain(changed_shapes()).collect()
}

/// What a drawing cannot say.
fn changed_shapes() -> [(&'static str, Trace); 13] {
    let chain = || trace_of("a -> b -> c");
    [
        ("zero span id", chain().change("b", |span| span.id(0))),
        ("zero span id of the root", chain().change("a", |span| span.id(0))),
        ("zero parent id", chain().change("b", |span| span.parent(0))),
        ("short span id", chain().change("b", |span| span.id([7; 4]))),
        ("long parent id", chain().change("c", |span| span.parent([7; 12]))),
        ("shared span id", trace_of("a -> b, c; b -> d").change("c", |span| span.id("b"))),
        ("shared by client and server", trace_of("a@web -> b@cart -> c@cart").change("b", |span| span.id("a").parent([]))),
        ("the same span twice", twice(chain())),
        ("child before its parent in time", chain().change("c", |span| span.times(0, 1)).change("a", |span| span.times(500, 900))),
        ("ends before it starts", chain().change("b", |span| span.times(20, 5))),
        ("no times", chain().change_all(|span| span.times_nanos(0, 0))),
        ("all failed", chain().change_all(|span| span.status_error("refused").exception("IoError", "refused"))),
        ("links", chain().change("b", |span| span.link("another", "x").link("a -> b -> c", "c").link(0, 0))),
    ]
}

fn twice(mut trace: Trace) -> Trace {
    let again: Vec<_> = trace.spans.iter().map(|built| built.clone().id(built.name())).collect();
    trace.spans.extend(again);
    trace
}
