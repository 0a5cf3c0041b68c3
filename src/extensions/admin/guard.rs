//! Keeps out web pages: what a browser on this machine has open must not read our pages, nor steer the gateway.
//!
//! A page from elsewhere can have the browser ask `127.0.0.1`. What it may not read of the answer it may read once its own name leads
//! there, too (DNS rebinding): then the name in `Host` is its own. And a POST acts, whether or not the answer is read; browsers say with
//! `Origin` whose page it is from.

use std::net::IpAddr;

use http::header::{HOST, HeaderValue, ORIGIN};
use http::{Method, Request};

/// Who is let in.
#[derive(Debug)]
pub(super) struct Guard {
    allowed: Vec<String>,
}

/// Why somebody is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// The name is not one of ours.
    #[error("the Host header names another host; ask for localhost or an address, or add the name to allowed_hosts of the admin extension")]
    Host,
    /// A page in a browser acts.
    #[error("this is not for pages in a browser: the request has an Origin header")]
    Origin,
}

impl Guard {
    pub(super) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.iter().map(|host| host.to_ascii_lowercase()).collect() }
    }

    pub(super) fn admits<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        // A browser always sends one. What sends none speaks HTTP/1.0 by hand.
        let named = request.headers().get(HOST).map(HeaderValue::to_str);
        let is_ours = match named {
            None => true,
            Some(host) => host.is_ok_and(|host| self.is_ours(host)),
        };
        if !is_ours {
            return Err(Refusal::Host);
        }
        let acts = !matches!(*request.method(), Method::GET | Method::HEAD);
        if acts && request.headers().contains_key(ORIGIN) { Err(Refusal::Origin) } else { Ok(()) }
    }

    /// A name can be made to lead anywhere; a number leads where it says.
    fn is_ours(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, port)) => (address, port),
            None => host.find(':').map_or((host.as_str(), ""), |colon| host.split_at(colon)),
        };
        let has_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        has_port && (name == "localhost" || name.parse::<IpAddr>().is_ok() || self.allowed.iter().any(|allowed| *allowed == name))
    }
}
