//! Blocks → parts of messages and of tools' outputs.

use super::super::read::DIALECT;
use super::Writing;
use super::items::{own_type, with_own};
use crate::dialects::json::{Fields, Json, Object};
use crate::dialects::neutral::request::{Medium, Source};
use crate::dialects::neutral::{Block, Field, Kind, Role};
use crate::dialects::openai_responses::items::text_part;

impl Writing<'_> {
    /// A block as a part; `None` when this dialect has none for it.
    pub(super) fn part(&mut self, block: &Block, role: Role) -> Option<Json> {
        let said = role == Role::Assistant;
        let part = match &block.kind {
            Kind::Text(text) => text_part(text_type(block, role), text),
            Kind::Refusal(text) if said => Object::of_type("refusal").with("refusal", text),
            Kind::Refusal(text) => text_part("input_text", text),
            Kind::Image(_) if said => return self.without("image"),
            Kind::Image(image) => self.image(image)?,
            Kind::Document(_) if said => return self.without("document"),
            Kind::Document(document) => self.document(document),
            Kind::Audio(audio) if !said => match sound(audio) {
                Some(part) => part,
                None => return self.without("audio"),
            },
            Kind::Audio(_) => return self.without("audio"),
            Kind::Video(_) => return self.without("video"),
            Kind::Foreign(DIALECT, raw) => return Some(raw.into()),
            Kind::Foreign(_, raw) => {
                let kind = Fields::of(raw).and_then(|mut fields| fields.text("type"));
                let kind = kind.unwrap_or_else(|| "block".to_owned());
                let name = format!("messages[].content[].{kind}");
                self.notes.drop(Field::Other(name));
                return None;
            }
            Kind::ToolUse(_) | Kind::ToolResult(_) | Kind::Reasoning(_) | Kind::Redacted => {
                return None;
            }
        };
        Some(with_own(part, &block.extras).into())
    }

    fn without(&mut self, kind: &'static str) -> Option<Json> {
        self.notes.drop(Field::Content(kind));
        None
    }

    fn image(&mut self, image: &Medium) -> Option<Object> {
        let part = Object::of_type("input_image").maybe("detail", image.detail.as_ref());
        Some(match &image.source {
            Source::Base64(data) => part.with("image_url", data_url(image, data, "image/png")),
            Source::Url(url) => part.with("image_url", url),
            Source::File(id) => part.with("file_id", id),
            Source::Text(_) => {
                self.notes.drop(Field::Content("image"));
                return None;
            }
        })
    }

    fn document(&mut self, document: &Medium) -> Object {
        self.notes
            .drop_if(document.detail.as_ref(), Field::ImageDetail);
        let part = Object::of_type("input_file");
        let name = document.name.as_ref();
        match &document.source {
            Source::Base64(data) if document.mime.is_none() => {
                part.maybe("filename", name).with("file_data", data)
            }
            Source::Base64(data) => {
                // Bytes without a name are refused.
                let name = name.cloned().unwrap_or_else(|| usual_name(document));
                let data = data_url(document, data, "application/pdf");
                part.with("filename", name).with("file_data", data)
            }
            Source::Url(url) => part.maybe("filename", name).with("file_url", url),
            Source::File(id) => part.maybe("filename", name).with("file_id", id),
            Source::Text(text) => {
                self.notes.emulate(Field::Content("document"));
                text_part("input_text", text)
            }
        }
    }
}

/// The type of a text: the caller's own, or the usual one of who speaks.
fn text_type(block: &Block, role: Role) -> &'static str {
    match (own_type(&block.extras).as_deref(), role) {
        (Some("output_text"), _) => "output_text",
        (Some("input_text"), _) => "input_text",
        (Some("text"), _) => "text",
        (_, Role::Assistant) => "output_text",
        _ => "input_text",
    }
}

fn data_url(medium: &Medium, data: &str, usual: &str) -> String {
    let mime = medium.mime.as_deref().unwrap_or(usual);
    format!("data:{mime};base64,{data}")
}

fn usual_name(document: &Medium) -> String {
    let ending = match document.mime.as_deref() {
        Some("text/plain") => "txt",
        Some("text/markdown") => "md",
        Some("text/csv") => "csv",
        Some("text/html") => "html",
        Some("application/json") => "json",
        _ => "pdf",
    };
    format!("document.{ending}")
}

fn sound(audio: &Medium) -> Option<Object> {
    let Source::Base64(data) = &audio.source else {
        return None;
    };
    let format = match audio.mime.as_deref()?.strip_prefix("audio/")? {
        "wav" | "x-wav" | "wave" => "wav",
        "mp3" | "mpeg" => "mp3",
        _ => return None,
    };
    let audio = Object::new().with("data", data).with("format", format);
    Some(Object::of_type("input_audio").with("input_audio", audio))
}
