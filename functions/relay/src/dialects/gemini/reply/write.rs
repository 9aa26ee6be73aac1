//! The neutral form → a plain answer of Gemini's dialect, and what streamed ones have in common with it.

use bytes::Bytes;
use shared::domain::dialect::Dialect;
use shared::domain::usage::Usage;

use super::super::{citations, media, names, signature, usage, wire};
use crate::dialects::Asked;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::reply::{Citation, Finish};
use crate::dialects::neutral::request::{Medium, Source, ToolUse};
use crate::dialects::neutral::{Block, Kind, Reply};

/// The texts of an answer, and where they come from.
#[derive(Debug, Default)]
pub(in crate::dialects::gemini) struct Said {
    all: String,
    /// Where the last text begins.
    begin: usize,
    /// Citations, each with where its text begins and ends.
    cited: Vec<(Citation, usize, Option<usize>)>,
}

impl Said {
    /// A text begins.
    pub(in crate::dialects::gemini) fn begin(&mut self) {
        for (.., end) in &mut self.cited {
            end.get_or_insert(self.all.len());
        }
        self.begin = self.all.len();
    }

    /// More of the text.
    pub(in crate::dialects::gemini) fn say(&mut self, more: &str) {
        self.all.push_str(more);
    }

    /// Where the last text comes from.
    pub(in crate::dialects::gemini) fn cite(&mut self, citation: Citation) {
        self.cited.push((citation, self.begin, None));
    }

    fn grounding(&self) -> Option<Object> {
        let all = self.cited.iter().map(|(citation, begin, end)| {
            let text = self.all.get(*begin..end.unwrap_or(self.all.len()));
            (citation.clone(), text.unwrap_or_default(), *begin)
        });
        citations::write(&all.collect::<Vec<_>>())
    }

    /// The candidate that ends, with these parts.
    pub(in crate::dialects::gemini) fn last(&self, parts: Vec<Json>, finish: &Finish) -> Object {
        candidate(parts)
            .with("finishReason", wire::write_finish(finish))
            .with("index", 0)
            .maybe("groundingMetadata", self.grounding())
    }
}

/// A candidate with these parts.
fn candidate(parts: Vec<Json>) -> Object {
    let mut content = Object::new();
    if !parts.is_empty() {
        content.put("parts", Json::Array(parts));
    }
    Object::new().with("content", content.with("role", "model"))
}

/// What every piece of an answer says of the answer.
#[derive(Debug, Clone)]
pub(in crate::dialects::gemini) struct Heading {
    pub(in crate::dialects::gemini) id: String,
    pub(in crate::dialects::gemini) model: String,
}

impl Heading {
    /// In the provider's words, or in ours where it gives none.
    pub(in crate::dialects::gemini) fn new(
        id: Option<String>,
        model: Option<String>,
        asked: &Asked<'_>,
    ) -> Self {
        Self {
            id: id.unwrap_or_else(|| asked.id.to_string()),
            model: model.unwrap_or_else(|| asked.wanted.model.clone()),
        }
    }

    /// A piece in the middle of a stream.
    pub(in crate::dialects::gemini) fn piece(&self, part: Json) -> Bytes {
        self.response(candidate(vec![part]).with("index", 0), None)
    }

    /// A whole answer, or a piece of one.
    pub(in crate::dialects::gemini) fn response(
        &self,
        candidate: Object,
        tokens: Option<&Usage>,
    ) -> Bytes {
        Object::new()
            .with("candidates", vec![candidate])
            .maybe("usageMetadata", tokens.map(usage::write))
            .with("modelVersion", &self.model)
            .with("responseId", &self.id)
            .to_bytes()
    }
}

/// A plain answer.
pub(in crate::dialects::gemini) fn write(reply: &Reply, asked: &Asked<'_>) -> Bytes {
    let heading = Heading::new(reply.id.clone(), reply.model.clone(), asked);
    let mut said = Said::default();
    for (at, block) in reply.blocks.iter().enumerate() {
        let (Kind::Text(text) | Kind::Refusal(text)) = &block.kind else {
            continue;
        };
        said.begin();
        said.say(text);
        let cited = reply.citations.iter().filter(|(index, _)| *index == at);
        cited.for_each(|(_, citation)| said.cite(citation.clone()));
    }
    let parts = reply.blocks.iter().filter_map(part).collect();
    heading.response(said.last(parts, &reply.finish), reply.tokens.as_ref())
}

/// A block as a part; `None` where this dialect has no word for it.
pub(in crate::dialects::gemini) fn part(block: &Block) -> Option<Json> {
    let mut part = Object::new();
    match &block.kind {
        Kind::Text(text) | Kind::Refusal(text) => part.put("text", text),
        Kind::Reasoning(text) => {
            part.put("text", text);
            part.put("thought", true);
        }
        // Without a text: so it is known again when it comes back.
        Kind::Redacted => part.put("thought", true),
        Kind::ToolUse(call) => part.put("functionCall", write_call(call)),
        Kind::Image(medium)
        | Kind::Document(medium)
        | Kind::Audio(medium)
        | Kind::Video(medium) => write_medium(&block.kind, medium, &mut part)?,
        Kind::Foreign(Dialect::Gemini, raw) => return Some(raw.into()),
        Kind::Foreign(..) | Kind::ToolResult(_) => return None,
    }
    if let Some(state) = &block.opaque {
        part.put("thoughtSignature", signature::write(state));
    }
    Some(part.into())
}

fn write_call(call: &ToolUse) -> Object {
    let mut function = Object::new();
    if !names::is_minted(&call.id) && !call.id.is_empty() {
        function.put("id", &call.id);
    }
    function
        .with("name", &call.name)
        .with("args", call.object())
}

fn write_medium(kind: &Kind, medium: &Medium, part: &mut Object) -> Option<()> {
    match &medium.source {
        Source::Base64(data) => {
            let mime = medium.mime.clone();
            let mime = mime.unwrap_or_else(|| media::guess(kind, data).to_owned());
            let inline = Object::new().with("mimeType", mime).with("data", data);
            part.put("inlineData", inline);
        }
        Source::Url(url) => {
            let file = Object::new().maybe("mimeType", medium.mime.as_ref());
            part.put("fileData", file.with("fileUri", url));
        }
        Source::Text(text) => part.put("text", text),
        Source::File(_) => return None,
    }
    Some(())
}
