//! What `service.telemetry` takes, refuses and warns of.

use tracetailor_core::config::{ConfigErrors, Endpoint, Path, load};

use super::*;

/// What is read, if anything, and all that is said about it.
fn read(yaml: &str) -> (Option<Telemetry>, String) {
    let mut errors = ConfigErrors::default();
    let telemetry = load(yaml, "g.yaml").expect("YAML").read_valid(&Path::of("service.telemetry"), &mut errors);
    (telemetry, errors.to_string())
}

fn at(endpoint: &str) -> Endpoint {
    endpoint.parse().expect(endpoint)
}

fn accepted(yaml: &str) -> Telemetry {
    let (telemetry, told) = read(yaml);
    assert_eq!(told, "", "{yaml}");
    telemetry.expect(yaml)
}

#[test]
fn what_a_collector_file_says_is_taken() {
    let all = accepted(
        "\
logs:
  level: DEBUG
  encoding: json
  development: false
  disable_caller: true
  disable_stacktrace: true
  sampling: {enabled: true, tick: 10s, initial: 10, thereafter: 100}
  output_paths: [stdout, /var/log/gateway.log]
  error_output_paths: [stderr]
  initial_fields: {cluster: eu-1, shard: 3}
metrics:
  level: detailed
  readers:
    - pull: {exporter: {prometheus: {host: 0.0.0.0, port: 9999}}}
resource:
  service.name: gateway
  service.instance.id: null
traces: {level: none}
",
    );
    assert_eq!((all.logs.level, all.logs.encoding, all.logs.output_paths.len()), (LogLevel::Debug, Encoding::Json, 2));
    assert_eq!(all.metrics.pages(), [Page { endpoint: at("0.0.0.0:9999"), scope: false, type_suffix: false, units: false }]);
    let suffixed = accepted("metrics: {readers: [{pull: {exporter: {prometheus: {without_type_suffix: false}}}}]}");
    assert_eq!(suffixed.metrics.pages(), [Page { endpoint: at("localhost:8888"), scope: false, type_suffix: true, units: false }]);
    assert_eq!(all.resource.attributes()["service.instance.id"], None);
    let listed = accepted("resource: {schema_url: x, attributes: [{name: service.name, value: gateway}, {name: version, value: 1.10}]}");
    assert_eq!(listed.resource.attributes()["service.name"].as_deref(), Some("gateway"));
    assert_eq!(listed.resource.attributes()["version"].as_deref(), Some("1.10"), "as it was typed");
}

#[test]
fn the_default_page_has_the_collectors_plain_names() {
    let plain = Page { endpoint: at("localhost:8888"), scope: false, type_suffix: false, units: false };
    assert_eq!(accepted("{}").metrics.pages(), [plain]);
    assert_eq!(accepted("metrics: {level: NONE}").metrics.pages(), []);
    assert_eq!(accepted("metrics: {level: none, readers: []}").metrics.pages(), []);
}

#[test]
fn what_is_wrong_is_named() {
    for (yaml, says) in [
        ("logs: {level: loud}", "g.yaml:1:8: error: service.telemetry.logs.level: \"loud\" is not a choice here"),
        ("logs: {encoding: xml}", "g.yaml:1:8: error: service.telemetry.logs.encoding: \"xml\" is not a choice here"),
        ("logs: {processors: []}", "the Collector has this key; here it is planned"),
        ("logs: {sampling: {tick: 0s}}", "service.telemetry.logs.sampling.tick: is 0"),
        ("metrics: {readers: []}", "g.yaml:1:11: error: service.telemetry.metrics.readers: no reader is left"),
        ("metrics: {readers: [{}]}", "service.telemetry.metrics.readers[0]: the reader does not say how"),
        ("metrics: {readers: [{pull: {}}]}", "service.telemetry.metrics.readers[0].pull.exporter: the reader does not say what"),
        ("metrics: {readers: [{periodic: {interval: 1}}]}", "readers[0].periodic: the Collector has this key; here it is planned"),
        ("metrics: {address: ':8888', readers: []}", "service.telemetry.metrics.address: readers say where already"),
        ("metrics: {address: 'unix:/run/x'}", "service.telemetry.metrics.address: is no host and port"),
        ("metrics: {readers: [{pull: {exporter: {prometheus: {host: 'a b'}}}}]}", "prometheus.host: \"a b:8888\" has ' ' in it"),
        ("resource: {a: 1, attributes: [{name: a, value: 2}]}", "service.telemetry.resource: a is given twice"),
        ("resource: {attributes: {a: b}}", "service.telemetry.resource.attributes"),
        ("metric: {}", "there is no such key"),
    ] {
        let (telemetry, told) = read(yaml);
        assert!(telemetry.is_none(), "{yaml}");
        assert!(told.contains(says), "{yaml}: {told}");
    }
}

#[test]
fn former_and_unused_keys_are_accepted_with_a_warning() {
    let (telemetry, told) = read("metrics: {address: '0.0.0.0:9000'}");
    let page = Page { endpoint: at("0.0.0.0:9000"), scope: false, type_suffix: false, units: false };
    assert_eq!(telemetry.expect("accepted").metrics.pages(), [page]);
    assert!(told.contains("warning: service.telemetry.metrics.address: is the former way"), "{told}");
    let (telemetry, told) = read("traces: {processors: [{batch: {exporter: {otlp: {}}}}], propagators: [b3]}");
    assert!(telemetry.is_some());
    assert!(told.contains("warning: service.telemetry.traces: the gateway does not trace itself"), "{told}");
    let (telemetry, told) = read("logs: {output_paths: []}");
    assert!(telemetry.is_some() && told.contains("nothing is logged"), "{told}");
}

#[test]
fn what_a_reload_cannot_take_on_is_known() {
    let before = accepted("logs: {level: info}");
    assert!(!accepted("logs: {level: debug}").waits_for_a_start(&before));
    assert!(accepted("metrics: {level: detailed}").waits_for_a_start(&before));
    assert!(accepted("metrics: {readers: [{pull: {exporter: {prometheus: {port: 9}}}}]}").waits_for_a_start(&before));
    assert!(accepted("resource: {service.name: other}").waits_for_a_start(&before));
}
