//! `/api/channels`: credentials go in and never come out.

use serde_json::json;
use tests::House;
use tests::upstream::CREDENTIAL;

#[tokio::test]
async fn a_credential_is_sealed() {
    let house = House::new().await;
    let root = house.root().await;
    let list = root.get("/api/channels").await;
    assert!(!list.text.contains(CREDENTIAL));
    let channel = list.expect(200)["data"][0].clone();
    assert_eq!(channel["has_credential"], true);
    let stored = house.store.configuration().load().await.unwrap();
    for channel in stored.channels {
        let sealed = channel.credential.unwrap().0;
        assert!(!sealed.contains(CREDENTIAL));
        assert_eq!(
            format!("{:?}", shared::domain::sealed::Sealed(sealed)),
            "Sealed"
        );
    }
    // A change that names no credential keeps it.
    let path = format!("/api/channels/{}", channel["id"].as_str().unwrap());
    root.patch(&path, &json!({ "weight": 3 })).await.expect(200);
    assert_eq!(root.get(&path).await.expect(200)["has_credential"], true);
    // Nobody can have it sent elsewhere without knowing it.
    let elsewhere = json!({ "base_url": "http://127.0.0.1:9" });
    let refused = root.patch(&path, &elsewhere).await.expect(400);
    assert_eq!(refused["error"]["field"], "credential");
    let known = json!({ "base_url": "http://127.0.0.1:9", "credential": "another" });
    root.patch(&path, &known).await.expect(200);
}

#[tokio::test]
async fn an_address_is_http_and_never_link_local() {
    let house = House::new().await;
    let root = house.root().await;
    for url in [
        "http://169.254.169.254/",
        "http://[fe80::1]/v1",
        "ftp://a/",
        "nonsense",
        "http://u:p@a/",
    ] {
        let mut body = house.upstream.channel("openai-compatible");
        body["base_url"] = json!(url);
        assert_eq!(root.post("/api/channels", &body).await.status, 400, "{url}");
    }
    let mut body = house.upstream.channel("openai-compatible");
    body["base_url"] = json!(null);
    assert_eq!(root.post("/api/channels", &body).await.status, 400);
    assert_eq!(
        root.post(
            "/api/channels",
            &json!({ "name": "x", "provider": "nobody" })
        )
        .await
        .status,
        400
    );
}

#[tokio::test]
async fn a_channel_is_tested_through_the_relay() {
    let house = House::new().await;
    let root = house.root().await;
    for channel in root.get("/api/channels").await.expect(200)["data"]
        .as_array()
        .unwrap()
    {
        let path = format!("/api/channels/{}/test", channel["id"].as_str().unwrap());
        let tested = root.post(&path, &json!({})).await.expect(200);
        assert_eq!(
            (&tested["ok"], &tested["http_status"]),
            (&json!(true), &json!(200)),
            "{tested}"
        );
    }
    let records = house.records().await;
    assert_eq!((records.len(), &records[0]["key_id"]), (2, &json!(null)));
    assert_eq!(records[0]["user_id"], root.user_id);
}
