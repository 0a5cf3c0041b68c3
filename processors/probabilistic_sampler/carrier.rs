//! Where an item carries its randomness and threshold: a span in its trace state, a log record in two attributes.

use std::sync::LazyLock;

use tracetailor_core::attributes::{Attributes, Of, Place};
use tracetailor_core::probability::{OtelState, Randomness, Threshold};
use tracetailor_core::telemetry::{Item, ItemKind, ItemMut, Path, Signal, Value};

/// What an item carries, and will.
pub(super) struct Carrier {
    randomness: Option<Randomness>,
    threshold: Option<Threshold>,
    /// Whether its threshold tells how much was dropped.
    is_stated: bool,
    /// The whole trace state of a span.
    state: Option<String>,
}

/// What an item says of sampling.
pub(super) enum State {
    Read(Carrier),
    /// Something that nobody can read, which is left alone.
    Malformed,
}

/// The attributes of a log record.
const RANDOMNESS: &str = "sampling.randomness";
const THRESHOLD: &str = "sampling.threshold";

/// The places that are written to. Their names are valid, so they are always there.
static TRACE_STATE: LazyLock<Option<Path>> = LazyLock::new(|| Path::parse(Signal::Traces, "trace_state").ok());
static PLACES: LazyLock<Option<[Place; 2]>> = LazyLock::new(|| {
    let place = |key| Place::of(key, Signal::Logs, Of::Item).ok();
    Some([place(RANDOMNESS)?, place(THRESHOLD)?])
});

impl Carrier {
    pub(super) fn of(item: &Item<'_>) -> State {
        match item.kind() {
            ItemKind::Span => Self::of_span(item),
            _ => Self::of_record(item),
        }
    }

    fn of_span(span: &Item<'_>) -> State {
        let state = match TRACE_STATE.as_ref().and_then(|path| span.get(path)) {
            Some(Value::String(state)) => state,
            _ => String::new(),
        };
        let Ok(read) = OtelState::read(&state) else { return State::Malformed };
        State::Read(Carrier { randomness: read.randomness(), threshold: read.threshold(), is_stated: true, state: Some(state) })
    }

    fn of_record(record: &Item<'_>) -> State {
        let text = |key| record.attribute(key).map(|value| value.text().unwrap_or_default());
        // In the same words as in a trace state, so that they are read by the same rules.
        let randomness = text(RANDOMNESS).map(|text| OtelState::read(&format!("ot=rv:{text}")).map(|state| state.randomness()));
        let threshold = text(THRESHOLD).map(|text| OtelState::read(&format!("ot=th:{text}")).map(|state| state.threshold()));
        match (randomness.transpose(), threshold.transpose()) {
            (Ok(randomness), Ok(threshold)) => {
                State::Read(Carrier { randomness: randomness.flatten(), threshold: threshold.flatten(), is_stated: true, state: None })
            }
            _ => State::Malformed,
        }
    }

    pub(super) fn randomness(&self) -> Option<Randomness> {
        self.randomness
    }

    pub(super) fn threshold(&self) -> Option<Threshold> {
        self.threshold
    }

    pub(super) fn set_randomness(&mut self, randomness: Randomness) {
        self.randomness = Some(randomness);
    }

    /// Takes the threshold away and lets nobody set one: what is dropped from here on has nothing to do with it.
    pub(super) fn leave_unstated(&mut self) {
        self.threshold = None;
        self.is_stated = false;
    }

    /// A threshold is raised, never lowered.
    pub(super) fn set_threshold(&mut self, threshold: Threshold) {
        if !self.is_stated {
            return;
        }
        self.threshold = Some(self.threshold.map_or(threshold, |before| before.max(threshold)));
    }

    pub(super) fn erase_threshold(&mut self) {
        self.threshold = None;
    }

    /// Writes down what it says now. An item that has no room for it stays as it is.
    pub(super) fn write_to(&self, item: &mut ItemMut<'_>) {
        match &self.state {
            Some(before) => self.write_to_span(before, item),
            None => self.write_to_record(item),
        }
    }

    fn write_to_span(&self, before: &str, span: &mut ItemMut<'_>) {
        let (Ok(mut state), Some(path)) = (OtelState::read(before), TRACE_STATE.as_ref()) else { return };
        state.erase_threshold();
        if let Some(threshold) = self.threshold {
            state.set_threshold(threshold);
        }
        if let Some(randomness) = self.randomness {
            state.set_randomness(randomness);
        }
        let after = state.to_string();
        if after != before {
            let _ = span.set(path, &Value::String(after));
        }
    }

    fn write_to_record(&self, record: &mut ItemMut<'_>) {
        let Some([randomness, threshold]) = PLACES.as_ref() else { return };
        if let Some(value) = self.randomness {
            Attributes::set(record, randomness, &Value::String(value.to_string()));
        }
        match self.threshold {
            Some(value) => Attributes::set(record, threshold, &Value::String(value.to_string())),
            None => Attributes::delete(record, threshold),
        }
    }
}
