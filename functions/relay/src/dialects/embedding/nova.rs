//! Nova's embeddings on Bedrock, one text at a time.
//! <https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html>

use bytes::Bytes;
use shared::failure::Failure;

use super::{EmbeddingProvider, Purpose, Reply, Request, Vector};
use crate::dialects::Destination;
use crate::dialects::json::{Fields, Object};
use crate::dialects::neutral::Notes;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct NovaEmbeddings;

impl EmbeddingProvider for NovaEmbeddings {
    fn path(&self, to: &Destination<'_>) -> String {
        super::titan::invoke(to.model)
    }

    fn write_requests(
        &self,
        request: &Request,
        _: &Destination<'_>,
    ) -> Result<(Vec<Bytes>, Notes), Failure> {
        let purpose = match request.purpose {
            None | Some(Purpose::Document) => "GENERIC_INDEX",
            Some(Purpose::Query) => "GENERIC_RETRIEVAL",
            Some(Purpose::Classification) => "CLASSIFICATION",
            Some(Purpose::Clustering) => "CLUSTERING",
        };
        let one = |text: &str| {
            let text = Object::new()
                .with("truncationMode", "NONE")
                .with("value", text.to_owned());
            let params = Object::new()
                .with("embeddingPurpose", purpose)
                .maybe("embeddingDimension", request.dimensions)
                .with("text", text);
            Object::new()
                .with("taskType", "SINGLE_EMBEDDING")
                .with("singleEmbeddingParams", params)
                .to_bytes()
        };
        let bodies = request.texts()?.into_iter().map(one).collect();
        Ok((bodies, request.notes()))
    }

    /// The usage is not in the body, but in a header.
    fn read_reply(&self, body: &[u8]) -> Option<Reply> {
        let mut fields = Fields::parse(std::str::from_utf8(body).ok()?)?;
        let vectors = fields.array("embeddings").into_iter().filter_map(|one| {
            let vector = Fields::of(one)?.take("embedding")?;
            Some(Vector::Numbers(vector.to_owned()))
        });
        let vectors: Vec<Vector> = vectors.collect();
        (!vectors.is_empty()).then_some(Reply {
            vectors,
            tokens: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_found_in_its_list() {
        let body = br#"{"embeddings":[{"embeddingType":"TEXT","embedding":[0.5,1]}]}"#;
        let reply = NovaEmbeddings.read_reply(body).unwrap();
        assert_eq!((reply.vectors.len(), reply.tokens), (1, None));
    }
}
