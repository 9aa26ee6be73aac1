//! Content as parts, or as mere texts for those who know no parts.

use shared::domain::dialect::Dialect;
use shared::domain::provider::card::Quirk;

use super::messages::Messages;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::{Content, Extras, Medium, Source};
use crate::dialects::neutral::{Block, Field, Kind};
use crate::dialects::openai_chat::{media, wire};

impl Messages<'_> {
    /// Whether lists of parts are understood where others know mere texts.
    fn takes_parts(&self) -> bool {
        let quirks = [Quirk::Openai, Quirk::CacheControl, Quirk::ReasoningDetails];
        quirks.into_iter().any(|quirk| self.to.card.has(quirk))
    }

    /// Content as parts, or as a text where it was one or parts are not understood: those are joined
    /// by `between`. `None` when there is none.
    pub(super) fn content(&mut self, content: &Content, between: &str) -> Option<Json> {
        let texts: Vec<&str> = content.blocks.iter().filter_map(text_of).collect();
        let only_texts = texts.len() == content.blocks.len();
        let hinted = self.to.card.has(Quirk::CacheControl)
            && content.blocks.iter().any(|block| block.cache.is_some());
        if only_texts && !hinted && (content.plain || !self.takes_parts()) {
            for block in &content.blocks {
                self.beside(block);
            }
            return (!texts.is_empty()).then(|| texts.join(between).into());
        }
        self.parts(content)
    }

    /// Content as parts; an empty text beside others is none.
    fn parts(&mut self, content: &Content) -> Option<Json> {
        let alone = content.blocks.len() == 1;
        let blocks = content.blocks.iter();
        let parts: Vec<Json> = blocks
            .filter(|block| alone || text_of(block) != Some(""))
            .filter_map(|block| self.part(block))
            .collect();
        (!parts.is_empty()).then_some(Json::Array(parts))
    }

    /// Notes what stands beside a block that becomes a mere text.
    fn beside(&mut self, block: &Block) {
        self.notes.drop_if(block.cache.as_ref(), Field::Cache);
        self.note_foreign(&block.extras, "messages[].content[]");
    }

    pub(super) fn part(&mut self, block: &Block) -> Option<Json> {
        let written = match &block.kind {
            Kind::Text(text) => Some(Object::of_type("text").with("text", text)),
            Kind::Refusal(text) => Some(Object::of_type("refusal").with("refusal", text)),
            Kind::Foreign(Dialect::OpenaiChat, raw) => return Some(Json::Raw(raw.clone())),
            // OpenAI takes no films, and fetches no files.
            Kind::Video(_)
            | Kind::Document(Medium {
                source: Source::Url(_),
                ..
            }) if self.to.card.has(Quirk::Openai) => None,
            kind => media::write_part(kind),
        };
        let Some(mut part) = written else {
            self.notes.drop(Field::Content(what(&block.kind)));
            return None;
        };
        if let Kind::Document(medium) = &block.kind
            && matches!(medium.source, Source::Text(_))
        {
            self.notes.emulate(Field::Content("document"));
        }
        self.cache(block, &mut part);
        for extra in block.extras.of(Dialect::OpenaiChat) {
            part.put(extra.name.clone(), &extra.value);
        }
        self.note_foreign(&block.extras, "messages[].content[]");
        Some(part.into())
    }

    fn cache(&mut self, block: &Block, part: &mut Object) {
        match block.cache {
            Some(cache) if self.to.card.has(Quirk::CacheControl) => {
                part.put("cache_control", wire::write_cache(cache));
            }
            Some(_) => self.notes.drop(Field::Cache),
            None => {}
        }
    }

    /// A user's parts are understood everywhere; one text alone is a text where it can be.
    pub(super) fn user_content(&mut self, content: &Content) -> Option<Json> {
        let one = content.blocks.len() == 1 && content.blocks.iter().all(|b| text_of(b).is_some());
        if one || content.plain {
            return self.content(content, "\n\n");
        }
        self.parts(content)
    }

    pub(super) fn note_foreign(&mut self, extras: &Extras, path: &str) {
        for extra in extras.foreign(Dialect::OpenaiChat) {
            self.notes
                .drop(Field::Other(format!("{path}.{}", extra.name)));
        }
    }
}

pub(super) fn text_of(block: &Block) -> Option<&str> {
    match &block.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}

/// What a block is called in a note.
pub(super) const fn what(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) => "text",
        Kind::Image(_) => "image",
        Kind::Document(_) => "document",
        Kind::Audio(_) => "audio",
        Kind::Video(_) => "video",
        Kind::ToolUse(_) => "tool_use",
        Kind::ToolResult(_) => "tool_result",
        Kind::Reasoning(_) | Kind::Redacted => "reasoning",
        Kind::Refusal(_) => "refusal",
        Kind::Foreign(..) => "foreign",
    }
}
