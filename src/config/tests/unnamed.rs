//! Extensions that run without being named.

use tracetailor_core::component::ComponentId;

use crate::config::{Sources, load};

/// The extensions that a configuration starts, and what is said of it.
fn started(extensions: &str, list: &str) -> (Vec<String>, String) {
    let yaml = format!(
        "yaml:{{receivers: {{otlp: {{protocols: {{grpc: {{}}}}}}}}, exporters: {{nop: {{}}}}, extensions: {{{extensions}}}, \
         service: {{extensions: [{list}], pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}}}}}"
    );
    let loaded = load(&Sources { configs: vec![yaml], ..Sources::default() });
    let plan = loaded.plan.unwrap_or_else(|| panic!("{}", loaded.problems));
    (plan.extensions.iter().map(|extension| extension.id.to_string()).collect(), loaded.problems.to_string())
}

#[test]
fn admin_runs_as_it_is_written_or_as_it_is_by_default() {
    let none = String::new();
    assert_eq!(started("", ""), (vec!["admin".to_owned()], none.clone()));
    assert_eq!(started("health_check: {}", "health_check"), (vec!["health_check".to_owned(), "admin".to_owned()], none.clone()));
    assert_eq!(started("admin: {enabled: false}", ""), (vec!["admin".to_owned()], none.clone()));
    assert_eq!(
        started("admin/ours: {}, health_check: {}", "admin/ours, health_check"),
        (vec!["admin/ours".to_owned(), "health_check".to_owned()], none.clone())
    );
    assert_eq!(started("admin: {endpoint: 'localhost:9'}", "").0, [ComponentId::of("admin").to_string()]);
}
