//! `/api/redemption-codes` and `/api/redemptions`: a code is money once, whoever asks and whatever fails.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::House;
use tests::answer::Answer;
use tests::callers::Administrator;
use tests::faults::{BEFALLS, Fault, Faults};

async fn codes(root: &Administrator, body: Value) -> Vec<Value> {
    let made = root.post("/api/redemption-codes", &body).await.expect(201);
    made["data"].as_array().unwrap().clone()
}

/// One code worth that much.
async fn code(root: &Administrator, usd: &str) -> Value {
    let mut made = codes(root, json!({ "amount_usd": usd, "count": 1 })).await;
    made.remove(0)
}

async fn redeem(user: &Administrator, code: &Value) -> Answer {
    user.post("/api/redemptions", &json!({ "code": code }))
        .await
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.expect(status)["error"]["code"], code);
}

/// A member, signed in.
async fn member(house: &House, name: &str) -> Administrator {
    house.root().await.create_user(name).await;
    let password = format!("password of {name}");
    house.anonymous().sign_in(name, &password).await
}

#[tokio::test]
async fn a_code_becomes_money_once() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let made = code(&root, "2.5").await;
    for member in ["redeemed_at", "redeemed_by", "expires_at", "credit_id"] {
        assert!(made[member].is_null(), "{made}");
    }
    assert_eq!(
        (&made["amount_usd"], &made["created_at"], &made["enabled"]),
        (&json!("2.5"), &json!("2026-11-23T12:00:00Z"), &json!(true))
    );
    let ada = member(&house, "ada").await;
    let typed = made["code"]
        .as_str()
        .unwrap()
        .to_lowercase()
        .replace('-', " ");
    let redeemed = redeem(&ada, &json!(typed)).await.expect(201);
    assert_eq!(
        (
            &redeemed["amount_usd"],
            &redeemed["balance_usd"],
            &redeemed["at"]
        ),
        (&json!("2.5"), &json!("2.5"), &json!("2026-11-23T12:00:00Z"))
    );
    refused(
        &redeem(&ada, &made["code"]).await,
        409,
        "redemption_code_used",
    );
    let path = format!("/api/redemption-codes/{}", made["id"].as_str().unwrap());
    let now = root.get(&path).await.expect(200);
    assert_eq!(
        (&now["redeemed_by"], &now["redeemed_at"], &now["credit_id"]),
        (&json!(ada.user_id), &redeemed["at"], &redeemed["id"])
    );
    let history = format!("/api/users/{}/history", ada.user_id);
    let history = ada.get(&history).await.expect(200);
    let expected = json!([{
        "id": redeemed["id"], "at": redeemed["at"], "kind": "credit", "cause": "redemption",
        "amount_usd": "2.5", "note": "", "by": ada.user_id, "reference": made["id"],
    }]);
    assert_eq!(history["data"], expected);
}

#[tokio::test]
async fn of_a_hundred_callers_at_once_one_gets_the_money() {
    let faults = Faults::default();
    let house = House::builder().bare().with(&faults).build().await;
    let root = house.root().await;
    let mut members = Vec::new();
    for number in 0..5 {
        members.push(member(&house, &format!("m{number}")).await);
    }
    // All of one user, and twenty of each of five; then they meet, and answers are lost, too.
    let troubles: &[&[Fault]] = &[
        &[],
        &[Fault::Met; 60],
        &[Fault::Applied; 4],
        &[Fault::Lost; 30],
    ];
    let calm = [(&members[..1], troubles[0])];
    for (who, trouble) in troubles
        .iter()
        .map(|trouble| (&members[..], *trouble))
        .chain(calm)
    {
        let made = code(&root, "1").await;
        faults.plan_all("TransactWriteItems", trouble);
        let callers = (0..100).map(|at| redeem(&who[at % who.len()], &made["code"]));
        let answers = join_all(callers).await;
        let winners = answers.iter().filter(|answer| answer.status == 201);
        assert_eq!(winners.count(), 1, "{trouble:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            refused(answer, 409, "redemption_code_used");
        }
    }
    let mut granted = 0;
    for member in &members {
        let wallet = house.wallet(&member.user_id).await;
        assert_eq!(wallet.balance, wallet.granted);
        granted += wallet.granted.get();
    }
    assert_eq!(granted, 5_000_000_000);
}

#[tokio::test]
async fn whatever_fails_a_redemption_is_booked_once_and_the_answer_is_true() {
    let faults = Faults::default();
    let house = House::builder().bare().with(&faults).build().await;
    let (root, ada) = (house.root().await, member(&house, "ada").await);
    let mut redeemed = 0;
    for befall in BEFALLS {
        let made = code(&root, "1").await;
        faults.plan_all("TransactWriteItems", befall);
        let answer = redeem(&ada, &made["code"]).await;
        redeemed += 1;
        let balance = redeemed.to_string();
        assert_eq!(answer.expect(201)["balance_usd"], balance, "{befall:?}");
        assert_eq!(faults.left(), 0, "{befall:?}");
        refused(
            &redeem(&ada, &made["code"]).await,
            409,
            "redemption_code_used",
        );
    }
    let wallet = house.wallet(&ada.user_id).await;
    assert_eq!(wallet.granted.get(), redeemed * 1_000_000_000);
    let credits = format!("/api/users/{}/credits?limit=200", ada.user_id);
    let credits = ada.get(&credits).await.expect(200);
    assert_eq!(credits["data"].as_array().unwrap().len(), BEFALLS.len());
}

#[tokio::test]
async fn a_redemption_that_is_booked_is_answered_even_if_the_balance_cannot_be_read() {
    let faults = Faults::default();
    let house = House::builder().bare().with(&faults).build().await;
    let (root, ada) = (house.root().await, member(&house, "ada").await);
    let made = code(&root, "1").await;
    // Reads before: the user, the failures, the code, the failures again. Then the balance fails.
    for _ in 0..4 {
        faults.plan("GetItem", Fault::None);
    }
    for _ in 0..3 {
        faults.plan("GetItem", Fault::Lost);
    }
    let answer = redeem(&ada, &made["code"]).await.expect(201);
    assert_eq!(
        (&answer["amount_usd"], &answer["balance_usd"]),
        (&json!("1"), &Value::Null)
    );
    assert_eq!(
        house.wallet(&ada.user_id).await.granted.get(),
        1_000_000_000
    );
}

#[tokio::test]
async fn a_code_is_worth_nothing_from_its_last_millisecond_on() {
    let house = House::builder().bare().build().await;
    let (root, ada) = (house.root().await, member(&house, "ada").await);
    let expires_at = "2026-11-23T12:00:01Z";
    let body = json!({ "amount_usd": "1", "count": 2, "expires_at": expires_at });
    let made = codes(&root, body).await;
    assert_eq!(made[0]["expires_at"], expires_at);
    let listed = |expired: bool| {
        let path = format!("/api/redemption-codes?expired={expired}");
        let root = root.clone();
        async move {
            root.get(&path).await.expect(200)["data"]
                .as_array()
                .unwrap()
                .len()
        }
    };
    house.clock.advance_ms(999);
    assert_eq!((listed(true).await, listed(false).await), (0, 2));
    redeem(&ada, &made[0]["code"]).await.expect(201);
    house.clock.advance_ms(1);
    assert_eq!((listed(true).await, listed(false).await), (2, 0));
    refused(
        &redeem(&ada, &made[1]["code"]).await,
        409,
        "redemption_code_expired",
    );
    // Later after all; then for ever.
    let path = format!("/api/redemption-codes/{}", made[1]["id"].as_str().unwrap());
    let forever = json!({ "expires_at": null });
    let changed = root.patch(&path, &forever).await.expect(200);
    assert!(changed["expires_at"].is_null(), "{changed}");
    redeem(&ada, &made[1]["code"]).await.expect(201);
}

#[tokio::test]
async fn a_disabled_or_deleted_code_is_refused_and_a_redeemed_one_stays() {
    let house = House::builder().bare().build().await;
    let (root, ada) = (house.root().await, member(&house, "ada").await);
    let made = code(&root, "1").await;
    let path = format!("/api/redemption-codes/{}", made["id"].as_str().unwrap());
    let change = json!({ "enabled": false, "note": "lost in the post" });
    let changed = root.patch(&path, &change).await.expect(200);
    assert_eq!(
        (&changed["enabled"], &changed["note"], &changed["code"]),
        (&json!(false), &json!("lost in the post"), &made["code"])
    );
    refused(
        &redeem(&ada, &made["code"]).await,
        409,
        "redemption_code_disabled",
    );
    root.patch(&path, &json!({ "enabled": true }))
        .await
        .expect(200);
    redeem(&ada, &made["code"]).await.expect(201);
    refused(&root.delete(&path).await, 409, "redemption_code_used");
    root.patch(&path, &json!({ "enabled": false }))
        .await
        .expect(200);
    refused(
        &redeem(&ada, &made["code"]).await,
        409,
        "redemption_code_used",
    );

    let other = code(&root, "1").await;
    let path = format!("/api/redemption-codes/{}", other["id"].as_str().unwrap());
    root.delete(&path).await.expect(204);
    refused(
        &redeem(&ada, &other["code"]).await,
        404,
        "redemption_code_unknown",
    );
    assert_eq!(root.patch(&path, &change).await.status, 404);
    assert_eq!(root.get(&path).await.status, 404);
}

#[tokio::test]
async fn codes_are_exported_as_a_table_and_what_stands_there_can_be_redeemed() {
    let house = House::builder().bare().build().await;
    let (root, ada) = (house.root().await, member(&house, "ada").await);
    codes(&root, json!({ "amount_usd": "9", "count": 3 })).await;
    house.clock.advance_ms(1);
    let body = json!({ "amount_usd": "0.5", "count": 250, "note": "=cmd|' /C calc'!A0, \"fair\"" });
    let made = codes(&root, body).await;
    let batch = made[0]["batch"].as_str().unwrap();
    let export = |query: String| {
        let path = format!("/api/redemption-codes?{query}");
        let request = root.request("GET", &path).header("accept", "text/csv");
        async move { Answer::read(request.send().await.unwrap()).await }
    };
    let table = export(format!("batch={batch}&redeemed=false")).await;
    assert_eq!(table.status, 200);
    assert!(
        table
            .header("content-type")
            .unwrap()
            .starts_with("text/csv")
    );
    let lines: Vec<&str> = table.text.lines().collect();
    assert_eq!(lines.len(), 251);
    assert!(lines[0].starts_with("id,code,amount_usd,"), "{}", lines[0]);
    assert!(
        lines[1].contains(r#""'=cmd|' /C calc'!A0, ""fair""""#),
        "{}",
        lines[1]
    );
    let texts: Vec<&str> = lines[1..]
        .iter()
        .map(|l| l.split(',').nth(1).unwrap())
        .collect();
    for code in &made {
        assert!(texts.contains(&code["code"].as_str().unwrap()));
    }
    redeem(&ada, &json!(texts[7])).await.expect(201);
    let redeemed = export(format!("batch={batch}&redeemed=true")).await;
    assert_eq!(redeemed.text.lines().count(), 2);
    assert!(redeemed.text.contains(texts[7]) && redeemed.text.contains(&ada.user_id));
    // In pieces, of everything.
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page = export(format!("limit=100&cursor={cursor}")).await;
        seen += page.text.lines().count() - 1;
        match page.header("x-tollhouse-next-cursor") {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, 253);
}

#[tokio::test]
async fn codes_are_listed_latest_first_in_pages() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let first = codes(&root, json!({ "amount_usd": "1", "count": 4 })).await;
    house.clock.advance_ms(1);
    let second = codes(&root, json!({ "amount_usd": "1", "count": 3 })).await;
    let mut expected: Vec<&Value> = first.iter().chain(&second).collect();
    expected.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/redemption-codes?limit=2&cursor={cursor}");
        let page = root.get(&path).await.expect(200);
        seen.extend(page["data"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.iter().collect::<Vec<_>>(), expected);
    for wrong in ["cursor=x", "redeemed=maybe", "batch=x", "limit=x", "code=x"] {
        let answer = root.get(&format!("/api/redemption-codes?{wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn when_making_codes_breaks_off_those_that_were_made_are_found() {
    let faults = Faults::default();
    let house = House::builder().bare().with(&faults).build().await;
    let root = house.root().await;
    let body = json!({ "amount_usd": "1", "count": 250 });
    faults.plan("TransactWriteItems", Fault::None);
    faults.plan("TransactWriteItems", Fault::Refused);
    let answer = root.post("/api/redemption-codes", &body).await;
    refused(&answer, 503, "redemption_codes_partly_made");
    let text = answer.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.contains("100 of 250"), "{text}");
    let path = text
        .split(' ')
        .find(|word| word.starts_with("/api/"))
        .unwrap();
    let found = root.get(&format!("{path}&limit=200")).await.expect(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 100);

    // An answer that is lost is no reason to make them twice.
    for befall in BEFALLS {
        faults.plan_all("TransactWriteItems", befall);
        let body = json!({ "amount_usd": "1", "count": 150 });
        let made = codes(&root, body).await;
        let batch = made[0]["batch"].as_str().unwrap();
        let path = format!("/api/redemption-codes?limit=200&batch={batch}");
        let found = root.get(&path).await.expect(200);
        assert_eq!(found["data"].as_array().unwrap().len(), 150, "{befall:?}");
    }
}

#[tokio::test]
async fn who_guesses_codes_has_to_wait() {
    let house = House::builder().bare().build().await;
    let (root, ada) = (house.root().await, member(&house, "ada").await);
    let bob = member(&house, "bob").await;
    let (gone, good) = (code(&root, "1").await, code(&root, "1").await);
    root.delete(&format!(
        "/api/redemption-codes/{}",
        gone["id"].as_str().unwrap()
    ))
    .await
    .expect(204);
    for guess in [&gone["code"], &json!("AAAAA-AAAAA-AAAAA-AAAAA-AAAAA")] {
        for _ in 0..5 {
            let answer = redeem(&ada, guess).await;
            assert!([404, 400].contains(&answer.status), "{}", answer.text);
        }
    }
    let answer = redeem(&ada, &good["code"]).await;
    refused(&answer, 429, "too_many_failures");
    assert_eq!(answer.header("retry-after"), Some("60"));
    // Others need not wait, and codes that exist are no guesses.
    redeem(&bob, &good["code"]).await.expect(201);
    for _ in 0..30 {
        refused(
            &redeem(&bob, &good["code"]).await,
            409,
            "redemption_code_used",
        );
    }
    house.clock.advance_ms(60_000);
    refused(
        &redeem(&ada, &good["code"]).await,
        409,
        "redemption_code_used",
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_members_make_no_codes() {
    let house = House::builder().bare().build().await;
    let (root, ada) = (house.root().await, member(&house, "ada").await);
    for (body, field) in [
        (json!({ "amount_usd": "1", "count": 0 }), "count"),
        (json!({ "amount_usd": "1", "count": 1001 }), "count"),
        (json!({ "amount_usd": "1", "count": -1 }), "count"),
        (json!({ "amount_usd": "1" }), "count"),
        (json!({ "amount_usd": "0", "count": 1 }), "amount_usd"),
        (json!({ "amount_usd": "-1", "count": 1 }), "amount_usd"),
        (
            json!({ "amount_usd": "0.0000000001", "count": 1 }),
            "amount_usd",
        ),
        (
            json!({ "amount_usd": "2000000000", "count": 1 }),
            "amount_usd",
        ),
        (
            json!({ "amount_usd": "1", "count": 1, "expires_at": "soon" }),
            "expires_at",
        ),
        (
            json!({ "amount_usd": "1", "count": 1, "note": "n".repeat(501) }),
            "note",
        ),
    ] {
        let answer = root.post("/api/redemption-codes", &body).await;
        assert_eq!(answer.expect(400)["error"]["field"], field, "{body}");
    }
    let made = code(&root, "1").await;
    let path = format!("/api/redemption-codes/{}", made["id"].as_str().unwrap());
    let body = json!({ "amount_usd": "1", "count": 1 });
    assert_eq!(ada.post("/api/redemption-codes", &body).await.status, 403);
    assert_eq!(ada.get("/api/redemption-codes").await.status, 403);
    assert_eq!(ada.get(&path).await.status, 403);
    assert_eq!(ada.delete(&path).await.status, 403);
    let code = json!({ "code": made["code"] });
    let anonymous = house.anonymous().post("/api/redemptions", &code).await;
    assert_eq!(anonymous.status, 401);
    refused(
        &redeem(&ada, &json!("")).await,
        400,
        "redemption_code_malformed",
    );
}

#[tokio::test]
async fn the_table_does_not_show_the_text_of_a_code() {
    let house = House::builder().bare().build().await;
    let made = code(&house.root().await, "1").await;
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let kept = house
        .store
        .redemption_codes()
        .find(id)
        .await
        .unwrap()
        .unwrap();
    let kept = serde_json::to_string(&kept).unwrap();
    let text = made["code"].as_str().unwrap();
    assert!(
        !kept.contains(text) && !kept.contains(&text.replace('-', "")),
        "{kept}"
    );
}
