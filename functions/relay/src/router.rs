//! Every path that the relay answers.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use shared::front::Front;

use crate::app::App;
use crate::endpoints::{chat_completions, health, messages, models, unknown};
use crate::front;

/// The relay's routes.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        // OpenAI Chat
        .route("/v1/chat/completions", post(chat_completions::create))
        // Anthropic Messages, also under One Hub's prefix
        .route("/v1/messages", post(messages::create))
        .route("/claude/v1/messages", post(messages::create))
        // Models, in the shape of whoever asks
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::show))
        .route("/claude/v1/models", get(models::list))
        .route("/healthz", get(health::show))
        .method_not_allowed_fallback(unknown::method)
        // The pipeline bounds bodies itself, and says so in the caller's dialect.
        .layer(DefaultBodyLimit::disable());
    let routes = match app.front {
        Front::FunctionUrl => {
            let door = middleware::from_fn_with_state(app.clone(), front::require_origin);
            routes.fallback(unknown::path).layer(door)
        }
        Front::Alb => routes.fallback(unknown::path),
        // On one machine the admin's routes follow, and say what is unknown.
        Front::Direct => routes,
    };
    routes.with_state(app)
}
