//! Titan's embeddings on Bedrock, one text at a time.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use shared::failure::Failure;

use super::{EmbeddingProvider, Reply, Request, Vector};
use crate::dialects::Destination;
use crate::dialects::json::{Fields, Object};
use crate::dialects::neutral::Notes;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct TitanEmbeddings;

impl EmbeddingProvider for TitanEmbeddings {
    fn path(&self, to: &Destination<'_>) -> String {
        invoke(to.model)
    }

    fn write_requests(
        &self,
        request: &Request,
        _: &Destination<'_>,
    ) -> Result<(Vec<Bytes>, Notes), Failure> {
        let one = |text: &str| {
            Object::new()
                .with("inputText", text.to_owned())
                .maybe("dimensions", request.dimensions)
                .to_bytes()
        };
        let bodies = request.texts()?.into_iter().map(one).collect();
        Ok((bodies, request.notes()))
    }

    fn read_reply(&self, body: &[u8]) -> Option<Reply> {
        let mut fields = Fields::parse(std::str::from_utf8(body).ok()?)?;
        let vector = fields.take("embedding")?.to_owned();
        Some(Reply {
            vectors: vec![Vector::Numbers(vector)],
            tokens: fields.part("inputTextTokenCount"),
        })
    }
}

/// Where a model on Bedrock is invoked: `:` and `/` of its id are escaped.
pub(super) fn invoke(model: &str) -> String {
    const KEPT: percent_encoding::AsciiSet = NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    format!("model/{}/invoke", utf8_percent_encode(model, &KEPT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_id_is_escaped() {
        let path = invoke("amazon.titan-embed-text-v2:0");
        assert_eq!(path, "model/amazon.titan-embed-text-v2%3A0/invoke");
        assert!(invoke("arn:aws:x/y").contains("%2Fy"));
    }

    #[test]
    fn a_vector_comes_with_its_tokens() {
        let body = br#"{"embedding":[0.5,1],"inputTextTokenCount":7}"#;
        let reply = TitanEmbeddings.read_reply(body).unwrap();
        assert_eq!((reply.vectors.len(), reply.tokens), (1, Some(7)));
    }
}
