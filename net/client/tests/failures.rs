//! Connections that are cut, answers that never end, servers that say nothing.

use super::*;

const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_costs_no_request() {
    for protocol in BOTH {
        let destination = Destination::start([Reply::status(200)]).await.unwrap();
        let client = Client::new(settings(&destination, protocol));
        post(&client).await.unwrap();
        destination.cut().await;
        // The client has not looked at its connection since.
        post(&client).await.unwrap();
        assert_eq!((destination.connections(), destination.seen().len()), (2, 2), "{protocol:?}");
    }
}

#[tokio::test]
async fn a_cut_before_the_answer_is_lost_and_not_sent_again() {
    let destination = Destination::start([Reply::cut_before(), Reply::status(200)]).await.unwrap();
    let client = Client::new(settings(&destination, Protocol::Http1));
    let told = failure(&client).await;
    assert!(told.starts_with("the connection was lost before the answer"), "{told}");
    assert_eq!(destination.seen().len(), 1);
    post(&client).await.unwrap();
}

#[tokio::test]
async fn a_cut_within_the_answer_is_lost() {
    for protocol in BOTH {
        let cut = Reply::status(200).body("text/plain", "a long story").cut_within();
        let destination = Destination::start([cut, Reply::status(200)]).await.unwrap();
        let client = Client::new(settings(&destination, protocol));
        let error = post(&client).await.unwrap_err();
        assert!(error.to_string().starts_with("the connection was lost in the middle of the answer"), "{error}");
        assert!(!error.is_unreached());
        assert_eq!(destination.seen().len(), 1);
        post(&client).await.unwrap();
    }
}

#[tokio::test]
async fn of_an_answer_without_end_only_the_front_is_read() {
    for protocol in BOTH {
        let endless = Reply::status(200).body("text/plain", vec![b'x'; 10_000]).endless();
        let destination = Destination::start([endless, Reply::status(200)]).await.unwrap();
        let client = Client::new(Settings { most_answer: 25_000, ..settings(&destination, protocol) });
        let answer = post(&client).await.unwrap();
        assert!(answer.is_cut && answer.body.len() <= 25_000, "{protocol:?}: {}", answer.body.len());
        assert!(!post(&client).await.unwrap().is_cut, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_connection_on_which_nobody_answers_any_more_is_given_up() {
    let destination = Destination::start([Reply::silence(), Reply::silence(), Reply::silence(), Reply::status(200)]).await.unwrap();
    let client = Client::new(settings(&destination, Protocol::Http2));
    for _ in 0..3 {
        let mut waiting = Box::pin(post(&client));
        let before = destination.seen().len();
        // Given up once it has arrived.
        while destination.seen().len() == before {
            let _ = tokio::time::timeout(Duration::from_millis(1), &mut waiting).await;
        }
        drop(waiting);
    }
    assert_eq!(destination.connections(), 1);
    post(&client).await.unwrap();
    assert_eq!(destination.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_in_time_is_told() {
    // Listens, and never accepts: with TLS the handshake waits for ever.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let tls = tracetailor_core::config::ClientTls { insecure_skip_verify: true, ..Default::default() };
    let settings = Settings::new(address(to), Protocol::Http1, Clock::by_hand(START)).within(Duration::from_millis(40));
    let told = failure(&Client::new(settings.encrypted(&tls).unwrap())).await;
    assert_eq!(told, format!("no connection to {to} within 20ms"));
}

#[tokio::test]
async fn http2_spoken_to_a_server_of_http1_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = hyper::service::service_fn(|_| async { Ok::<_, std::convert::Infallible>(http::Response::new(String::new())) });
            let io = hyper_util::rt::TokioIo::new(socket);
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        }
    });
    let told = failure(&Client::new(Settings::new(address(to), Protocol::Http2, Clock::by_hand(START)))).await;
    assert!(told.contains("is this the port for gRPC (mostly 4317)"), "{told}");
}
