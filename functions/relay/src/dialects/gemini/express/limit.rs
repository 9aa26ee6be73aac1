//! The output limit of a request of Gemini's dialect, in the spelling that it uses.

use bytes::Bytes;
use shared::failure::Failure;

use crate::dialects::limit::{Edit, insert, lower, moved};
use crate::dialects::members::{self, Members};

const CONFIGS: &[&str] = &["generationConfig", "generation_config"];
const LIMITS: &[&str] = &["maxOutputTokens", "max_output_tokens"];

/// The same bytes, with at most so many tokens of output.
pub(in crate::dialects) fn limit_output(body: &Bytes, limit: u64) -> Result<Bytes, Failure> {
    let members = Members::find(body, CONFIGS)?;
    let member = format!(r#""maxOutputTokens":{limit}"#);
    let config = CONFIGS.iter().find_map(|name| members.get(name));
    let edits = match config {
        Some(config) => within(config.text.as_bytes(), config.span.start, limit, &member)?,
        None => {
            let null = CONFIGS.iter().find_map(|name| members.span_of_null(name));
            let object = format!("{{{member}}}");
            vec![match null {
                Some(null) => (null, object.into_bytes()),
                None => insert(body, 0, &format!(r#""generationConfig":{object}"#)),
            }]
        }
    };
    Ok(members::splice(body, &edits))
}

/// The edits of the object in which the limit stands, which begins at `at`.
fn within(config: &[u8], at: usize, limit: u64, member: &str) -> Result<Vec<Edit>, Failure> {
    let members = Members::find(config, LIMITS)?;
    let lowered = LIMITS
        .iter()
        .filter_map(|name| lower(&members, name, limit));
    let lowered: Vec<_> = lowered.collect();
    if lowered.is_empty() {
        return Ok(vec![insert(config, at, member)]);
    }
    let mut edits: Vec<Edit> = lowered.into_iter().flatten().collect();
    edits.sort_by_key(|(span, _)| span.start);
    Ok(edits.into_iter().map(|edit| moved(edit, at)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_lowered_where_it_stands_or_put_there() {
        for (body, expected) in [
            (
                r#"{"contents":[]}"#,
                r#"{"generationConfig":{"maxOutputTokens":50},"contents":[]}"#,
            ),
            (
                r#"{"contents":[],"generationConfig":{}}"#,
                r#"{"contents":[],"generationConfig":{"maxOutputTokens":50}}"#,
            ),
            (
                r#"{"contents":[],"generationConfig": { "topK":1 }}"#,
                r#"{"contents":[],"generationConfig": {"maxOutputTokens":50, "topK":1 }}"#,
            ),
            (
                r#"{"generation_config":{"max_output_tokens" : 90},"contents":[]}"#,
                r#"{"generation_config":{"max_output_tokens" : 50},"contents":[]}"#,
            ),
            (
                r#"{"generationConfig":{"maxOutputTokens":null},"contents":[]}"#,
                r#"{"generationConfig":{"maxOutputTokens":50},"contents":[]}"#,
            ),
            (
                r#"{"generationConfig":null,"contents":[]}"#,
                r#"{"generationConfig":{"maxOutputTokens":50},"contents":[]}"#,
            ),
            (
                r#"{"generationConfig":{"maxOutputTokens":20}}"#,
                r#"{"generationConfig":{"maxOutputTokens":20}}"#,
            ),
        ] {
            let limited = limit_output(&Bytes::from_static(body.as_bytes()), 50);
            assert_eq!(limited.unwrap(), expected);
        }
    }
}
