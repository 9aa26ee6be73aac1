//! Gemini's embeddings, one text or a batch. <https://ai.google.dev/api/embeddings>

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;
use shared::failure::Failure;

use super::{EmbeddingCaller, EmbeddingProvider, Input, Purpose, Reply, Request, Vector, bounded};
use crate::dialects::json::{self, Fields, Object};
use crate::dialects::members::Members;
use crate::dialects::neutral::Notes;
use crate::dialects::{Destination, InUrl, Wanted};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct GeminiEmbeddings;

const NAMES: &[&str] = &["requests", "content"];
const PURPOSES: [(&str, Purpose); 4] = [
    ("RETRIEVAL_DOCUMENT", Purpose::Document),
    ("RETRIEVAL_QUERY", Purpose::Query),
    ("CLASSIFICATION", Purpose::Classification),
    ("CLUSTERING", Purpose::Clustering),
];

impl EmbeddingCaller for GeminiEmbeddings {
    fn read(&self, body: Bytes, url: &InUrl) -> Result<Wanted, Failure> {
        let found = Members::find(&body, NAMES)?;
        if found.get("requests").is_none() && found.get("content").is_none() {
            return Err(json::wrong("content", "a content"));
        }
        let model = url.model.clone();
        let model = model.ok_or_else(|| json::wrong("model", "the name of a model"))?;
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

    /// A batch names the model in each request, too: there it must be the same as in the address. What
    /// names another is written anew, so that no provider sees a model that nobody has priced.
    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        if upstream_model == wanted.model && names_only(wanted, upstream_model)? {
            return Ok(wanted.body.clone());
        }
        let request = self.read_request(wanted)?;
        let written = write(&request, upstream_model, is_batch(wanted))?;
        Ok(written)
    }

    fn read_request(&self, wanted: &Wanted) -> Result<Request, Failure> {
        let body = std::str::from_utf8(&wanted.body).unwrap_or_default();
        let mut fields = Fields::parse(body).ok_or_else(|| json::wrong("body", "an object"))?;
        let mut request = Request::default();
        if let Some(batch) = fields.take("requests") {
            for one in json::array(batch) {
                let one = Fields::of(one).ok_or_else(|| json::wrong("requests", "objects"))?;
                read_one(one, &mut request)?;
            }
            request.extras.extend(fields.rest().map(|(name, _)| name));
        } else {
            read_one(fields, &mut request)?;
        }
        request.inputs = bounded(std::mem::take(&mut request.inputs))?;
        Ok(request)
    }

    fn write_reply(&self, reply: &Reply, wanted: &Wanted) -> Bytes {
        let values = |vector: &Vector| match vector {
            Vector::Numbers(numbers) => Object::new().with("values", numbers),
            Vector::Base64(text) => Object::new().with("values", super::openai::numbers(text)),
        };
        let vectors: Vec<Object> = reply.vectors.iter().map(values).collect();
        if is_batch(wanted) {
            return Object::new().with("embeddings", vectors).to_bytes();
        }
        let first = vectors.into_iter().next().unwrap_or_default();
        Object::new().with("embedding", first).to_bytes()
    }
}

impl EmbeddingProvider for GeminiEmbeddings {
    fn path(&self, to: &Destination<'_>) -> String {
        format!("v1beta/models/{}:batchEmbedContents", name(to.model))
    }

    fn express_path(&self, to: &Destination<'_>, wanted: &Wanted) -> String {
        if is_batch(wanted) {
            return self.path(to);
        }
        format!("v1beta/models/{}:embedContent", name(to.model))
    }

    fn write_requests(
        &self,
        request: &Request,
        to: &Destination<'_>,
    ) -> Result<(Vec<Bytes>, Notes), Failure> {
        Ok((vec![write(request, to.model, true)?], request.notes()))
    }

    /// The answer tells no usage.
    fn read_reply(&self, body: &[u8]) -> Option<Reply> {
        let mut fields = Fields::parse(std::str::from_utf8(body).ok()?)?;
        let mut vectors = fields.array("embeddings");
        vectors.extend(fields.take("embedding"));
        let values = |vector: &RawValue| {
            let values = Fields::of(vector)?.take("values")?;
            Some(Vector::Numbers(values.to_owned()))
        };
        let vectors: Vec<Vector> = vectors.into_iter().filter_map(values).collect();
        let mut usage = fields.object("usageMetadata").unwrap_or_default();
        (!vectors.is_empty()).then(|| Reply {
            vectors,
            tokens: usage.part("promptTokenCount"),
        })
    }
}

fn name(model: &str) -> &str {
    model.strip_prefix("models/").unwrap_or(model)
}

fn is_batch(wanted: &Wanted) -> bool {
    let found = Members::find(&wanted.body, NAMES);
    found.is_ok_and(|found| found.get("requests").is_some())
}

/// Whether every request names this model, or none.
fn names_only(wanted: &Wanted, model: &str) -> Result<bool, Failure> {
    let found = Members::find(&wanted.body, &["requests", "model"])?;
    let fits = |one: &RawValue| -> Result<bool, Failure> {
        let named = Members::find(one.get().as_bytes(), &["model"])?;
        let named: Option<Cow<'_, str>> = named.read("model", "a string")?;
        Ok(named.is_none_or(|named| name(&named) == name(model)))
    };
    let requests: Vec<&RawValue> = found.read("requests", "an array")?.unwrap_or_default();
    let whole = found.read::<Cow<'_, str>>("model", "a string")?;
    let mut all = whole.is_none_or(|named| name(&named) == name(model));
    for one in requests {
        all &= fits(one)?;
    }
    Ok(all)
}

fn read_one(mut fields: Fields<'_>, request: &mut Request) -> Result<(), Failure> {
    let content = fields.take("content").and_then(Fields::of);
    let mut content = content.ok_or_else(|| json::wrong("content", "a content"))?;
    let parts = content.array("parts").into_iter();
    let texts = parts.map(|part| Fields::of(part).and_then(|mut part| part.text("text")));
    let texts: Option<Vec<String>> = texts.collect();
    let texts = texts.ok_or_else(|| json::wrong("content.parts", "texts"))?;
    request.inputs.push(Input::Text(texts.join("")));
    fields.take("model");
    for spelling in ["outputDimensionality", "output_dimensionality"] {
        if let Some(dimensions) = fields.count(spelling) {
            request.dimensions = Some(dimensions);
        }
    }
    for spelling in ["taskType", "task_type"] {
        let Some(word) = fields.text(spelling) else {
            continue;
        };
        match PURPOSES.iter().find(|(known, _)| *known == word) {
            Some((_, purpose)) => request.purpose = Some(*purpose),
            None => request.extras.push(spelling.to_owned()),
        }
    }
    request.extras.extend(fields.rest().map(|(name, _)| name));
    Ok(())
}

fn write(request: &Request, model: &str, batch: bool) -> Result<Bytes, Failure> {
    let task = |purpose: Purpose| {
        let mut words = PURPOSES.iter();
        words.find_map(|(word, known)| (*known == purpose).then_some(*word))
    };
    let one = |text: &str| {
        let part = Object::new().with("text", text.to_owned());
        Object::new()
            .with("model", format!("models/{}", name(model)))
            .with("content", Object::new().with("parts", vec![part]))
            .maybe("taskType", request.purpose.and_then(task))
            .maybe("outputDimensionality", request.dimensions)
    };
    let mut requests: Vec<Object> = request.texts()?.into_iter().map(one).collect();
    if batch {
        return Ok(Object::new().with("requests", requests).to_bytes());
    }
    let only = requests.pop().unwrap_or_default();
    Ok(only.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: &str = r#"{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":8}]}"#;

    #[test]
    fn a_batch_reads_and_writes_the_same() {
        let url = InUrl {
            model: Some("m".to_owned()),
            ..InUrl::default()
        };
        let wanted = GeminiEmbeddings.read(Bytes::from(BATCH), &url).unwrap();
        let request = GeminiEmbeddings.read_request(&wanted).unwrap();
        assert_eq!(write(&request, "m", true).unwrap(), BATCH);
        let other = GeminiEmbeddings.express(&wanted, "n").unwrap();
        assert!(String::from_utf8_lossy(&other).contains("models/n"));
    }

    #[test]
    fn no_other_model_hides_inside() {
        let url = InUrl {
            model: Some("m".to_owned()),
            ..InUrl::default()
        };
        let express = |body: &'static str| {
            let wanted = GeminiEmbeddings.read(Bytes::from(body), &url)?;
            let sent = GeminiEmbeddings.express(&wanted, "m")?;
            Ok::<_, Failure>(String::from_utf8_lossy(&sent).into_owned())
        };
        for untouched in [
            BATCH,
            r#"{ "model" : "models/m","content":{"parts":[{"text":"a"}]}}"#,
            r#"{"content":{"parts":[{"text":"a"}]},"x":1.0}"#,
        ] {
            assert_eq!(express(untouched).unwrap(), untouched);
        }
        for other in [
            r#"{"requests":[{"model":"models/dear","content":{"parts":[{"text":"a"}]}}]}"#,
            r#"{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}},{"m\u006fdel":"dear","content":{"parts":[{"text":"a"}]}}]}"#,
            r#"{"model":"models/dear","content":{"parts":[{"text":"a"}]}}"#,
        ] {
            let sent = express(other).unwrap();
            assert!(
                sent.contains("models/m") && !sent.contains("dear"),
                "{sent}"
            );
        }
        let twice = r#"{"requests":[{"model":"m","model":"dear","content":{"parts":[]}}]}"#;
        assert!(express(twice).is_err());
    }
}
