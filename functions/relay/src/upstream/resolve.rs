//! Names to addresses, never link-local ones: a name must not lead to a machine's metadata service.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use shared::domain::internet::is_link_local;

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
