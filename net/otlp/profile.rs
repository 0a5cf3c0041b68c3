//! Named back ends: what they must never see, what they cut without a word, and what their answers mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracetailor_core::component::{BuildContext, Counter, ExportError, Failing, Parcel};
use tracetailor_core::config::{Backend, ByteSize, ConfigErrors};
use tracetailor_core::ledger::{Cause, Fate};
use tracetailor_core::telemetry::{Attribute, Head, Item, Signal, Telemetry, ValueRef};

use super::trace_sizes::TraceSizes;
use crate::client::Headers;

/// The most bytes that Tempo keeps of the text of an attribute, unless it is configured otherwise.
const TEMPO_KEEPS: usize = 2048;

/// What gRPC's libraries take in one message unless a server says otherwise.
const GRPC_TAKES: ByteSize = ByteSize::mib(4);

/// What Coralogix takes at the most in one request, before compression.
const CORALOGIX_TAKES: u64 = 10_000_000;

/// Whether Tempo says that a batch is too large for its limit, which no waiting changes, though it asks to wait: outright, or by telling a burst
/// that is smaller than what it should have added.
pub(super) fn is_above_burst(said: &str) -> bool {
    let number_behind = |words: &str| {
        let rest = said.split_once(words)?.1;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
    };
    said.contains("batch size") || number_behind("burst: ").zip(number_behind("while adding ")).is_some_and(|(burst, added)| added > burst)
}

/// Stands before a back end that some spans would harm.
pub(super) struct Profile {
    backend: Backend,
    bad_id: Cause,
    cut: Counter,
    /// Where the back end forgets what is too much of one trace.
    sizes: Option<TraceSizes>,
    /// Whether anybody was told of each of the two, in whatever lane.
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    bad_ids: AtomicBool,
    cuts: AtomicBool,
}

impl Profile {
    pub(super) fn of(backend: Option<Backend>, context: &BuildContext) -> Option<Self> {
        let backend = backend?;
        let exporter = context.id.to_string();
        Some(Self {
            backend,
            bad_id: context.cause("bad_id"),
            cut: context.counters.counter("tracetailor_exporter_attributes_cut_total", &[("exporter", &exporter)]),
            sizes: (backend == Backend::Tempo).then(|| TraceSizes::before_tempo(context)),
            told: context.share("profile", Told::default),
        })
    }

    /// Takes out what the back end must not see, and counts what it will cut.
    pub(super) fn prepare(&self, mut batch: Telemetry) -> Vec<Parcel> {
        if batch.signal() == Signal::Traces && self.backend != Backend::Coralogix {
            self.take_out_bad_ids(&mut batch);
        }
        if self.backend == Backend::Tempo {
            self.count_cuts(&batch);
        }
        vec![Parcel { way: 0, batch }]
    }

    /// A request was taken as a whole.
    pub(super) fn delivered(&self, batch: &Telemetry) {
        self.sizes.iter().for_each(|sizes| sizes.delivered(batch));
    }

    /// Tempo stores a span without an id, and breaks when it is read; Jaeger hides every older trace behind one without a trace id; both
    /// refuse a whole request for an id of another length.
    fn take_out_bad_ids(&self, batch: &mut Telemetry) {
        let bad = batch.heads().iter().filter(|head| is_bad(head)).count();
        if bad == 0 {
            return;
        }
        if !self.told.bad_ids.swap(true, Ordering::Relaxed) {
            let advice = "stitch puts ids right; its README says which";
            tracing::warn!(
                backend = self.name(),
                spans = bad,
                advice,
                "spans without an id of the right length are kept from the back end"
            );
        }
        batch.settle_items(Fate::Failed(self.bad_id), |span| is_bad(span.head()));
    }

    fn count_cuts(&self, batch: &Telemetry) {
        let mut last = None;
        let mut cuts = 0;
        let mut key = None;
        for item in batch.items() {
            let mut count = |attribute: Attribute<'_>| {
                if is_long(&attribute) {
                    cuts += 1;
                    key.get_or_insert_with(|| attribute.key_text().into_owned());
                }
            };
            if last.replace(item.context().id()) != Some(item.context().id()) && item.context().size() > TEMPO_KEEPS {
                item.context().resource_attributes().for_each(&mut count);
            }
            if is_large(&item) {
                item.attributes().for_each(&mut count);
            }
        }
        let Some(key) = key else { return };
        self.cut.add(cuts);
        if !self.told.cuts.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                attribute = key,
                kept = TEMPO_KEEPS,
                advice = "transform's truncate_all, or a higher max_attribute_bytes at Tempo",
                "Tempo cuts long attributes without a word"
            );
        }
    }

    fn name(&self) -> &'static str {
        name(self.backend)
    }
}

fn name(backend: Backend) -> &'static str {
    match backend {
        Backend::Tempo => "Tempo",
        Backend::Jaeger => "Jaeger",
        Backend::Coralogix => "Coralogix",
    }
}

fn is_bad(head: &Head) -> bool {
    head.trace.is_none() || head.span.is_none() || head.has(Head::ODD_SPAN_ID) || head.has(Head::ODD_PARENT_ID)
}

fn is_large(item: &Item<'_>) -> bool {
    item.bytes().len() > TEMPO_KEEPS
}

fn is_long(attribute: &Attribute<'_>) -> bool {
    attribute.value_bytes().len() > TEMPO_KEEPS && matches!(attribute.value(), ValueRef::String(text) if text.len() > TEMPO_KEEPS)
}

/// Says what of the keys does not go with the back end that is named.
pub(super) fn check(backend: Option<Backend>, most: ByteSize, is_grpc: bool, headers: &Headers, errors: &mut ConfigErrors) {
    let unlimited = |limit: u64| most.is_zero() || most.get() > limit;
    match backend {
        Some(backend @ (Backend::Tempo | Backend::Jaeger)) if is_grpc && unlimited(GRPC_TAKES.get()) => {
            let wrong =
                format!("is more than the 4 MiB that {} takes over gRPC, unless its max_recv_msg_size_mib is raised", name(backend));
            errors.warn("max_request_bytes", wrong, "write 4MiB, or remove the key");
        }
        Some(Backend::Coralogix) if unlimited(CORALOGIX_TAKES) => {
            errors.error("max_request_bytes", "is more than Coralogix takes: 10 MB before compression", "write 2MiB, which it recommends");
        }
        _ => {}
    }
    if backend == Some(Backend::Coralogix) && headers.get("authorization").is_none() {
        let right = "add headers: {authorization: \"Bearer ${env:CORALOGIX_PRIVATE_KEY}\"}, or use the exporter coralogix";
        errors.warn_here("Coralogix takes nothing without a key", right);
    }
}

/// An answer as it is meant. A Tempo with tenants calls itself unavailable to whoever names none, which no wait will mend.
pub(super) fn meant(error: ExportError, backend: Option<Backend>) -> ExportError {
    if !error.message.contains("no org id") {
        return error;
    }
    let failing = match error.failing {
        Failing::Retry { .. } if backend == Some(Backend::Tempo) => Failing::Denied,
        failing => failing,
    };
    let message = format!("{}; this Tempo has tenants: name one in headers: {{X-Scope-OrgID: …}}", error.message);
    ExportError { failing, message, ..error }
}
