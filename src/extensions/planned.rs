//! Extensions that the Collector has and this gateway does not have yet, each with what to do meanwhile.

use tracetailor_core::component::PlannedComponent;

/// By name, sorted. Whoever adds one of them takes its line out.
pub(crate) const PLANNED: &[PlannedComponent] = &[
    PlannedComponent {
        name: "file_storage",
        aliases: &[],
        meanwhile: "remove it and the storage: keys that name it; queues then lie in memory and are drained at shutdown",
    },
    PlannedComponent {
        name: "headers_setter",
        aliases: &[],
        meanwhile: "write the headers that are always the same under headers: of the exporter",
    },
    PlannedComponent { name: "healthcheckv2", aliases: &["healthcheck_v2"], meanwhile: "use health_check" },
    PlannedComponent { name: "sigv4auth", aliases: &[], meanwhile: "let a Collector or a proxy behind the gateway sign the requests" },
];
