//! Receivers that the Collector has and this gateway does not have yet, each with what to do meanwhile.

use tracetailor_core::component::PlannedComponent;

/// By name, sorted. Whoever adds one of them takes its line out.
pub(crate) const PLANNED: &[PlannedComponent] = &[
    PlannedComponent {
        name: "file_log",
        aliases: &["filelog"],
        meanwhile: "run a Collector with it where the files are, and let it send OTLP to this gateway",
    },
    PlannedComponent {
        name: "jaeger",
        aliases: &[],
        meanwhile: "let the senders speak OTLP, as every client of the last years can, or put a Collector before the gateway that turns Jaeger into OTLP",
    },
    PlannedComponent { name: "kafka", aliases: &[], meanwhile: "let a Collector read the topic and send OTLP to this gateway" },
    PlannedComponent {
        name: "prometheus",
        aliases: &[],
        meanwhile: "let Prometheus scrape its targets itself; this gateway offers its own metrics at :8888/metrics without it",
    },
    PlannedComponent {
        name: "zipkin",
        aliases: &[],
        meanwhile: "let the senders speak OTLP, or put a Collector before the gateway that turns Zipkin into OTLP",
    },
];
