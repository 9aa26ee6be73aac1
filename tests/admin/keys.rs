//! `/api/keys`: shown once, changed by merging, seen by their own.

use serde_json::json;
use tests::House;

#[tokio::test]
async fn a_key_is_shown_once() {
    let house = House::new().await;
    let root = house.root().await;
    let user = root.create_user("ada").await;
    let key = root.create_key(&user, json!({})).await;
    assert!(key.key.starts_with("sk-th-"));
    let path = format!("/api/keys/{}", key.key_id);
    let shown = root.get(&path).await;
    assert!(!shown.text.contains(&key.key));
    let shown = shown.expect(200);
    assert_eq!(
        (&shown["user_id"], &shown["budget"]),
        (&json!(user), &json!(null))
    );
    assert!(
        key.key
            .starts_with(shown["prefix"].as_str().unwrap().trim_end_matches('…'))
    );
    assert!(!root.get("/api/keys").await.text.contains(&key.key));
    root.patch(&path, &json!({ "limits": { "rpm": 5 }, "models": ["a*"] }))
        .await
        .expect(200);
    root.patch(&path, &json!({ "name": "renamed" }))
        .await
        .expect(200);
    let shown = root.get(&path).await.expect(200);
    assert_eq!(
        (&shown["name"], &shown["limits"]["rpm"]),
        (&json!("renamed"), &json!(5))
    );
    assert!(root.delete(&path).await.status < 300);
    assert_eq!(key.get("/v1/models").await.status, 401);
}

#[tokio::test]
async fn somebody_elses_key_is_not_there() {
    let house = House::new().await;
    let root = house.root().await;
    let user = root.create_user("ada").await;
    let key = root.create_key(&user, json!({})).await;
    root.create_user("bob").await;
    let bob = house.anonymous().sign_in("bob", "password of bob").await;
    let path = format!("/api/keys/{}", key.key_id);
    assert_eq!(bob.get(&path).await.status, 404);
    assert_eq!(
        bob.patch(&path, &json!({ "name": "mine" })).await.status,
        404
    );
    assert_eq!(bob.delete(&path).await.status, 404);
    let for_ada = json!({ "name": "k", "user_id": user });
    assert_eq!(bob.post("/api/keys", &for_ada).await.status, 403);
    let own = bob
        .post("/api/keys", &json!({ "name": "k" }))
        .await
        .expect(201);
    assert_eq!(own["user_id"], bob.user_id);
    assert_eq!(
        bob.get("/api/keys").await.expect(200)["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        root.get("/api/keys").await.expect(200)["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn what_makes_no_sense_names_its_field() {
    let house = House::new().await;
    let root = house.root().await;
    for (body, field) in [
        (json!({ "name": "k", "cidrs": ["10.0.0.0/99"] }), "cidrs"),
        (
            json!({ "name": "k", "budget": { "limit_usd": "x", "period": "day" } }),
            "budget.limit_usd",
        ),
        (
            json!({ "name": "k", "budget": { "limit_usd": "1", "period": "day", "timezone": "Mars/Base" } }),
            "budget.timezone",
        ),
        (json!({ "name": "k", "surprise": 1 }), "surprise"),
        (
            json!({ "name": "k", "expires_at": "tomorrow" }),
            "expires_at",
        ),
    ] {
        let answer = root.post("/api/keys", &body).await;
        let error = answer.expect(400)["error"].clone();
        let named = error["field"].as_str().unwrap_or_default().to_owned();
        assert!(
            named.starts_with(field) || field.starts_with(&named) && !named.is_empty(),
            "{field}: {error}"
        );
    }
}

#[tokio::test]
async fn no_cursor_leads_out_of_ones_own_keys() {
    let house = House::new().await;
    let root = house.root().await;
    for name in ["ada", "bob", "cyd"] {
        let user = root.create_user(name).await;
        house.clock.advance_ms(1);
        root.create_key(&user, json!({})).await;
    }
    for name in ["ada", "bob", "cyd"] {
        let member = house
            .anonymous()
            .sign_in(name, &format!("password of {name}"))
            .await;
        for cursor in ["0", "A", "zzzz", "~", "%F0%9F%8E%89"] {
            let page = member
                .get(&format!("/api/keys?cursor={cursor}"))
                .await
                .expect(200);
            for key in page["data"].as_array().unwrap() {
                assert_eq!(key["user_id"], member.user_id, "{name} {cursor}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_loses_its_budget_keeps_its_places() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let budget = json!({ "limit_usd": "0.1", "period": "day" });
    let limits = json!({ "parallel": 1 });
    let key = root
        .create_key(&user, json!({ "budget": budget, "limits": limits }))
        .await;
    assert_eq!(key.chat(json!({})).await.status, 200);
    let path = format!("/api/keys/{}", key.key_id);
    root.patch(&path, &json!({ "budget": null }))
        .await
        .expect(200);
    house.clock.advance_ms(36 * 3_600 * 1_000);
    for _ in 0..2 {
        assert_eq!(key.chat(json!({})).await.status, 200);
    }
}
