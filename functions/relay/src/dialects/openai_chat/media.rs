//! Pictures, sounds, films and files in parts of OpenAI's chat dialect, both ways.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;

use crate::dialects::json::{Fields, Object, text};
use crate::dialects::neutral::request::{Block, Extra, Extras, Kind, Medium, Source};

/// The bytes or the address in a URL; `data:` URLs hold their bytes.
pub(super) fn read_url(url: &str) -> Medium {
    let data = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(','));
    if let Some((head, data)) = data
        && let Some(mime) = head.strip_suffix(";base64")
    {
        let mime = mime.split(';').next().unwrap_or_default();
        return Medium {
            mime: (!mime.is_empty()).then(|| mime.to_owned()),
            source: Source::Base64(data.to_owned()),
            ..Medium::default()
        };
    }
    Medium {
        source: Source::Url(url.to_owned()),
        ..Medium::default()
    }
}

/// The URL of a medium; `None` when it is none, but a text or an uploaded file.
pub(super) fn write_url(medium: &Medium, usual: &str) -> Option<String> {
    match &medium.source {
        Source::Url(url) => Some(url.clone()),
        Source::Base64(data) => {
            let mime = medium.mime.as_deref().unwrap_or(usual);
            Some(format!("data:{mime};base64,{data}"))
        }
        Source::Text(_) | Source::File(_) => None,
    }
}

/// The value of `image_url` or `video_url`: an object, or the URL alone.
pub(super) fn read_linked(value: &RawValue) -> Option<Medium> {
    if let Some(url) = text(value) {
        return Some(read_url(&url));
    }
    let mut fields = Fields::of(value)?;
    let url = fields.text("url")?;
    Some(Medium {
        detail: fields.text("detail"),
        ..read_url(&url)
    })
}

/// The value of `input_audio`.
pub(super) fn read_audio(value: &RawValue) -> Option<Medium> {
    let mut fields = Fields::of(value)?;
    let data = fields.text("data")?;
    let format = fields.text("format");
    let mime = format.map(|format| match format.as_str() {
        "mp3" => "audio/mpeg".to_owned(),
        other => format!("audio/{other}"),
    });
    // Some clients give a whole `data:` URL.
    let medium = read_url(&data);
    Some(match medium.source {
        Source::Base64(_) => medium,
        _ => Medium {
            mime,
            source: Source::Base64(data),
            ..Medium::default()
        },
    })
}

/// The word for a sound's format.
fn audio_format(mime: Option<&str>) -> String {
    let kind = mime.and_then(|mime| mime.split(';').next());
    match kind.unwrap_or("audio/wav") {
        "audio/mpeg" | "audio/mp3" => "mp3".to_owned(),
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav".to_owned(),
        other => other.rsplit('/').next().unwrap_or("wav").to_owned(),
    }
}

/// The value of `file`.
pub(super) fn read_file(value: &RawValue) -> Option<Medium> {
    let mut fields = Fields::of(value)?;
    let name = fields.text("filename");
    if let Some(id) = fields.text("file_id") {
        return Some(Medium {
            name,
            source: Source::File(id),
            ..Medium::default()
        });
    }
    let data = fields.text("file_data")?;
    let medium = match read_url(&data) {
        // Neither a `data:` URL nor an address: the mere bytes.
        Medium {
            source: Source::Url(data),
            ..
        } if !data.contains("://") && !data.starts_with("data:") => Medium {
            source: Source::Base64(data),
            ..Medium::default()
        },
        medium => medium,
    };
    Some(Medium { name, ..medium })
}

/// A part of a message; `None` when this dialect cannot say it.
pub(super) fn write_part(kind: &Kind) -> Option<Object> {
    match kind {
        Kind::Image(medium) => {
            let url = Object::new()
                .with("url", write_url(medium, "image/png")?)
                .maybe("detail", medium.detail.clone());
            Some(Object::of_type("image_url").with("image_url", url))
        }
        Kind::Video(medium) => {
            let url = Object::new().with("url", write_url(medium, "video/mp4")?);
            Some(Object::of_type("video_url").with("video_url", url))
        }
        Kind::Audio(medium) => {
            let Source::Base64(data) = &medium.source else {
                return None;
            };
            let audio = Object::new()
                .with("data", data)
                .with("format", audio_format(medium.mime.as_deref()));
            Some(Object::of_type("input_audio").with("input_audio", audio))
        }
        Kind::Document(medium) => Some(write_document(medium)),
        _ => None,
    }
}

fn write_document(medium: &Medium) -> Object {
    let file = match &medium.source {
        // There are no files of plain text here: it is said as text.
        Source::Text(text) => {
            let text = match &medium.name {
                Some(name) => format!("{name}\n\n{text}"),
                None => text.clone(),
            };
            return Object::of_type("text").with("text", text);
        }
        Source::File(id) => Object::new().with("file_id", id),
        // Bytes of no known type are said as they came.
        Source::Base64(data) if medium.mime.is_none() => Object::new().with("file_data", data),
        Source::Base64(_) | Source::Url(_) => {
            Object::new().maybe("file_data", write_url(medium, "application/pdf"))
        }
    };
    // A file that is given by its bytes must have a name.
    let nameless = medium.name.is_none() && matches!(medium.source, Source::Base64(_));
    let name = medium.name.clone().or_else(|| {
        let extension = medium
            .mime
            .as_deref()
            .and_then(|mime| mime.rsplit('/').next());
        nameless.then(|| format!("document.{}", extension.unwrap_or("pdf")))
    });
    Object::of_type("file").with("file", file.maybe("filename", name))
}

/// A sound that a model has made: beside its bytes an id, what is said, and when it expires.
pub(super) fn spoken(data: String, members: Vec<(&'static str, Box<RawValue>)>) -> Block {
    let medium = Medium {
        source: Source::Base64(data),
        ..Medium::default()
    };
    let mut block = Block::new(Kind::Audio(medium));
    let extras = members.into_iter().map(|(name, value)| Extra {
        dialect: Dialect::OpenaiChat,
        name: name.to_owned(),
        value,
    });
    block.extras = Extras(extras.collect());
    block
}

/// A picture or a sound of an answer: the member of the message, and its value.
pub(super) fn write_made(block: &Block) -> Option<(&'static str, Object)> {
    match &block.kind {
        Kind::Image(_) => Some(("images", write_part(&block.kind)?)),
        Kind::Audio(Medium {
            source: Source::Base64(data),
            ..
        }) => {
            let mut audio = Object::new();
            let extra = |name| block.extras.get(Dialect::OpenaiChat, name);
            audio = audio.maybe("id", extra("id")).with("data", data);
            Some((
                "audio",
                audio
                    .maybe("expires_at", extra("expires_at"))
                    .maybe("transcript", extra("transcript")),
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_url_holds_its_bytes() {
        let medium = read_url("data:image/png;base64,QUJD");
        assert_eq!(medium.mime.as_deref(), Some("image/png"));
        assert!(matches!(&medium.source, Source::Base64(data) if data == "QUJD"));
        assert_eq!(
            write_url(&medium, "").unwrap(),
            "data:image/png;base64,QUJD"
        );
        let link = read_url("https://a/b.png");
        assert!(matches!(&link.source, Source::Url(_)) && link.mime.is_none());
    }

    #[test]
    fn files_come_as_bytes_addresses_or_ids() {
        for (file, again) in [
            (
                r#"{"file_id":"f"}"#,
                r#"{"type":"file","file":{"file_id":"f"}}"#,
            ),
            (
                r#"{"filename":"a.pdf","file_data":"data:application/pdf;base64,QQ"}"#,
                r#"{"type":"file","file":{"file_data":"data:application/pdf;base64,QQ","filename":"a.pdf"}}"#,
            ),
            (
                r#"{"filename":"a","file_data":"QQ"}"#,
                r#"{"type":"file","file":{"file_data":"QQ","filename":"a"}}"#,
            ),
            (
                r#"{"file_data":"https://a/b.pdf"}"#,
                r#"{"type":"file","file":{"file_data":"https://a/b.pdf"}}"#,
            ),
        ] {
            let raw = RawValue::from_string(file.to_owned()).unwrap();
            let kind = Kind::Document(read_file(&raw).unwrap());
            assert_eq!(write_part(&kind).unwrap().to_bytes(), again);
        }
    }
}
