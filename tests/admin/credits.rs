//! `/api/users/{id}/credits` and `…/history`: every movement of money is a record with a cause.

use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::domain::id::RequestId;
use shared::domain::money::NanoUsd;
use shared::domain::record::UsageRecord;
use tests::House;
use tests::answer::Answer;
use tests::callers::Administrator;
use tests::faults::{BEFALLS, Fault, Faults};

async fn credit(root: &Administrator, user: &str, body: &Value) -> Answer {
    root.post(&format!("/api/users/{user}/credits"), body).await
}

/// All pages of a list below a user, with so many things each.
async fn all(who: &Administrator, path: &str, limit: usize) -> Vec<Value> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    let joint = if path.contains('?') { '&' } else { '?' };
    loop {
        let path = format!("{path}{joint}limit={limit}&cursor={cursor}");
        let page = who.get(&path).await.expect(200);
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        seen.extend(data.clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return seen,
        }
    }
}

fn sum(movements: &[Value]) -> NanoUsd {
    let amount =
        |movement: &Value| -> NanoUsd { movement["amount_usd"].as_str().unwrap().parse().unwrap() };
    movements.iter().map(amount).sum()
}

#[tokio::test]
async fn a_credit_has_a_cause_a_note_and_somebody_who_booked_it() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let ada = root.create_user("ada").await;
    for (body, cause) in [
        (json!({ "amount_usd": "4", "note": "by wire" }), "top_up"),
        (
            json!({ "amount_usd": "-1", "note": "a slip" }),
            "correction",
        ),
        (
            json!({ "amount_usd": "2", "note": "n", "cause": "gift" }),
            "gift",
        ),
    ] {
        house.clock.advance_ms(1);
        credit(&root, &ada, &body).await.expect(201);
        let path = format!("/api/users/{ada}/credits");
        let latest = root.get(&path).await.expect(200)["data"][0].clone();
        assert_eq!(
            (&latest["cause"], &latest["note"], &latest["amount_usd"]),
            (&json!(cause), &body["note"], &body["amount_usd"])
        );
        assert_eq!(
            (&latest["by"], &latest["kind"], &latest["reference"]),
            (&json!(root.user_id), &json!("credit"), &Value::Null)
        );
    }
    let no_cause = json!({ "amount_usd": "1", "cause": "redemption" });
    assert_eq!(credit(&root, &ada, &no_cause).await.status, 400);
    assert_eq!(root.user(&ada).await["balance_usd"], "5");
}

#[tokio::test]
async fn the_history_adds_up_to_what_there_is() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let root = house.root().await;
    let path = format!("/api/users/{}/history", ada.user_id);
    for at in 0..4 {
        house.clock.advance_ms(1_000);
        ada.chat(json!({})).await.expect(200);
        house.quiet().await;
        let body = json!({ "amount_usd": if at % 2 == 0 { "0.25" } else { "-0.125" } });
        // In the same millisecond as the call: only the rest of the ids tells which is later.
        credit(&root, &ada.user_id, &body).await.expect(201);
    }
    // A call that costs nothing moves nothing, nor does one that nobody's balance pays.
    let unlimited = json!({ "unlimited": true });
    let user = format!("/api/users/{}", ada.user_id);
    root.patch(&user, &unlimited).await.expect(200);
    ada.chat(json!({})).await.expect(200);
    house.quiet().await;
    let wallet = house.wallet(&ada.user_id).await;
    let there = wallet.balance.saturating_add(wallet.held());
    assert!(wallet.spent > NanoUsd::ZERO);
    let whole = all(&root, &path, 200).await;
    assert_eq!((whole.len(), sum(&whole)), (9, there));
    for limit in [1, 2, 3, 8, 9] {
        assert_eq!(all(&root, &path, limit).await, whole, "{limit}");
    }
    let usage = all(&root, &format!("{path}?kind=usage"), 3).await;
    let credits = all(&root, &format!("{path}?kind=credit"), 2).await;
    assert_eq!((usage.len(), credits.len()), (4, 5));
    assert_eq!(sum(&usage), NanoUsd::ZERO.saturating_sub(wallet.spent));
    assert_eq!(sum(&credits), wallet.granted);
    assert_eq!(
        (&usage[0]["kind"], &usage[0]["cause"], &usage[0]["note"]),
        (&json!("usage"), &json!("call"), &json!(tests::MODEL))
    );
    let alone = all(&root, &format!("/api/users/{}/credits", ada.user_id), 2).await;
    assert_eq!(alone, credits);
    let from = "from=2026-11-23T12:00:02Z&to=2026-11-23T12:00:04Z";
    let between = all(&root, &format!("{path}?{from}"), 1).await;
    let expected: Vec<_> = whole
        .iter()
        .filter(|m| {
            ["2026-11-23T12:00:02Z", "2026-11-23T12:00:03Z"].contains(&m["at"].as_str().unwrap())
        })
        .cloned()
        .collect();
    assert_eq!((between.len(), between), (4, expected));
}

#[tokio::test]
async fn calls_that_cost_nothing_do_not_hide_what_was_before_them() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    ada.chat(json!({})).await.expect(200);
    house.quiet().await;
    let root = house.root().await;
    let path = format!("/api/users/{}/history", ada.user_id);
    let before = all(&root, &path, 50).await;
    assert_eq!(before.len(), 2);
    let log = house.store.usage_log();
    let (user, id) = (
        ada.user_id.parse().unwrap(),
        house.only_record().await["id"].clone(),
    );
    let paid = id.as_str().unwrap().parse().unwrap();
    let mut free = log.find(user, paid).await.unwrap().unwrap();
    (free.cost, free.holds) = (NanoUsd::ZERO, Vec::new());
    // Twice as many as a page looks at, and in between a credit.
    for half in [1_u64, 2] {
        let records = (0..1_100).map(|number| UsageRecord {
            id: RequestId::from_parts(paid.at_ms() + half * 1_000, number),
            ..free.clone()
        });
        let records: Vec<_> = records.collect();
        join_all(records.iter().map(|record| log.write(record, 0))).await;
        house.clock.advance_ms(1_500);
        root.credit(&ada.user_id, "0.5").await;
    }
    for limit in [1, 50] {
        let now = all(&root, &path, limit).await;
        assert_eq!((now.len(), &now[2..]), (4, &before[..]));
        let amounts = (&now[0]["amount_usd"], &now[1]["amount_usd"]);
        assert_eq!(amounts, (&json!("0.5"), &json!("0.5")));
    }
    let first = root.get(&format!("{path}?limit=50")).await.expect(200);
    assert!(first["next_cursor"].is_string(), "{first}");
}

#[tokio::test]
async fn members_see_their_own_history_only() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let ids = [root.create_user("ada").await, root.create_user("bob").await];
    let ada = house.anonymous().sign_in("ada", "password of ada").await;
    for list in ["history", "credits"] {
        let path = |id: &str| format!("/api/users/{id}/{list}");
        ada.get(&path(&ids[0])).await.expect(200);
        assert_eq!(ada.get(&path(&ids[1])).await.status, 404);
        root.get(&path(&ids[1])).await.expect(200);
        for wrong in [
            "kind=x",
            "cursor=x",
            "limit=x",
            "from=x",
            "from=2026-11-25T00:00:00Z",
        ] {
            let path = format!("{}?{wrong}", path(&ids[0]));
            assert_eq!(ada.get(&path).await.status, 400, "{path}");
        }
    }
}

#[tokio::test]
async fn money_is_taken_out_until_there_is_none_left() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let ada = root.create_user("ada").await;
    root.credit(&ada, "5").await;
    let body = json!({ "amount_usd": "-1", "note": "back" });
    let answers = join_all((0..20).map(|_| credit(&root, &ada, &body))).await;
    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(taken, 5);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.expect(409)["error"]["code"], "insufficient_balance");
    }
    assert_eq!(root.user(&ada).await["balance_usd"], "0");
    let path = format!("/api/users/{ada}/history");
    assert_eq!(sum(&all(&root, &path, 200).await), NanoUsd::ZERO);
}

#[tokio::test]
async fn no_wallet_takes_more_than_it_can_count() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let ada = root.create_user("ada").await;
    let body = json!({ "amount_usd": "400000000" });
    let answers = join_all((0..4).map(|_| credit(&root, &ada, &body))).await;
    let booked = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(booked, 2);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.expect(400)["error"]["field"], "amount_usd");
    }
    assert_eq!(root.user(&ada).await["balance_usd"], "800000000");
    assert_eq!(
        credit(&root, &ada, &json!({ "amount_usd": "0" }))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn whatever_fails_a_credit_is_booked_once() {
    let faults = Faults::default();
    let house = House::builder().bare().with(&faults).build().await;
    let root = house.root().await;
    let ada = root.create_user("ada").await;
    let mut booked = 0;
    for befall in BEFALLS {
        faults.plan_all("TransactWriteItems", befall);
        booked += 1;
        let answer = credit(&root, &ada, &json!({ "amount_usd": "1" })).await;
        let balance = answer.expect(201)["balance_usd"].clone();
        assert_eq!(balance, booked.to_string(), "{befall:?}");
        assert_eq!(faults.left(), 0, "{befall:?}");
    }
    // Booked, but the user cannot be shown any more.
    faults.plan("BatchGetItem", Fault::Refused);
    let answer = credit(&root, &ada, &json!({ "amount_usd": "1" })).await;
    let balance = (booked + 1).to_string();
    assert_eq!(answer.expect(201)["balance_usd"], balance);
    assert_eq!(root.user(&ada).await["balance_usd"], balance);
}

#[tokio::test]
async fn a_request_with_an_idempotency_key_is_booked_once() {
    let faults = Faults::default();
    let house = House::builder().bare().with(&faults).build().await;
    let root = house.root().await;
    let ids = [root.create_user("ada").await, root.create_user("bob").await];
    let body = json!({ "amount_usd": "3", "note": "n", "idempotency_key": "invoice 7" });
    let answers = join_all((0..20).map(|_| credit(&root, &ids[0], &body))).await;
    for answer in &answers {
        assert_eq!(answer.expect(201)["balance_usd"], "3");
    }
    // In the header it is the same, a day later too, and after a lost answer.
    house.clock.advance_ms(3_600_000);
    faults.plan_all("TransactWriteItems", &[Fault::Applied; 3]);
    let path = format!("/api/users/{}/credits", ids[0]);
    let by_header = |key: &str, amount: &str| {
        let body = json!({ "amount_usd": amount, "note": "n" });
        let request = root
            .request("POST", &path)
            .header("idempotency-key", key)
            .json(&body);
        async move { Answer::read(request.send().await.unwrap()).await }
    };
    assert_eq!(
        by_header("invoice 7", "3").await.expect(201)["balance_usd"],
        "3"
    );
    let other = by_header("invoice 7", "4").await;
    assert_eq!(other.expect(409)["error"]["code"], "idempotency_key_reused");
    assert_eq!(
        by_header("invoice 8", "4").await.expect(201)["balance_usd"],
        "7"
    );
    assert_eq!(by_header(&"x".repeat(256), "4").await.status, 400);
    // Another user's wallet has names of its own.
    assert_eq!(
        credit(&root, &ids[1], &body).await.expect(201)["balance_usd"],
        "3"
    );
    // What was refused was not booked: its name is free.
    let short = json!({ "amount_usd": "-9", "idempotency_key": "k" });
    assert_eq!(credit(&root, &ids[1], &short).await.status, 409);
    root.credit(&ids[1], "6").await;
    assert_eq!(
        credit(&root, &ids[1], &short).await.expect(201)["balance_usd"],
        "0"
    );
    assert_eq!(
        credit(&root, &ids[1], &short).await.expect(201)["balance_usd"],
        "0"
    );
}

#[tokio::test]
async fn a_new_member_finds_the_gift_once_whatever_fails() {
    let faults = Faults::default();
    let house = House::builder().bare().with(&faults).build().await;
    let root = house.root().await;
    let none = root.create_user("zoe").await;
    assert_eq!(root.user(&none).await["balance_usd"], "0");
    root.patch("/api/settings", &json!({ "signup_gift_usd": "0.5" }))
        .await
        .expect(200);
    for (number, befall) in BEFALLS.iter().enumerate() {
        faults.plan_all("TransactWriteItems", befall);
        let body = json!({ "username": format!("m{number}") });
        let user = root.post("/api/users", &body).await.expect(201);
        assert_eq!(user["balance_usd"], "0.5", "{befall:?}");
        assert_eq!(faults.left(), 0, "{befall:?}");
        let id = user["id"].as_str().unwrap();
        let history = all(&root, &format!("/api/users/{id}/history"), 50).await;
        assert_eq!((history.len(), &history[0]["cause"]), (1, &json!("gift")));
        assert_eq!(house.wallet(id).await.granted, sum(&history));
        assert_eq!(root.post("/api/users", &body).await.status, 409);
    }
    let admin = json!({ "username": "eve", "role": "admin" });
    let admin = root.post("/api/users", &admin).await.expect(201);
    assert_eq!(admin["balance_usd"], "0");
}

#[tokio::test]
async fn a_low_balance_is_told() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let ada = root.create_user("ada").await;
    let is_low = || async { root.user(&ada).await["low_balance"].clone() };
    assert_eq!(is_low().await, true);
    root.credit(&ada, "1").await;
    assert_eq!(is_low().await, false);
    root.credit(&ada, "-0.000000001").await;
    assert_eq!(is_low().await, true);
    let path = format!("/api/users/{ada}");
    root.patch(&path, &json!({ "unlimited": true }))
        .await
        .expect(200);
    assert_eq!(is_low().await, false);
    root.patch(&path, &json!({ "unlimited": false }))
        .await
        .expect(200);
    let settings = root.get("/api/settings").await.expect(200);
    assert_eq!(
        (&settings["low_balance_usd"], &settings["signup_gift_usd"]),
        (&json!("1"), &json!("0"))
    );
    for low in ["0", "0.5"] {
        let settings = json!({ "low_balance_usd": low });
        root.patch("/api/settings", &settings).await.expect(200);
        assert_eq!(is_low().await, false);
    }
    for wrong in ["-1", "x", "1000000001"] {
        for name in ["low_balance_usd", "signup_gift_usd"] {
            let answer = root.patch("/api/settings", &json!({ name: wrong })).await;
            assert_eq!(answer.expect(400)["error"]["field"], name, "{wrong}");
        }
    }
}
