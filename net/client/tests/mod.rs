//! The client against scripted destinations on real sockets.

mod addresses;
mod encrypted;
mod failures;
mod proxies;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Version};
use tracetailor_core::component::BoxFuture;
use tracetailor_core::config::Address;
use tracetailor_core::time::{Clock, LogTime};

use super::{Answer, Client, ClientError, Protocol, Resolve, Route, Settings};
use crate::testing::{Destination, Reply};

/// Where the clock of a test stands at first.
const START: LogTime = LogTime(1_700_000_000_000_000_000);

/// A name that stands for what the test says.
#[derive(Default)]
struct Names(Mutex<Vec<SocketAddr>>);

impl Names {
    fn say(&self, addresses: &[SocketAddr]) {
        *self.0.lock().unwrap() = addresses.to_vec();
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, _host: &'a str, _port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async {
            match self.0.lock().unwrap().clone() {
                none if none.is_empty() => Err(io::Error::other("no such name")),
                some => Ok(some),
            }
        })
    }
}

fn address(to: SocketAddr) -> Address {
    Address::Tcp { host: to.ip().to_string(), port: to.port() }
}

/// Settings for a destination, with a clock that the test turns.
fn settings(to: &Destination, protocol: Protocol) -> Settings {
    Settings::new(address(to.address), protocol, Clock::by_hand(START))
}

/// A client of a name, and what that stands for.
fn named(protocol: Protocol) -> (Settings, Arc<Names>, Clock) {
    let (names, clock) = (Arc::new(Names::default()), Clock::by_hand(START));
    let address = Address::Tcp { host: "tempo".to_owned(), port: 4317 };
    (Settings { resolver: names.clone(), ..Settings::new(address, protocol, clock.clone()) }, names, clock)
}

fn route() -> Route {
    Route::new(http::uri::Scheme::HTTP, "tempo:4317", "/v1/traces", HeaderMap::new()).unwrap()
}

async fn post(client: &Client) -> Result<Answer, ClientError> {
    let route = route();
    let all = client.post(&route, HeaderMap::new(), Bytes::from_static(b"spans"));
    tokio::time::timeout(Duration::from_secs(20), all).await.unwrap()
}

/// The words of what must go wrong.
async fn failure(client: &Client) -> String {
    post(client).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_connection_is_used_again() {
    for (protocol, version) in
        [(Protocol::Http1, Version::HTTP_11), (Protocol::Http2, Version::HTTP_2), (Protocol::Negotiated, Version::HTTP_11)]
    {
        let destination = Destination::start([Reply::status(200).body("text/plain", "thanks")]).await.unwrap();
        let client = Client::new(settings(&destination, protocol));
        for _ in 0..3 {
            let answer = post(&client).await.unwrap();
            assert_eq!((answer.status.as_u16(), answer.body.as_ref(), answer.content_type().as_str()), (200, &b"thanks"[..], "text/plain"));
        }
        let seen = destination.seen();
        assert_eq!((destination.connections(), seen.len()), (1, 3), "{protocol:?}");
        assert_eq!((seen[0].version, seen[0].target.as_str(), seen[0].host.as_str()), (version, "/v1/traces", "tempo:4317"));
        assert_eq!(seen[0].body, "spans");
    }
}

#[tokio::test]
async fn requests_at_once_share_a_connection_of_http2_alone() {
    for (protocol, connections) in [(Protocol::Http1, 4), (Protocol::Http2, 1)] {
        let destination = Destination::start([Reply::status(200)]).await.unwrap();
        let client = Client::new(settings(&destination, protocol));
        let all = futures_util::future::join_all((0..4).map(|_| post(&client))).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(destination.connections(), connections, "{protocol:?}");
    }
}

#[tokio::test]
async fn an_unused_connection_is_closed_in_time() {
    let destination = Destination::start([Reply::status(200)]).await.unwrap();
    let settings = settings(&destination, Protocol::Http1);
    let clock = settings.clock.clone();
    let client = Client::new(settings);
    post(&client).await.unwrap();
    clock.advance(Duration::from_secs(89));
    post(&client).await.unwrap();
    assert_eq!(destination.connections(), 1);
    clock.advance(Duration::from_secs(91));
    post(&client).await.unwrap();
    assert_eq!(destination.connections(), 2);
}

#[tokio::test]
async fn none_is_kept_where_none_shall_be() {
    let destination = Destination::start([Reply::status(200)]).await.unwrap();
    let client = Client::new(Settings { most_idle: 0, ..settings(&destination, Protocol::Http1) });
    post(&client).await.unwrap();
    post(&client).await.unwrap();
    assert_eq!(destination.connections(), 2);
}

#[tokio::test]
async fn no_more_go_out_at_once_than_are_allowed() {
    let destination = Destination::start([Reply::status(200)]).await.unwrap();
    let client = Client::new(Settings { most_connections: Some(2), ..settings(&destination, Protocol::Http1) });
    let all = futures_util::future::join_all((0..6).map(|_| post(&client))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!((destination.seen().len(), destination.connections()), (6, 2));
}

#[tokio::test]
async fn headers_of_a_signature_come_on_top() {
    let destination = Destination::start([Reply::status(200)]).await.unwrap();
    let client = Client::new(settings(&destination, Protocol::Http2));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "old".parse().unwrap());
    let route = Route::new(http::uri::Scheme::HTTP, "h", "/", headers).unwrap();
    let signed = HeaderMap::from_iter([(http::header::AUTHORIZATION, "new".parse().unwrap())]);
    client.post(&route, signed, Bytes::new()).await.unwrap();
    assert_eq!(destination.seen()[0].header("authorization"), "new");
}
