//! Where Coralogix is: its regions, their former names, and hosts that are switched off.

use tracetailor_core::config::{ConfigErrors, Endpoint};
use tracetailor_net::client::Url;

use super::config::Protocol;

/// The domains that there are.
const DOMAINS: [&str; 9] = [
    "us1.coralogix.com",
    "us2.coralogix.com",
    "us3.coralogix.com",
    "eu1.coralogix.com",
    "eu2.coralogix.com",
    "ap1.coralogix.com",
    "ap2.coralogix.com",
    "ap3.coralogix.com",
    "gov1.coralogixgov.us",
];

/// Former spellings of some of them.
const FORMER: [(&str, &str); 5] = [
    ("coralogix.com", "eu1.coralogix.com"),
    ("coralogix.us", "us1.coralogix.com"),
    ("cx498.coralogix.com", "us2.coralogix.com"),
    ("coralogix.in", "ap1.coralogix.com"),
    ("coralogixsg.com", "ap2.coralogix.com"),
];

/// How hosts begin that took one signal each, and are switched off in favour of `ingress`.
const SWITCHED_OFF: [&str; 9] = [
    "otel-traces.",
    "otel-metrics.",
    "otel-logs.",
    "tracing-ingress.",
    "metrics-ingress.",
    "metrics-api.",
    "api.",
    "ingestion.",
    "private-link.",
];

/// The address of a region's ingress.
pub(super) fn ingress(domain: &str, private_link: bool) -> String {
    let is_private = domain.contains("private.");
    let domain = today(domain);
    match private_link && !is_private {
        true => format!("ingress.private.{domain}:443"),
        false => format!("ingress.{domain}:443"),
    }
}

/// The domain as it is spelled today; what is none that we know, as it is.
fn today(domain: &str) -> String {
    let (private, bare) = domain.strip_prefix("private.").map_or(("", domain), |bare| ("private.", bare));
    let known = FORMER.iter().find(|(former, _)| former.eq_ignore_ascii_case(bare)).map_or(bare, |(_, domain)| domain);
    format!("{private}{}", known.to_ascii_lowercase())
}

/// Says what of a domain is hardly meant. What we do not know may be a new region.
pub(super) fn check_domain(domain: &str, errors: &mut ConfigErrors) {
    let bare = domain.strip_prefix("private.").unwrap_or(domain).to_ascii_lowercase();
    if DOMAINS.contains(&bare.as_str()) {
        return;
    }
    if domain.parse::<Endpoint>().is_ok() || format!("{domain}:443").parse::<Endpoint>().is_err() || domain.contains(['/', ':']) {
        errors.error("domain", "is no domain", "write that of the region alone, such as eu1.coralogix.com");
    } else if !domain.contains('.') {
        let meant = DOMAINS.iter().find(|known| known.starts_with(&format!("{bare}."))).unwrap_or(&DOMAINS[3]);
        errors.error("domain", format!("{domain:?} is no domain"), format!("write {meant}"));
    } else if let Some((_, now)) = FORMER.iter().find(|(former, _)| *former == bare) {
        errors.warn("domain", format!("is spelled {now} today, and that is where requests go"), format!("write {now}"));
    } else if is_switched_off(&bare) {
        errors.warn("domain", "is of a host that Coralogix switches off", "write the domain of the region, such as eu1.coralogix.com");
    } else if let Some(rest) = ["ingress.", "app."].iter().find_map(|host| bare.strip_prefix(host)) {
        let right = format!("write {}", today(rest));
        errors.warn("domain", "is the name of a host, and ingress. is put before it", right);
    } else {
        let right = format!("is it one of {}?", DOMAINS.join(", "));
        errors.warn("domain", "is no domain of Coralogix that is known here", right);
    }
}

/// Says what of a signal's own endpoint is hardly meant, or cannot be used.
pub(super) fn check_endpoint(endpoint: &str, protocol: Protocol, errors: &mut ConfigErrors) {
    let (bare, wrong) = match protocol {
        Protocol::Grpc => (endpoint.to_owned(), endpoint.parse::<Endpoint>().map(|endpoint| endpoint.path)),
        Protocol::Http => {
            let url = with_scheme(endpoint, false);
            (url.clone(), url.parse::<Url>().map(|_| String::new()))
        }
    };
    match wrong {
        Err(wrong) => errors.error("endpoint", wrong.wrong, wrong.right),
        Ok(path) if !path.is_empty() => {
            errors.error("endpoint", format!("has {path:?} behind its port, and gRPC has no paths"), "write host:port, or protocol: http");
        }
        Ok(_) if is_switched_off(bare.split_once("://").map_or(bare.as_str(), |(_, rest)| rest)) && bare.contains("coralogix") => {
            errors.warn(
                "endpoint",
                "is a host that Coralogix switches off",
                "write domain in its place: all signals go to ingress.<domain>",
            );
        }
        Ok(_) => {}
    }
}

fn is_switched_off(host: &str) -> bool {
    SWITCHED_OFF.iter().any(|start| host.starts_with(start)) || host.contains("private-link.")
}

/// An endpoint as a URL: with TLS unless it is said otherwise.
pub(super) fn with_scheme(endpoint: &str, insecure: bool) -> String {
    match endpoint.contains("://") || endpoint.starts_with("unix:") {
        true => endpoint.to_owned(),
        false if insecure => format!("http://{endpoint}"),
        false => format!("https://{endpoint}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_leads_to_the_ingress_of_its_region() {
        for (domain, host) in [
            ("eu2.coralogix.com", "ingress.eu2.coralogix.com:443"),
            ("EU2.coralogix.com", "ingress.eu2.coralogix.com:443"),
            ("coralogix.com", "ingress.eu1.coralogix.com:443"),
            ("coralogix.us", "ingress.us1.coralogix.com:443"),
            ("cx498.coralogix.com", "ingress.us2.coralogix.com:443"),
            ("coralogix.in", "ingress.ap1.coralogix.com:443"),
            ("coralogixsg.com", "ingress.ap2.coralogix.com:443"),
            ("gov1.coralogixgov.us", "ingress.gov1.coralogixgov.us:443"),
            ("new.example", "ingress.new.example:443"),
        ] {
            assert_eq!(ingress(domain, false), host);
        }
        assert_eq!(ingress("eu2.coralogix.com", true), "ingress.private.eu2.coralogix.com:443");
        assert_eq!(ingress("private.eu2.coralogix.com", true), "ingress.private.eu2.coralogix.com:443");
        assert_eq!(ingress("private.coralogix.com", false), "ingress.private.eu1.coralogix.com:443");
    }
}
