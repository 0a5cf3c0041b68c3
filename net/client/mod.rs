//! A client for one destination: posts bodies to it over HTTP/1.1 or HTTP/2, spread over all its addresses, on connections that it keeps.
//!
//! A client belongs to one lane. Its connections live on the runtime that sends; nothing crosses threads. It makes attempts and nothing
//! more: what is tried again, and when, is for those who ask. Only a request of which certainly no byte was acted upon is sent once more by
//! itself, on another connection.
//!
//! Nothing follows a redirect: a server that answers a POST with one is asked for nothing else, since most ways to follow lose the body.

mod addresses;
mod answer;
mod connection;
mod dial;
mod error;
mod headers;
mod place;
mod proxy;
mod resolve;
mod route;
mod sign;
mod socket;
mod tunnel;
mod url;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tracetailor_core::component::BuildError;
use tracetailor_core::config::{Address, ClientTls};
use tracetailor_core::time::Clock;

pub use answer::Answer;
pub use error::ClientError;
pub use headers::{Headers, header_value};
pub use proxy::{Environment, Proxy, process_environment};
pub use resolve::{Resolve, SystemResolver};
pub use route::{NoRoute, Route};
pub use sign::Signer;
pub use url::Url;

use addresses::Addresses;
use connection::Sent;

use crate::tls::TlsClient;

/// What a client is made from.
#[derive(Clone)]
pub struct Settings {
    /// Whom to speak with.
    pub address: Address,
    /// What to speak.
    pub protocol: Protocol,
    /// How connections are encrypted; in the clear without.
    pub tls: Option<Arc<TlsClient>>,
    /// Who stands between, and how connections to him are encrypted.
    pub proxy: Option<(Proxy, Option<Arc<TlsClient>>)>,
    /// How requests are spread over the addresses of a name.
    pub balance: Balance,
    /// Pings on idle connections.
    pub keepalive: Option<Keepalive>,
    /// How long opening a connection may take: the name's look-up not included, TLS and all that included.
    pub connect_timeout: Duration,
    /// After how long an unused HTTP/1.1 connection is closed.
    pub idle_timeout: Duration,
    /// How many unused HTTP/1.1 connections are kept; none makes one for each request.
    pub most_idle: usize,
    /// How many requests may be under way at once.
    pub most_connections: Option<usize>,
    /// The most bytes of an answer that are read.
    pub most_answer: usize,
    /// Where time comes from.
    pub clock: Clock,
    /// Where addresses come from.
    pub resolver: Arc<dyn Resolve>,
}

/// What is spoken over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, without asking: gRPC.
    Http2,
    /// With TLS whatever the server chooses of the two, else HTTP/1.1.
    Negotiated,
}

/// How requests are spread over the addresses of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// The first that answers, until it no longer does.
    PickFirst,
}

/// Pings of HTTP/2, which find out that a silent connection is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// After so long without a word.
    pub time: Duration,
    /// An answer must come within this.
    pub timeout: Duration,
    /// Also while no request is under way.
    pub while_idle: bool,
}

impl Settings {
    /// Usual settings for this address.
    pub fn new(address: Address, protocol: Protocol, clock: Clock) -> Self {
        Self {
            address,
            protocol,
            tls: None,
            proxy: None,
            balance: Balance::RoundRobin,
            keepalive: None,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            most_idle: 100,
            most_connections: None,
            most_answer: 4 << 20,
            clock,
            resolver: Arc::new(SystemResolver),
        }
    }

    /// The same, encrypted as the block says.
    pub fn encrypted(mut self, tls: &ClientTls) -> Result<Self, BuildError> {
        let protocols: &[&str] = match self.protocol {
            Protocol::Http1 => &["http/1.1"],
            Protocol::Http2 => &["h2"],
            Protocol::Negotiated => &["h2", "http/1.1"],
        };
        self.tls = Some(Arc::new(TlsClient::new(tls, protocols, self.clock.clone())?));
        Ok(self)
    }

    /// The same by way of a proxy, if there is one.
    pub fn by_way_of(mut self, proxy: Option<Proxy>) -> Result<Self, BuildError> {
        let Some(proxy) = proxy else { return Ok(self) };
        let tls = match proxy.url.is_encrypted() {
            true => Some(Arc::new(TlsClient::new(&ClientTls::default(), &["http/1.1"], self.clock.clone())?)),
            false => None,
        };
        self.proxy = Some((proxy, tls));
        Ok(self)
    }

    /// Whom sockets are opened to.
    fn nearest(&self) -> &Address {
        self.proxy.as_ref().map_or(&self.address, |(proxy, _)| proxy.url.address())
    }

    /// The same for attempts that may take so long (zero: for ever): opening a connection must leave time for another address.
    #[must_use]
    pub fn within(mut self, attempt: Duration) -> Self {
        if !attempt.is_zero() {
            self.connect_timeout = self.connect_timeout.min(attempt / 2);
        }
        self
    }
}

/// What we say of ourselves, as the Collector does it: name, version, system.
pub fn user_agent() -> String {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("tracetailor/{} ({}/{machine})", env!("CARGO_PKG_VERSION"), std::env::consts::OS)
}

/// What a destination is called in a request.
pub fn authority(address: &Address) -> String {
    match address {
        Address::Tcp { .. } => address.to_string(),
        // A socket in the file system has no name that a server would know.
        Address::Unix { .. } => "localhost".to_owned(),
    }
}

/// A client. Clones are the same, connections and all.
#[derive(Clone)]
pub struct Client {
    settings: Arc<Settings>,
    addresses: Arc<Addresses>,
    permits: Option<Arc<tokio::sync::Semaphore>>,
}

impl Client {
    /// A client. Nothing is connected yet.
    pub fn new(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        let permits = settings.most_connections.map(|most| Arc::new(tokio::sync::Semaphore::new(most)));
        Self { addresses: Arc::new(Addresses::new(settings.clone())), settings, permits }
    }

    /// Posts a body and reads the answer, whatever its status. `more` headers replace those of the route.
    ///
    /// Addresses that cannot be reached are passed over; the error is that of the last.
    pub async fn post(&self, route: &Route, more: HeaderMap, body: Bytes) -> Result<Answer, ClientError> {
        let _permit = match &self.permits {
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        };
        let mut last = match self.over(self.in_turn().await?, route, &more, &body).await? {
            Tried::Answered(answer) => return Ok(answer),
            Tried::Unreached(error) => error,
        };
        // The name may stand for others by now.
        if self.addresses.look_up_again().await {
            match self.over(self.in_turn().await?, route, &more, &body).await? {
                Tried::Answered(answer) => return Ok(answer),
                Tried::Unreached(error) => last = error,
            }
        }
        Err(last.unreached())
    }

    async fn in_turn(&self) -> Result<Vec<Arc<place::Place>>, ClientError> {
        self.addresses.in_turn().await.map_err(ClientError::unreached)
    }

    /// Tries address after address until one takes the request.
    async fn over(&self, places: Vec<Arc<place::Place>>, route: &Route, more: &HeaderMap, body: &Bytes) -> Result<Tried, ClientError> {
        let mut last = ClientError::new("the name has no address");
        for place in places {
            match place.post(&self.settings, route, more, body).await {
                Sent::Answered(answer) => return Ok(Tried::Answered(answer)),
                Sent::Lost(error) => return Err(error),
                Sent::Unsent(error) => last = error,
            }
        }
        Ok(Tried::Unreached(last))
    }
}

/// What came of trying all addresses.
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one, and is moved twice at most")]
enum Tried {
    Answered(Answer),
    Unreached(ClientError),
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.settings.address)
    }
}

#[cfg(test)]
mod tests;
