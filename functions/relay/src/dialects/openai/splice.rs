//! A request of OpenAI's dialects for the express lane: the bytes as they came, but for two members.

use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::failure::Failure;

use crate::dialects::Wanted;
use crate::dialects::members::{self, Members};

/// The members that are spliced.
const NAMES: &[&str] = &["model", "stream_options"];

/// `stream_options` of a request.
#[derive(Debug, Default, Deserialize)]
pub(in crate::dialects) struct StreamOptions {
    pub(in crate::dialects) include_usage: Option<bool>,
}

/// The same bytes, with the upstream's name of the model and with usage at the end of a stream.
pub(in crate::dialects) fn express(
    wanted: &Wanted,
    upstream_model: &str,
) -> Result<Bytes, Failure> {
    let members = Members::find(&wanted.body, NAMES)?;
    let mut edits = Vec::new();
    if upstream_model != wanted.model
        && let Some(member) = members.get("model")
    {
        edits.push((member.span.clone(), json(upstream_model)));
    }
    if wanted.stream && !wanted.usage_wanted {
        edits.push(usage_edit(&members, &wanted.body));
    }
    edits.sort_by_key(|(span, _)| span.start);
    Ok(members::splice(&wanted.body, &edits))
}

/// The edit that makes the provider tell the usage: in `stream_options` as they are, or new ones.
fn usage_edit(members: &Members<'_>, body: &Bytes) -> (Range<usize>, Vec<u8>) {
    const OPTIONS: &str = r#"{"include_usage":true}"#;
    if let Some(member) = members.get("stream_options") {
        let mut options: Map<String, Value> = serde_json::from_str(member.text).unwrap_or_default();
        options.insert("include_usage".to_owned(), true.into());
        return (
            member.span.clone(),
            Value::Object(options).to_string().into_bytes(),
        );
    }
    if let Some(null) = members.span_of_null("stream_options") {
        return (null, OPTIONS.into());
    }
    let place = members::first_place(body);
    (
        place..place,
        format!(r#""stream_options":{OPTIONS},"#).into_bytes(),
    )
}

fn json(text: &str) -> Vec<u8> {
    serde_json::Value::from(text).to_string().into_bytes()
}
