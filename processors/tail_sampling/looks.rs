//! What policies look for in spans. Each span is looked at once, when it arrives and its bytes are warm; what is found are bits of its trace.
//!
//! A policy that asks whether *some* span has something [registers the question](Looks::attribute) when it is made, gets a [`Bit`], and
//! reads that when it votes. Questions about attributes are answered in one pass over the attributes of a span, those about a resource once
//! for all spans that share it, and once all questions of a kind are answered for a trace nobody looks for more.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use tracetailor_core::telemetry::{Context, ContextCache, Item, StatusCode, ValueRef};

use super::randomness;
use super::seen::{Bit, Bits, Seen};
use super::ways::Ways;
use super::why::Told;

/// A question about one attribute.
pub(super) trait AttributeTest: Send {
    /// Whether the value that a span has under the key is meant.
    fn fits_span(&mut self, value: ValueRef<'_>) -> bool;

    /// Whether the value that a resource has under the key is meant.
    fn fits_resource(&mut self, value: ValueRef<'_>) -> bool {
        self.fits_span(value)
    }

    /// What of the value that fitted last decided, for whoever asks why: a number, or the place of a rule; never a text.
    fn told(&self) -> Option<Told> {
        None
    }
}

/// A question about a span as a whole.
pub(super) trait SpanTest: Send {
    /// Whether the span is meant.
    fn answer(&mut self, span: &Item<'_>) -> Answer;
}

/// Somebody who has several questions and answers them together.
pub(super) trait Watch: Send {
    /// Sets the bits of what a span answers with yes.
    fn watch(&mut self, span: &Item<'_>, seen: &mut Bits);
}

/// What a question about a span comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// It could not be found out.
    Failed,
}

/// A question about the extent of a trace so far, asked after every span: only the Collector does this.
pub(super) type ExtentTest = fn(milliseconds: i64, (i64, i64)) -> bool;

/// All questions of all policies.
#[derive(Default)]
pub(super) struct Looks {
    /// How many bits there are.
    bits: usize,
    keys: Vec<Key>,
    /// The lengths of all keys, one bit each: most attributes need no further look.
    lengths: u128,
    resources: ContextCache<Answers>,
    /// The context of the newest span and what its resource answers: neighbours share it.
    newest: Option<(u64, Answers)>,
    heads: Vec<(HeadTest, Bit)>,
    spans: Vec<SpanQuestion>,
    watches: Vec<Box<dyn Watch>>,
    /// The first answer counts, also where it is none, as in the Collector.
    first_answer_counts: bool,
    extents: Vec<(ExtentTest, (i64, i64), Bit)>,
    /// When these are set, attributes have nothing more to tell.
    attribute_bits: Bits,
    wants: Wants,
    /// The service of each context as a number, where somebody asks.
    services: Option<ContextCache<u64>>,
    names: RandomState,
}

/// What is kept of a trace beside bits.
#[derive(Clone, Copy, Debug, Default)]
struct Wants {
    extent: bool,
    randomness: bool,
    sizes: bool,
    structure: bool,
    told: bool,
}

/// What a resource answers.
#[derive(Clone, Debug, Default)]
struct Answers {
    bits: Bits,
    /// What decided, of some of them.
    told: Vec<(Bit, Told)>,
}

struct SpanQuestion {
    test: Box<dyn SpanTest>,
    yes: Bit,
    failed: Option<Bit>,
}

struct Key {
    key: Vec<u8>,
    tests: Vec<(Box<dyn AttributeTest>, Bit)>,
}

/// A question that a span's head answers.
enum HeadTest {
    Status(Vec<StatusCode>),
    Flags(u16),
}

impl Looks {
    /// No questions yet.
    pub(super) fn new(ways: Ways) -> Self {
        Self { first_answer_counts: ways.original, ..Self::default() }
    }

    /// Asks for spans or resources with an attribute.
    pub(super) fn attribute(&mut self, key: &str, test: Box<dyn AttributeTest>) -> Bit {
        let bit = self.bit();
        self.attribute_bits.set(bit);
        self.lengths |= length_bit(key.len());
        match self.keys.iter_mut().find(|known| known.key == key.as_bytes()) {
            Some(known) => known.tests.push((test, bit)),
            None => self.keys.push(Key { key: key.as_bytes().to_vec(), tests: vec![(test, bit)] }),
        }
        bit
    }

    /// Asks for spans that ended in one of these ways.
    pub(super) fn status(&mut self, codes: Vec<StatusCode>) -> Bit {
        let bit = self.bit();
        self.heads.push((HeadTest::Status(codes), bit));
        bit
    }

    /// Asks for spans with these bits in their heads.
    pub(super) fn flags(&mut self, flags: u16) -> Bit {
        let bit = self.bit();
        self.heads.push((HeadTest::Flags(flags), bit));
        bit
    }

    /// Asks for spans of which something else is true.
    pub(super) fn span(&mut self, test: Box<dyn SpanTest>) -> Bit {
        let yes = self.bit();
        self.spans.push(SpanQuestion { test, yes, failed: None });
        yes
    }

    /// The same where it may not be possible to find out: a second bit says that there was such a span.
    pub(super) fn span_that_may_fail(&mut self, test: Box<dyn SpanTest>) -> (Bit, Bit) {
        let (yes, failed) = (self.bit(), self.bit());
        self.spans.push(SpanQuestion { test, yes, failed: Some(failed) });
        (yes, failed)
    }

    /// Shows every span to somebody who asked for [bits](Self::bit).
    pub(super) fn watch(&mut self, watch: Box<dyn Watch>) {
        self.watches.push(watch);
    }

    /// Asks after every span how long the trace is so far.
    pub(super) fn extent_so_far(&mut self, test: ExtentTest, bounds: (i64, i64)) -> Bit {
        let bit = self.bit();
        self.extents.push((test, bounds, bit));
        bit
    }

    /// Somebody needs to know from when to when a trace is.
    pub(super) fn want_extent(&mut self) {
        self.wants.extent = true;
    }

    /// Somebody decides by chance.
    pub(super) fn want_randomness(&mut self) {
        self.wants.randomness = true;
    }

    /// Somebody needs to know how large a trace is as the Collector counts.
    pub(super) fn want_sizes(&mut self) {
        self.wants.sizes = true;
    }

    /// Whether somebody does.
    pub(super) fn wants_sizes(&self) -> bool {
        self.wants.sizes
    }

    /// Somebody may ask why.
    pub(super) fn want_told(&mut self) {
        self.wants.told = true;
    }

    /// Somebody needs to know the shape of a trace.
    pub(super) fn want_structure(&mut self) {
        self.wants.structure = true;
    }

    /// Whether somebody does.
    pub(super) fn wants_structure(&self) -> bool {
        self.wants.structure
    }

    /// Somebody needs to know from how many services a trace is.
    pub(super) fn want_services(&mut self) {
        self.services.get_or_insert_default();
    }

    /// A place for one more answer.
    pub(super) fn bit(&mut self) -> Bit {
        self.bits += 1;
        Bit(self.bits - 1)
    }

    /// Looks at a span, and adds what it tells to what is known of its trace.
    pub(super) fn look(&mut self, span: &Item<'_>, seen: &mut Seen) {
        self.look_at_head(span, seen);
        if !self.keys.is_empty() {
            self.look_at_resource(span, seen);
            self.look_at_attributes(span, seen);
        }
        for SpanQuestion { test, yes, failed } in &mut self.spans {
            let is_over = self.first_answer_counts && failed.is_some_and(|failed| seen.bits.has(failed));
            if is_over || seen.bits.has(*yes) {
                continue;
            }
            match (test.answer(span), failed) {
                (Answer::Yes, _) => seen.bits.set(*yes),
                (Answer::Failed, Some(failed)) => seen.bits.set(*failed),
                _ => {}
            }
        }
        self.watches.iter_mut().for_each(|watch| watch.watch(span, &mut seen.bits));
        if self.wants.randomness
            && let Some(stated) = randomness::stated(span.trace_state())
        {
            // Spans of one trace should agree. Where they do not, the order in which they come must make no difference.
            seen.stated = Some(seen.stated.map_or(stated, |known| known.min(stated)));
        }
        if self.wants.sizes {
            seen.rare_mut().sizes.add(span);
        }
        if let Some(services) = &mut self.services {
            let names = &self.names;
            seen.rare_mut().services.add(*services.get(span.context(), |context| service_of(context, names)));
        }
    }

    fn look_at_head(&mut self, span: &Item<'_>, seen: &mut Seen) {
        let head = span.head();
        for (test, bit) in &self.heads {
            let fits = match test {
                HeadTest::Status(codes) => codes.contains(&head.status_code()),
                HeadTest::Flags(flags) => head.has(*flags),
            };
            if fits {
                seen.bits.set(*bit);
            }
        }
        if self.wants.extent {
            seen.extent.add(head.start, head.end);
        }
        if !self.extents.is_empty() {
            let running = &mut seen.rare_mut().running;
            running.add_as_otelcol(head.start, head.end);
            let so_far = running.milliseconds();
            self.extents.iter().filter(|(test, bounds, _)| test(so_far, *bounds)).for_each(|(_, _, bit)| seen.bits.set(*bit));
        }
    }

    fn look_at_resource(&mut self, span: &Item<'_>, seen: &mut Seen) {
        let context = span.context();
        if self.newest.as_ref().is_none_or(|(newest, _)| *newest != context.id()) {
            let Self { keys, resources, wants, .. } = self;
            let answers = resources.get(context, |context| answers_of(context, keys, wants.told));
            self.newest = Some((context.id(), answers.clone()));
        }
        if let Some((_, answers)) = &self.newest {
            for answer in &answers.told {
                if !seen.bits.has(answer.0) {
                    seen.rare_mut().told.push(*answer);
                }
            }
            seen.bits.add(&answers.bits);
        }
    }

    fn look_at_attributes(&mut self, span: &Item<'_>, seen: &mut Seen) {
        if seen.bits.has_all(&self.attribute_bits) {
            return;
        }
        // Of a repeated key the first is meant, so each is entered once per span.
        let mut entered = 0u64;
        for attribute in span.attributes() {
            if self.lengths & length_bit(attribute.key.len()) == 0 {
                continue;
            }
            let Some(place) = self.keys.iter().position(|known| known.key == attribute.key) else { continue };
            let mark = 1u64.checked_shl(u32::try_from(place).unwrap_or(u32::MAX)).unwrap_or(0);
            if entered & mark != 0 {
                continue;
            }
            entered |= mark;
            for (test, bit) in &mut self.keys[place].tests {
                if !seen.bits.has(*bit) && test.fits_span(attribute.value()) {
                    seen.bits.set(*bit);
                    if let Some(told) = test.told().filter(|_| self.wants.told) {
                        seen.rare_mut().told.push((*bit, told));
                    }
                }
            }
        }
    }
}

/// What a resource answers by itself, for all its spans.
fn answers_of(context: &Context, keys: &mut [Key], wants_told: bool) -> Answers {
    let mut answers = Answers::default();
    for Key { key, tests } in keys {
        let Some(attribute) = context.resource_attributes().find(|attribute| attribute.key == key.as_slice()) else { continue };
        for (test, bit) in tests {
            if test.fits_resource(attribute.value()) {
                answers.bits.set(*bit);
                answers.told.extend(test.told().filter(|_| wants_told).map(|told| (*bit, told)));
            }
        }
    }
    answers
}

/// The name of a service as a number; those without a name have the same.
fn service_of(context: &Context, names: &RandomState) -> u64 {
    let name = context.resource_attribute("service.name");
    names.hash_one(name.as_ref().and_then(|name| name.text()).unwrap_or_default().as_bytes())
}

/// Lengths from 127 on share a bit.
fn length_bit(length: usize) -> u128 {
    1 << length.min(127)
}
