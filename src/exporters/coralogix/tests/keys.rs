//! The keys: what the Collector takes is taken, what cannot be meant is told.

use tracetailor_core::config::{Period, Severity};
use tracetailor_core::testing::assert_manual;

use crate::exporters::coralogix::{Config, FACTORY};

#[test]
fn the_manual_holds_the_keys() {
    assert_manual(&FACTORY);
}

/// The problems of a block, as a user sees them.
fn problems(yaml: &str) -> Vec<(Severity, String)> {
    tracetailor_core::testing::problems(&FACTORY, yaml)
}

fn whole(more: &str) -> String {
    format!("{{private_key: k, application_name: a, {more}}}")
}

#[test]
fn all_domains_are_known_and_former_ones_flagged() {
    for domain in [
        "us1.coralogix.com",
        "us2.coralogix.com",
        "us3.coralogix.com",
        "eu1.coralogix.com",
        "eu2.coralogix.com",
        "ap1.coralogix.com",
        "ap2.coralogix.com",
        "ap3.coralogix.com",
        "gov1.coralogixgov.us",
        "private.eu2.coralogix.com",
    ] {
        assert_eq!(problems(&whole(&format!("domain: {domain}"))), [], "{domain}");
    }
    for (domain, severity, wrong) in [
        ("coralogix.com", Severity::Warning, "is spelled eu1.coralogix.com today, and that is where requests go"),
        ("coralogixsg.com", Severity::Warning, "is spelled ap2.coralogix.com today, and that is where requests go"),
        ("ingress.eu2.coralogix.com", Severity::Warning, "is the name of a host, and ingress. is put before it"),
        ("otel-traces.coralogix.com", Severity::Warning, "is of a host that Coralogix switches off"),
        ("private-link.coralogix.com", Severity::Warning, "is of a host that Coralogix switches off"),
        ("new.example", Severity::Warning, "is no domain of Coralogix that is known here"),
        ("eu1", Severity::Error, "\"eu1\" is no domain"),
        ("https://eu1.coralogix.com", Severity::Error, "is no domain"),
        ("eu1.coralogix.com:443", Severity::Error, "is no domain"),
    ] {
        assert_eq!(problems(&whole(&format!("domain: '{domain}'"))), [(severity, format!("domain: {wrong}"))], "{domain}");
    }
}

#[test]
fn what_is_missing_or_cannot_be_meant_is_told() {
    for (yaml, severity, wrong) in [
        ("{private_key: k, application_name: a}".to_owned(), Severity::Error, ": neither domain nor the endpoint of a signal is given"),
        (whole("traces: {endpoint: 'https://'}"), Severity::Error, ": neither domain nor the endpoint of a signal is given"),
        ("{domain: eu1.coralogix.com, application_name: a}".to_owned(), Severity::Error, ": private_key is missing"),
        ("{domain: eu1.coralogix.com, private_key: k}".to_owned(), Severity::Error, ": application_name is missing"),
        (
            "{domain: eu1.coralogix.com, application_name: a, private_key: \"k\\n\"}".to_owned(),
            Severity::Error,
            "private_key: has a line break in it",
        ),
        (
            "{domain: eu1.coralogix.com, application_name: a, private_key: Bearer k}".to_owned(),
            Severity::Error,
            "private_key: begins with Bearer, which is put before it here",
        ),
        (whole("domain: eu1.coralogix.com, protocol: thrift"), Severity::Error, "protocol: \"thrift\" is not a choice here"),
        (whole("domain: eu1.coralogix.com, rate_limiter: {threshold: 0}"), Severity::Error, "rate_limiter.threshold: must be positive"),
        (whole("domain: eu1.coralogix.com, rate_limiter: {duration: 0s}"), Severity::Error, "rate_limiter.duration: must be positive"),
        (
            whole("domain: eu1.coralogix.com, max_request_bytes: 11MB"),
            Severity::Error,
            "max_request_bytes: is more than Coralogix takes: 10 MB before compression",
        ),
        (
            whole("traces: {endpoint: 'tracing-ingress.coralogix.com:9443'}"),
            Severity::Warning,
            "traces.endpoint: is a host that Coralogix switches off",
        ),
        (
            whole("traces: {endpoint: 'https://h:443/x'}"),
            Severity::Error,
            "traces.endpoint: has \"/x\" behind its port, and gRPC has no paths",
        ),
        (
            whole("domain: eu1.coralogix.com, domain_settings: {headers: {Authorization: x}}"),
            Severity::Warning,
            "domain_settings.headers.authorization: is replaced: private_key says who sends",
        ),
        (
            whole("domain: eu1.coralogix.com, logs: {middlewares: []}"),
            Severity::Error,
            "logs.middlewares: the Collector has this key; here it is planned and does not work yet",
        ),
    ] {
        assert_eq!(problems(&yaml), [(severity, wrong.to_owned())], "{yaml}");
    }
}

#[test]
fn what_the_collector_takes_is_taken() {
    for more in [
        "domain: eu2.coralogix.com, private_link: true, subsystem_name: s, rate_limiter: {enabled: false, threshold: 0}",
        "domain: eu2.coralogix.com, timeout: 30s, profiles: {endpoint: 'h:1'}, sending_queue: {sizer: bytes, queue_size: 209715200, batch: {min_size: 1048576, max_size: 2097152}}",
        "domain: eu2.coralogix.com, domain_settings: {compression: zstd, accept_encoding: gzip, keepalive: {time: 5s}, balancer_name: pick_first, wait_for_ready: true, read_buffer_size: 1, write_buffer_size: 2}",
        "protocol: http, logs: {endpoint: 'https://h/x', proxy_url: 'http://p:1', timeout: 3s}",
    ] {
        assert_eq!(problems(&whole(more)), [], "{more}");
    }
}

#[test]
fn the_cool_down_is_the_rate_limiters() {
    let cool_down = |more: &str| {
        let yaml = whole(&format!("domain: eu1.coralogix.com{more}"));
        let config: Config = tracetailor_core::config::parse(&yaml, "f", "x").unwrap();
        config.delivery().cool_down.map(|cool_down| (cool_down.refusals, cool_down.duration))
    };
    assert_eq!(cool_down(""), Some((10, Period::seconds(60))));
    assert_eq!(cool_down(", rate_limiter: {threshold: 3, duration: 5s}"), Some((3, Period::seconds(5))));
    assert_eq!(cool_down(", rate_limiter: {enabled: false}"), None);
}

#[test]
fn nothing_shows_the_key() {
    let yaml = "{private_key: hush, application_name: a, domain: eu1.coralogix.com}";
    let config: Config = tracetailor_core::config::parse(yaml, "f", "x").unwrap();
    assert!(!format!("{config:?}").contains("hush"));
}
