//! The names of all metrics, in one place. `docs/metrics.md` is written from this table, and tests hold that code uses no name that is not
//! here, and that no name is here that nothing uses.

use super::keys::Level;
use super::metrics::{Metric, Unit};

/// Every metric, in the order of the page: what comes in, what becomes of it, what goes out, and how the gateway itself does.
pub const METRICS: &[Metric] = &[
    // What comes in.
    Metric::counter("otelcol_receiver_accepted_{items}", &["receiver", "transport"], "Items that were taken in."),
    Metric::counter("otelcol_receiver_refused_{items}", &["receiver", "transport"], "Items that were not taken in; the client was told."),
    Metric::counter(
        "tracetailor_refused_requests_total",
        &["receiver", "reason"],
        "Requests that were refused before their items were looked at. What is in them is not in the books.",
    ),
    Metric::counter(
        "tracetailor_tls_reload_failures_total",
        &["receiver"],
        "Times that certificates were to be read again and were no good; the old ones are still used.",
    ),
    // What becomes of it: the books.
    Metric::counter(
        "tracetailor_ledger_accepted_{items}_total",
        LINE,
        "Items that came into the line: of requests that passed admission, also those then rejected one by one; into an exporter's line, \
         what pipelines handed to it.",
    ),
    Metric::counter("tracetailor_ledger_created_{items}_total", LINE, "Items that the gateway made itself."),
    Metric::counter("tracetailor_ledger_copied_{items}_total", LINE, "Copies, one for each further destination at a fan-out."),
    Metric::counter(
        "tracetailor_ledger_delivered_{items}_total",
        LINE,
        "Items that left the line as they should: out of a pipeline to its exporters and connectors, out of an exporter to its back end.",
    ),
    Metric::counter("tracetailor_ledger_dropped_{items}_total", LINE, "Items left out by a rule that the configuration has."),
    Metric::counter("tracetailor_ledger_rejected_{items}_total", LINE, "Items turned away after admission, with a reason."),
    Metric::counter("tracetailor_ledger_failed_{items}_total", LINE, "Items that their destination did not take."),
    Metric::counter("tracetailor_ledger_dead_lettered_{items}_total", LINE, "Items set aside in a dead-letter file."),
    Metric::gauge("tracetailor_ledger_held_{items}", LINE, "Items that stores and queues say they hold."),
    Metric::gauge(
        "tracetailor_ledger_residual",
        &["pipeline", "exporter", "signal"],
        "What came in and neither went out nor is held: what is on its way right now. It is 0 whenever nothing is; one that stays is a bug.",
    ),
    Metric::gauge("tracetailor_ledger_open_receipts", &[], "Requests of which not every item has ended yet."),
    Metric::counter("tracetailor_dropped_{items}_total", CAUSE, "Items left out, by whom and why."),
    Metric::counter("tracetailor_rejected_{items}_total", CAUSE, "Items turned away after admission, by whom and why."),
    Metric::counter("tracetailor_failed_{items}_total", CAUSE, "Items not taken by their destination, by whom and why."),
    Metric::counter(
        "tracetailor_lost_{items}_total",
        &["reason"],
        "Items gone without a decision. It must stay 0: anything else is a bug.",
    ),
    // Processors.
    Metric::counter(
        "otelcol_processor_memory_limiter_accepted_{items}",
        PROCESSOR,
        "Items that passed the limit of memory, where they are admitted.",
    ),
    Metric::counter(
        "otelcol_processor_memory_limiter_refused_{items}",
        PROCESSOR,
        "Requests refused for want of memory. They are refused before they are read, so each counts as one item, however many it held.",
    ),
    Metric::counter("otelcol_processor_incoming_items", &["processor", "otel_signal"], "Items handed to a processor."),
    Metric::counter("otelcol_processor_outgoing_items", &["processor", "otel_signal"], "Items that a processor handed on."),
    Metric::counter("otelcol_processor_batch_batch_size_trigger_send", PROCESSOR, "Batches that left because there was enough of them."),
    Metric::counter("otelcol_processor_batch_timeout_trigger_send", PROCESSOR, "Batches that left because their time was over."),
    Metric::histogram("otelcol_processor_batch_batch_send_size", PROCESSOR, "Items of the batches that left."),
    Metric::histogram("otelcol_processor_batch_batch_send_size_bytes", PROCESSOR, "Bytes of the items of batches that left.")
        .in_unit(Unit::Bytes),
    Metric::gauge("otelcol_processor_batch_metadata_cardinality", PROCESSOR, "Combinations of metadata of which something waits."),
    Metric::counter("otelcol_processor_filter_datapoints_filtered", FILTER, "Points of metrics that a `filter` dropped."),
    Metric::counter("otelcol_processor_filter_logs_filtered", FILTER, "Log records that a `filter` dropped."),
    Metric::counter("otelcol_processor_filter_spans_filtered", FILTER, "Spans that a `filter` dropped."),
    Metric::counter(
        "tracetailor_redactions_total",
        &["component", "rule", "place"],
        "Times that a rule of `redaction` changed something; what items share is counted once while it is remembered.",
    ),
    Metric::counter(
        "tracetailor_redactions_suggested_total",
        &["component", "rule", "place"],
        "Times that a rule of `redaction` would have changed something, with `mode: suggest`.",
    ),
    Metric::gauge("tracetailor_redaction_rules", &["component", "digest"], "1 per lane, with the fingerprint of the rules in force."),
    Metric::gauge("otelcol_processor_groupbytrace_conf_num_traces", PROCESSOR, "How many traces may wait."),
    Metric::gauge("otelcol_processor_groupbytrace_num_traces_in_memory", PROCESSOR, "How many traces wait."),
    Metric::counter(
        "otelcol_processor_groupbytrace_traces_evicted",
        PROCESSOR,
        "Traces that left early to make room. Nothing of them is lost.",
    ),
    Metric::counter("otelcol_processor_groupbytrace_traces_released", PROCESSOR, "Traces that left."),
    Metric::counter("otelcol_processor_groupbytrace_spans_released", PROCESSOR, "Spans of traces that left."),
    Metric::counter(
        "tracetailor_stitch_traces_total",
        &["component", "outcome"],
        "Traces, by what became of them: `complete`, `repaired`, `marked`, `capped`, `cut_short`, `refused`, `two_forms`.",
    ),
    Metric::counter("tracetailor_stitch_orphan_spans_total", COMPONENT, "Spans whose parent was missing when their trace went on."),
    Metric::counter(
        "tracetailor_stitch_missing_parents_total",
        &["component", "anchor"],
        "Parents that were missing and stood in for, by how their place was found: `single`, `lca`, `root`, `none`.",
    ),
    Metric::counter(
        "tracetailor_stitch_made_spans_total",
        &["component", "role"],
        "Spans that were made: in the place of a `parent`, or as a `root`.",
    ),
    Metric::counter(
        "tracetailor_stitch_touched_spans_total",
        &["component", "reason"],
        "Received spans that were changed or marked, by why.",
    ),
    Metric::counter(
        "tracetailor_stitch_service_traces_total",
        &["component", "service", "outcome"],
        "Traces that a service is part of: `complete`, `broken`. Beyond 200 services the label is `(other)`.",
    ),
    Metric::counter(
        "tracetailor_stitch_edge_calls_total",
        &["component", "from", "to", "outcome"],
        "Calls from one service to another: `answered`, `unanswered`, `orphaned`, `uninstrumented`. Beyond 1,000 edges the labels are `(other)`.",
    ),
    Metric::gauge(
        "tracetailor_stitch_clock_skew_microseconds",
        &["component", "process", "ahead_of"],
        "By how much the clock of a process is ahead of another's, as the calls between them tell; of 100 pairs.",
    ),
    Metric::counter(
        "tracetailor_stitch_short_trace_ids_total",
        &["component", "outcome"],
        "Traces with an id of 64 bits, by what was known of the 128-bit form when they went on: `alone`, `beside_long`, `joined`.",
    ),
    Metric::counter(
        "tracetailor_stitch_late_spans_total",
        &["component", "outcome"],
        "Spans that came after their trace had gone on: `follows`, `supersedes_placeholder`, `orphan`, `unknown`.",
    ),
    Metric::counter(
        "otelcol_processor_probabilistic_sampler_count_logs_sampled",
        SAMPLED,
        "Log records that were decided, by what decided and whether they were kept.",
    ),
    Metric::counter(
        "otelcol_processor_probabilistic_sampler_count_traces_sampled",
        SAMPLED,
        "Spans that were decided, by what decided and whether they were kept.",
    ),
    Metric::counter(
        "otelcol_processor_tail_sampling_global_count_traces_sampled",
        &["processor", "sampled", "decision"],
        "Traces that were decided: `sampled`, `not_sampled` or `dropped`.",
    ),
    Metric::counter("otelcol_processor_tail_sampling_count_traces_sampled", VOTES, "Traces by what a policy said of them."),
    Metric::counter("otelcol_processor_tail_sampling_count_spans_sampled", VOTES, "The same in spans."),
    Metric::counter(
        "otelcol_processor_tail_sampling_count_bytes_sampled",
        VOTES,
        "The same in bytes as the Collector counts them, where a limit in such bytes is configured.",
    )
    .in_unit(Unit::Bytes),
    Metric::counter("otelcol_processor_tail_sampling_sampling_policy_execution_count", POLICY, "How often a policy was asked."),
    Metric::counter(
        "otelcol_processor_tail_sampling_sampling_policy_execution_time_sum",
        POLICY,
        "Microseconds that a policy took, from one vote in 32.",
    ),
    Metric::counter("otelcol_processor_tail_sampling_sampling_policy_evaluation_error", PROCESSOR, "Votes that failed."),
    Metric::counter("otelcol_processor_tail_sampling_new_trace_id_received", PROCESSOR, "Traces that began."),
    Metric::gauge(
        "otelcol_processor_tail_sampling_sampling_traces_on_memory",
        PROCESSOR,
        "Traces that wait, or were kept and wait for room.",
    ),
    Metric::counter(
        "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early",
        PROCESSOR,
        "Traces that were decided before their time to make room; with `compatibility: otelcol`, lost.",
    ),
    Metric::counter("otelcol_processor_tail_sampling_traces_dropped_too_large", PROCESSOR, "Traces above `maximum_trace_size_bytes`."),
    Metric::counter(
        "otelcol_processor_tail_sampling_early_releases_from_cache_decision",
        &["processor", "sampled"],
        "Spans that came after the decision on their trace, where `decision_cache` is set.",
    ),
    Metric::histogram(
        "otelcol_processor_tail_sampling_sampling_late_span_age",
        PROCESSOR,
        "How long after the decision on their trace spans came, once for each trace and request, where `decision_cache` is not set.",
    )
    .in_unit(Unit::Seconds)
    .from(Level::Normal),
    Metric::histogram("otelcol_processor_tail_sampling_sampling_trace_removal_age", PROCESSOR, "How long traces were here.")
        .in_unit(Unit::Seconds)
        .from(Level::Normal),
    Metric::histogram(
        "otelcol_processor_tail_sampling_sampling_decision_timer_latency",
        PROCESSOR,
        "Milliseconds by which decisions came after their time.",
    )
    .from(Level::Normal),
    Metric::counter(
        "otelcol_processor_tail_sampling_count_spans_with_unparseable_tracestate",
        PROCESSOR,
        "Kept spans whose trace state breaks the rules and was left as it is.",
    ),
    Metric::counter(
        "tracetailor_sampling_decisions_total",
        &["component", "trigger"],
        "Traces that were decided, by why then: `deadline`, `wish`, `count`, `memory`, `size` or `shutdown`.",
    ),
    Metric::counter(
        "tracetailor_sampling_late_after_complete_spans_total",
        &["component", "error"],
        "Spans of traces that `decide_when_complete` had decided before their time; with `error=\"true\"`, those that failed.",
    ),
    Metric::counter(
        "tracetailor_sampling_late_fragments_total",
        &["component"],
        "Late spans that were kept by `late_spans.keep_if` though nobody had kept their trace.",
    ),
    Metric::counter(
        "tracetailor_sampling_shadow_traces_total",
        &["component", "would", "did"],
        "Traces by what `shadow_policies` would have done, `keep` or `drop`, and what was done.",
    ),
    Metric::counter("tracetailor_sampling_shadow_spans_total", &["component", "would", "did"], "The same in spans."),
    Metric::counter(
        "tracetailor_sampling_traces_shown_again_total",
        &["component"],
        "Traces that waited over a reload and were shown to the new policies.",
    ),
    Metric::counter(
        "tracetailor_service_names_total",
        &["component", "outcome"],
        "Items by what became of their service's name: `kept`, `filled`, `renamed`, `unknown`, `collided`.",
    ),
    Metric::gauge(
        "tracetailor_service_name_variants",
        &["component"],
        "Names of services that differ from another one only in case or punctuation.",
    ),
    Metric::counter(
        "tracetailor_failed_expressions_total",
        &["component", "expression"],
        "Times that a condition or statement in OTTL failed, by its text: what it read was missing, or of another type than it works with.",
    ),
    Metric::counter("tracetailor_panics_total", &["component"], "Panics in a component. What it held at that moment counts as lost."),
    // What goes out.
    Metric::counter("otelcol_exporter_sent_{items}", &["exporter"], "Items that the destination took."),
    Metric::counter("otelcol_exporter_send_failed_{items}", &["exporter"], "Items that were given up, after all retries."),
    Metric::counter("otelcol_exporter_enqueue_failed_{items}", &["exporter"], "Items that found no room in the queue."),
    Metric::gauge("otelcol_exporter_queue_size", QUEUE, "How much is in the queue or under way, in units of `sending_queue.sizer`."),
    Metric::gauge("otelcol_exporter_queue_capacity", QUEUE, "How much the queue takes, in the same units; 0 without a queue."),
    Metric::gauge("otelcol_exporter_in_flight_requests", QUEUE, "Requests under way, those included that wait for their next attempt."),
    Metric::counter(
        "tracetailor_exporter_attributes_cut_total",
        &["exporter"],
        "Attributes whose text is longer than the back end that `backend` names keeps: it cuts them without a word.",
    ),
    Metric::counter(
        "tracetailor_exporter_spans_forgotten_total",
        &["exporter"],
        "Spans that were delivered, and of whose traces the back end that `backend` names has too much already: it keeps none of them, without \
         a word.",
    ),
    Metric::gauge("otelcol_loadbalancer_num_backends", &["exporter"], "Back ends that `load_balancing` spreads over."),
    Metric::counter("otelcol_loadbalancer_num_backend_updates", &["exporter"], "Times that the back ends were others than before."),
    Metric::counter(
        "otelcol_loadbalancer_num_resolutions",
        &["exporter", "resolver", "success"],
        "Times that the back ends were looked up.",
    ),
    Metric::counter("otelcol_loadbalancer_backend_outcome", &["endpoint", "success"], "Requests to each back end, and how they ended."),
    Metric::histogram(
        "otelcol_loadbalancer_backend_latency",
        &["endpoint"],
        "Milliseconds that requests to each back end took, whether it answered or not.",
    )
    .from(Level::Normal),
    Metric::counter(
        "tracetailor_loadbalancer_split_traces_total",
        &["exporter"],
        "Traces that were under way at a back end that has left, and go on at another.",
    ),
    Metric::counter(
        "tracetailor_exporter_full_total",
        &["exporter", "data_type", "what"],
        "Requests refused before they were read for want of room before an exporter: in its own `queue`, by `queue_size`, or because all \
         queues together hold their share of the `memory`, 30 % of the soft limit.",
    ),
    Metric::gauge(
        "tracetailor_exporter_circuit_state",
        QUEUE,
        "0 while requests go out; 1 while the destination is left alone, and they wait in the queue; 2 while one request asks it again.",
    ),
    // The configuration.
    Metric::gauge("tracetailor_config_info", &["digest"], "1, with the fingerprint of the configuration that is in force."),
    Metric::gauge("tracetailor_config_reload_failed", &[], "1 when the last reload was refused and the former configuration went on."),
    Metric::counter("tracetailor_config_reloads_total", &["outcome"], "Reloads: `taken` or `refused`."),
    Metric::gauge("tracetailor_config_reload_taken_timestamp_seconds", &[], "When the configuration in force was taken on.")
        .in_unit(Unit::Seconds),
    // The process.
    Metric::gauge("target_info", &["…"], "1, with what the gateway calls itself: `service.telemetry.resource`."),
    Metric::gauge("tracetailor_build_info", &["version"], "1, with the version."),
    Metric::counter("otelcol_process_uptime", &[], "Time since the start.").in_unit(Unit::Seconds),
    Metric::counter("otelcol_process_cpu_seconds", &[], "Processor time, of user and system together.").in_unit(Unit::Seconds),
    Metric::gauge("otelcol_process_memory_rss", &[], "Memory that the process has in use.").in_unit(Unit::Bytes),
    Metric::gauge("tracetailor_process_memory_peak_bytes", &[], "The most memory that the process has had in use.").in_unit(Unit::Bytes),
    Metric::gauge(
        "tracetailor_memory_held_bytes",
        &["by"],
        "Telemetry that is held, in `requests` under way, `queues` and `stores` of traces.",
    )
    .in_unit(Unit::Bytes),
    Metric::gauge("tracetailor_memory_limit_bytes", &["limit"], "Limits of `memory_limiter`: above `soft` requests are refused; `hard`.")
        .in_unit(Unit::Bytes),
    Metric::gauge("tracetailor_process_threads", &[], "Threads of the process.").from(Level::Normal),
    Metric::gauge("tracetailor_process_open_files", &[], "Files and sockets that are open."),
    Metric::gauge("tracetailor_process_open_files_limit", &[], "How many files and sockets may be open."),
];

/// What a processor counts for itself.
const PROCESSOR: &[&str] = &["processor"];

/// Whose it is, under the name that the Collector gives to that.
const FILTER: &[&str] = &["filter"];
/// A policy of a processor; and what it said.
const POLICY: &[&str] = &["processor", "policy"];
const VOTES: &[&str] = &["processor", "policy", "sampled", "decision"];

/// A component by its id.
const COMPONENT: &[&str] = &["component"];
/// What a sampler by share decided, and by what.
const SAMPLED: &[&str] = &["processor", "policy", "sampled"];

/// Whose line of the books it is: a pipeline's, up to the fan-out, or an exporter's, from there on.
const LINE: &[&str] = &["pipeline", "exporter"];

/// An exporter, and for which signal: `traces`, `logs` or `metrics`.
const QUEUE: &[&str] = &["exporter", "data_type"];

/// Who decided, and why.
const CAUSE: &[&str] = &["component", "reason"];

/// The metric that this is a name of.
pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.is(name))
}
