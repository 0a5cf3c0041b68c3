//! Who a service is, apart from its name.

use tracetailor_core::telemetry::Context;

use super::text_of;

/// What a resource says of the service that it belongs to, and of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    namespace: Option<String>,
    /// Namespace and workload in Kubernetes.
    workload: Option<(String, String)>,
    /// What only one process has: its instance id, its pod, its host and number.
    pub(super) process: Option<String>,
    /// How its SDK is set up.
    pub(super) sdk: Option<String>,
}

/// What owns pods.
const WORKLOADS: [&str; 5] = ["k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.cronjob.name", "k8s.job.name"];

impl Identity {
    pub(super) fn of(context: &Context) -> Self {
        let text = |key| text_of(context, key).filter(|text| !text.is_empty());
        let workload = WORKLOADS.into_iter().find_map(text);
        let number = || context.resource_attribute("process.pid").map(tracetailor_core::attributes::text);
        let host = || text("host.id").or_else(|| text("host.name"));
        let process = text("service.instance.id").or_else(|| text("k8s.pod.uid")).or_else(|| text("k8s.pod.name"));
        let sdk: Vec<String> =
            ["telemetry.sdk.language", "telemetry.sdk.name", "telemetry.distro.name"].into_iter().filter_map(text).collect();
        Self {
            namespace: text("service.namespace"),
            workload: text("k8s.namespace.name").zip(workload),
            process: process.or_else(|| Some(format!("{} {}", host()?, number()?))),
            sdk: (!sdk.is_empty()).then(|| sdk.join(" ")),
        }
    }

    /// Whether two are certainly not one service: both say where they belong, and say different things. Instance, host, pod and process differ in one
    /// service as well.
    pub(super) fn differs_from(&self, other: &Identity) -> bool {
        let namespaces = self.namespace.as_ref().zip(other.namespace.as_ref());
        let workloads = self.workload.as_ref().zip(other.workload.as_ref());
        namespaces.is_some_and(|(one, other)| one != other) || workloads.is_some_and(|(one, other)| one != other)
    }
}
