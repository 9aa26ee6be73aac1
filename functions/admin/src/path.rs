//! Names in paths: what cannot be one names nothing.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use shared::failure::{Failure, Kind};

use crate::answer::Refusal;

/// The last part of a path: an id, or a name. One that makes no sense is not found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Named<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        let named = text.and_then(|Path(text)| text.parse().ok());
        named.map(Self).ok_or_else(|| {
            let text = "There is nothing of that name.";
            Refusal(Failure::new(Kind::Missing, "not_found", text))
        })
    }
}
