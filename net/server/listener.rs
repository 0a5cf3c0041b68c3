//! Sockets that listen: opening one, with words that name the port when it is taken, and accepting for ever.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tracetailor_core::config::{Address, Endpoint};

/// How many connections the system may keep for us until we take them.
const BACKLOG: i32 = 1024;

/// How long to wait where the process has no descriptor left for one more connection: whoever has one may close it meanwhile.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// A socket that is open and listens. Nothing is accepted yet.
#[derive(Debug)]
pub struct Listener(Open);

#[derive(Debug)]
enum Open {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener, SocketFile),
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {endpoint}: {why}")]
pub struct BindError {
    /// The address, as it is written.
    endpoint: String,
    why: String,
    #[source]
    source: io::Error,
}

impl Listener {
    /// Opens a socket at an address. The host may be a name; the empty one is every interface, of IPv4 and IPv6. Port 0 is one that the
    /// system chooses. A socket file that nobody serves any more is replaced.
    pub fn bind(endpoint: &Endpoint) -> Result<Listener, BindError> {
        let bound = match &endpoint.address {
            Address::Tcp { host, port } => bind_host(host, *port).map(|socket| Listener(Open::Tcp(socket))),
            Address::Unix { path } => bind_unix(Path::new(path)),
        };
        bound.map_err(|source| BindError { endpoint: endpoint.address.to_string(), why: explain(&source, &endpoint.address), source })
    }

    /// The port that it listens on, where it has one.
    pub fn port(&self) -> Option<u16> {
        self.address().map(|address| address.port())
    }

    /// The address that it listens on, where it has one.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.0 {
            Open::Tcp(socket) => socket.local_addr().ok(),
            Open::Unix(..) => None,
        }
    }

    /// Begins to accept, on the runtime that this is called on.
    pub fn accepting(self) -> io::Result<Accepting> {
        Ok(Accepting(match self.0 {
            Open::Tcp(socket) => Source::Tcp(TcpListener::from_std(socket)?),
            Open::Unix(socket, file) => Source::Unix(UnixListener::from_std(socket)?, file),
        }))
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, self.address()) {
            (Open::Unix(_, file), _) => write!(f, "unix:{}", file.0.display()),
            (Open::Tcp(_), Some(address)) => address.fmt(f),
            (Open::Tcp(_), None) => f.write_str("a socket without an address"),
        }
    }
}

fn bind_host(host: &str, port: u16) -> io::Result<std::net::TcpListener> {
    if host.is_empty() {
        // One socket for both families; where the machine has no IPv6, IPv4 alone.
        return bind_tcp((Ipv6Addr::UNSPECIFIED, port).into()).or_else(|error| match error.kind() {
            io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
            _ => bind_tcp((Ipv4Addr::UNSPECIFIED, port).into()),
        });
    }
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    // IPv4 first, as the Collector has it: `localhost` is 127.0.0.1.
    let mut addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    for address in addresses {
        match bind_tcp(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn bind_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart finds the connections of the former process still closing; they do not own the port.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind_unix(path: &Path) -> io::Result<Listener> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    // A process that was killed leaves its file behind. One that answers is alive and keeps it.
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let socket = std::os::unix::net::UnixListener::bind(path)?;
    socket.set_nonblocking(true)?;
    Ok(Listener(Open::Unix(socket, SocketFile(path.to_owned()))))
}

fn explain(error: &io::Error, address: &Address) -> String {
    match (error.kind(), address) {
        (io::ErrorKind::AddrInUse, Address::Tcp { port, .. }) => {
            format!("port {port} is taken by another process; stop that, or write another port")
        }
        (io::ErrorKind::AddrInUse, Address::Unix { .. }) => "a process answers there already; stop that, or write another path".to_owned(),
        (io::ErrorKind::AddrNotAvailable, _) => "this machine has no such address; write 0.0.0.0 for all it has".to_owned(),
        (io::ErrorKind::PermissionDenied, Address::Tcp { port, .. }) if *port < 1024 => {
            format!("port {port} is below 1024 and needs a privilege; write a port from 1024 on")
        }
        _ => error.to_string(),
    }
}

/// The file of a socket, which goes when the socket is closed.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A listener that accepts.
#[derive(Debug)]
pub struct Accepting(Source);

#[derive(Debug)]
enum Source {
    Tcp(TcpListener),
    Unix(UnixListener, #[expect(dead_code, reason = "it is there to be dropped with the listener")] SocketFile),
}

impl Accepting {
    /// The next connection. There is always a next one: what is wrong with one of them, or with the number of them all, is logged and waited
    /// out, because a gateway that stops listening is down for everybody.
    pub async fn accept(&self) -> Connection {
        loop {
            match self.once().await {
                Ok(connection) => return connection,
                Err(error) if is_of_one_connection(&error) => tracing::debug!(%error, "a connection was gone before it was accepted"),
                Err(error) => {
                    tracing::warn!(%error, wait = ?OUT_OF_DESCRIPTORS, "connections cannot be accepted for now");
                    tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
                }
            }
        }
    }

    async fn once(&self) -> io::Result<Connection> {
        match &self.0 {
            Source::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // An answer is a few bytes and must not wait for more to join it.
                let _ = stream.set_nodelay(true);
                Ok(Connection::Tcp(stream))
            }
            Source::Unix(listener, _) => Ok(Connection::Unix(listener.accept().await?.0)),
        }
    }
}

/// Errors of `accept` that tell of one client and not of us.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A machine.
    Tcp(SocketAddr),
    /// A process on this machine.
    Unix,
}

/// One accepted connection.
#[derive(Debug)]
pub enum Connection {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a socket in the file system.
    Unix(UnixStream),
}

impl Connection {
    /// Who is at the other end.
    pub fn peer(&self) -> Peer {
        match self {
            Connection::Tcp(stream) => stream.peer_addr().map_or(Peer::Unix, Peer::Tcp),
            Connection::Unix(_) => Peer::Unix,
        }
    }
}

/// A connection on its way from one runtime to another.
#[derive(Debug)]
pub(super) enum Parked {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Connection {
    /// Takes it off this runtime.
    pub(super) fn park(self) -> io::Result<Parked> {
        Ok(match self {
            Connection::Tcp(stream) => Parked::Tcp(stream.into_std()?),
            Connection::Unix(stream) => Parked::Unix(stream.into_std()?),
        })
    }
}

impl Parked {
    /// Puts it on the runtime that this is called on.
    pub(super) fn unpark(self) -> io::Result<Connection> {
        Ok(match self {
            Parked::Tcp(stream) => Connection::Tcp(TcpStream::from_std(stream)?),
            Parked::Unix(stream) => Connection::Unix(UnixStream::from_std(stream)?),
        })
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Tcp(stream) => Pin::new(stream).poll_read(task, buffer),
            Connection::Unix(stream) => Pin::new(stream).poll_read(task, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Connection::Tcp(stream) => Pin::new(stream).poll_write(task, bytes),
            Connection::Unix(stream) => Pin::new(stream).poll_write(task, bytes),
        }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, task: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Connection::Tcp(stream) => Pin::new(stream).poll_write_vectored(task, parts),
            Connection::Unix(stream) => Pin::new(stream).poll_write_vectored(task, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Tcp(stream) => Pin::new(stream).poll_flush(task),
            Connection::Unix(stream) => Pin::new(stream).poll_flush(task),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Tcp(stream) => Pin::new(stream).poll_shutdown(task),
            Connection::Unix(stream) => Pin::new(stream).poll_shutdown(task),
        }
    }
}
