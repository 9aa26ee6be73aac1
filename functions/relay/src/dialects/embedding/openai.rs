//! OpenAI's embeddings. <https://platform.openai.com/docs/api-reference/embeddings>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;
use shared::failure::Failure;

use super::{EmbeddingCaller, EmbeddingProvider, Input, Reply, Request, Vector, bounded};
use crate::dialects::json::{self, Fields, Json, Object};
use crate::dialects::members::{self, Members};
use crate::dialects::neutral::Notes;
use crate::dialects::{Destination, InUrl, Wanted};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiEmbeddings;

const NAMES: &[&str] = &["model", "input"];

impl EmbeddingCaller for OpenaiEmbeddings {
    fn read(&self, body: Bytes, _: &InUrl) -> Result<Wanted, Failure> {
        let found = Members::find(&body, NAMES)?;
        let model = members::model(&found)?;
        found.require::<&RawValue>("input", "a text or an array of texts")?;
        Ok(Wanted {
            model,
            stream: false,
            events: true,
            usage_wanted: true,
            max_output: Some(0),
            answers: 1,
            body,
        })
    }

    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        if upstream_model == wanted.model {
            return Ok(wanted.body.clone());
        }
        members::with_model(&wanted.body, upstream_model)
    }

    fn read_request(&self, wanted: &Wanted) -> Result<Request, Failure> {
        let body = std::str::from_utf8(&wanted.body).unwrap_or_default();
        let mut fields = Fields::parse(body).ok_or_else(|| json::wrong("body", "an object"))?;
        fields.take("model");
        fields.take("encoding_format");
        fields.take("user");
        let input = fields.take("input");
        let input = input.ok_or_else(|| json::wrong("input", "a text"))?;
        Ok(Request {
            inputs: bounded(inputs(input)?)?,
            dimensions: fields.read("dimensions", "a positive integer")?,
            purpose: None,
            extras: fields.rest().map(|(name, _)| name).collect(),
        })
    }

    fn write_reply(&self, reply: &Reply, wanted: &Wanted) -> Bytes {
        let body = std::str::from_utf8(&wanted.body).unwrap_or_default();
        let format = Fields::parse(body).and_then(|mut fields| fields.text("encoding_format"));
        let in_base64 = format.as_deref() == Some("base64");
        let data = reply.vectors.iter().zip(0..).map(|(vector, index)| {
            Object::new()
                .with("object", "embedding")
                .with("index", index)
                .with("embedding", written(vector, in_base64))
        });
        let data: Vec<Object> = data.collect();
        let tokens = reply.tokens.unwrap_or(0);
        let usage = Object::new()
            .with("prompt_tokens", tokens)
            .with("total_tokens", tokens);
        Object::new()
            .with("object", "list")
            .with("data", data)
            .with("model", &wanted.model)
            .with("usage", usage)
            .to_bytes()
    }
}

impl EmbeddingProvider for OpenaiEmbeddings {
    fn path(&self, _: &Destination<'_>) -> String {
        "v1/embeddings".to_owned()
    }

    fn write_requests(
        &self,
        request: &Request,
        to: &Destination<'_>,
    ) -> Result<(Vec<Bytes>, Notes), Failure> {
        let inputs = request.inputs.iter().map(|input| match input {
            Input::Text(text) => Json::from(text),
            Input::Tokens(tokens) => Json::from(tokens),
        });
        let body = Object::new()
            .with("model", to.model.to_owned())
            .with("input", Json::Array(inputs.collect()))
            .maybe("dimensions", request.dimensions);
        Ok((vec![body.to_bytes()], request.notes()))
    }

    fn read_reply(&self, body: &[u8]) -> Option<Reply> {
        let mut fields = Fields::parse(std::str::from_utf8(body).ok()?)?;
        let data = fields.take("data")?;
        let vectors = json::array(data).into_iter().filter_map(|element| {
            let vector = Fields::of(element)?.take("embedding")?;
            Some(match json::text(vector) {
                Some(text) => Vector::Base64(text),
                None => Vector::Numbers(vector.to_owned()),
            })
        });
        let vectors = vectors.collect();
        let mut usage = fields.object("usage").unwrap_or_default();
        // Some servers, Voyage's among them, tell the total only.
        let tokens = usage.part("prompt_tokens");
        Some(Reply {
            vectors,
            tokens: tokens.or_else(|| usage.part("total_tokens")),
        })
    }
}

/// One text or several, as text or as numbers of tokens.
fn inputs(input: &RawValue) -> Result<Vec<Input>, Failure> {
    let wrong = || json::wrong("input", "a text or an array of texts");
    if let Some(text) = json::text(input) {
        return Ok(vec![Input::Text(text)]);
    }
    let elements: Vec<&RawValue> = serde_json::from_str(input.get()).map_err(|_| wrong())?;
    let number = |value: &&RawValue| json::count(value).is_some();
    if !elements.is_empty() && elements.iter().all(number) {
        return Ok(vec![Input::Tokens(input.to_owned())]);
    }
    let element = |value: &RawValue| match json::text(value) {
        Some(text) => Ok(Input::Text(text)),
        None if value.get().starts_with('[') => Ok(Input::Tokens(value.to_owned())),
        None => Err(wrong()),
    };
    elements.into_iter().map(element).collect()
}

/// A vector in the form that the caller wants.
fn written(vector: &Vector, in_base64: bool) -> Json {
    match (vector, in_base64) {
        (Vector::Numbers(numbers), false) => Json::from(numbers),
        (Vector::Base64(text), true) => Json::from(text),
        (Vector::Numbers(numbers), true) => {
            let numbers: Vec<f32> = serde_json::from_str(numbers.get()).unwrap_or_default();
            let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            Json::from(STANDARD.encode(bytes))
        }
        (Vector::Base64(text), false) => numbers(text),
    }
}

/// The numbers in a packed vector.
pub(super) fn numbers(packed: &str) -> Json {
    let bytes = STANDARD.decode(packed).unwrap_or_default();
    let (floats, _) = bytes.as_chunks::<4>();
    let numbers: Vec<f32> = floats.iter().map(|f| f32::from_le_bytes(*f)).collect();
    Json::from(serde_json::value::to_raw_value(&numbers).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(body: &str) -> Wanted {
        let body = Bytes::copy_from_slice(body.as_bytes());
        OpenaiEmbeddings.read(body, &InUrl::default()).unwrap()
    }

    #[test]
    fn every_kind_of_input_is_read() {
        for (input, count) in [
            (r#""a""#, 1),
            (r#"["a","b"]"#, 2),
            ("[1,2,3]", 1),
            ("[[1],[2,3]]", 2),
        ] {
            let wanted = wanted(&format!(r#"{{"model":"m","input":{input}}}"#));
            let request = OpenaiEmbeddings.read_request(&wanted).unwrap();
            assert_eq!(request.inputs.len(), count, "{input}");
        }
        for input in ["7", "[]", "[{}]", "true"] {
            let wanted = wanted(&format!(r#"{{"model":"m","input":{input}}}"#));
            let refused = OpenaiEmbeddings.read_request(&wanted).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("input"), "{input}");
        }
    }

    #[test]
    fn vectors_come_in_the_form_that_is_wanted() {
        let numbers = RawValue::from_string("[1.5,-2]".to_owned()).unwrap();
        let reply = Reply {
            vectors: vec![Vector::Numbers(numbers)],
            tokens: Some(3),
        };
        let plain = wanted(r#"{"model":"m","input":"a"}"#);
        let answer = OpenaiEmbeddings.write_reply(&reply, &plain);
        assert!(String::from_utf8_lossy(&answer).contains(r#""embedding":[1.5,-2]"#));
        let packed = wanted(r#"{"model":"m","input":"a","encoding_format":"base64"}"#);
        let answer = OpenaiEmbeddings.write_reply(&reply, &packed);
        let again = OpenaiEmbeddings.read_reply(&answer).unwrap();
        assert_eq!(again.tokens, Some(3));
        let answer = OpenaiEmbeddings.write_reply(&again, &plain);
        assert!(String::from_utf8_lossy(&answer).contains(r#""embedding":[1.5,-2.0]"#));
    }
}
