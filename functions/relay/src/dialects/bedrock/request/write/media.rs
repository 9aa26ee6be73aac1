//! Pictures, documents, films and sounds, as Converse takes them: in the request, or in S3.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::failure::Failure;

use crate::dialects::bedrock::wire;
use crate::dialects::json::{Json, Object, Raw};
use crate::dialects::neutral::request::{Extras, Medium, Source};

/// The names that documents have been given.
#[derive(Debug, Default)]
pub(super) struct Documents(Vec<String>);

/// A picture; `None` when it is of a kind that Converse does not take.
pub(super) fn image(medium: &Medium) -> Result<Option<Json>, Failure> {
    const FORMATS: &[(&str, &str)] = &[
        ("image/png", "png"),
        ("image/jpeg", "jpeg"),
        ("image/jpg", "jpeg"),
        ("image/gif", "gif"),
        ("image/webp", "webp"),
    ];
    let Some(format) = sniffed(medium).or_else(|| by_type(medium, FORMATS)) else {
        return Ok(None);
    };
    let image = Object::new()
        .with("format", format)
        .with("source", source(medium)?);
    Ok(Some(Object::new().with("image", image).into()))
}

/// A film; `None` when it is of a kind that Converse does not take.
pub(super) fn video(medium: &Medium) -> Result<Option<Json>, Failure> {
    const FORMATS: &[(&str, &str)] = &[
        ("video/mp4", "mp4"),
        ("video/quicktime", "mov"),
        ("video/x-matroska", "mkv"),
        ("video/webm", "webm"),
        ("video/x-flv", "flv"),
        ("video/mpeg", "mpeg"),
        ("video/x-ms-wmv", "wmv"),
        ("video/3gpp", "three_gp"),
    ];
    let Some(format) = by_type(medium, FORMATS) else {
        return Ok(None);
    };
    let video = Object::new()
        .with("format", format)
        .with("source", source(medium)?);
    Ok(Some(Object::new().with("video", video).into()))
}

/// A sound; `None` when it is of a kind that Converse does not take.
pub(super) fn audio(medium: &Medium) -> Result<Option<Json>, Failure> {
    const FORMATS: &[(&str, &str)] = &[
        ("audio/wav", "wav"),
        ("audio/x-wav", "wav"),
        ("audio/mpeg", "mp3"),
        ("audio/mp3", "mp3"),
        ("audio/flac", "flac"),
        ("audio/ogg", "ogg"),
        ("audio/opus", "opus"),
        ("audio/aac", "aac"),
        ("audio/mp4", "mp4"),
        ("audio/m4a", "m4a"),
        ("audio/webm", "webm"),
    ];
    let Some(format) = by_type(medium, FORMATS) else {
        return Ok(None);
    };
    let audio = Object::new()
        .with("format", format)
        .with("source", source(medium)?);
    Ok(Some(Object::new().with("audio", audio).into()))
}

impl Documents {
    /// A document; `None` when it is of a kind that Converse does not take.
    pub(super) fn write(
        &mut self,
        medium: &Medium,
        extras: &Extras,
    ) -> Result<Option<Json>, Failure> {
        let Some(format) = document_format(medium) else {
            return Ok(None);
        };
        let document = Object::new()
            .with("format", format)
            .with("name", self.name(medium.name.as_deref()))
            .with("source", source(medium)?)
            .maybe("context", member(extras, "context"))
            .maybe("citations", member(extras, "citations"));
        Ok(Some(Object::new().with("document", document).into()))
    }

    /// A name that is allowed, and that no other document has.
    fn name(&mut self, given: Option<&str>) -> String {
        const LONGEST: usize = 180;
        let given = given.unwrap_or_default();
        let stem = given.rsplit_once('.').map_or(given, |(stem, _)| stem);
        let allowed = |c: char| c.is_ascii_alphanumeric() || " -()[]".contains(c);
        let letters = stem.chars().map(|c| if allowed(c) { c } else { '-' });
        let letters: String = letters.take(LONGEST).collect();
        // Blanks must stand alone.
        let words: Vec<&str> = letters.split_whitespace().collect();
        let mut name = words.join(" ");
        if !name.contains(|c: char| c.is_ascii_alphanumeric()) {
            "Document".clone_into(&mut name);
        }
        let mut unique = name.clone();
        let mut count = 1;
        while self.0.contains(&unique) {
            count += 1;
            unique = format!("{name} {count}");
        }
        self.0.push(unique.clone());
        unique
    }
}

/// Members of documents that Converse shares with the caller's dialect.
pub(super) const SHARED: [&str; 2] = ["context", "citations"];

fn member<'a>(extras: &'a Extras, name: &str) -> Option<&'a Raw> {
    let mut extras = extras.0.iter();
    extras.find_map(|extra| (extra.name == name).then_some(&extra.value))
}

fn document_format(medium: &Medium) -> Option<&'static str> {
    const FORMATS: &[(&str, &str)] = &[
        ("application/pdf", "pdf"),
        ("text/csv", "csv"),
        ("application/msword", "doc"),
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "docx",
        ),
        ("application/vnd.ms-excel", "xls"),
        (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xlsx",
        ),
        ("text/html", "html"),
        ("text/markdown", "md"),
        ("application/json", "txt"),
        ("application/xml", "txt"),
    ];
    const ENDINGS: [&str; 9] = [
        "pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md",
    ];
    let ending = || {
        let (_, ending) = medium.name.as_deref()?.rsplit_once('.')?;
        let ending = ending.to_ascii_lowercase();
        ENDINGS.into_iter().find(|known| *known == ending)
    };
    let text = || {
        let plain = matches!(medium.source, Source::Text(_));
        let said = medium
            .mime
            .as_deref()
            .is_some_and(|mime| mime.starts_with("text/"));
        (plain || said).then_some("txt")
    };
    let pdf = head(medium).is_some_and(|bytes| bytes.starts_with(b"%PDF"));
    pdf.then_some("pdf")
        .or_else(|| by_type(medium, FORMATS))
        .or_else(ending)
        .or_else(text)
}

/// The format that a media type means.
fn by_type(medium: &Medium, formats: &[(&str, &'static str)]) -> Option<&'static str> {
    let mime = medium.mime.as_deref()?.split(';').next()?.trim();
    let mut formats = formats.iter();
    formats.find_map(|(known, format)| mime.eq_ignore_ascii_case(known).then_some(*format))
}

/// The format of a picture by its first bytes: what callers say of it is often wrong.
fn sniffed(medium: &Medium) -> Option<&'static str> {
    let bytes = head(medium)?;
    let is = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    if is(0, b"\x89PNG") {
        Some("png")
    } else if is(0, b"\xff\xd8\xff") {
        Some("jpeg")
    } else if is(0, b"GIF8") {
        Some("gif")
    } else if is(0, b"RIFF") && is(8, b"WEBP") {
        Some("webp")
    } else {
        None
    }
}

fn head(medium: &Medium) -> Option<Vec<u8>> {
    let Source::Base64(text) = &medium.source else {
        return None;
    };
    wire::decode(text.get(..24).unwrap_or(text))
}

/// Where the bytes are. Nothing is fetched from other addresses by Bedrock, and what was uploaded
/// elsewhere is not there.
fn source(medium: &Medium) -> Result<Json, Failure> {
    let source = match &medium.source {
        Source::Base64(text) => Object::new().with("bytes", unbroken(text).into_owned()),
        Source::Text(text) => Object::new().with("bytes", STANDARD.encode(text)),
        Source::Url(url) if url.starts_with("s3://") => {
            let place = Object::new().with("uri", url);
            Object::new().with("s3Location", place)
        }
        Source::Url(_) => {
            let text = "Bedrock takes media in the request or in S3, and fetches no other address.";
            return Err(Failure::bad_field("messages", text));
        }
        Source::File(_) => {
            let text = "Bedrock has no uploaded files: the file must be in the request.";
            return Err(Failure::bad_field("messages", text));
        }
    };
    Ok(source.into())
}

/// Base64 without the line breaks that some callers put in.
fn unbroken(text: &str) -> Cow<'_, str> {
    if text.contains(|c: char| c.is_ascii_whitespace()) {
        Cow::Owned(text.split_ascii_whitespace().collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn medium(mime: &str, source: Source, name: Option<&str>) -> Medium {
        Medium {
            mime: Some(mime.to_owned()),
            source,
            name: name.map(str::to_owned),
            detail: None,
        }
    }

    #[test]
    fn the_first_bytes_tell_a_picture() {
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\n0000000000000000");
        let written = image(&medium("image/jpg", Source::Base64(png.clone()), None)).unwrap();
        let text = String::from_utf8(written.unwrap().to_bytes().to_vec()).unwrap();
        assert_eq!(
            text,
            format!(r#"{{"image":{{"format":"png","source":{{"bytes":"{png}"}}}}}}"#)
        );
        let unknown = medium("image/svg+xml", Source::Base64("PHN2Zz4=".to_owned()), None);
        assert!(image(&unknown).unwrap().is_none());
        let there = medium("image/png", Source::Url("s3://b/k.png".to_owned()), None);
        assert_eq!(
            image(&there).unwrap().unwrap().to_bytes(),
            r#"{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/k.png"}}}}"#
        );
        let away = medium("image/png", Source::Url("https://x/y.png".to_owned()), None);
        assert!(image(&away).is_err());
    }

    #[test]
    fn documents_have_names_of_their_own() {
        let mut documents = Documents::default();
        let mut name = |given| documents.name(given);
        assert_eq!(name(Some("Q3  report (v2).pdf")), "Q3 report (v2)");
        assert_eq!(name(Some("Q3 report (v2).pdf")), "Q3 report (v2) 2");
        assert_eq!(name(Some("报告_1.pdf")), "---1");
        assert_eq!(name(None), "Document");
        assert_eq!(name(Some("报告.pdf")), "Document 2");
    }

    #[test]
    fn a_text_is_a_document_too() {
        let mut documents = Documents::default();
        let text = medium("text/plain", Source::Text("hi".to_owned()), Some("a.b.txt"));
        let written = documents.write(&text, &Extras::default()).unwrap().unwrap();
        assert_eq!(
            written.to_bytes(),
            r#"{"document":{"format":"txt","name":"a-b","source":{"bytes":"aGk="}}}"#
        );
        let csv = medium(
            "application/octet-stream",
            Source::Text(String::new()),
            Some("x.CSV"),
        );
        assert_eq!(document_format(&csv), Some("csv"));
        let pdf = medium(
            "",
            Source::Base64(STANDARD.encode(b"%PDF-1.4 ......")),
            None,
        );
        assert_eq!(document_format(&pdf), Some("pdf"));
    }
}
