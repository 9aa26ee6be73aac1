//! `/api/settings`, `/api/providers`, `/api/groups`, `/api/jobs`.

use serde_json::json;
use tests::House;

#[tokio::test]
async fn settings_are_merged_and_take_effect_at_once() {
    let house = House::new().await;
    let root = house.root().await;
    let settings = root.get("/api/settings").await.expect(200);
    for (name, value) in [
        ("keepalive_ms", json!(10_000)),
        ("unpriced_models", json!("refuse")),
        ("unsettled_policy", json!("release")),
        ("usage_retention_days", json!(90)),
    ] {
        assert_eq!(settings[name], value);
    }
    assert!(settings["default_max_output_tokens"].is_number());
    assert_eq!(
        root.patch("/api/settings", &json!({ "keepalive": 1 }))
            .await
            .status,
        400
    );
    root.patch("/api/settings", &json!({ "keepalive_ms": 0 }))
        .await
        .expect(200);
    let settings = root.get("/api/settings").await.expect(200);
    assert_eq!(settings["keepalive_ms"], 0);
    assert_eq!(settings["usage_retention_days"], 90);
}

#[tokio::test]
async fn providers_tell_what_a_form_must_ask() {
    let house = House::new().await;
    let providers = house.root().await.get("/api/providers").await.expect(200);
    let names: Vec<_> = providers["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["name"].clone())
        .collect();
    for name in ["openai", "openai-compatible", "anthropic", "demo"] {
        assert!(names.contains(&json!(name)), "{names:?}");
    }
}

#[tokio::test]
async fn a_job_runs_at_will() {
    let house = House::new().await;
    let root = house.root().await;
    root.post(
        "/api/jobs/release_holds",
        &json!({ "older_than_seconds": 0 }),
    )
    .await
    .expect(200);
    assert_eq!(
        root.post(
            "/api/jobs/release_holds",
            &json!({ "older_than_seconds": -1 })
        )
        .await
        .status,
        400
    );
    assert_eq!(
        root.post("/api/jobs/make_coffee", &json!({})).await.status,
        404
    );
}

#[tokio::test]
async fn the_default_group_stays() {
    let house = House::new().await;
    let root = house.root().await;
    assert!(root.delete("/api/groups/default").await.status >= 400);
    root.post("/api/groups", &json!({ "name": "vip", "ratio": "0.8" }))
        .await
        .expect(201);
    assert_eq!(
        root.get("/api/groups/vip").await.expect(200)["ratio"],
        "0.8"
    );
    assert!(root.delete("/api/groups/vip").await.status < 300);
}
