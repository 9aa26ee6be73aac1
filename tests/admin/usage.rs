//! `/api/usage`: one's own records, filtered, page by page.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::domain::money::NanoUsd;
use shared::domain::record::UsageRecord;
use shared::domain::usage::{Service, Usage};
use tests::House;
use tests::callers::Administrator;
use tests::records::record;

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
        "pieces",
        "service",
        "cost_usd",
        "uncollected_usd",
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
        "cache_read_audio",
        "cache_read_image",
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

/// Of every component another number.
const USED: Usage = Usage {
    input: 1,
    cache_read: 2,
    cache_read_audio: 3,
    cache_read_image: 4,
    cache_write_5m: 5,
    cache_write_1h: 6,
    output: 7,
    reasoning: 8,
    input_audio: 9,
    output_audio: 10,
    input_image: 11,
    output_image: 12,
    web_searches: 13,
    file_searches: 14,
    code_runs: 15,
    service: Service::Flex,
};

/// The names of a table's first line, each with the cell of its second.
async fn cells(who: &Administrator, path: &str) -> BTreeMap<String, String> {
    let request = who.request("GET", path).header("accept", "text/csv");
    let text = request.send().await.unwrap().text().await.unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0].len(), lines[1].len(), "{text}");
    let names = lines[0].iter().map(|name| (*name).to_owned());
    names
        .zip(lines[1].iter().map(|cell| (*cell).to_owned()))
        .collect()
}

#[tokio::test]
async fn every_component_is_told_as_json_as_table_and_in_sums() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let user = root.create_user("ada").await;
    let ada = house.anonymous().sign_in("ada", "password of ada").await;
    let at_ms = house.clock.now_ms() - 60_000;
    for n in 0..2 {
        let record = UsageRecord {
            key_name: None,
            tokens: USED,
            cost: NanoUsd::new(5_000),
            uncollected: NanoUsd::new(3_000),
            upstream_cost: Some(NanoUsd::new(7_000)),
            ..record(user.parse().unwrap(), at_ms, 100, n)
        };
        house.store.usage_log().write(&record, 90).await.unwrap();
    }
    let tokens = json!({
        "input": 1, "cache_read": 2, "cache_read_audio": 3, "cache_read_image": 4,
        "cache_write_5m": 5, "cache_write_1h": 6, "output": 7, "reasoning": 8,
        "input_audio": 9, "output_audio": 10, "input_image": 11, "output_image": 12,
    });
    let pieces = json!({ "web_searches": 13, "file_searches": 14, "code_runs": 15 });
    let told = root.get("/api/usage").await.expect(200)["data"][0].clone();
    assert_eq!((&told["tokens"], &told["pieces"]), (&tokens, &pieces));
    assert_eq!(
        (&told["service"], &told["uncollected_usd"]),
        (&json!("flex"), &json!("0.000003"))
    );
    let summary = root.get("/api/usage/summary").await.expect(200);
    let total = &summary["total"];
    for (member, one) in [("tokens", &tokens), ("pieces", &pieces)] {
        for (name, count) in one.as_object().unwrap() {
            let both = 2 * count.as_u64().unwrap();
            assert_eq!(total[member][name], both, "{member}.{name}");
        }
    }
    assert_eq!(total["uncollected_usd"], "0.000006");

    let table = cells(&root, "/api/usage").await;
    let sums = cells(&root, "/api/usage/summary").await;
    for members in [&tokens, &pieces] {
        for (name, count) in members.as_object().unwrap() {
            let count = count.as_u64().unwrap();
            assert_eq!(table[name], count.to_string(), "{name}");
            assert_eq!(sums[name], (2 * count).to_string(), "{name}");
        }
    }
    let told = [
        "service",
        "uncollected_usd",
        "upstream_cost_usd",
        "margin_usd",
    ];
    assert_eq!(
        told.map(|name| table[name].as_str()),
        ["flex", "0.000003", "0.000007", "-0.000002"]
    );
    let told = ["uncollected_usd", "upstream_cost_usd"];
    assert_eq!(
        told.map(|name| sums[name].as_str()),
        ["0.000006", "0.000014"]
    );
    // What the operator pays is not the members' business.
    let own = cells(&ada, "/api/usage").await;
    assert_eq!(own["cost_usd"], "0.000005");
    for name in ["upstream_cost_usd", "margin_usd"] {
        assert!(!own.contains_key(name), "{own:?}");
    }
    let own = ada.get("/api/usage").await.expect(200)["data"][0].clone();
    assert_eq!(own["margin_usd"], json!(null));
}
