//! `/api/session`: signing in, staying signed in, and not.

use serde_json::json;
use tests::{House, PASSWORD};

#[tokio::test]
async fn a_session_dies_with_the_password_and_with_the_user() {
    let house = House::new().await;
    let root = house.root().await;
    let user = root.create_user("ada").await;
    let path = format!("/api/users/{user}");
    let ada = house.anonymous().sign_in("ada", "password of ada").await;
    assert_eq!(
        ada.get("/api/session").await.expect(200)["user"]["username"],
        "ada"
    );
    root.patch(&path, &json!({ "password": "another password" }))
        .await
        .expect(200);
    assert_eq!(ada.get("/api/session").await.status, 401);
    let ada = house.anonymous().sign_in("ada", "another password").await;
    root.patch(&path, &json!({ "enabled": false }))
        .await
        .expect(200);
    assert_eq!(ada.get("/api/session").await.status, 401);
    let again = json!({ "username": "ada", "password": "another password" });
    assert_eq!(
        house.anonymous().post("/api/session", &again).await.status,
        401
    );
    root.patch(&path, &json!({ "enabled": true }))
        .await
        .expect(200);
    // A session does not rise from the dead.
    assert_eq!(ada.get("/api/session").await.status, 401);
}

#[tokio::test]
async fn a_session_expires_and_a_forged_one_is_none() {
    let house = House::new().await;
    let mut root = house.root().await;
    assert_eq!(root.get("/api/users").await.status, 200);
    house.clock.advance_ms(13 * 3_600 * 1_000);
    assert_eq!(root.get("/api/users").await.status, 401);
    root = house.root().await;
    root.token.insert(3, 'A');
    let refused = root.get("/api/users").await;
    assert_eq!(refused.status, 401);
    assert!(refused.json()["error"]["code"].is_string());
}

#[tokio::test]
async fn wrong_passwords_are_throttled_and_right_ones_are_not() {
    let house = House::new().await;
    for _ in 0..30 {
        house.root().await;
    }
    let wrong = json!({ "username": "root", "password": "wrong" });
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(house.anonymous().post("/api/session", &wrong).await.status);
    }
    assert_eq!((statuses[0], statuses[11]), (401, 429));
    let right = json!({ "username": "root", "password": PASSWORD });
    let refused = house.anonymous().post("/api/session", &right).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
    house.clock.advance_ms(60_000);
    house.root().await;
}

#[tokio::test]
async fn a_cookie_works_from_the_same_origin_only() {
    let house = House::new().await;
    let body = json!({ "username": "root", "password": PASSWORD });
    let answer = house.anonymous().post("/api/session", &body).await;
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let group = json!({ "name": "g" });
    let request = |site: &str| {
        let request = house
            .anonymous()
            .request("POST", "/api/groups")
            .json(&group);
        request
            .header("cookie", &cookie)
            .header("sec-fetch-site", site)
            .send()
    };
    assert_eq!(request("cross-site").await.unwrap().status(), 403);
    assert_eq!(request("same-origin").await.unwrap().status(), 201);
}
