//! Names to addresses, never link-local ones: a name must not lead to a machine's metadata service.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The system's resolver, without link-local addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoLinkLocal;

impl Resolve for NoLinkLocal {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> = found.filter(|at| !is_link_local(at.ip())).collect();
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is link-local: 169.254.0.0/16, where clouds keep metadata, or `fe80::/10`.
pub(super) fn is_link_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
