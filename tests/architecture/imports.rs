//! Who may import whom, as docs/architecture.md has it.

use crate::source;

/// Folders of `src` in which every folder is a component.
pub(crate) const FAMILIES: [&str; 4] = ["receivers", "exporters", "connectors", "extensions"];

/// The crates that a component of the gateway builds on.
const COMPONENTS_MAY_USE: [&str; 2] = ["tracetailor_core", "tracetailor_net"];

/// What this file imports and may not. `components` are those of the gateway, as `family/name`.
pub(crate) fn violations(path: &str, code: &str, components: &[String]) -> Vec<String> {
    let place = Place::of(path);
    source::paths(code, &place.module)
        .iter()
        .filter_map(|import| Some(format!("{path}: {} {}", import.join("::"), place.objection(import, components)?)))
        .collect()
}

/// Where a file stands: in which crate, and in which module of it.
struct Place<'a> {
    krate: &'a str,
    module: Vec<String>,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let (krate, inside) = path.split_once('/').unwrap_or(("", path));
        let module = inside.trim_end_matches(".rs").split('/').filter(|name| !["mod", "lib", "main"].contains(name)).map(str::to_owned);
        Self { krate, module: module.collect() }
    }

    /// Why this file may not name `import`, if it may not.
    fn objection(&self, import: &[String], components: &[String]) -> Option<&'static str> {
        let first = import.first()?.as_str();
        let outside_the_command_line = !(self.krate == "src" && matches!(self.module.first().map(String::as_str), None | Some("cli")));
        match (self.krate, first) {
            ("core", name) if is_ours(name) && name != "tracetailor_core" => Some("is ours, and core stands below everything of ours"),
            ("processors" | "net", "tracetailor") => Some("is the gateway, and this crate stands below it"),
            ("processors", "tracetailor_net") => Some("opens sockets, which no processor does"),
            ("net", "tracetailor_processors") => Some("is for pipelines, of which sockets know nothing"),
            ("core" | "net" | "processors" | "src", "anyhow") if outside_the_command_line => {
                Some("belongs to the command line: errors keep their types")
            }
            (_, "crate") => self.objection_within(&import[1..], components),
            ("src", name) if self.component().is_some() && is_ours(name) && !COMPONENTS_MAY_USE.contains(&name) => {
                Some("is neither core nor net")
            }
            _ => None,
        }
    }

    /// The same for a path within the own crate, given without `crate`.
    fn objection_within(&self, import: &[String], components: &[String]) -> Option<&'static str> {
        if let Some(own) = self.component() {
            let inside = import.starts_with(own) || own.starts_with(import);
            return (!inside).then_some("is outside this component, which may use core and itself");
        }
        let part = self.module.first().map(String::as_str);
        let is_part = self.krate == "src" && matches!(part, Some("config" | "pipeline"));
        if is_part && import.len() > 1 && components.contains(&format!("{}/{}", import[0], import[1])) {
            return Some("is a component, to be reached through its list only");
        }
        let upwards = part == Some("config") && import.first().is_some_and(|name| name == "pipeline");
        (self.krate == "src" && upwards).then_some("is built from the configuration, which knows nothing of it")
    }

    /// The module of the component that this file belongs to.
    fn component(&self) -> Option<&[String]> {
        let depth = match self.krate {
            "processors" => 1,
            "src" if self.module.first().is_some_and(|family| FAMILIES.contains(&family.as_str())) => 2,
            _ => return None,
        };
        self.module.get(..depth)
    }
}

fn is_ours(name: &str) -> bool {
    name == "tracetailor" || name.starts_with("tracetailor_")
}

/// What a crate's manifest asks for and may not: the direction of the crates, and the lint table that all of them share.
pub(crate) fn manifest_violations(path: &str, text: &str) -> Vec<String> {
    let may_use: &[&str] = match path {
        "core/Cargo.toml" => &[],
        "processors/Cargo.toml" | "net/Cargo.toml" => &["tracetailor-core"],
        "Cargo.toml" => &["tracetailor-core", "tracetailor-net", "tracetailor-processors"],
        _ => return Vec::new(),
    };
    let names = text.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| is_ours(&name.replace('-', "_")));
    let forbidden = names.filter(|name| !may_use.contains(name)).map(|name| format!("{path}: {name} is not below this crate"));
    let lints = (!text.contains("[lints]\nworkspace = true\n")).then(|| format!("{path}: does not take the lints of the workspace"));
    forbidden.chain(lints).collect()
}

#[cfg(test)]
mod tests {
    use super::{manifest_violations, violations};

    fn objects(path: &str, code: &str) -> bool {
        let components = ["receivers/otlp", "receivers/jaeger", "exporters/otlp"].map(str::to_owned);
        !violations(path, code, &components).is_empty()
    }

    #[test]
    fn core_stands_below_everything() {
        assert!(objects("core/ledger/mod.rs", "use tracetailor_processors::stitch;"));
        assert!(objects("core/lib.rs", "fn f() { tracetailor::run() }"));
        assert!(!objects("core/ledger/mod.rs", "use crate::telemetry::Signal; use tracetailor_core::time;"));
        assert!(!objects("core/ledger/mod.rs", "//! use tracetailor_processors::stitch;"));
    }

    #[test]
    fn processors_know_core_and_themselves() {
        assert!(objects("processors/stitch/mod.rs", "use crate::tail_sampling::Policy;"));
        assert!(objects("processors/stitch/mod.rs", "use crate::{stitch, tail_sampling::Policy};"));
        assert!(objects("processors/stitch/mod.rs", "use super::tail_sampling;"));
        assert!(objects("processors/stitch/mod.rs", "use super::*;"));
        assert!(objects("processors/stitch/rules/late.rs", "fn f(_: super::super::super::tail_sampling::Policy) {}"));
        assert!(objects("processors/stitch/mod.rs", "mod tests { use super::super::tail_sampling::Policy; }"));
        assert!(objects("processors/stitch/mod.rs", "use tracetailor::pipeline;"));
        assert!(!objects("processors/stitch/mod.rs", "use crate::stitch::rules; mod tests { use super::*; }"));
        assert!(!objects("processors/stitch/rules/late.rs", "use super::super::Orphan; pub(crate) fn f() {}"));
        assert!(!objects("processors/stitch/tests.rs", "use super::*; use tracetailor_core::testing::sink;"));
        assert!(objects("processors/stitch/mod.rs", "use tracetailor_net::server;"));
        assert!(!objects("processors/lib.rs", "pub mod stitch; pub use crate::stitch::Stitch;"));
    }

    #[test]
    fn sockets_know_core_and_themselves() {
        assert!(objects("net/server/mod.rs", "use tracetailor::pipeline;"));
        assert!(objects("net/lib.rs", "use tracetailor_processors::stitch;"));
        assert!(!objects("net/server/pages.rs", "use super::listener::Listener; use tracetailor_core::component::Stop;"));
    }

    #[test]
    fn components_of_the_gateway_know_core_and_themselves() {
        assert!(objects("src/receivers/otlp/mod.rs", "use crate::receivers::jaeger::Thrift;"));
        assert!(objects("src/receivers/otlp/grpc.rs", "use super::super::jaeger::Thrift;"));
        assert!(objects("src/receivers/otlp/mod.rs", "use crate::exporters::otlp::Request;"));
        assert!(objects("src/receivers/otlp/mod.rs", "use crate::pipeline::Queue;"));
        assert!(objects("src/exporters/otlp.rs", "use tracetailor_processors::stitch;"));
        assert!(!objects("src/receivers/otlp/grpc.rs", "use super::http::answer; use tracetailor_core::ledger::Receipt;"));
        assert!(!objects("src/receivers/otlp/mod.rs", "use tracetailor_net::server::Listener;"));
        assert!(!objects("src/receivers/mod.rs", "mod jaeger; mod otlp; use self::otlp::Otlp;"));
    }

    #[test]
    fn pipelines_and_configuration_reach_components_by_their_lists() {
        assert!(objects("src/pipeline/graph.rs", "use crate::receivers::otlp::Otlp;"));
        assert!(objects("src/config/plan.rs", "use crate::exporters::otlp;"));
        assert!(objects("src/config/plan.rs", "use crate::pipeline::Graph;"));
        assert!(!objects("src/pipeline/graph.rs", "use crate::receivers::find; use crate::config::Plan;"));
    }

    #[test]
    fn errors_lose_their_types_on_the_command_line_only() {
        assert!(objects("src/pipeline/graph.rs", "use anyhow::Result;"));
        assert!(objects("core/config/mod.rs", "fn f() -> anyhow::Result<()> { Ok(()) }"));
        assert!(!objects("src/main.rs", "use anyhow::Result;"));
        assert!(!objects("src/cli.rs", "use anyhow::Context;"));
    }

    #[test]
    fn manifests_keep_the_direction_and_the_lints() {
        let lints = "[lints]\nworkspace = true\n";
        assert!(manifest_violations("core/Cargo.toml", &format!("{lints}tracetailor-processors.workspace = true\n")).len() == 1);
        assert!(manifest_violations("processors/Cargo.toml", &format!("{lints}tracetailor = {{ path = \"..\" }}\n")).len() == 1);
        assert!(manifest_violations("core/Cargo.toml", "name = \"tracetailor-core\"\n").len() == 1);
        assert!(manifest_violations("processors/Cargo.toml", &format!("{lints}tracetailor-core.workspace = true\n")).is_empty());
    }
}
