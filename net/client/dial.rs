//! Opening a connection: the socket, what stands between it and HTTP, and HTTP's own greeting.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpStream, UnixStream};
use tracetailor_core::config::Address;

use super::connection::Connection;
use super::socket::Socket;
use super::tunnel::tunnel;
use super::{ClientError, Protocol, Settings};
use crate::pieces::in_pieces;
use crate::tls::TlsClient;

/// Large enough that a whole request fits: a window of 64 KiB costs a round trip for each further piece.
const WINDOW: u32 = 1 << 20;

/// Where a socket is opened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Tcp(address) => address.fmt(f),
            Peer::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Opens a connection within the time that the settings give.
pub(super) async fn dial(peer: &Peer, settings: &Settings) -> Result<Connection, ClientError> {
    match tokio::time::timeout(settings.connect_timeout, open(peer, settings)).await {
        Ok(opened) => opened,
        Err(_) => Err(ClientError::new(format!("no connection to {peer} within {:?}", settings.connect_timeout))),
    }
}

async fn open(peer: &Peer, settings: &Settings) -> Result<Connection, ClientError> {
    let failed = |error: std::io::Error| ClientError::of(&format!("cannot connect to {peer}"), &error);
    let mut socket = match peer {
        Peer::Tcp(address) => Socket::Tcp(tcp(*address).await.map_err(failed)?),
        Peer::Unix(path) => Socket::Unix(UnixStream::connect(path).await.map_err(failed)?),
    };
    if let Some((proxy, encryption)) = &settings.proxy {
        if let Some(encryption) = encryption {
            socket = encrypt(socket, encryption, &host(proxy.url.address()), peer).await?.0;
        }
        if proxy.is_tunnel {
            tunnel(&mut socket, &settings.address.to_string(), proxy.authorization()).await?;
        }
    }
    let mut chosen = None;
    if let Some(encryption) = &settings.tls {
        (socket, chosen) = encrypt(socket, encryption, &host(&settings.address), peer).await?;
    }
    match settings.protocol {
        Protocol::Http2 => http2(socket, settings).await,
        Protocol::Negotiated if chosen.as_deref() == Some(b"h2") => http2(socket, settings).await,
        Protocol::Http1 | Protocol::Negotiated => http1(socket).await,
    }
}

/// Whose certificate is expected at an address.
fn host(address: &Address) -> String {
    match address {
        Address::Tcp { host, .. } => host.clone(),
        Address::Unix { .. } => "localhost".to_owned(),
    }
}

/// Begins TLS, and says what protocol the server has chosen.
async fn encrypt(socket: Socket, tls: &TlsClient, host: &str, peer: &Peer) -> Result<(Socket, Option<Vec<u8>>), ClientError> {
    let name = tls.server_name(host).map_err(|error| ClientError::of(&format!("{host} cannot stand on a certificate"), &error))?;
    let connector = tokio_rustls::TlsConnector::from(tls.config());
    match connector.connect(name, socket).await {
        Ok(stream) => {
            let chosen = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
            Ok((Socket::Tls(Box::new(stream)), chosen))
        }
        Err(error) => Err(no_tls(&error, peer)),
    }
}

/// In words, with a hint where it speaks of a usual mistake.
fn no_tls(error: &std::io::Error, peer: &Peer) -> ClientError {
    let told = ClientError::of(&format!("no TLS with {peer}"), error);
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidMessage(_) | rustls::Error::AlertReceived(rustls::AlertDescription::UnexpectedMessage)) => {
            told.hint("the other side does not seem to speak TLS: to send in the clear, write http:// (otlp_http) or tls: {insecure: true} (otlp_grpc)")
        }
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer | rustls::CertificateError::BadSignature)) => {
            told.hint("name the certificate of whoever signed it in tls.ca_file")
        }
        Some(rustls::Error::InvalidCertificate(
            rustls::CertificateError::NotValidForName | rustls::CertificateError::NotValidForNameContext { .. },
        )) => told.hint("say in tls.server_name_override which of its names is meant"),
        Some(rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired)) => {
            told.hint("the other side wants a certificate of ours: give tls.cert_file and tls.key_file")
        }
        _ => told,
    }
}

async fn tcp(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    // A destination whose machine is gone says nothing; without this a connection to it looks alive for hours.
    let keepalive = socket2::TcpKeepalive::new().with_time(Duration::from_secs(15)).with_interval(Duration::from_secs(15));
    socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}

async fn http1(socket: Socket) -> Result<Connection, ClientError> {
    let greeted = http1::Builder::new().handshake::<_, Full<Bytes>>(TokioIo::new(socket)).await;
    let (sender, connection) = greeted.map_err(|error| ClientError::of("no HTTP/1.1 connection", &error))?;
    tokio::spawn(async move {
        // Whoever sends hears of it.
        let _ = connection.await;
    });
    Ok(Connection::Http1(sender))
}

async fn http2(socket: Socket, settings: &Settings) -> Result<Connection, ClientError> {
    let (pieces, leaving) = in_pieces(socket);
    let mut builder = http2::Builder::new(leaving.clone());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        // Sends as much as the server lets, without going round once more for every piece.
        .max_send_buf_size(WINDOW as usize)
        .max_header_list_size(64 << 10);
    if let Some(keepalive) = settings.keepalive {
        builder.keep_alive_interval(keepalive.time).keep_alive_timeout(keepalive.timeout).keep_alive_while_idle(keepalive.while_idle);
    }
    let greeted = builder.handshake::<_, Full<Bytes>>(TokioIo::new(pieces)).await;
    let (sender, connection) = greeted.map_err(|error| ClientError::of("no HTTP/2 connection", &error))?;
    leaving.execute(async move {
        // Whoever sends hears of it.
        let _ = connection.await;
    });
    Ok(Connection::Http2(sender))
}
