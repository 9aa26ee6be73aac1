//! Listing usage records, as JSON or as CSV.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use shared::failure::Failure;
use shared::store::usage_log::{Span, UsageFilter};

use super::csv::Table;
use super::filter::UsageQuery;
use super::json::RecordJson;
use crate::answer::{Answer, List};
use crate::app::App;
use crate::csv;
use crate::page;
use crate::query::Query;
use crate::session::Member;

const MOST_LINES: usize = 10_000;
const LINES_A_PAGE: usize = 1_000;
/// Of a CSV, before the page that may make it longer: an answer of Lambda has at most 6 MB.
const MOST_BYTES: usize = 4_500_000;

/// List usage records, latest first: one's own, or for administrators everybody's
///
/// With `Accept: text/csv` as CSV. Where more follows, the header `x-tollhouse-next-cursor` says what
/// to give as `cursor`.
#[utoipa::path(
    get, path = "/api/usage", tag = "usage", params(UsageQuery),
    responses((
        status = 200, description = "A page of records",
        content((List<RecordJson> = "application/json"), (String = "text/csv")),
    )),
)]
pub(crate) async fn list_usage(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Query(query): Query<UsageQuery>,
) -> Answer<Response> {
    let filter = query.filter(&app, &member)?;
    let span = query.span(&app).await?;
    if csv::is_wanted(&headers) {
        let table = Table {
            with_margin: member.is_admin(),
        };
        return Ok(lines(&app, &query, (&filter, span), table).await?);
    }
    let size = page::size(query.limit);
    let page = app
        .store
        .usage_log()
        .list(&filter, span, size, query.cursor)
        .await?;
    let shape = |record| RecordJson::of(record, member.is_admin());
    let list = List {
        data: page.items.into_iter().map(shape).collect(),
        next_cursor: page.next,
    };
    Ok(Json(list).into_response())
}

async fn lines(
    app: &App,
    query: &UsageQuery,
    (filter, span): (&UsageFilter, Span),
    table: Table,
) -> Result<Response, Failure> {
    let wanted = query.limit.unwrap_or(MOST_LINES).clamp(1, MOST_LINES);
    let (mut text, mut written, mut cursor) = (table.head(), 0, query.cursor);
    // Only the text of what was read is kept, and only so much as fits an answer.
    let next = loop {
        let size = (wanted - written).min(LINES_A_PAGE);
        let page = app
            .store
            .usage_log()
            .list(filter, span, size, cursor)
            .await?;
        written += page.items.len();
        for record in &page.items {
            table.write(record, &mut text);
        }
        cursor = page.next.as_deref().and_then(|next| next.parse().ok());
        if cursor.is_none() || written >= wanted || text.len() >= MOST_BYTES {
            break cursor;
        }
    };
    let next = next.map(|next| next.to_string());
    csv::answer(text, "usage.csv", next.as_deref())
}
