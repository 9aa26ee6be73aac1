//! Every path that the relay answers.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use shared::front::Front;

use crate::app::App;
use crate::endpoints::{
    azure, chat_completions, completions, embeddings, gemini, health, messages, models, responses,
    unknown,
};
use crate::front;

/// The relay's routes.
pub fn router(app: App) -> Router {
    let routes = openai()
        .merge(anthropic())
        .merge(google())
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

/// OpenAI's paths; and the same where Azure's clients look for them.
fn openai() -> Router<App> {
    let mut routes = Router::new()
        .route("/openai/deployments/{model}/{*operation}", post(azure::ask))
        .route("/openai/responses", post(responses::create));
    for prefix in ["/v1", "/openai/v1"] {
        let at = |path: &str| format!("{prefix}/{path}");
        routes = routes
            .route(&at("chat/completions"), post(chat_completions::create))
            .route(&at("completions"), post(completions::create))
            .route(&at("responses"), post(responses::create))
            .route(&at("responses/input_tokens"), post(responses::count))
            .route(&at("embeddings"), post(embeddings::create));
    }
    for prefix in ["/openai", "/openai/v1"] {
        routes = routes
            .route(&format!("{prefix}/models"), get(models::list))
            .route(&format!("{prefix}/models/{{*id}}"), get(models::show));
    }
    routes
}

/// Anthropic's paths, also under One Hub's prefix.
fn anthropic() -> Router<App> {
    let mut routes = Router::new();
    for prefix in ["/v1", "/claude/v1"] {
        let at = |path: &str| format!("{prefix}/{path}");
        routes = routes
            .route(&at("messages"), post(messages::create))
            .route(&at("messages/count_tokens"), post(messages::count));
    }
    routes
        .route("/claude/v1/models", get(models::list))
        .route("/claude/v1/models/{*id}", get(models::show))
}

/// Gemini's paths, also under One Hub's prefix; and Vertex's, with whatever project they name.
///
/// Of the three vendors that share `/v1/models`, the headers tell who asks.
fn google() -> Router<App> {
    let mut routes = Router::new();
    for version in ["v1", "v1beta", "v1alpha"] {
        for prefix in ["", "/gemini"] {
            let at = |path: &str| format!("{prefix}/{version}/{path}");
            routes = routes
                .route(&at("models"), get(models::list))
                .route(&at("models/{*path}"), get(models::show).post(gemini::ask))
                .route(&at("tunedModels/{*path}"), post(gemini::ask));
        }
    }
    routes
        .route("/v1/projects/{*path}", post(gemini::ask))
        .route("/v1beta1/projects/{*path}", post(gemini::ask))
}
