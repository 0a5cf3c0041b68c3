//! A configuration with every component once and every key, with what it means and what it is by default: config.example.yaml.

use tracetailor_core::component::{Factory, Kind, Registry};
use tracetailor_core::config::{Key, keys_of};
use tracetailor_core::telemetry::Signal;
use tracetailor_processors::PROCESSORS;

use super::catalogue::summary;
use super::service::Service;
use crate::connectors::CONNECTORS;
use crate::exporters::EXPORTERS;
use crate::extensions::EXTENSIONS;
use crate::receivers::RECEIVERS;

const HEAD: &str = "\
# Every component once, every key with what it means and what it is by default. Keys that have no default, and blocks that are off
# by default, stand behind a #.
#
# Written from the code by scripts/fix; do not edit it. `tracetailor validate --config config.example.yaml` checks it.
";

/// What stands in the example where there is no default, or where the default is not fit to be shown.
/// For a block, that it is on.
pub(super) const VALUES: &[(&str, &str)] = &[
    ("exporters.coralogix.application_name", "my-application"),
    ("exporters.coralogix.domain", "eu2.coralogix.com"),
    ("exporters.coralogix.private_key", "\"${env:CORALOGIX_PRIVATE_KEY:-change-me}\""),
    ("exporters.file.path", "/var/lib/tracetailor/telemetry.jsonl"),
    ("exporters.load_balancing.resolver", "on"),
    ("exporters.load_balancing.resolver.static", "on"),
    ("exporters.load_balancing.resolver.static.hostnames", "[\"localhost:14317\"]"),
    ("exporters.otlp_grpc.endpoint", "localhost:14317"),
    ("exporters.otlp_http.endpoint", "http://localhost:14318"),
    ("extensions.basicauth.htpasswd", "on"),
    ("extensions.basicauth.htpasswd.inline", "\"${env:GATEWAY_USERS:-user:change-me}\""),
    ("extensions.bearertokenauth.token", "\"${env:GATEWAY_TOKEN:-change-me}\""),
    ("processors.attributes.actions", "[{key: http.request.header.authorization, action: delete}]"),
    ("processors.memory_limiter.check_interval", "1s"),
    ("processors.memory_limiter.limit_percentage", "80"),
    ("processors.memory_limiter.spike_limit_percentage", "15"),
    ("processors.probabilistic_sampler.sampling_percentage", "10"),
    ("processors.resource.attributes", "[{key: deployment.environment.name, value: production, action: insert}]"),
    ("processors.span.name.from_attributes", "[db.system.name, db.operation.name]"),
    ("processors.tail_sampling.policies", "[{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]"),
    ("processors.transform.trace_statements", r#"['set(span.attributes["team"], "shop") where span.attributes["team"] == nil']"#),
    ("receivers.otlp.protocols", "on"),
    ("receivers.otlp.protocols.grpc", "on"),
    ("receivers.otlp.protocols.http", "on"),
];

/// The widest that a line of comment gets.
const WIDTH: usize = 110;

/// The whole of it.
pub fn example() -> String {
    let mut out = HEAD.to_owned();
    section(&RECEIVERS, &mut out);
    section(&PROCESSORS, &mut out);
    section(&EXPORTERS, &mut out);
    section(&CONNECTORS, &mut out);
    section(&EXTENSIONS, &mut out);
    service(&mut out);
    out
}

fn section<K: Kind>(registry: &Registry<K>, out: &mut String) {
    if registry.factories.is_empty() {
        return;
    }
    *out += &format!("\n{}:\n", K::SECTION);
    for factory in registry.factories {
        let path = format!("{}.{}", K::SECTION, factory.name);
        let former = match factory.aliases {
            [] => String::new(),
            aliases => format!(" Formerly {}.", aliases.join(", ")),
        };
        comment(&format!("{}{former}", summary(factory.readme))).iter().for_each(|line| *out += &format!("  {line}\n"));
        let keys = factory.keys();
        let block = Keys { all: &keys, prefix: "", path: &path }.lines();
        below(factory.name, block).iter().for_each(|line| *out += &format!("  {line}\n"));
    }
}

/// The keys of one block among all keys of a component.
#[derive(Clone, Copy)]
struct Keys<'a> {
    all: &'a [Key],
    /// What the names of its keys begin with: `protocols.grpc.`.
    prefix: &'a str,
    path: &'a str,
}

impl<'a> Keys<'a> {
    fn own(self) -> impl Iterator<Item = (&'a Key, &'a str)> {
        let own = move |key: &'a Key| key.name.strip_prefix(self.prefix).filter(|name| !name.contains('.')).map(|name| (key, name));
        self.all.iter().filter_map(own)
    }

    fn value(self, key: &Key) -> Option<&'static str> {
        let path = format!("{}.{}", self.path, key.name);
        VALUES.iter().find(|(name, _)| *name == path).map(|(_, value)| *value)
    }

    /// The block, as it stands below its key.
    fn lines(self) -> Vec<String> {
        let own = self.own().filter(|(_, name)| self.path != "service" || !["extensions", "pipelines"].contains(name));
        own.flat_map(|(key, name)| self.key(key, name)).collect()
    }

    /// A key with what it means; behind a `#` where it is off by default, or has no default.
    fn key(self, key: &Key, name: &str) -> Vec<String> {
        let (inner, of_list) = (format!("{}{name}.", self.prefix), format!("{}{name}[].", self.prefix));
        let has = |prefix: &str| self.all.iter().any(|key| key.name.starts_with(prefix));
        let value = self.value(key);
        let default = value.unwrap_or(&key.default);
        let (mut lines, is_off) = if has(&of_list) {
            (below(name, dashed(Keys { prefix: &of_list, ..self }.lines())), true)
        } else if has(&inner) {
            (below(name, Keys { prefix: &inner, ..self }.lines()), default.is_empty() || default == "false")
        } else {
            (vec![format!("{name}: {default}").trim_end().to_owned()], default.is_empty())
        };
        // Of a list a short one can be shown beside what its elements may be.
        let shown = value.filter(|_| has(&of_list)).map(|value| format!("{name}: {value}"));
        let takes = if key.required { format!("{}, must be given", key.kind) } else { key.kind.clone() };
        if is_off {
            lines.iter_mut().for_each(|line| *line = format!("# {line}"));
        }
        let mut told = comment(&format!("{} ({takes})", key.doc.trim_end_matches('.')));
        told.append(&mut lines);
        told.extend(shown);
        told
    }
}

/// A key with a block below it.
fn below(name: &str, block: Vec<String>) -> Vec<String> {
    // Where all of it is behind a `#`, an empty block is said.
    let empty = if block.iter().all(|line| line.starts_with('#')) { " {}" } else { "" };
    std::iter::once(format!("{name}:{empty}")).chain(block.into_iter().map(|line| format!("  {line}"))).collect()
}

/// A block as the only element of a list.
fn dashed(block: Vec<String>) -> Vec<String> {
    block.into_iter().enumerate().map(|(index, line)| format!("{} {line}", if index == 0 { '-' } else { ' ' })).collect()
}

fn comment(text: &str) -> Vec<String> {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => *line += &format!(" {word}"),
            _ => lines.push(format!("# {word}")),
        }
    }
    lines
}

fn service(out: &mut String) {
    *out += "\nservice:\n";
    let keys = keys_of::<Service>();
    let doc = |name: &str| comment(keys.iter().find(|key| key.name == name).map(|key| key.doc.as_str()).unwrap_or_default());
    let mut lines = Keys { all: &keys, prefix: "", path: "service" }.lines();
    lines.extend(doc("extensions"));
    lines.push(format!("extensions: [{}]", EXTENSIONS.factories.iter().map(|factory| factory.name).collect::<Vec<_>>().join(", ")));
    lines.extend(doc("pipelines"));
    lines.push("pipelines:".to_owned());
    lines.iter().for_each(|line| *out += &format!("  {line}\n"));
    for signal in Signal::ALL {
        let (before, behind) = (connectors(signal, From), connectors(signal, To));
        pipeline(signal.name(), &names(&RECEIVERS, signal), &processors(signal), &[names(&EXPORTERS, signal), before].concat(), out);
        if !behind.is_empty() {
            pipeline(&format!("{}/joined", signal.name()), &behind, &[], &names(&EXPORTERS, signal), out);
        }
    }
}

fn pipeline(id: &str, receivers: &[&str], processors: &[&str], exporters: &[&str], out: &mut String) {
    *out += &format!("    {id}:\n      receivers: [{}]\n", receivers.join(", "));
    if !processors.is_empty() {
        *out += &format!("      processors: [{}]\n", processors.join(", "));
    }
    *out += &format!("      exporters: [{}]\n", exporters.join(", "));
}

fn names<K: Kind>(registry: &Registry<K>, signal: Signal) -> Vec<&'static str> {
    registry.factories.iter().filter(|factory: &&Factory<K>| factory.signals.contains(&signal)).map(|factory| factory.name).collect()
}

/// What comes first, in the order that makes sense: see processors/README.md.
const FIRST: &[&str] = &["memory_limiter", "redaction", "service_name", "resource", "attributes", "span", "transform", "filter"];
/// What comes last.
const LAST: &[&str] = &["stitch", "tail_sampling", "groupbytrace", "batch"];

fn processors(signal: Signal) -> Vec<&'static str> {
    let mut names = names(&PROCESSORS, signal);
    let place = |list: &[&str], name: &str| list.iter().position(|known| *known == name);
    names.sort_by_key(|name| match (place(FIRST, name), place(LAST, name)) {
        (Some(place), _) => (0, place),
        (_, Some(place)) => (2, place),
        _ => (1, 0),
    });
    names
}

/// A side of a connector.
#[derive(Clone, Copy)]
enum Side {
    From,
    To,
}
use Side::{From, To};

fn connectors(signal: Signal, side: Side) -> Vec<&'static str> {
    let joins = CONNECTORS.factories.iter().filter(|factory| {
        factory.joins.is_empty() || factory.joins.iter().any(|(from, to)| signal == if matches!(side, From) { *from } else { *to })
    });
    joins.map(|factory| factory.name).collect()
}
