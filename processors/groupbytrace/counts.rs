//! What is counted of traces that wait, under the Collector's names.

use std::collections::HashSet;

use tracetailor_core::component::{Counter, Gauge, ProcessorContext, Trigger};
use tracetailor_core::trace_store::Slot;

/// One lane's counters.
pub(super) struct Counts {
    open: HashSet<usize>,
    in_memory: Gauge,
    evicted: Counter,
    traces: Counter,
    spans: Counter,
    /// Shown as long as there is somebody to whom it applies.
    _most: Option<Gauge>,
}

impl Counts {
    pub(super) fn new(context: &ProcessorContext, most: u64) -> Self {
        let id = context.id.to_string();
        let labels = [("processor", id.as_str())];
        let counter = |name: &str| context.counters.counter(name, &labels);
        // The limit is for all lanes, so one of them shows it.
        let limit = (context.lane.index == 0).then(|| context.counters.gauge("otelcol_processor_groupbytrace_conf_num_traces", &labels));
        if let Some(limit) = &limit {
            limit.set(i64::try_from(most).unwrap_or(i64::MAX));
        }
        Self {
            open: HashSet::new(),
            in_memory: context.counters.gauge("otelcol_processor_groupbytrace_num_traces_in_memory", &labels),
            evicted: counter("otelcol_processor_groupbytrace_traces_evicted"),
            traces: counter("otelcol_processor_groupbytrace_traces_released"),
            spans: counter("otelcol_processor_groupbytrace_spans_released"),
            _most: limit,
        }
    }

    /// A trace waits; one that is shown again waited before.
    pub(super) fn opened(&mut self, slot: Slot) {
        self.open.insert(slot.index());
        self.tell();
    }

    /// It waits no longer.
    pub(super) fn closed(&mut self, slot: Slot) {
        self.open.remove(&slot.index());
        self.tell();
    }

    fn tell(&self) {
        self.in_memory.set(i64::try_from(self.open.len()).unwrap_or(i64::MAX));
    }

    /// It goes on, and why now.
    pub(super) fn released(&self, trigger: Trigger, spans: u64) {
        self.traces.add(1);
        self.spans.add(spans);
        if matches!(trigger, Trigger::Count | Trigger::Memory | Trigger::Size) {
            self.evicted.add(1);
        }
    }
}
