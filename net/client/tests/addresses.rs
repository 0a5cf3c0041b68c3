//! Names, and the addresses behind them.

use std::time::Duration;

use super::*;
use crate::client::Balance;

/// A port on which nobody listens.
fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn requests_go_round_all_addresses() {
    for (balance, expected) in [(Balance::RoundRobin, [2, 2]), (Balance::PickFirst, [4, 0])] {
        let (one, two) = (Destination::start([]).await.unwrap(), Destination::start([]).await.unwrap());
        let (settings, names, _) = named(Protocol::Http2);
        names.say(&[one.address, two.address]);
        let client = Client::new(Settings { balance, ..settings });
        for _ in 0..4 {
            post(&client).await.unwrap();
        }
        assert_eq!([one.seen().len(), two.seen().len()], expected, "{balance:?}");
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_reached_is_passed_over() {
    let living = Destination::start([]).await.unwrap();
    let (settings, names, clock) = named(Protocol::Http2);
    let dead = nobody();
    names.say(&[dead, living.address]);
    let client = Client::new(settings);
    for _ in 0..4 {
        post(&client).await.unwrap();
    }
    assert_eq!(living.seen().len(), 4);
    // It comes to life, and has rested.
    let back = Destination::start_on(&dead.to_string(), []).await.unwrap();
    clock.advance(Duration::from_secs(40));
    for _ in 0..4 {
        post(&client).await.unwrap();
    }
    assert!(back.seen().len() >= 2, "{}", back.seen().len());
}

#[tokio::test]
async fn a_name_that_stands_for_another_is_followed_at_once_where_nobody_answers() {
    let (old, new) = (Destination::start([]).await.unwrap(), Destination::start([]).await.unwrap());
    let (settings, names, clock) = named(Protocol::Http2);
    names.say(&[old.address]);
    let client = Client::new(settings);
    post(&client).await.unwrap();
    names.say(&[new.address]);
    old.stop().await;
    clock.advance(Duration::from_secs(2));
    // What was under way when the old one went may be lost; nothing is ever after.
    let _ = post(&client).await;
    post(&client).await.unwrap();
    assert!(!new.seen().is_empty());
}

#[tokio::test]
async fn a_server_that_joins_is_found_in_time() {
    let (one, two) = (Destination::start([]).await.unwrap(), Destination::start([]).await.unwrap());
    let (settings, names, clock) = named(Protocol::Http2);
    names.say(&[one.address]);
    let client = Client::new(settings);
    post(&client).await.unwrap();
    names.say(&[one.address, two.address]);
    post(&client).await.unwrap();
    assert_eq!(two.seen().len(), 0);
    clock.advance(Duration::from_secs(31));
    // The look-up goes on aside.
    for _ in 0..1000 {
        post(&client).await.unwrap();
        if !two.seen().is_empty() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the second address was never used");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told() {
    let (settings, names, _) = named(Protocol::Http2);
    let client = Client::new(settings);
    let error = post(&client).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.is_unreached()), ("the name tempo cannot be looked up: no such name", true));
    let destination = Destination::start([]).await.unwrap();
    names.say(&[destination.address]);
    post(&client).await.unwrap();
}

#[tokio::test]
async fn nobody_listening_is_told() {
    let dead = nobody();
    let settings = Settings::new(address(dead), Protocol::Http1, Clock::by_hand(START));
    let error = post(&Client::new(settings)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot connect to {dead}: Connection refused (os error 111)"));
    assert!(error.is_unreached());
}

#[tokio::test]
async fn a_socket_in_the_file_system_is_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let serving = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let service = hyper::service::service_fn(|_| async { Ok::<_, std::convert::Infallible>(http::Response::new(String::new())) });
        let io = hyper_util::rt::TokioIo::new(socket);
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
    });
    let to = Address::Unix { path: path.to_str().unwrap().to_owned() };
    let client = Client::new(Settings::new(to, Protocol::Http1, Clock::by_hand(START)));
    assert_eq!(post(&client).await.unwrap().status.as_u16(), 200);
    serving.abort();
}
