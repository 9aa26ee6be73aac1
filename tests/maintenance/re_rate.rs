//! Re-rating: what calls would have cost, told first, booked once.

use futures_util::future::join_all;
use maintenance::jobs::JOBS;
use serde_json::{Map, Value, json};
use tests::callers::KeyCaller;
use tests::{House, MODEL};

/// The whole period, with more arguments.
fn period(more: Value) -> Value {
    let mut arguments = json!({ "from": "2026-11-23", "to": "2026-11-24" });
    let Value::Object(more) = more else {
        panic!("arguments are an object")
    };
    arguments.as_object_mut().unwrap().extend(more);
    arguments
}

async fn re_rate(house: &House, more: Value) -> Value {
    house.run_job("re_rate", period(more)).await["report"].clone()
}

/// Its model costs so much for a million tokens, in and out. A call of the fake provider takes 10 and 20.
async fn set_price(house: &House, input: &str, output: &str) {
    let price = json!({ "model": MODEL, "input": input, "output": output });
    assert!(house.root().await.post("/api/prices", &price).await.status < 300);
}

async fn balance(house: &House, caller: &KeyCaller) -> String {
    let wallet = house.wallet(&caller.user_id).await;
    let sum = [wallet.balance, wallet.held(), wallet.spent]
        .into_iter()
        .sum();
    assert_eq!(wallet.granted, sum);
    wallet.balance.to_string()
}

async fn chat(house: &House, caller: &KeyCaller) {
    caller.chat(json!({ "max_tokens": 50 })).await.expect(200);
    house.quiet().await;
}

#[tokio::test]
async fn a_dry_run_tells_and_writes_nothing() {
    let house = House::new().await;
    let (ada, bob) = (
        house.user_with("ada", "1").await,
        house.user_with("bob", "0").await,
    );
    let root = house.root().await;
    let change = json!({ "unlimited": true });
    root.patch(&format!("/api/users/{}", bob.user_id), &change)
        .await
        .expect(200);
    for caller in [&ada, &ada, &bob] {
        chat(&house, caller).await;
    }
    set_price(&house, "10", "20").await;
    let before = balance(&house, &ada).await;
    let told = root
        .post("/api/jobs/re_rate", &period(json!({})))
        .await
        .expect(200);
    let report = &told["report"];
    assert_eq!(report["dry_run"], true, "{report}");
    let of = |name: &str| {
        let users = report["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["username"] == name);
        user.unwrap().clone()
    };
    assert_eq!(
        of("ada"),
        json!({
            "user_id": ada.user_id, "username": "ada", "unlimited": false, "records": 2,
            "before_usd": "0.0001", "after_usd": "0.001", "difference_usd": "0.0009",
            "booked_usd": "0", "rest_usd": "-0.0009",
        })
    );
    assert_eq!(
        (&of("bob")["unlimited"], &of("bob")["records"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(report["total"]["difference_usd"], "0.00135");
    assert_eq!(balance(&house, &ada).await, before);
    // An unlimited user has no balance to correct.
    let applied = re_rate(&house, json!({ "dry_run": false, "user_id": bob.user_id })).await;
    assert_eq!(applied["total"]["booked_usd"], "0");
    // Under the prices that the calls were made at, nothing differs.
    let record = house.records().await[0].clone();
    let then = re_rate(&house, json!({ "price_version": record["price_version"] })).await;
    assert_eq!(
        (&then["total"]["records"], &then["total"]["difference_usd"]),
        (&json!(3), &json!("0"))
    );
    let other = re_rate(&house, json!({ "model": "other*" })).await;
    assert_eq!(other["users"], json!([]));
}

#[tokio::test]
async fn a_correction_is_booked_once_however_often_it_is_applied() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    chat(&house, &ada).await;
    chat(&house, &ada).await;
    set_price(&house, "0.5", "1").await;
    let apply = json!({ "dry_run": false });
    for _ in 0..3 {
        let applied = re_rate(&house, apply.clone()).await;
        assert_eq!(applied["users"][0]["booked_usd"], "0.00005", "{applied}");
        assert_eq!(applied["users"][0]["rest_usd"], "0");
        assert_eq!(balance(&house, &ada).await, "0.99995");
    }
    let credits = house
        .root()
        .await
        .get(&format!("/api/users/{}/history", ada.user_id))
        .await;
    assert!(credits.text.contains("\"correction\""), "{}", credits.text);
    // Records stay as they were, and prices that change again book the difference only.
    assert_eq!(house.records().await[0]["cost_usd"], "0.00005");
    set_price(&house, "1", "2").await;
    let applied = re_rate(&house, apply).await;
    assert_eq!(applied["users"][0]["booked_usd"], "0");
    assert_eq!(balance(&house, &ada).await, "0.9999");
}

#[tokio::test]
async fn a_charge_takes_no_more_than_there_is_and_tells_the_rest() {
    let house = House::new().await;
    let ada = house.user_with("ada", "0.0005").await;
    chat(&house, &ada).await;
    set_price(&house, "100", "200").await;
    for _ in 0..2 {
        let applied = re_rate(&house, json!({ "dry_run": false })).await;
        let user = &applied["users"][0];
        assert_eq!(
            (&user["booked_usd"], &user["rest_usd"]),
            (&json!("-0.00045"), &json!("-0.0045"))
        );
        assert_eq!(balance(&house, &ada).await, "0");
    }
}

#[tokio::test]
async fn runs_at_once_and_calls_beside_them_book_one_correction() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for _ in 0..3 {
        chat(&house, &ada).await;
    }
    set_price(&house, "10", "20").await;
    house.clock.advance_ms(13 * 3_600_000);
    let Value::Object(arguments) = period(json!({ "dry_run": false })) else {
        panic!("arguments are an object")
    };
    let runs = (0..4).map(|_| run_without_lease(&house, &arguments));
    let calls = (0..6).map(|_| ada.chat(json!({ "max_tokens": 50 })));
    let (runs, calls) = tokio::join!(join_all(runs), join_all(calls));
    for run in runs {
        assert_eq!(run["users"][0]["booked_usd"], "-0.00135", "{run}");
    }
    for call in calls {
        call.expect(200);
    }
    house.quiet().await;
    // Three at the old price, one correction, six at the new price.
    assert_eq!(balance(&house, &ada).await, "0.9955");
}

async fn run_without_lease(house: &House, arguments: &Map<String, Value>) -> Value {
    let job = JOBS.iter().find(|job| job.name() == "re_rate").unwrap();
    job.run(&house.server.maintenance, arguments).await.unwrap()
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_named() {
    let house = House::new().await;
    let root = house.root().await;
    for (arguments, field) in [
        (json!({}), "from"),
        (json!({ "from": "2026-11-23" }), "to"),
        (json!({ "from": "yesterday", "to": "2026-11-24" }), "from"),
        (json!({ "from": "2026-11-25", "to": "2026-11-24" }), "from"),
        (
            json!({ "from": "2026-11-22T10:00:00Z", "to": "2026-11-23" }),
            "from",
        ),
        (
            json!({ "from": "2026-11-21", "to": "2026-11-22T23:59:59Z" }),
            "to",
        ),
        (
            json!({ "from": "2026-11-22", "to": "2026-11-22T00:00:00Z" }),
            "from",
        ),
        (period(json!({ "dry_run": "no" })), "dry_run"),
        (period(json!({ "user_id": "ada" })), "user_id"),
        (period(json!({ "model": 7 })), "model"),
        (period(json!({ "price_version": -1 })), "price_version"),
        (
            period(json!({ "price_version": 1_000_000 })),
            "price_version",
        ),
        (period(json!({ "apply": true })), "apply"),
    ] {
        let refused = root.post("/api/jobs/re_rate", &arguments).await;
        assert_eq!(refused.status, 400, "{arguments}: {}", refused.text);
        assert_eq!(refused.json()["error"]["field"], field, "{arguments}");
    }
}

#[tokio::test]
async fn a_period_is_whole_days_however_it_is_written() {
    let house = House::new().await;
    for (from, to, last) in [
        ("2026-11-20", "2026-11-21", "2026-11-21"),
        ("2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-21"),
        (
            "2026-11-20T01:00:00+01:00",
            "2026-11-22T01:00:00+01:00",
            "2026-11-21",
        ),
        // Nothing is later than now.
        ("2026-11-20", "2026-11-23T12:00:00Z", "2026-11-23"),
        ("2026-11-20", "2031-01-01T10:20:30Z", "2026-11-23"),
    ] {
        let report = re_rate(&house, json!({ "from": from, "to": to })).await;
        assert_eq!(
            (&report["first_day"], &report["last_day"]),
            (&json!("2026-11-20"), &json!(last))
        );
    }
    let ever = json!({ "from": "0001-01-01", "to": "9999-12-31" });
    let report = re_rate(&house, ever).await;
    assert_eq!(report["last_day"], "2026-11-23", "{report}");
}
