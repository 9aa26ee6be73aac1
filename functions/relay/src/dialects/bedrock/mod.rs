//! Amazon Bedrock's Converse, as providers speak it.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

mod failure;
mod model;
mod reply;
mod request;
mod stream;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use shared::domain::provider::bedrock;
use shared::failure::Failure;

use super::convert::Reader;
use super::envelope::bedrock::in_path;
use super::frame::Frame;
use super::neutral::{Reply, Request};
use super::{Destination, ProviderSide, UpstreamError, Written};
use model::Model;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct Bedrock;

/// The error in a frame; `None` when it is an event. Every streaming operation of Bedrock has these.
#[must_use]
pub fn frame_error(frame: &Frame) -> Option<UpstreamError> {
    failure::of_frame(frame)
}

impl ProviderSide for Bedrock {
    fn path(&self, to: &Destination<'_>) -> String {
        let method = if to.stream {
            "converse-stream"
        } else {
            "converse"
        };
        format!("model/{}/{method}", in_path(to.model))
    }

    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &[]
    }

    fn wants_bytes(&self, url: &str) -> bool {
        !url.starts_with("s3://")
    }

    fn write_request(&self, request: &Request, to: &Destination<'_>) -> Result<Written, Failure> {
        request::write::write(request, to)
    }

    fn reply(&self, body: &[u8], to: &Destination<'_>) -> Option<Reply> {
        reply::read::read(body, Model(to.model))
    }

    fn reader(&self, to: &Destination<'_>) -> Box<dyn Reader> {
        Box::new(stream::read::StreamReader::new(Model(to.model)))
    }

    fn read_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, headers, body)
    }

    /// Only Claude's tokens are counted, and by the model's own id: there is no inference then.
    fn count_path(&self, to: &Destination<'_>) -> Option<String> {
        Model(to.model).claude()?;
        let id = bedrock::without_prefix(to.model);
        Some(format!("model/{}/count-tokens", in_path(id)))
    }

    fn write_count_request(&self, written: &Bytes, _: &Destination<'_>) -> Result<Bytes, Failure> {
        request::count::write(written)
    }

    fn read_count(&self, body: &[u8]) -> Option<u64> {
        request::count::read(body)
    }
}
