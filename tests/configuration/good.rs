//! Configurations that are good, and what is said of them all the same.

use crate::{folder_with, run, text, tracetailor};

/// What `validate` says of a file.
#[track_caller]
fn accepted(yaml: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let folder = folder_with("gateway.yaml", yaml);
    let mut command = tracetailor(folder.path());
    command.args(["validate", "--config", "gateway.yaml"]).args(arguments).envs(variables.iter().copied());
    let output = run(&mut command);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(text(&output.stdout), "");
    said
}

/// What `print-config` prints of a file.
#[track_caller]
fn printed(yaml: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let folder = folder_with("gateway.yaml", yaml);
    let mut command = tracetailor(folder.path());
    command.args(["print-config", "--config", "gateway.yaml"]).args(arguments).envs(variables.iter().copied());
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// What Helm makes of a values file: `off` is false, a million has an exponent, texts that look like numbers have quotes.
#[test]
fn what_helm_writes_is_taken() {
    let yaml = "\
receivers: {otlp: {protocols: {grpc: {max_recv_msg_size_mib: 16.0}}}}
processors: {batch: {send_batch_size: 1e+06, send_batch_max_size: 2e+06, metadata_keys: }}
exporters: {otlp_grpc: {endpoint: \"tempo:4317\", sending_queue: {enabled: false, batch: false, queue_size: 1e+03}, timeout: \"10s\"}}
service: {lanes: 2.0, pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp_grpc]}}}
";
    assert_eq!(accepted(yaml, &[], &[]), "");
}

#[test]
fn what_is_not_used_is_a_warning() {
    let yaml = "\
receivers:
  otlp: {protocols: {grpc: {}}}
  otlp/idle: {protocols: {http: {}}}
exporters: {nop: {}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}
";
    assert_eq!(
        accepted(yaml, &[], &[]),
        "\
gateway.yaml:3:3: warning: receivers.otlp/idle: this receiver receives nothing: nothing names it
    add otlp/idle to a pipeline, or remove it
"
    );
}

#[test]
fn what_tears_holes_in_traces_is_a_warning() {
    let yaml = "\
receivers: {otlp: {protocols: {grpc: {}}}}
processors:
  filter/health: {trace_conditions: ['span.name == \"GET /health\"']}
  filter/events: {trace_conditions: ['spanevent.name == \"debug\"']}
  tail_sampling: {policies: [{name: all, type: always_sample}]}
exporters: {nop: {}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [filter/events, filter/health, tail_sampling], exporters: [nop]}
    traces/behind: {receivers: [otlp], processors: [tail_sampling, filter/health], exporters: [nop]}
";
    assert_eq!(
        accepted(yaml, &[], &[]),
        "\
gateway.yaml:9:61: warning: service.pipelines.traces.processors[1]: filter/health drops single spans before tail_sampling has seen their traces, which then have holes
    drop whole traces by a policy of tail_sampling: type: drop; or put filter/health behind tail_sampling
"
    );
}

#[test]
fn a_former_name_works_with_a_warning() {
    let yaml = "\
receivers: {otlp: {protocols: {grpc: {}}}}
exporters: {otlphttp/a: {endpoint: \"http://tempo:4318\"}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlphttp/a]}}}
";
    assert_eq!(
        accepted(yaml, &[], &[]),
        "\
gateway.yaml:2:13: warning: exporters.otlphttp/a: otlphttp is the former name of otlp_http
    write otlp_http/a, here and in service.pipelines
"
    );
}

#[test]
fn a_file_starts_without_what_is_left_out() {
    let yaml = "\
receivers: {otlp: {protocols: {grpc: {}}}, kafka: {brokers: [a]}}
processors: {k8sattributes: {}, batch: {}}
exporters: {otlp_grpc: {endpoint: \"tempo:4317\", sending_queue: {storage: file_storage}}, prometheusremotewrite: {}}
connectors: {spanmetrics: {}}
extensions: {file_storage: {}}
service:
  extensions: [file_storage]
  pipelines:
    traces: {receivers: [otlp, kafka], processors: [k8sattributes, batch], exporters: [otlp_grpc, spanmetrics]}
    metrics: {receivers: [spanmetrics], exporters: [prometheusremotewrite]}
";
    let arguments = ["--leave-out", "kafka,k8sattributes,prometheusremotewrite", "--leave-out", "spanmetrics,file_storage"];
    let told = accepted(yaml, &arguments, &[]);
    assert_eq!(told.matches("left out, as --leave-out asks").count(), 5, "{told}");
    assert!(told.contains("what exporters.otlp_grpc holds lies in memory, and a crash loses it"), "{told}");
    let rest = printed(yaml, &arguments, &[]);
    for gone in ["kafka", "k8s", "prometheus", "spanmetrics", "storage", "metrics:"] {
        assert!(!rest.contains(gone), "{gone}: {rest}");
    }
    assert!(rest.contains("    traces:\n      receivers: [otlp]\n      processors: [batch]\n      exporters: [otlp_grpc]\n"), "{rest}");
}

#[test]
fn secrets_are_hidden_and_the_rest_is_as_it_will_be_read() {
    let yaml = "\
receivers: {otlp: {protocols: {grpc: {endpoint: \"${env:HOST:-127.0.0.1}:4317\"}}}}
exporters:
  otlp_grpc:
    endpoint: tempo:4317
    headers: {authorization: \"Bearer ${env:TOKEN}\", x-number: 0123}
    tls: {key_pem: \"${env:TOKEN}\", cert_pem: certificate, min_version: 1.3}
    timeout: 10s
service: {lanes: \"${env:LANES}\", pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}}
";
    let variables = [("TOKEN", "s3cret"), ("LANES", "0x2")];
    assert_eq!(
        printed(yaml, &[], &variables),
        "\
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: \"127.0.0.1:4317\"
exporters:
  otlp_grpc:
    endpoint: tempo:4317
    headers:
      authorization: \"[redacted]\"
      x-number: \"[redacted]\"
    tls:
      key_pem: \"[redacted]\"
      cert_pem: certificate
      min_version: \"1.3\"
    timeout: 10s
service:
  lanes: 2
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp_grpc]
"
    );
    let json: serde_json::Value = serde_json::from_str(&printed(yaml, &["--format", "json"], &variables)).unwrap();
    assert_eq!(json["exporters"]["otlp_grpc"]["headers"]["authorization"], "[redacted]");
    assert_eq!(json["service"]["lanes"], 2);
}

#[test]
fn gates_and_settings_are_taken() {
    let yaml = "receivers: {otlp: {protocols: {grpc: {}}}}\nexporters: {nop: {}}\nservice: {}\n";
    let told = accepted(yaml, &["--feature-gates", "service.AllowNoPipelines,-telemetry.x"], &[]);
    assert!(told.contains("--feature-gates: warning: there is no feature gate telemetry.x here: it changes nothing"), "{told}");
    let set = "service.pipelines.traces={receivers: [otlp], exporters: [nop]}";
    assert_eq!(accepted(yaml, &["--set", set], &[]), "");
}
