//! `/api/usage`: one's own records, filtered, page by page.

use serde_json::{Value, json};
use tests::House;
use tests::callers::Administrator;

async fn ids(caller: &Administrator, query: &str) -> Vec<Value> {
    let page = caller.get(&format!("/api/usage?{query}")).await.expect(200);
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["id"].clone())
        .collect()
}

#[tokio::test]
async fn records_are_listed_latest_first_across_days_and_months() {
    let house = House::new().await;
    let root = house.root().await;
    let caller = house.user_with("ada", "1").await;
    let ada = |house: &House| house.anonymous();
    let mut made = Vec::new();
    for days in [0, 0, 1, 7, 30] {
        house.clock.advance_ms(days * 86_400 * 1_000 + 1);
        let answer = caller.chat(json!({})).await;
        made.insert(0, json!(answer.header("x-request-id").unwrap()));
    }
    let root = {
        drop(root);
        house.root().await
    };
    let ada = ada(&house).sign_in("ada", "password of ada").await;
    for (who, filter) in [
        (&root, String::new()),
        (&root, format!("&user_id={}", caller.user_id)),
        (&ada, String::new()),
    ] {
        assert_eq!(ids(who, &format!("limit=50{filter}")).await, made);
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = who
                .get(&format!("/api/usage?limit=2{filter}{cursor}"))
                .await
                .expect(200);
            paged.extend(
                page["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|record| record["id"].clone()),
            );
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, made);
    }
    let one = made[2].as_str().unwrap();
    assert_eq!(
        ids(&root, &format!("request_id={one}")).await,
        [made[2].clone()]
    );
    assert_eq!(
        ids(&root, "from=2026-11-24T00:00:00Z&to=2026-12-02T00:00:00Z").await,
        made[1..3]
    );
    assert_eq!(ids(&root, "model=other").await, Vec::<Value>::new());
    assert_eq!(ids(&root, "status=ok").await, made);
    assert_eq!(root.get("/api/usage?status=great").await.status, 400);
}

#[tokio::test]
async fn members_see_their_own_records_only() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    ada.chat(json!({})).await.expect(200);
    house.root().await.create_user("bob").await;
    let bob = house.anonymous().sign_in("bob", "password of bob").await;
    assert_eq!(ids(&bob, "").await, Vec::<Value>::new());
    let others = bob
        .get(&format!("/api/usage?user_id={}", ada.user_id))
        .await;
    assert!(others.status == 403 || others.expect(200)["data"] == json!([]));
}

#[tokio::test]
async fn a_record_has_every_member_of_the_contract() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    ada.chat(json!({})).await.expect(200);
    let record = house.only_record().await;
    for member in [
        "id",
        "at",
        "user_id",
        "key_id",
        "key_name",
        "group",
        "channel_id",
        "provider",
        "model",
        "upstream_model",
        "dialect",
        "lane",
        "stream",
        "status",
        "http_status",
        "error_code",
        "attempts",
        "tokens",
        "cost_usd",
        "bill",
        "estimated",
        "ttfb_ms",
        "total_ms",
        "price_version",
        "config_version",
        "source_ip",
    ] {
        assert!(record.get(member).is_some(), "{member}");
    }
    for member in [
        "input",
        "cache_read",
        "cache_write_5m",
        "cache_write_1h",
        "output",
        "reasoning",
        "input_audio",
        "output_audio",
        "input_image",
        "output_image",
    ] {
        assert!(record["tokens"][member].is_u64(), "{member}");
    }
    assert_eq!(
        (&record["at"], &record["source_ip"]),
        (&json!("2026-11-23T12:00:00Z"), &json!("127.0.0.1"))
    );
}

#[tokio::test]
async fn records_are_a_table_for_who_asks_for_one() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    ada.chat(json!({})).await.expect(200);
    let request = house
        .root()
        .await
        .request("GET", "/api/usage")
        .header("accept", "text/csv");
    let text = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.lines().nth(1).unwrap().contains("0.00005"));
}

#[tokio::test]
async fn lists_take_days_where_they_take_times() {
    let house = House::new().await;
    let root = house.root().await;
    let ada = house.user_with("ada", "1").await;
    ada.chat(json!({})).await.expect(200);
    let user = &ada.user_id;
    let history = format!("/api/users/{user}/history");
    let credits = format!("/api/users/{user}/credits");
    // The house stands on the 23rd.
    for (days, there) in [
        ("from=2026-11-23", true),
        ("from=2026-11-23&to=2026-11-23", true),
        ("from=2026-11-01&to=2026-11-30", true),
        ("from=2026-11-01&to=2026-11-22", false),
    ] {
        for list in ["/api/usage", &history, &credits] {
            let page = root.get(&format!("{list}?{days}")).await.expect(200);
            let found = page["data"].as_array().is_some_and(|all| !all.is_empty());
            assert_eq!(found, there, "{list}?{days}");
        }
    }
    let wrong = root.get("/api/usage?from=yesterday").await.expect(400);
    assert_eq!(wrong["error"]["field"], "from");
}
