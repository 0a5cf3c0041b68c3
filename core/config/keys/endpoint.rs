//! An address to listen on or to send to: `0.0.0.0:4317`, `[::1]:4317`, `unix:/run/t.sock`, `https://tempo:4318/v1/traces`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::text::{KeyError, text_key};
use crate::config::fault::quoted;

/// An address as the user wrote it, taken apart.
///
/// `host:port`, `[IPv6]:port`, `:port` (every interface) or `unix:path`, each with or without a scheme in front and, after `http://` and
/// `https://`, a path behind. The port may be left out only after one of these two, which have a usual one. Whether a scheme or a path
/// makes sense is for the component to say: a listener has neither ([`Endpoint::listens`]).
///
/// ```
/// use tracetailor_core::config::{Address, Endpoint, Scheme};
///
/// let grpc: Endpoint = "localhost:4317".parse()?;
/// assert_eq!(grpc.address, Address::Tcp { host: "localhost".into(), port: 4317 });
///
/// let http: Endpoint = "https://tempo.example/otlp".parse()?;
/// assert_eq!((http.scheme, http.path.as_str()), (Some(Scheme::Https), "/otlp"));
/// assert_eq!(http.address, Address::Tcp { host: "tempo.example".into(), port: 443 });
/// # Ok::<(), tracetailor_core::config::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    text: String,
    /// How to speak, where it says.
    pub scheme: Option<Scheme>,
    /// With whom.
    pub address: Address,
    /// What follows the port, with its slash; empty for nothing.
    pub path: String,
}

text_key!(Endpoint, "endpoint", "an address such as localhost:4317");

/// What stands before `://`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http://`: in the clear.
    Http,
    /// `https://`: with TLS.
    Https,
    /// `dns:///`: gRPC's word for a name that is looked up, and looked up again, to spread over all its addresses.
    Dns,
    /// `passthrough:///`: gRPC's word for a name that is dialled as it is.
    Passthrough,
}

/// Where a socket is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A host, as name or number without brackets, and a port. The empty host is every interface.
    Tcp {
        /// The host.
        host: String,
        /// The port; 0 lets the system choose one to listen on.
        port: u16,
    },
    /// A socket in the file system.
    Unix {
        /// Its path.
        path: String,
    },
}

const SCHEMES: [(&str, Scheme); 4] =
    [("http://", Scheme::Http), ("https://", Scheme::Https), ("dns:///", Scheme::Dns), ("passthrough:///", Scheme::Passthrough)];

impl Endpoint {
    /// As the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True when it is reachable from this machine alone.
    pub fn is_local(&self) -> bool {
        match &self.address {
            Address::Unix { .. } => true,
            Address::Tcp { host, .. } => host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        }
    }

    /// Checks that one can listen here, where a scheme or a path would say nothing.
    pub fn listens(&self) -> Result<(), KeyError> {
        if self.scheme.is_none() && self.path.is_empty() {
            return Ok(());
        }
        Err(KeyError::new(
            format!("{} is an address to send to, not one to listen on", quoted(&self.text)),
            format!("write {}", self.address),
        ))
    }
}

impl FromStr for Endpoint {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Endpoint, KeyError> {
        let wrong = |what: &str, right: String| KeyError::new(format!("{} {what}", quoted(text)), right);
        if text.is_empty() {
            return Err(KeyError::new("is empty, not an address", "write one such as localhost:4317"));
        }
        if let Some(path) = unix_path(text) {
            let address = Address::Unix { path: path.to_owned() };
            return match path {
                "" => Err(wrong("names no socket", "write the path of one: unix:/run/tracetailor.sock".to_owned())),
                _ => Ok(Endpoint { text: text.to_owned(), scheme: None, address, path: String::new() }),
            };
        }
        if let Some(odd) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            return Err(wrong(&format!("has {odd:?} in it"), "write the address without blanks or line ends".to_owned()));
        }
        let (scheme, rest) = split_scheme(text)?;
        let (authority, path) = match scheme {
            Some(Scheme::Http | Scheme::Https) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
            _ => (rest, ""),
        };
        let address = tcp(text, scheme, authority)?;
        Ok(Endpoint { text: text.to_owned(), scheme, address, path: path.to_owned() })
    }
}

/// `unix:path` and `unix:///path`, as gRPC has both.
fn unix_path(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("unix:")?;
    Some(rest.strip_prefix("//").unwrap_or(rest))
}

fn split_scheme(text: &str) -> Result<(Option<Scheme>, &str), KeyError> {
    for (prefix, scheme) in SCHEMES {
        // A prefix is ASCII, so a length that fits ends between characters.
        if text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
            return Ok((Some(scheme), &text[prefix.len()..]));
        }
    }
    match text.split_once("://") {
        None => Ok((None, text)),
        Some((scheme, rest)) => {
            let wrong = format!("{} has a scheme that is not spoken here: {}", quoted(text), quoted(scheme));
            Err(KeyError::new(wrong, format!("write http://{rest}, https://{rest} or {rest}")))
        }
    }
}

fn tcp(text: &str, scheme: Option<Scheme>, authority: &str) -> Result<Address, KeyError> {
    let wrong = |what: String, right: String| Err(KeyError::new(format!("{} {what}", quoted(text)), right));
    if authority.contains('@') {
        // Not quoted: what stands before the @ is a password.
        return Err(KeyError::new("has a user or a password in the address", "give them as a header or with an auth extension"));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) if host.parse::<Ipv6Addr>().is_ok() || host.contains('%') => (host, port),
            _ => return wrong("has no IPv6 address in its brackets".to_owned(), "write one such as [::1]:4317".to_owned()),
        },
        None if authority.matches(':').count() > 1 => {
            return wrong("has more than one colon".to_owned(), format!("put an IPv6 address in brackets: {}", bracketed(authority)));
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if scheme.is_some() && host.is_empty() {
        return wrong("names no host".to_owned(), "write one such as http://localhost:4318".to_owned());
    }
    if let Some(odd) = host.chars().find(|c| matches!(c, '/' | '?' | '#' | '[' | ']')) {
        return wrong(format!("has {odd:?} in its host"), "write host:port, such as localhost:4317".to_owned());
    }
    let usual = match scheme {
        Some(Scheme::Http) => Some(80),
        Some(Scheme::Https) => Some(443),
        _ => None,
    };
    let port = match (port.strip_prefix(':'), usual) {
        (Some(port), _) => match port.parse::<u16>() {
            Ok(number) if port.bytes().all(|b| b.is_ascii_digit()) => number,
            _ => return wrong(format!("has a port that is none: {}", quoted(port)), format!("write a number up to 65535: {host}:4317")),
        },
        (None, Some(port)) if port_is_absent(authority) => port,
        _ if host.parse::<u16>().is_ok() => return wrong("has no port".to_owned(), format!("write one: localhost:{host}")),
        _ => return wrong("has no port".to_owned(), format!("write one: {}:4317", shown_host(host))),
    };
    Ok(Address::Tcp { host: host.to_owned(), port })
}

fn port_is_absent(authority: &str) -> bool {
    authority.ends_with(']') || !authority.contains(':')
}

/// What was most likely meant by an IPv6 address without brackets: the whole of it where it is one, else all but a port at its end.
fn bracketed(authority: &str) -> String {
    match authority.rsplit_once(':') {
        Some((host, port)) if authority.parse::<Ipv6Addr>().is_err() || host.parse::<Ipv6Addr>().is_ok() => format!("[{host}]:{port}"),
        _ => format!("[{authority}]:4317"),
    }
}

fn shown_host(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// As written.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } => write!(f, "{}:{port}", shown_host(host)),
            Address::Unix { path } => write!(f, "unix:{path}"),
        }
    }
}
