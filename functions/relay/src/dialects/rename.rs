//! The caller's name of a model in answers of the express lane, where a channel wants that.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use shared::domain::id::RequestId;
use shared::failure::Failure;

use super::members::{self, Members};
use super::watch::{Seen, Verdict, Watch};

/// Where the dialects keep the name, at the top of an answer or event.
const NAMES: &[&str] = &["model", "modelVersion"];
/// What they wrap an answer in, in events.
const WRAPPERS: &[&str] = &["message", "response"];

/// An answer or an event's data with another name of the model; `None` when it has none.
#[must_use]
pub fn model(json: &[u8], name: &str) -> Option<Bytes> {
    let span = place(json, 2)?;
    let name = serde_json::Value::from(name).to_string().into_bytes();
    let body = Bytes::copy_from_slice(json);
    Some(members::splice(&body, &[(span, name)]))
}

/// Where the name stands, looking so many objects deep.
fn place(json: &[u8], depth: u8) -> Option<Range<usize>> {
    let found = Members::find(json, NAMES).ok()?;
    if let Some(member) = NAMES.iter().find_map(|name| found.get(name)) {
        return member.text.starts_with('"').then(|| member.span.clone());
    }
    if depth < 2 {
        return None;
    }
    let wrapped = Members::find(json, WRAPPERS).ok()?;
    let inner = WRAPPERS.iter().find_map(|name| wrapped.get(name))?;
    let span = place(json.get(inner.span.clone())?, depth - 1)?;
    Some(inner.span.start + span.start..inner.span.start + span.end)
}

/// Puts the caller's name of the model into the events that another watcher lets pass.
#[derive(Debug)]
pub struct Renaming {
    inner: Box<dyn Watch>,
    name: String,
}

impl Renaming {
    /// Around a watcher.
    #[must_use]
    pub fn new(inner: Box<dyn Watch>, name: String) -> Self {
        Self { inner, name }
    }

    fn renamed(&self, event: &[u8]) -> Option<Bytes> {
        let start = memchr::memmem::find(event, b"data:")? + b"data:".len();
        let (before, rest) = event.split_at_checked(start)?;
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (data, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let renamed = model(data, &self.name)?;
        let mut out = BytesMut::with_capacity(event.len() + self.name.len());
        out.extend_from_slice(before);
        out.extend_from_slice(&renamed);
        out.extend_from_slice(after);
        Some(out.freeze())
    }
}

impl Watch for Renaming {
    fn event(&mut self, event: &[u8]) -> Verdict {
        match self.inner.event(event) {
            Verdict::Pass => self.renamed(event).map_or(Verdict::Pass, Verdict::Replace),
            Verdict::Replace(other) => {
                let renamed = self.renamed(&other);
                Verdict::Replace(renamed.unwrap_or(other))
            }
            verdict => verdict,
        }
    }

    fn end(&mut self) -> Option<Bytes> {
        self.inner.end()
    }

    fn fail(&mut self, failure: &Failure, id: RequestId) -> Option<Bytes> {
        self.inner.fail(failure, id)
    }

    fn seen(&self) -> &Seen {
        self.inner.seen()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_models_name_is_another() {
        for (json, expected) in [
            (r#"{"id":1, "model" : "up"}"#, r#"{"id":1, "model" : "me"}"#),
            (
                r#"{"content":[{"model":"x"}],"model":"up"}"#,
                r#"{"content":[{"model":"x"}],"model":"me"}"#,
            ),
            (
                r#"{"type":"message_start","message":{"model":"up","x":1.0}}"#,
                r#"{"type":"message_start","message":{"model":"me","x":1.0}}"#,
            ),
            (r#"{"modelVersion":"up"}"#, r#"{"modelVersion":"me"}"#),
        ] {
            assert_eq!(model(json.as_bytes(), "me").unwrap(), expected);
        }
        for json in ["[]", "{}", r#"{"a":{"model":"up"}}"#, r#"{"model":7}"#] {
            assert_eq!(model(json.as_bytes(), "me"), None, "{json}");
        }
    }
}
