//! The keys: what the Collector takes is taken, what cannot be meant is told.

use tracetailor_core::config::{Period, Severity};
use tracetailor_core::testing::assert_manual;

use crate::exporters::load_balancing::config::with_port;
use crate::exporters::load_balancing::{Config, FACTORY};

#[test]
fn the_manual_holds_the_keys() {
    assert_manual(&FACTORY);
}

fn problems(yaml: &str) -> Vec<(Severity, String)> {
    tracetailor_core::testing::problems(&FACTORY, yaml)
}

#[test]
fn what_cannot_be_meant_is_told() {
    for (yaml, severity, wrong) in [
        ("{}", Severity::Error, "resolver: names no back ends"),
        ("{resolver: {static: {hostnames: [a]}, dns: {hostname: b}}}", Severity::Error, "resolver: has two lists of back ends"),
        ("{resolver: {static: {}}}", Severity::Error, "resolver.static: hostnames is missing"),
        ("{resolver: {static: {hostnames: [a, b, a]}}}", Severity::Error, "resolver.static.hostnames: names a twice"),
        ("{resolver: {dns: {}}}", Severity::Error, "resolver.dns: hostname is missing"),
        ("{resolver: {dns: {hostname: a, port: x}}}", Severity::Error, "resolver.dns.port: is no port"),
        ("{resolver: {dns: {hostname: a, interval: 0s}}}", Severity::Error, "resolver.dns.interval: must be positive"),
        (
            "{resolver: {k8s: {service: a}}}",
            Severity::Error,
            "resolver.k8s: the Collector has this key; here it is planned and does not work yet",
        ),
        (
            "{resolver: {aws_cloud_map: {namespace: a}}}",
            Severity::Error,
            "resolver.aws_cloud_map: the Collector has this key; here it is planned and does not work yet",
        ),
        (
            "{routing_key: attributes, resolver: {dns: {hostname: a}}}",
            Severity::Error,
            "routing_key: the Collector has attributes; here it is planned and does not work yet",
        ),
        (
            "{resolver: {dns: {hostname: a}}, protocol: {otlp: {endpoint: 'b:1'}}}",
            Severity::Warning,
            "protocol.otlp.endpoint: is not used: the resolver says who the back ends are",
        ),
        (
            "{resolver: {dns: {hostname: a}}, protocol: {otlp: {keepalive: {time: 0s}}}}",
            Severity::Error,
            "protocol.otlp.keepalive.time: must be positive: it would ping without end",
        ),
    ] {
        assert_eq!(problems(yaml), [(severity, wrong.to_owned())], "{yaml}");
    }
}

#[test]
fn what_the_collector_takes_is_taken() {
    for yaml in [
        "{resolver: {static: {hostnames: [a, 'b:4318', '[::1]:4317']}}, routing_key: traceID, protocol: {otlp: {timeout: 1s, tls: {insecure: true}}}}",
        "{resolver: {dns: {hostname: a.b.svc, port: 4317, interval: 5s, timeout: 1s}}, routing_key: service}",
        "{resolver: {dns: {hostname: a}}, timeout: 10s, retry_on_failure: {enabled: true, max_elapsed_time: 300s}, sending_queue: {enabled: true, queue_size: 10}}",
    ] {
        assert_eq!(problems(yaml), [], "{yaml}");
    }
}

#[test]
fn what_stands_beside_the_protocol_holds_before_what_stands_within() {
    let delivery = |more: &str| {
        let yaml =
            format!("{{resolver: {{dns: {{hostname: a}}}}, protocol: {{otlp: {{timeout: 3s, sending_queue: {{queue_size: 7}}}}}}{more}}}");
        let config: Config = tracetailor_core::config::parse(&yaml, "f", "x").unwrap();
        (config.delivery().timeout, config.delivery().sending_queue.queue_size)
    };
    assert_eq!(delivery(""), (Period::seconds(3), 7));
    assert_eq!(delivery(", timeout: 9s, sending_queue: {queue_size: 8}"), (Period::seconds(9), 8));
}

#[test]
fn the_usual_port_is_added() {
    for (back_end, endpoint) in
        [("a", "a:4317"), ("a:1", "a:1"), ("10.0.0.1", "10.0.0.1:4317"), ("[::1]:2", "[::1]:2"), ("::1", "[::1]:4317"), ("a:", "a:4317")]
    {
        assert_eq!(with_port(back_end), endpoint);
    }
}
