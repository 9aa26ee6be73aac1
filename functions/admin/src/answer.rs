//! How the admin answers: lists, and failures as JSON.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use shared::failure::{Failure, Kind};
use shared::store::StoreError;
use shared::trace;
use utoipa::ToSchema;

/// What a handler gives back.
pub(crate) type Answer<T> = Result<T, Refusal>;

/// A failure on its way out.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) Failure);

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

/// Every failure's body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorJson {
    error: ErrorDetail,
}

#[derive(Debug, Serialize, ToSchema)]
struct ErrorDetail {
    /// A stable word for programs.
    code: String,
    /// A sentence for people.
    message: String,
    /// The member of the request that is wrong, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(failure) = self;
        let status = StatusCode::from_u16(failure.kind.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            let error = trace::chain(&failure);
            tracing::error!(code = %failure.code, http_status = status.as_u16(), error, "refused");
        }
        let body = ErrorJson {
            error: ErrorDetail {
                code: failure.code.into_owned(),
                message: failure.public,
                field: failure.field.map(Into::into),
            },
        };
        let mut answer = (status, Json(body)).into_response();
        if let Some(seconds) = failure.retry_after_s {
            answer
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The things, in the list's order.
    pub(crate) data: Vec<T>,
    /// What to give as `cursor` for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// A path that nobody answers.
pub(crate) async fn unknown_path(method: http::Method, uri: http::Uri) -> Refusal {
    let text = format!("Unknown address: {method} {}.", uri.path());
    Refusal(Failure::new(Kind::Missing, "unknown_url", text))
}

/// A method that a known path does not take.
pub(crate) async fn wrong_method(method: http::Method, uri: http::Uri) -> Response {
    let text = format!("{} does not take {method}.", uri.path());
    let failure = Failure::new(Kind::BadRequest, "method_not_allowed", text);
    let mut answer = Refusal(failure).into_response();
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    answer
}
