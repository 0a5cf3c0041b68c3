//! The side that listens: sockets that are opened with clear words where they cannot be, connections that are accepted whatever happens to
//! their neighbours and served on the lanes, and small pages served over HTTP.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use tracetailor_core::component::Stop;
//! use tracetailor_net::server::{Listener, serve_http};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (stopper, stop) = Stop::new();
//! let listener = Listener::bind(&"127.0.0.1:0".parse()?)?;
//! let port = listener.port().unwrap_or_default();
//! let pages = tokio::spawn(serve_http(listener, stop, |request: Request<Bytes>| async move {
//!     Response::new(Bytes::from(format!("you asked for {}", request.uri().path())))
//! }));
//! # assert_ne!(port, 0);
//! stopper.ask();
//! pages.await??;
//! # Ok(()) }
//! ```

mod body;
mod connections;
mod first_bytes;
mod listener;
mod pages;
mod reply;
mod serve;
mod tls;
mod transport;

pub use body::{BodyError, Reading};
pub(crate) use body::{SMALL, room_for};
pub use first_bytes::Mistake;
pub use hyper::body::Incoming;
pub use listener::{Accepting, BindError, Connection, Listener, Peer};
pub use pages::serve_http;
pub use reply::Reply;
pub use serve::{Answers, Client, Closed, KeepAlive, Limits, Server};
pub use tls::{Tls, TlsError};

#[cfg(test)]
mod tests;
