//! Cohere's dialect in its second version, as the provider speaks it. <https://docs.cohere.com/reference/chat>

mod failure;
mod reply;
mod request;
mod stream;
mod wire;

use http::{HeaderMap, HeaderName};
use shared::failure::Failure;

use super::convert::Reader;
use super::neutral::{Reply, Request};
use super::{Destination, ProviderSide, UpstreamError, Written};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Cohere;

impl ProviderSide for Cohere {
    fn path(&self, _: &Destination<'_>) -> String {
        "v2/chat".to_owned()
    }

    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &[]
    }

    /// Cohere fetches images by their address.
    fn wants_bytes(&self, _: &str) -> bool {
        false
    }

    fn write_request(&self, request: &Request, to: &Destination<'_>) -> Result<Written, Failure> {
        request::write::write(request, to)
    }

    fn reply(&self, body: &[u8], to: &Destination<'_>) -> Option<Reply> {
        reply::read::read(body, to.model)
    }

    fn reader(&self, to: &Destination<'_>) -> Box<dyn Reader> {
        Box::new(stream::read::Reader::new(to.model))
    }

    fn read_error(&self, status: u16, _: &HeaderMap, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, body)
    }
}
