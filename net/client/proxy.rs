//! Whether a proxy stands between, and which: from `proxy_url`, or from the environment as every program reads it.

use std::net::IpAddr;

use http::HeaderValue;
use tracetailor_core::component::BuildError;
use tracetailor_core::config::{Address, Secret};

use super::Url;

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is, who we are to it, and whether we speak TLS with it.
    pub url: Url,
    /// True: it is asked for a tunnel, and sees nothing of what goes through. False: it is handed each request.
    pub is_tunnel: bool,
}

/// Where the environment comes from; a test has its own.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The variables of this process.
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Proxy {
    /// The proxy to an address. One that was written out is always used; those of the environment by its rules.
    pub fn to(address: &Address, is_encrypted: bool, written: &Secret, environment: Environment<'_>) -> Result<Option<Proxy>, BuildError> {
        if !written.is_empty() {
            return Ok(Some(Proxy { url: parse("proxy_url", written.expose())?, is_tunnel: is_encrypted }));
        }
        let name = if is_encrypted { "HTTPS_PROXY" } else { "HTTP_PROXY" };
        let found = from_environment(address, name, environment)?;
        Ok(found.map(|url| Proxy { url, is_tunnel: is_encrypted }))
    }

    /// The proxy of a call of gRPC, which is always asked for a tunnel, as it cannot hand on HTTP/2 otherwise.
    pub fn of_grpc_to(address: &Address, environment: Environment<'_>) -> Result<Option<Proxy>, BuildError> {
        Ok(from_environment(address, "HTTPS_PROXY", environment)?.map(|url| Proxy { url, is_tunnel: true }))
    }

    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        self.url.authorization()
    }
}

fn parse(name: &str, text: &str) -> Result<Url, BuildError> {
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    if text.starts_with("socks5") {
        return Err(BuildError::new(format!("{name} names a SOCKS proxy, which is planned"), "name an HTTP proxy: http://host:port"));
    }
    text.parse().map_err(|error: tracetailor_core::config::KeyError| {
        // What is wrong may quote the text, and the text may have a password in it.
        BuildError::new(
            format!("{name} is no address of a proxy"),
            if text.contains('@') { "write http://host:port".to_owned() } else { error.right },
        )
    })
}

fn from_environment(address: &Address, name: &str, environment: Environment<'_>) -> Result<Option<Url>, BuildError> {
    let variable = |name: &str| environment(name).or_else(|| environment(&name.to_ascii_lowercase())).filter(|value| !value.is_empty());
    let Address::Tcp { host, port } = address else { return Ok(None) };
    let Some(proxy) = variable(name) else { return Ok(None) };
    if is_excepted(host, *port, &variable("NO_PROXY").unwrap_or_default()) {
        return Ok(None);
    }
    parse(name, &proxy).map(Some)
}

/// True where `NO_PROXY` names the host, and for this machine itself, which no proxy could reach.
fn is_excepted(host: &str, port: u16, exceptions: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let ip = host.parse::<IpAddr>().ok();
    if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
        return true;
    }
    exceptions.split(',').map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some(ip) = ip {
            return ip_matches(ip, port, &entry);
        }
        let (name, only) = match entry.rsplit_once(':') {
            Some((name, only)) => (name, only.parse().ok()),
            None => (entry.as_str(), None),
        };
        let below = |domain: &str| host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'));
        let domain = name.trim_start_matches('*');
        let is_meant = match domain.strip_prefix('.') {
            Some(domain) => below(domain),
            None => host == domain || below(domain),
        };
        is_meant && only.is_none_or(|only: u16| only == port)
    })
}

/// An entry that is an address, an address with a port, or a network such as `10.0.0.0/8`.
fn ip_matches(ip: IpAddr, port: u16, entry: &str) -> bool {
    if let Some((network, bits)) = entry.split_once('/') {
        let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
        return match (ip, network) {
            (IpAddr::V4(ip), IpAddr::V4(network)) => same_front(ip.to_bits().into(), network.to_bits().into(), bits, 32),
            (IpAddr::V6(ip), IpAddr::V6(network)) => same_front(ip.to_bits(), network.to_bits(), bits, 128),
            _ => false,
        };
    }
    match entry.parse::<IpAddr>() {
        Ok(entry) => entry == ip,
        Err(_) => entry.parse::<std::net::SocketAddr>().is_ok_and(|entry| entry.ip() == ip && entry.port() == port),
    }
}

fn same_front(a: u128, b: u128, bits: u32, width: u32) -> bool {
    bits <= width && (a ^ b).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use tracetailor_core::config::{Address, Secret};

    use super::{Proxy, is_excepted};

    fn tcp(host: &str) -> Address {
        Address::Tcp { host: host.to_owned(), port: 4318 }
    }

    #[test]
    fn exceptions_are_read_as_others_read_them() {
        for (host, list, expected) in [
            ("tempo", "", false),
            ("localhost", "", true),
            ("127.0.0.9", "", true),
            ("tempo.example.com", "example.com", true),
            ("example.com", "example.com", true),
            ("example.com", ".example.com", false),
            ("tempo.example.com", "*.example.com", true),
            ("badexample.com", "example.com", false),
            ("tempo", "a, tempo:4318", true),
            ("tempo", "tempo:1", false),
            ("Tempo.", "tempo", true),
            ("tempo", "*", true),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("10.1.2.3", "10.1.2.3:4318", true),
            ("10.1.2.3", "10.1.2.3:1", false),
            ("fd00::1", "fd00::/8", true),
        ] {
            assert_eq!(is_excepted(host, 4318, list), expected, "{host} of {list:?}");
        }
    }

    #[test]
    fn the_environment_is_asked_for_what_fits() {
        let environment = |name: &str| match name {
            "https_proxy" => Some("proxy:3128".to_owned()),
            "HTTP_PROXY" => Some("http://ann:s3cret@plain".to_owned()),
            "NO_PROXY" => Some("here".to_owned()),
            _ => None,
        };
        let to = |host, encrypted| Proxy::to(&tcp(host), encrypted, &Secret::default(), &environment).unwrap();
        let tunnel = to("tempo", true).unwrap();
        assert_eq!((tunnel.url.to_string(), tunnel.is_tunnel), ("http://proxy:3128".to_owned(), true));
        let plain = to("tempo", false).unwrap();
        assert_eq!((plain.url.to_string(), plain.is_tunnel), ("http://plain:80".to_owned(), false));
        assert_eq!(to("here", true), None);
        assert!(Proxy::of_grpc_to(&tcp("tempo"), &environment).unwrap().unwrap().is_tunnel);
        assert_eq!(Proxy::of_grpc_to(&Address::Unix { path: "/run/t".to_owned() }, &environment).unwrap(), None);
    }

    #[test]
    fn one_that_is_written_out_is_always_used_and_its_password_never_shown() {
        let written = |text: &str| Proxy::to(&tcp("localhost"), false, &Secret::from(text.to_owned()), &|_| None);
        assert_eq!(written("http://p:1").unwrap().unwrap().url.to_string(), "http://p:1");
        assert!(written("socks5://p:1").unwrap_err().wrong.contains("planned"));
        assert!(!written("http://ann:s3cret@p:x").unwrap_err().to_string().contains("s3cret"));
    }
}
