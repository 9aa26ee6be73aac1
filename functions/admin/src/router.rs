//! Every path that the admin answers: the table of contents of the API.

use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use axum::{Json, Router};
use http::header::CONTENT_TYPE;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::app::App;
use crate::endpoints::{
    channels, groups, jobs, keys, models, prices, providers, redemption_codes, redemptions,
    session, settings, usage, users,
};
use crate::{answer, body, console, docs, front, openapi};

/// The admin's routes. What is below `/api` and unknown is answered as JSON; so is every other path
/// that nobody knows.
pub fn router(app: App) -> Router {
    let (routes, document) = parts();
    let json = document.to_json().unwrap_or_default();
    let page = docs::page(&document);
    let json_type = [(CONTENT_TYPE, "application/json")];
    routes
        .route("/", get(console::show))
        .route(
            "/api/openapi.json",
            get(|| async move { (json_type, json).into_response() }),
        )
        .route("/api/docs", get(|| async move { docs::answer(page) }))
        .route("/api", any(answer::unknown_path))
        .route("/api/{*rest}", any(answer::unknown_path))
        .method_not_allowed_fallback(answer::wrong_method)
        .fallback(answer::unknown_path)
        .layer(DefaultBodyLimit::max(body::LIMIT_BYTES))
        .layer(middleware::from_fn_with_state(app.clone(), front::admit))
        .with_state(app)
}

/// The same with `GET /healthz`, which needs no proof of the front. On one machine the relay answers it.
pub fn with_health(router: Router) -> Router {
    let healthy = || async { Json(serde_json::json!({"status": "ok"})) };
    router.route("/healthz", get(healthy))
}

/// The OpenAPI document of the API.
#[must_use]
pub fn document() -> OpenApi {
    parts().1
}

fn parts() -> (Router<App>, OpenApi) {
    let (routes, document) = table().split_for_parts();
    (routes, openapi::finish(document))
}

fn table() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(
            session::begin::begin_session,
            session::show::show_session,
            session::end::end_session
        ))
        .routes(routes!(users::list::list_users, users::create::create_user))
        .routes(routes!(
            users::show::show_user,
            users::update::update_user,
            users::delete::delete_user
        ))
        .routes(routes!(
            users::credits::list_credits,
            users::credit::credit_user
        ))
        .routes(routes!(users::history::list_history))
        .routes(routes!(keys::list::list_keys, keys::create::create_key))
        .routes(routes!(
            keys::show::show_key,
            keys::update::update_key,
            keys::delete::delete_key
        ))
        .routes(routes!(
            channels::list::list_channels,
            channels::create::create_channel
        ))
        .routes(routes!(
            channels::show::show_channel,
            channels::update::update_channel,
            channels::delete::delete_channel
        ))
        .routes(routes!(channels::test::test_channel))
        .routes(routes!(
            groups::list::list_groups,
            groups::create::create_group
        ))
        .routes(routes!(
            groups::show::show_group,
            groups::update::update_group,
            groups::delete::delete_group
        ))
        .routes(routes!(providers::list::list_providers))
        .routes(routes!(models::list::list_models))
        .routes(routes!(prices::list::list_prices, prices::put::set_price))
        .routes(routes!(
            prices::show::show_price,
            prices::put::replace_price,
            prices::update::update_price,
            prices::delete::delete_price
        ))
        .routes(
            routes!(prices::import::import_prices)
                .layer(DefaultBodyLimit::max(prices::import::LIMIT_BYTES)),
        )
        .routes(routes!(usage::list::list_usage))
        .routes(routes!(usage::summary::sum_usage))
        .routes(routes!(
            redemption_codes::list::list_redemption_codes,
            redemption_codes::create::create_redemption_codes
        ))
        .routes(routes!(
            redemption_codes::show::show_redemption_code,
            redemption_codes::update::update_redemption_code,
            redemption_codes::delete::delete_redemption_code
        ))
        .routes(routes!(redemptions::create::redeem_code))
        .routes(routes!(
            settings::show::show_settings,
            settings::update::update_settings
        ))
        .routes(routes!(jobs::run::run_job))
}
