//! Query strings: read with the name of whatever is wrong in them.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use shared::failure::{Failure, Kind};

use crate::answer::Refusal;

/// The members of a query string.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(members)) => Ok(Self(members)),
            Err(rejection) => Err(Refusal(wrong(&rejection.body_text()))),
        }
    }
}

/// axum says `Failed to deserialize query string: limit: invalid digit found in string`.
fn wrong(text: &str) -> Failure {
    let text = text
        .strip_prefix("Failed to deserialize query string: ")
        .unwrap_or(text);
    let unknown = text
        .split_once("unknown field `")
        .and_then(|(_, rest)| rest.split('`').next());
    if let Some(name) = unknown {
        let text = format!("There is no parameter {name} here.");
        return Failure::bad_field(name.to_owned(), text);
    }
    match text.split_once(": ") {
        Some((name, problem)) => {
            Failure::bad_field(name.to_owned(), format!("Not valid: {problem}."))
        }
        None => Failure::new(
            Kind::BadRequest,
            "invalid_query",
            format!("Not valid: {text}."),
        ),
    }
}

/// A parameter that may be left out, or left empty.
pub(crate) fn filled<'de, D, T>(text: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(text)?;
    let value = (!text.is_empty()).then(|| text.parse().map_err(D::Error::custom));
    value.transpose()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Members {
        #[serde(default, deserialize_with = "filled")]
        limit: Option<u32>,
    }

    fn read(query: &str) -> Result<Option<u32>, Failure> {
        let uri = format!("/?{query}").parse().unwrap();
        let read = axum::extract::Query::<Members>::try_from_uri(&uri);
        read.map(|members| members.limit)
            .map_err(|rejection| wrong(&rejection.body_text()))
    }

    #[test]
    fn whatever_is_wrong_is_named() {
        assert_eq!(read("limit=7").unwrap(), Some(7));
        assert_eq!(read("limit=").unwrap(), None);
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("limit=x").unwrap_err().field.as_deref(), Some("limit"));
        assert_eq!(read("lmit=1").unwrap_err().field.as_deref(), Some("lmit"));
    }
}
