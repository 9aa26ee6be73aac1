//! Usage of many: the operator's lists, a request's record, and what a record costs to write.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use local::engine::TABLE_NAME;
use serde_json::{Value, json};
use shared::domain::id::{RequestId, UserId};
use tests::House;
use tests::callers::Administrator;
use tests::faults::Faults;
use tests::records::record;

const HOUR_MS: i64 = 3_600_000;

/// All ids that a list gives, page by page.
async fn paged(who: &Administrator, query: &str) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = who
            .get(&format!("/api/usage?{query}{cursor}"))
            .await
            .expect(200);
        let data = page["data"].as_array().unwrap();
        all.extend(
            data.iter()
                .map(|record| record["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

fn user(n: u128) -> UserId {
    UserId::from_bits(n << 64 | 7)
}

#[tokio::test]
async fn the_operators_list_loses_and_doubles_nothing() {
    let house = House::new().await;
    house.clock.advance_ms(80 * HOUR_MS);
    let now_ms = house.clock.now_ms();
    let mut made: Vec<(RequestId, u128)> = Vec::new();
    for day in 0..3_i64 {
        for n in 0..3_u128 {
            // Some at the very edge of an hour, before and after, and some that ended in the next.
            let edge_ms = now_ms.div_euclid(24 * HOUR_MS) * 24 * HOUR_MS - day * 24 * HOUR_MS;
            let last = i64::try_from(n).unwrap();
            for at_ms in [
                edge_ms - 1,
                edge_ms,
                edge_ms + last,
                edge_ms + 5 * HOUR_MS + last,
            ] {
                let record = record(
                    user(n),
                    at_ms,
                    300_000,
                    u128::from(at_ms.unsigned_abs()) << 2 | n,
                );
                house.store.usage_log().write(&record, 90).await.unwrap();
                made.push((record.id, n));
            }
        }
    }
    made.sort_unstable();
    made.dedup();
    made.reverse();
    let all: Vec<String> = made.iter().map(|(id, _)| id.to_string()).collect();
    let root = house.root().await;
    for limit in [1, 2, 3, 5, 7, 50] {
        assert_eq!(
            paged(&root, &format!("limit={limit}")).await,
            all,
            "pages of {limit}"
        );
    }
    let of_one: Vec<String> = made
        .iter()
        .filter(|(_, n)| *n == 1)
        .map(|(id, _)| id.to_string())
        .collect();
    assert_eq!(
        paged(&root, &format!("limit=2&user_id={}", user(1))).await,
        of_one
    );
    // Some pages hold nothing of what was asked for, and yet lead to all of it.
    assert_eq!(
        paged(&root, "limit=2&status=error").await,
        Vec::<String>::new()
    );
    for (id, n) in &made {
        assert_eq!(
            paged(&root, &format!("request_id={id}")).await,
            [id.to_string()]
        );
        let other = format!("request_id={id}&user_id={}", user(n + 1));
        assert_eq!(paged(&root, &other).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_member_finds_their_own_request_and_no_other() {
    let house = House::new().await;
    let (ada, bob) = (
        house.user_with("ada", "1").await,
        house.user_with("bob", "1").await,
    );
    let mut requests = Vec::new();
    for caller in [&ada, &bob] {
        let answer = caller.chat(json!({})).await;
        requests.push(answer.header("x-request-id").unwrap().to_owned());
    }
    let member = house.anonymous().sign_in("ada", "password of ada").await;
    assert_eq!(
        paged(&member, &format!("request_id={}", requests[0])).await,
        [requests[0].clone()]
    );
    assert_eq!(
        paged(&member, &format!("request_id={}", requests[1])).await,
        Vec::<String>::new()
    );
    let root = house.root().await;
    for request in &requests {
        assert_eq!(
            paged(&root, &format!("request_id={request}")).await,
            std::slice::from_ref(request)
        );
    }
}

#[tokio::test]
async fn a_page_of_hundreds_of_users_takes_a_query_for_each_and_few_more() {
    let faults = Faults::default();
    let house = House::builder().with(&faults).build().await;
    let now_ms = house.clock.now_ms();
    let users = 250_u32;
    for n in 0..users {
        let record = record(user(n.into()), now_ms - i64::from(n), 1, n.into());
        house.store.usage_log().write(&record, 90).await.unwrap();
    }
    let root = house.root().await;
    let before = faults.seen().len();
    let page = root.get("/api/usage?limit=50").await.expect(200);
    let asked = faults.seen().len() - before;
    assert_eq!(page["data"].as_array().unwrap().len(), 50);
    assert!(asked <= 250 + 10, "{asked} operations for one page");
    let all = paged(&root, "limit=200").await;
    assert_eq!(all.len(), 250);
    assert!(all.is_sorted_by(|earlier, later| earlier > later));
    let before = faults.seen().len();
    paged(&root, &format!("request_id={}", all[7])).await;
    let asked = faults.seen().len() - before;
    assert!(asked <= 10, "{asked} operations for one request");
}

#[tokio::test]
async fn a_record_is_one_write_unit_and_stands_in_no_index() {
    let house = House::new().await;
    let record = record(user(1), house.clock.now_ms(), 1_234, u128::MAX >> 48);
    house.store.usage_log().write(&record, 90).await.unwrap();
    let client = house.database.client();
    let found = client.scan().table_name(TABLE_NAME).send().await.unwrap();
    let kept = found
        .items()
        .iter()
        .find(|item| item["pk"].as_s().unwrap().starts_with("USAGE#"));
    let put = client.put_item().table_name(TABLE_NAME);
    let put = put.set_item(Some(kept.unwrap().clone()));
    let put = put.return_consumed_capacity(ReturnConsumedCapacity::Indexes);
    let capacity = put.send().await.unwrap().consumed_capacity.unwrap();
    assert_eq!(capacity.capacity_units(), Some(1.0), "{capacity:?}");
    assert!(
        capacity
            .global_secondary_indexes()
            .is_none_or(std::collections::HashMap::is_empty)
    );
}

#[tokio::test]
async fn a_summary_is_asked_for_in_any_order_and_told_as_a_table() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    ada.chat(json!({})).await.expect(200);
    ada.messages(json!({})).await.expect(200);
    house.quiet().await;
    let root = house.root().await;
    let sum = root
        .get("/api/usage/summary?by=model,day")
        .await
        .expect(200);
    let rows = sum["data"].as_array().unwrap();
    let models: Vec<&Value> = rows.iter().map(|row| &row["model"]).collect();
    assert_eq!(models, [&json!("fake-claude"), &json!("fake-model")]);
    assert_eq!(rows[0]["day"], "2026-11-23");
    assert!(rows[0].get("user_id").is_none(), "{sum}");
    assert_eq!(sum["total"]["requests"], 2);
    assert_eq!(sum["total"]["upstream_cost_usd"], "0");
    let everything = root.get("/api/usage/summary").await.expect(200);
    assert_eq!(
        everything["data"][0]["cost_usd"],
        everything["total"]["cost_usd"]
    );
    let by = "by=group,provider,key,channel,user,day,model";
    let whole = root
        .get(&format!("/api/usage/summary?{by}"))
        .await
        .expect(200);
    for member in [
        "group",
        "provider",
        "key_id",
        "channel_id",
        "user_id",
        "day",
        "model",
    ] {
        assert!(whole["data"][0][member].is_string(), "{member} of {whole}");
    }
    let only = root
        .get("/api/usage/summary?model=fake-model")
        .await
        .expect(200);
    assert_eq!(only["total"]["requests"], 1);
    let hours = "from=2026-11-23T11:00:00Z&to=2026-11-23T11:59:59Z";
    let none = root
        .get(&format!("/api/usage/summary?{hours}"))
        .await
        .expect(200);
    assert_eq!(
        (&none["data"], &none["total"]["requests"]),
        (&json!([]), &json!(0))
    );
    let hours = "from=2026-11-23T11:00:00Z&to=2026-11-23T13:00:00Z";
    let both = root
        .get(&format!("/api/usage/summary?{hours}"))
        .await
        .expect(200);
    assert_eq!(both["total"], sum["total"]);
    let table = root
        .request("GET", "/api/usage/summary?by=day")
        .header("accept", "text/csv");
    let table = table.send().await.unwrap().text().await.unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("day,requests,errors,"), "{table}");
    assert!(lines[1].starts_with("2026-11-23,2,0,"), "{table}");
}

#[tokio::test]
async fn a_summary_refuses_what_it_does_not_know_and_tells_members_their_own() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    ada.chat(json!({})).await.expect(200);
    let root = house.root().await;
    for (query, field) in [
        ("by=hour", "by"),
        ("from=never", "from"),
        ("to=2026-13-01", "to"),
        ("user=ada", "user"),
        ("from=2020-01-01", "from"),
        ("from=2026-11-25&to=2026-11-24", "from"),
    ] {
        let refused = root.get(&format!("/api/usage/summary?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
        assert_eq!(refused.json()["error"]["field"], field, "{query}");
    }
    house.root().await.create_user("bob").await;
    let bob = house.anonymous().sign_in("bob", "password of bob").await;
    let own = bob.get("/api/usage/summary?by=user").await.expect(200);
    assert_eq!(
        (&own["data"], &own["total"]["upstream_cost_usd"]),
        (&json!([]), &Value::Null)
    );
    let others = bob
        .get(&format!("/api/usage/summary?user_id={}", ada.user_id))
        .await;
    assert_eq!(others.status, 403);
}
