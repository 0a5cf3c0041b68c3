//! From a name to addresses.

use std::io;
use std::net::SocketAddr;

use tracetailor_core::component::BoxFuture;

/// Looks up names.
pub trait Resolve: Send + Sync {
    /// The addresses of a host, in the order of preference.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// Looks up as every program of the machine does: `/etc/hosts`, name servers, search domains.
#[derive(Clone, Copy, Debug)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            let mut found: Vec<SocketAddr> = Vec::new();
            for address in tokio::net::lookup_host((host, port)).await? {
                if !found.contains(&address) {
                    found.push(address);
                }
            }
            Ok(found)
        })
    }
}
