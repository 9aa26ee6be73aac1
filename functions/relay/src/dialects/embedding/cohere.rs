//! Cohere's embeddings, at Cohere and on Bedrock. <https://docs.cohere.com/reference/embed>

use bytes::Bytes;
use shared::domain::provider::card::Auth;
use shared::failure::Failure;

use super::{EmbeddingProvider, Purpose, Reply, Request, Vector};
use crate::dialects::Destination;
use crate::dialects::json::{self, Fields, Json, Object};
use crate::dialects::neutral::Notes;

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct CohereEmbeddings;

impl EmbeddingProvider for CohereEmbeddings {
    fn path(&self, to: &Destination<'_>) -> String {
        match to.card.auth {
            Auth::Aws => super::titan::invoke(to.model),
            _ => "v2/embed".to_owned(),
        }
    }

    /// On Bedrock the model is in the address, and must not be in the body.
    fn write_requests(
        &self,
        request: &Request,
        to: &Destination<'_>,
    ) -> Result<(Vec<Bytes>, Notes), Failure> {
        let purpose = match request.purpose {
            None | Some(Purpose::Document) => "search_document",
            Some(Purpose::Query) => "search_query",
            Some(Purpose::Classification) => "classification",
            Some(Purpose::Clustering) => "clustering",
        };
        let texts = request.texts()?.into_iter();
        let texts: Vec<Json> = texts.map(|text| Json::from(text.to_owned())).collect();
        let model = (to.card.auth != Auth::Aws).then(|| to.model.to_owned());
        let body = Object::new()
            .maybe("model", model)
            .with("texts", texts)
            .with("input_type", purpose)
            .with("embedding_types", vec![Json::word("float")])
            .maybe("output_dimension", request.dimensions);
        Ok((vec![body.to_bytes()], request.notes()))
    }

    fn read_reply(&self, body: &[u8]) -> Option<Reply> {
        let mut fields = Fields::parse(std::str::from_utf8(body).ok()?)?;
        let embeddings = fields.take("embeddings")?;
        let by_type = Fields::of(embeddings).and_then(|mut types| types.take("float"));
        let vectors = json::array(by_type.unwrap_or(embeddings)).into_iter();
        let billed = fields
            .object("meta")
            .and_then(|mut meta| meta.object("billed_units"));
        Some(Reply {
            vectors: vectors.map(|one| Vector::Numbers(one.to_owned())).collect(),
            tokens: billed.and_then(|mut billed| billed.part("input_tokens")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_read_with_and_without_a_type() {
        for body in [
            r#"{"embeddings":{"float":[[1,2],[3,4]]},"meta":{"billed_units":{"input_tokens":4}}}"#,
            r#"{"embeddings":[[1,2],[3,4]],"meta":{"billed_units":{"input_tokens":4}}}"#,
        ] {
            let reply = CohereEmbeddings.read_reply(body.as_bytes()).unwrap();
            assert_eq!((reply.vectors.len(), reply.tokens), (2, Some(4)));
        }
    }
}
