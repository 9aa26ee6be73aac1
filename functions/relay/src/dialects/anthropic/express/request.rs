//! A request of Anthropic's dialect: read, and spliced for the express lane.

use bytes::Bytes;
use shared::failure::Failure;

use crate::dialects::members::{self, Members};
use crate::dialects::{InUrl, Wanted};

const NAMES: &[&str] = &["model", "messages", "stream", "max_tokens"];

pub(in crate::dialects) fn read(body: Bytes, url: &InUrl) -> Result<Wanted, Failure> {
    let members = Members::find(&body, NAMES)?;
    let model = members::model(&members)?;
    members.require_array("messages")?;
    let stream = members.read("stream", "true or false")?.unwrap_or(false);
    // Zero is a request to warm the cache. What is only counted has no answer to limit.
    let max_output: Option<u64> = members.read("max_tokens", "an integer of 0 or more")?;
    if max_output.is_none() && !url.counting {
        members.require::<u64>("max_tokens", "an integer of 0 or more")?;
    }
    Ok(Wanted {
        model,
        stream,
        events: true,
        usage_wanted: true,
        max_output,
        answers: 1,
        body,
    })
}

/// The same bytes, with the upstream's name of the model.
pub(in crate::dialects) fn express(
    wanted: &Wanted,
    upstream_model: &str,
) -> Result<Bytes, Failure> {
    if upstream_model == wanted.model {
        return Ok(wanted.body.clone());
    }
    members::with_model(&wanted.body, upstream_model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_model_is_spliced() {
        let body = r#"{"max_tokens":0,"messages":[],"metadata":{"model":"x"}, "model" : "m"}"#;
        let wanted = read(Bytes::from_static(body.as_bytes()), &InUrl::default()).unwrap();
        assert_eq!(express(&wanted, "m").unwrap(), body);
        assert_eq!(
            express(&wanted, "up").unwrap(),
            body.replace(r#": "m""#, r#": "up""#)
        );
    }

    #[test]
    fn a_limit_is_required_for_an_answer() {
        let body = Bytes::from_static(br#"{"model":"m","messages":[]}"#);
        let failure = read(body.clone(), &InUrl::default()).unwrap_err();
        assert_eq!(failure.field.as_deref(), Some("max_tokens"));
        let counting = InUrl {
            counting: true,
            ..InUrl::default()
        };
        assert_eq!(read(body, &counting).unwrap().max_output, None);
    }
}
