//! Listing redemption codes, as JSON or as CSV.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Deserialize;
use shared::domain::id::BatchId;
use shared::domain::redemption_code::Place;
use shared::failure::Failure;
use shared::store::redemption_codes::CodeFilter;
use utoipa::IntoParams;

use super::json::CodeJson;
use crate::answer::{Answer, List};
use crate::app::App;
use crate::csv;
use crate::page;
use crate::query::{Query, filled};
use crate::session::Admin;

const MOST_LINES: usize = 10_000;
const LINES_A_PAGE: usize = 1_000;

/// Which codes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CodesQuery {
    /// Only those that were redeemed (`true`), or that were not (`false`).
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<bool>)]
    redeemed: Option<bool>,
    /// Only those whose time is over (`true`), or is not (`false`).
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<bool>)]
    expired: Option<bool>,
    /// Only those that were made together.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    batch: Option<BatchId>,
    /// How many codes: 1 to 200, 50 unless given; as CSV 1 to 10000, 10000 unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<u32>)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<String>)]
    cursor: Option<Place>,
}

/// List redemption codes, latest first
///
/// With `Accept: text/csv` as CSV, to hand them out. Where more follows, the header
/// `x-tollhouse-next-cursor` says what to give as `cursor`.
#[utoipa::path(
    get, path = "/api/redemption-codes", tag = "redemption codes", params(CodesQuery),
    responses((
        status = 200, description = "A page of codes",
        content((List<CodeJson> = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn list_redemption_codes(
    State(app): State<App>,
    _: Admin,
    headers: HeaderMap,
    Query(query): Query<CodesQuery>,
) -> Answer<Response> {
    let is_csv = csv::is_wanted(&headers);
    let wanted = if is_csv {
        query.limit.unwrap_or(MOST_LINES).clamp(1, MOST_LINES)
    } else {
        page::size(query.limit)
    };
    let list = read(&app, &query, wanted, is_csv).await?;
    if is_csv {
        let lines = super::csv::write(&list.data);
        let next = list.next_cursor.as_deref();
        return Ok(csv::answer(lines, "redemption-codes.csv", next)?);
    }
    Ok(Json(list).into_response())
}

/// So many codes; where all are wanted, page after page.
async fn read(
    app: &App,
    query: &CodesQuery,
    wanted: usize,
    all: bool,
) -> Result<List<CodeJson>, Failure> {
    let key = &app.secrets().await?.master_key;
    let filter = CodeFilter {
        redeemed: query.redeemed,
        expired: query.expired.map(|wanted| (wanted, app.now())),
        batch: query.batch,
    };
    let mut data: Vec<CodeJson> = Vec::new();
    let mut cursor = query.cursor;
    loop {
        let size = (wanted - data.len()).min(LINES_A_PAGE);
        let store = app.store.redemption_codes();
        let page = store.list(&filter, size, cursor).await?;
        data.extend(page.items.iter().map(|code| CodeJson::new(code, key)));
        cursor = page.next.as_deref().and_then(|next| next.parse().ok());
        if !all || cursor.is_none() || data.len() >= wanted {
            return Ok(List {
                data,
                next_cursor: page.next,
            });
        }
    }
}
