//! Recorded answers of providers: found in a folder by its list, and put back into the form in which
//! they travelled.
//!
//! A folder holds `MANIFEST.tsv` (path, provider, dialect, whether streamed, status) and the files.
//! `.sse`, `.eventstream`, `.json` and `.html` are the bytes of the wire; `.chunks.txt` has one JSON
//! event a line, without its framing.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shared::domain::dialect::Dialect;

/// A recorded answer.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Its path in the folder.
    pub name: String,
    /// Whose answer it is.
    pub provider: String,
    pub dialect: Dialect,
    /// Whether the request wanted a stream. What came may be none.
    pub stream: bool,
    pub status: u16,
    pub content_type: String,
    /// The other headers that were recorded.
    pub headers: Vec<(String, String)>,
    /// The bytes of the wire.
    pub body: Vec<u8>,
    /// Whether Claude's events are wrapped into Bedrock's frames.
    pub wrapped: bool,
}

/// A recorded request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub name: String,
    /// Who was asked.
    pub provider: String,
    /// What the answer's status was.
    pub status: u16,
    pub dialect: Dialect,
    /// The address, as far as it says something.
    pub url: String,
    pub body: Value,
}

/// The project's own traces, below a package's folder.
#[must_use]
pub fn own(from_package: &str) -> PathBuf {
    Path::new(from_package).join("traces")
}

/// Where more recordings are, if they are anywhere: `TOLLHOUSE_FIXTURES`, or beside the checkout.
/// `root` is the way from the package's folder to the checkout's.
#[must_use]
pub fn recorded(root: &str) -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever runs the tests says where recordings are; the product does not read it"
    )]
    let named = std::env::var_os("TOLLHOUSE_FIXTURES").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(root).join("../shared/fixtures"));
    if folder.join("MANIFEST.tsv").is_file() {
        return Some(folder);
    }
    println!(
        "no recordings in {}: only our own are played",
        folder.display()
    );
    None
}

/// The answers in a folder, as far as they are answers of conversations.
#[must_use]
pub fn answers(folder: &Path) -> Vec<Trace> {
    let list = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    list.lines()
        .skip(1)
        .filter_map(|row| answer(folder, row))
        .collect()
}

fn answer(folder: &Path, row: &str) -> Option<Trace> {
    let columns: Vec<&str> = row.split('\t').collect();
    let [path, provider, dialect, streamed, status, ..] = columns[..] else {
        panic!("a row with fewer columns than there are: {row}")
    };
    // Counting tokens is listed under the dialect in which it is done.
    let counted = path.contains("count-tokens");
    let (dialect, wrapped) = named(dialect).filter(|_| !counted)?;
    let file = folder.join(path);
    let raw = fs::read(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    let meta = meta(&file);
    let status = meta["status"]
        .as_u64()
        .unwrap_or_else(|| status.parse().unwrap());
    let body = match () {
        () if path.ends_with(".chunks.txt") => framed(dialect, &String::from_utf8(raw).unwrap()),
        () => raw,
    };
    let headers = meta["headers"].as_object().into_iter().flatten();
    let headers = headers
        .filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned())))
        .filter(|(name, _)| name.starts_with("x-") || name.starts_with("retry-after"))
        .collect();
    let recorded = meta["headers"]["content-type"].as_str();
    // Some recorders have struck it out.
    let recorded = recorded
        .filter(|kind| kind.contains('/'))
        .map(str::to_owned);
    Some(Trace {
        name: path.to_owned(),
        provider: provider.to_owned(),
        dialect,
        stream: streamed == "yes",
        status: u16::try_from(status).unwrap(),
        content_type: recorded.unwrap_or_else(|| content_type(path, dialect).to_owned()),
        headers,
        body,
        wrapped,
    })
}

fn meta(file: &Path) -> Value {
    let name = file.to_str().unwrap();
    let meta = name.split(".response.").next().unwrap().to_owned() + ".meta.json";
    match fs::read_to_string(meta) {
        Ok(text) if name.contains(".response.") => serde_json::from_str(&text).unwrap(),
        _ => Value::Null,
    }
}

fn content_type(path: &str, dialect: Dialect) -> &'static str {
    let extension = path.rsplit('.').next().unwrap();
    match (extension, dialect) {
        ("json", _) => "application/json",
        ("html", _) => "text/html",
        ("eventstream", _) | ("txt", Dialect::Bedrock) => "application/vnd.amazon.eventstream",
        _ => "text/event-stream",
    }
}

/// The requests that were recorded in a folder, of the dialects that callers speak.
#[must_use]
pub fn requests(folder: &Path) -> Vec<Asked> {
    let list = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let rows = list.lines().skip(1).filter_map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        let (path, provider, status) = (columns[0], columns[1], columns[4]);
        let (dialect, wrapped) = named(columns[2])?;
        let (stem, _) = path.split_once(".response.")?;
        let name = format!("{stem}.request.json");
        let text = fs::read_to_string(folder.join(&name)).ok()?;
        let recorded: Value = serde_json::from_str(&text).unwrap();
        let body = recorded["body"].clone();
        let callable = matches!(
            dialect,
            Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::Anthropic | Dialect::Gemini
        );
        let spoken = callable && !wrapped && body.is_object() && !name.contains("count-tokens");
        let url = recorded["url"].as_str().unwrap_or_default().to_owned();
        spoken.then_some(Asked {
            name,
            provider: provider.to_owned(),
            status: status.parse().unwrap(),
            dialect,
            url,
            body,
        })
    });
    rows.collect()
}

/// The dialect of a list's word, and whether it is wrapped; `None` for what is no conversation.
fn named(word: &str) -> Option<(Dialect, bool)> {
    let dialect = match word {
        "openai-chat" => Dialect::OpenaiChat,
        "openai-responses" => Dialect::OpenaiResponses,
        "anthropic-messages" | "bedrock-invoke" => Dialect::Anthropic,
        "gemini-generatecontent" => Dialect::Gemini,
        "bedrock-converse" => Dialect::Bedrock,
        "cohere-v2-chat" => Dialect::Cohere,
        _ => return None,
    };
    Some((dialect, word == "bedrock-invoke"))
}

/// Events, one a line, as they travel.
#[must_use]
pub fn framed(dialect: Dialect, lines: &str) -> Vec<u8> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    let events: Vec<Vec<u8>> = lines.map(|line| framed_event(dialect, line)).collect();
    let mut stream = events.concat();
    if dialect == Dialect::OpenaiChat {
        stream.extend_from_slice(b"data: [DONE]\n\n");
    }
    stream
}

fn framed_event(dialect: Dialect, line: &str) -> Vec<u8> {
    let json = || -> Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    };
    match dialect {
        Dialect::Gemini => format!("data: {line}\r\n\r\n").into_bytes(),
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => {
            format!("data: {line}\n\n").into_bytes()
        }
        Dialect::Anthropic | Dialect::OpenaiResponses | Dialect::Cohere => {
            // Some recordings are damaged; their events still have a type.
            let mut types = line.split("\"type\":").skip(1);
            let kind = types
                .next()
                .and_then(|rest| rest.trim_start().split('"').nth(1));
            format!("event: {}\ndata: {line}\n\n", kind.unwrap_or("message")).into_bytes()
        }
        Dialect::Bedrock => {
            let json = json();
            let (name, payload) = json.as_object().unwrap().iter().next().unwrap();
            let kind = if name.ends_with("Exception") {
                "exception"
            } else {
                "event"
            };
            let about = format!(":{kind}-type");
            let headers = [
                (about.as_str(), name.as_str()),
                (":content-type", "application/json"),
                (":message-type", kind),
            ];
            frame(&headers, payload.to_string().as_bytes())
        }
        other => panic!("{other} has no streams"),
    }
}

/// A frame of an AWS event stream.
/// <https://smithy.io/2.0/aws/amazon-eventstream.html>
#[must_use]
pub fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(u8::try_from(name.len()).unwrap());
        block.extend_from_slice(name.as_bytes());
        block.push(7);
        block.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        block.extend_from_slice(value.as_bytes());
    }
    let total = u32::try_from(12 + block.len() + payload.len() + 4).unwrap();
    let mut frame = total.to_be_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(block.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&crc32(&frame).to_be_bytes());
    frame.extend_from_slice(&block);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32(&frame).to_be_bytes());
    frame
}

/// The checksum of gzip, PNG and AWS frames, bit by bit: it need not be fast here.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
