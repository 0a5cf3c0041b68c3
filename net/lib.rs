//! What goes over sockets, as receivers, exporters and extensions share it: TLS, compression, HTTP and gRPC, in and out.

pub mod decompress;
pub mod grpc;
pub mod server;
