//! `--leave-out`: what goes with a component, and what is said about it.

use super::*;
use crate::config::leave_out::leave_out;

const FILE: &str = "\
receivers: {otlp: {protocols: {grpc: {auth: {authenticator: oidc}}}}, kafka/in: {}}
processors: {redaction: {}, filter: {}}
exporters: {otlp: {auth: {authenticator: oidc}, sending_queue: {storage: file_storage/q, queue_size: 5}}, zipkin: {}}
connectors: {spanmetrics: {}}
extensions: {file_storage/q: {}, oidc: {}}
service:
  extensions: [file_storage/q, oidc]
  pipelines:
    traces: {receivers: [otlp, kafka/in], processors: [filter, redaction], exporters: [otlp, spanmetrics]}
    traces/zipkin: {receivers: [otlp], exporters: [zipkin]}
    metrics: {receivers: [spanmetrics], exporters: [otlp]}
    logs: {receivers: [], exporters: [otlp]}
";

fn without(asked: &[&str]) -> (Node, String) {
    let (mut node, mut problems) = (tree(FILE), ConfigErrors::default());
    leave_out(&mut node, &asked.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(), &mut problems);
    (node, problems.to_string())
}

fn at<'a>(node: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

#[test]
fn a_component_goes_with_its_places_in_pipelines() {
    let (node, told) = without(&["kafka/in,filter"]);
    assert_eq!(value(at(&node, &["receivers"]).unwrap()), "{\"otlp\":{\"protocols\":{\"grpc\":{\"auth\":{\"authenticator\":\"oidc\"}}}}}");
    assert_eq!(value(at(&node, &["service", "pipelines", "traces", "receivers"]).unwrap()), "[\"otlp\"]");
    assert_eq!(value(at(&node, &["service", "pipelines", "traces", "processors"]).unwrap()), "[\"redaction\"]");
    assert_eq!(
        told,
        "\
gateway.yaml:1:71: warning: receivers.kafka/in: left out, as --leave-out asks: gone from receivers of traces
    nothing is received by kafka/in: whoever sends to it finds nobody
gateway.yaml:2:29: warning: processors.filter: left out, as --leave-out asks: gone from processors of traces
    what filter would change, drop or add is not changed, dropped or added
"
    );
}

#[test]
fn a_pipeline_goes_that_is_left_with_one_side() {
    let (node, told) = without(&["zipkin"]);
    assert!(at(&node, &["service", "pipelines", "traces/zipkin"]).is_none());
    assert!(told.contains("service.pipelines.traces/zipkin: this pipeline is left out: it leads nowhere any more"), "{told}");
    let (node, told) = without(&["spanmetrics"]);
    assert!(at(&node, &["service", "pipelines", "metrics"]).is_none());
    assert_eq!(value(at(&node, &["service", "pipelines", "traces", "exporters"]).unwrap()), "[\"otlp\"]");
    assert!(told.contains("gone from receivers of metrics, exporters of traces"), "{told}");
    // This one had no receiver before: a mistake, to be told as one.
    assert!(at(&node, &["service", "pipelines", "logs"]).is_some());
}

#[test]
fn a_connector_goes_that_has_nothing_opposite() {
    let (node, _) = without(&["receivers.otlp", "kafka/in"]);
    assert!(at(&node, &["service", "pipelines", "traces"]).is_none());
    assert!(at(&node, &["service", "pipelines", "metrics"]).is_none(), "what the connector made came from traces");
    assert!(at(&node, &["service", "pipelines", "logs"]).is_some());
}

#[test]
fn an_extension_goes_with_all_that_names_it() {
    let (node, told) = without(&["file_storage/q", "extensions.oidc"]);
    assert_eq!(value(at(&node, &["service", "extensions"]).unwrap()), "[]");
    assert_eq!(value(at(&node, &["exporters", "otlp"]).unwrap()), "{\"sending_queue\":{\"queue_size\":5}}");
    assert_eq!(value(at(&node, &["receivers", "otlp"]).unwrap()), "{\"protocols\":{\"grpc\":{}}}");
    for words in [
        "exporters.otlp.sending_queue.storage: left out with file_storage/q: what exporters.otlp holds lies in memory, and a crash loses it",
        "receivers.otlp.protocols.grpc.auth: left out with oidc: receivers.otlp lets in whoever reaches it, without asking who it is",
        "exporters.otlp.auth: left out with oidc: exporters.otlp sends without credentials, and may be refused",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
}

#[test]
fn what_cannot_be_left_out_is_told() {
    let cases = [
        (
            "redaction",
            "redaction hides secrets, and is never left out on the way\n    take it out of the file yourself, if what it hides may be seen",
        ),
        ("otlp", "several components have the id otlp\n    write --leave-out receivers.otlp or --leave-out exporters.otlp"),
        (
            "zipkn",
            "there is no component \"zipkn\" to leave out\n    did you mean zipkin? There are file_storage/q, filter, kafka/in, oidc, otlp, redaction, spanmetrics, zipkin",
        ),
        ("a/", "\"a/\" has no name behind its slash\n    write a name, or remove the slash"),
    ];
    for (asked, told) in cases {
        assert_eq!(without(&[asked]).1, format!("--leave-out: error: {told}\n"), "{asked}");
    }
}
