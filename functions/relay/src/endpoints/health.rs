//! `GET /healthz`: whether this process answers. It asks nobody else.

/// Always `ok`.
pub(crate) async fn show() -> axum::Json<serde_json::Value> {
    axum::Json(serde_json::json!({"status": "ok"}))
}
