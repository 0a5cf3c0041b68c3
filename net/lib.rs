//! What goes over sockets, as receivers, exporters and extensions share it: TLS, compression, HTTP and gRPC, in and out.

pub mod buffers;
pub mod client;
pub mod compress;
pub mod credentials;
pub mod decompress;
pub mod grpc;
pub mod otlp;
mod pieces;
pub mod server;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tls;
pub mod words;
