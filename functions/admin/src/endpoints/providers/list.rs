//! Listing providers.

use axum::Json;
use shared::domain::provider::PROVIDERS;

use super::json::ProviderJson;
use crate::answer::List;
use crate::session::Member;

/// List the providers that a channel can name
#[utoipa::path(
    get, path = "/api/providers", tag = "providers",
    responses((status = 200, description = "The cards", body = List<ProviderJson>)),
)]
pub(crate) async fn list_providers(_: Member) -> Json<List<ProviderJson>> {
    Json(List {
        data: PROVIDERS.iter().map(|card| (*card).into()).collect(),
        next_cursor: None,
    })
}
