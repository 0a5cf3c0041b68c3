//! TLS from the Collector's `tls:` blocks, for those who connect and those who listen: rustls on ring, versions 1.2 and 1.3.

pub mod client;
pub mod material;

pub use client::TlsClient;
