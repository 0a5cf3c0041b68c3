//! What is counted of decisions, under the Collector's names.

use tracetailor_core::component::{Counter, ProcessorContext};
use tracetailor_core::telemetry::Signal;

use super::Policy;

/// One lane's counters: for each policy, of those dropped and of those kept. Made when they are first needed, as most policies never decide.
pub(super) struct Counts {
    context: ProcessorContext,
    attribute: String,
    counters: [[Option<Counter>; 2]; 6],
}

impl Counts {
    pub(super) fn new(context: &ProcessorContext, attribute: &str) -> Self {
        Self { context: context.clone(), attribute: attribute.to_owned(), counters: Default::default() }
    }

    /// The attribute that gives its name to a policy.
    pub(super) fn name_attribute(&mut self, attribute: &str) {
        if self.attribute != attribute {
            self.attribute = attribute.to_owned();
            self.counters[Policy::Attribute as usize] = Default::default();
        }
    }

    pub(super) fn decided(&mut self, policy: Policy, is_kept: bool) {
        let (context, attribute) = (&self.context, &self.attribute);
        let counter = self.counters[policy as usize][usize::from(is_kept)].get_or_insert_with(|| {
            let name = match context.line.signal() {
                Signal::Logs => "otelcol_processor_probabilistic_sampler_count_logs_sampled",
                _ => "otelcol_processor_probabilistic_sampler_count_traces_sampled",
            };
            let processor = context.id.to_string();
            let labels = [
                ("processor", processor.as_str()),
                ("policy", policy.name(attribute)),
                ("sampled", if is_kept { "true" } else { "false" }),
            ];
            context.counters.counter(name, &labels)
        });
        counter.add(1);
    }
}

impl Policy {
    fn name(self, attribute: &str) -> &str {
        match self {
            Policy::TraceId => "trace_id_w3c",
            Policy::TraceIdHash => "trace_id_hash",
            Policy::Attribute => attribute,
            Policy::Named => "sampling_randomness",
            Policy::Priority => "sampling_priority",
            Policy::Missing => "missing_randomness",
        }
    }
}
