//! By way of a proxy.

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tracetailor_core::config::Secret;

use super::*;
use crate::client::Proxy;

/// A proxy that gives a tunnel to wherever it is asked, or refuses; and what it was asked.
async fn proxy(answer: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (to, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let noted = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let target = head.split(' ').nth(1).unwrap().to_owned();
            noted.lock().unwrap().push(head);
            client.write_all(answer.as_bytes()).await.unwrap();
            if answer.contains(" 200 ") {
                let mut server = TcpStream::connect(target).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
            }
        }
    });
    (to, asked)
}

fn written(to: SocketAddr) -> Secret {
    Secret::from(format!("http://ann:s3cret@{to}"))
}

#[tokio::test]
async fn a_tunnel_is_asked_for_and_used() {
    let destination = Destination::start([]).await.unwrap();
    let (to, asked) = proxy("HTTP/1.1 200 Connection established\r\n\r\n").await;
    let plain = settings(&destination, Protocol::Http2);
    let proxy = Proxy::to(&plain.address, true, &written(to), &|_| None).unwrap();
    let client = Client::new(plain.by_way_of(proxy).unwrap());
    post(&client).await.unwrap();
    post(&client).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    let expected = format!("CONNECT {0} HTTP/1.1\r\nhost: {0}\r\nproxy-authorization: Basic YW5uOnMzY3JldA==\r\n\r\n", destination.address);
    assert_eq!(asked, [expected]);
    assert_eq!(destination.seen().len(), 2);
    assert_eq!(destination.seen()[0].header("proxy-authorization"), "");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_in_its_words() {
    let destination = Destination::start([]).await.unwrap();
    let (to, _) = proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let plain = settings(&destination, Protocol::Http2);
    let proxy = Proxy::to(&plain.address, true, &written(to), &|_| None).unwrap();
    let told = failure(&Client::new(plain.by_way_of(proxy).unwrap())).await;
    assert_eq!(told, format!("the proxy gives no way to {}: HTTP/1.1 407 Proxy Authentication Required", destination.address));
}

#[tokio::test]
async fn what_is_not_encrypted_is_handed_to_the_proxy_whole() {
    let proxy = Destination::start([]).await.unwrap();
    let (settings, ..) = named(Protocol::Http1);
    let by = Proxy::to(&settings.address, false, &written(proxy.address), &|_| None).unwrap();
    post(&Client::new(settings.by_way_of(by).unwrap())).await.unwrap();
    let seen = &proxy.seen()[0];
    assert_eq!((seen.target.as_str(), seen.host.as_str()), ("http://tempo:4317/v1/traces", "tempo:4317"));
    assert_eq!(seen.header("proxy-authorization"), "Basic YW5uOnMzY3JldA==");
}
