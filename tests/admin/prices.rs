//! `/api/prices`: decimal texts, exactly; the built-in book; imports; and what calls cost by them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::answer::Answer;
use tests::callers::Administrator;
use tests::upstream::Act;
use tests::{House, MODEL};

fn models(rows: &Value) -> Vec<&str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["model"].as_str().unwrap()).collect()
}

/// All prices of a list, page by page.
async fn all_prices(root: &Administrator, query: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/prices?limit=200&{query}&cursor={cursor}");
        let page = root.get(&path).await.expect(200);
        all.extend(page["data"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.replace('*', "%2A").replace('+', "%2B"),
            None => return all,
        }
    }
}

/// The usage record of a call, once it is there.
async fn record_of(house: &House, answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut records = house.records().await;
    records.retain(|record| record["id"] == answer.header("x-request-id").unwrap());
    records.remove(0)
}

/// What a call cost, and by which lines.
async fn bill_of(house: &House, answer: &Answer) -> (String, Vec<(String, u64, String)>) {
    let record = record_of(house, answer).await;
    let line = |line: &Value| {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let quantity = line["quantity"].as_u64().unwrap();
        (text("component"), quantity, text("unit_usd"))
    };
    let lines = record["bill"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect();
    (record["cost_usd"].as_str().unwrap().to_owned(), lines)
}

#[tokio::test]
async fn a_price_is_kept_exactly() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let price = json!({
        "model": "meta/llama*", "input": "0.15", "output": 0.6, "cache_read": "0",
        "cache_read_audio": "0.01", "web_search": "0.01", "per_call": "0.000000001",
        "tiers": [{ "above_input_tokens": 200_000, "input": "0.3", "cache_write_1h": "1.2",
            "services": { "flex": { "input": "0.2" } } }],
        "services": { "flex": { "input": "0.075" }, "priority": {} },
        "max_output": 4096, "source": "a letter", "date": "2026-11-01",
    });
    assert_eq!(root.post("/api/prices", &price).await.status, 201);
    let shown = root.get("/api/prices/meta/llama*").await.expect(200);
    for (path, expected) in [
        ("/input", json!("0.15")),
        ("/output", json!("0.6")),
        ("/cache_read", json!("0")),
        ("/cache_read_audio", json!("0.01")),
        ("/reasoning", json!(null)),
        ("/web_search", json!("0.01")),
        ("/per_call", json!("0.000000001")),
        ("/tiers/0/input", json!("0.3")),
        ("/tiers/0/cache_write_1h", json!("1.2")),
        ("/tiers/0/services/flex/input", json!("0.2")),
        ("/services/flex/input", json!("0.075")),
        ("/services/flex/output", json!(null)),
        ("/max_output", json!(4096)),
        ("/source", json!("a letter")),
        ("/date", json!("2026-11-01")),
        ("/origin", json!("set")),
        ("/locked", json!(false)),
    ] {
        assert_eq!(shown.pointer(path), Some(&expected), "{path} of {shown}");
    }
    // What is shown can be sent back.
    let again = root.put("/api/prices/meta/llama*", &shown).await;
    assert_eq!(again.expect(200), shown);
    let set = root.get("/api/prices?origin=set").await.expect(200);
    assert_eq!(models(&set["data"]), ["meta/llama*"]);
    assert!(root.delete("/api/prices/meta/llama*").await.status < 300);
    let set = root.get("/api/prices?origin=set").await.expect(200);
    assert_eq!(set["data"], json!([]));
}

#[tokio::test]
async fn a_price_that_says_too_little_or_too_much_is_refused() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    for (price, field) in [
        (json!({ "model": "m" }), "input"),
        (json!({ "model": "m", "input": "1" }), "output"),
        (
            json!({ "model": "m", "input": "-1", "output": "1" }),
            "input",
        ),
        (
            json!({ "model": "m", "input": "0.0000001", "output": "1" }),
            "input",
        ),
        (
            json!({ "model": "m", "input": "1e3", "output": "1" }),
            "input",
        ),
        (json!({ "model": "", "input": "1", "output": "1" }), "model"),
        (
            json!({ "model": " m", "input": "1", "output": "1" }),
            "model",
        ),
        (
            json!({ "model": "m", "input": "1", "output": "1", "thinking": "3" }),
            "thinking",
        ),
        (
            json!({ "model": "m", "input": "1", "output": "1", "web_search": "-1" }),
            "web_search",
        ),
        (
            json!({ "model": "m", "input": "1", "output": "1", "max_output": 0 }),
            "max_output",
        ),
        (
            json!({ "model": "m", "input": "1", "output": "1", "services": { "standard": {} } }),
            "services",
        ),
    ] {
        let refused = root.post("/api/prices", &price).await;
        assert_eq!(refused.status, 400, "{price}: {}", refused.text);
        assert_eq!(refused.json()["error"]["field"], field, "{price}");
    }
    for services in [json!({ "slow": {} }), json!({ "flex": { "colour": "1" } })] {
        let price = json!({ "model": "m", "input": "1", "output": "1", "services": services });
        assert_eq!(root.post("/api/prices", &price).await.status, 400);
    }
}

#[tokio::test]
async fn the_book_holds_until_somebody_sets_a_price_and_again_when_it_is_deleted() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let book = root.get("/api/prices/gpt-4o").await.expect(200);
    assert_eq!(
        (&book["input"], &book["origin"]),
        (&json!("2.5"), &json!("book"))
    );
    assert!(
        book["source"].as_str().unwrap().starts_with("built-in: "),
        "{book}"
    );
    assert!(book["date"].is_string());
    assert_eq!(root.delete("/api/prices/gpt-4o").await.status, 409);

    let own = json!({ "input": "7", "output": "8" });
    assert_eq!(root.put("/api/prices/gpt-4o", &own).await.status, 201);
    let all = all_prices(&root, "").await;
    let named: Vec<_> = all
        .iter()
        .filter(|price| price["model"] == "gpt-4o")
        .collect();
    assert_eq!(named.len(), 1);
    assert_eq!(
        (&named[0]["input"], &named[0]["source"]),
        (&json!("7"), &json!(null))
    );

    assert_eq!(root.delete("/api/prices/gpt-4o").await.status, 204);
    assert_eq!(root.get("/api/prices/gpt-4o").await.expect(200), book);
    assert_eq!(root.get("/api/prices/no-such-model").await.status, 404);
    assert_eq!(root.delete("/api/prices/no-such-model").await.status, 404);

    // A change of a built-in price is a price of one's own, and no longer the vendor's.
    let changed = root
        .patch("/api/prices/gpt-4o", &json!({ "input": "3" }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["input"], &changed["output"]),
        (&json!("3"), &book["output"])
    );
    assert_eq!(
        (&changed["origin"], &changed["source"]),
        (&json!("set"), &json!(null))
    );
}

#[tokio::test]
async fn all_prices_are_listed_once_and_in_order() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let book = all_prices(&root, "origin=book").await;
    assert!(book.len() > 300, "{}", book.len());
    let names: Vec<&str> = book
        .iter()
        .map(|row| row["model"].as_str().unwrap())
        .collect();
    assert!(names.is_sorted());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    // A pattern of one's own stands before everything of the book that it fits.
    let pattern = json!({ "model": "claude-*", "input": "1", "output": "1" });
    assert_eq!(root.post("/api/prices", &pattern).await.status, 201);
    let left = all_prices(&root, "").await;
    let claudes = left
        .iter()
        .filter(|row| row["model"].as_str().unwrap().starts_with("claude-"));
    assert_eq!(claudes.count(), 1);
    assert_eq!(root.get("/api/prices?origin=nobody").await.status, 400);
}

#[tokio::test]
async fn models_are_shown_with_the_price_that_holds() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let mut channel = house.upstream.channel("openai-compatible");
    channel["models"] = json!(["gpt-4o-mini-2024-07-18", "mine", "nobodys"]);
    house.channel(channel).await;
    let price = json!({ "model": "mi*", "input": "1", "output": "2" });
    assert_eq!(root.post("/api/prices", &price).await.status, 201);
    let shown = root.get("/api/models").await.expect(200);
    let told: Vec<_> = shown["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| {
            (
                model["id"].clone(),
                model["priced"].clone(),
                model["price"]["input"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (json!("gpt-4o-mini-2024-07-18"), json!(true), json!("0.15")),
            (json!("mine"), json!(true), json!("1")),
            (json!("nobodys"), json!(false), json!(null)),
        ]
    );
}

#[tokio::test]
async fn a_call_is_billed_by_the_longest_pattern_and_a_change_is_seen_by_the_next() {
    let house = House::new().await;
    let root = house.root().await;
    let mut channel = house.upstream.channel("openai");
    channel["models"] = json!(["gpt-4o*", "fine-*"]);
    house.channel(channel).await;
    let ada = house.user_with("ada", "10").await;
    let cost = async |model: &str| {
        let call = json!({ "model": model, "max_tokens": 20 });
        bill_of(&house, &ada.chat(call).await).await.0
    };
    // The answer has 10 tokens of input and 20 of output. By the book: 10 × 2.5 + 20 × 10.
    assert_eq!(cost("gpt-4o-2024-11-20").await, "0.000225");
    for (model, usd) in [
        ("fine-*", "1"),
        ("fine-tuned-*", "2"),
        ("fine-tuned-7", "3"),
    ] {
        let price = json!({ "model": model, "input": usd, "output": usd });
        assert_eq!(root.post("/api/prices", &price).await.status, 201);
    }
    assert_eq!(cost("fine-wine").await, "0.00003");
    assert_eq!(cost("fine-tuned-8").await, "0.00006");
    assert_eq!(cost("fine-tuned-7").await, "0.00009");
    // A pattern of an administrator's comes before the book's very name.
    let price = json!({ "model": "gpt*", "input": "1", "output": "1" });
    assert_eq!(root.post("/api/prices", &price).await.status, 201);
    assert_eq!(cost("gpt-4o").await, "0.00003");
    assert!(root.delete("/api/prices/gpt*").await.status < 300);
    assert_eq!(cost("gpt-4o").await, "0.000225");
}

#[tokio::test]
async fn long_contexts_with_cache_writes_of_an_hour_pay_their_tier() {
    let house = House::new().await;
    let root = house.root().await;
    let price = json!({
        "input": "3", "output": "15", "cache_read": "0.3", "cache_write_5m": "3.75", "cache_write_1h": "6",
        "tiers": [{ "above_input_tokens": 200_000, "input": "6", "output": "22.5", "cache_read": "0.6",
            "cache_write_5m": "7.5", "cache_write_1h": "12" }],
    });
    let put = root
        .put(&format!("/api/prices/{}", tests::CLAUDE), &price)
        .await;
    assert_eq!(put.status, 200, "{}", put.text);
    let ada = house.user_with("ada", "100").await;
    let answer = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": tests::CLAUDE,
        "content": [{ "type": "text", "text": "Hi" }], "stop_reason": "end_turn",
        "usage": { "input_tokens": 100, "output_tokens": 1_000, "cache_read_input_tokens": 150_000,
            "cache_creation_input_tokens": 50_000,
            "cache_creation": { "ephemeral_5m_input_tokens": 10_000, "ephemeral_1h_input_tokens": 40_000 } },
    });
    house.upstream.next(Act::json(200, &answer));
    let (cost, lines) = bill_of(&house, &ada.messages(json!({})).await).await;
    // 100 × 6 + 150,000 × 0.6 + 10,000 × 7.5 + 40,000 × 12 + 1,000 × 22.5 micro-USD
    assert_eq!(cost, "0.6681", "{lines:?}");
    let long = ("cache_write_1h".to_owned(), 40_000, "0.000012".to_owned());
    assert!(lines.contains(&long), "{lines:?}");
}

#[tokio::test]
async fn a_model_without_a_price_is_refused_or_costs_what_is_stated() {
    let house = House::new().await;
    let root = house.root().await;
    let mut channel = house.upstream.channel("openai");
    channel["models"] = json!(["unpriced"]);
    house.channel(channel).await;
    let ada = house.user_with("ada", "1").await;
    let call = json!({ "model": "unpriced", "max_tokens": 20 });
    let refused = ada.chat(call.clone()).await;
    assert_eq!(
        (refused.status, refused.openai_code().as_str()),
        (403, "model_not_priced")
    );

    for (settings, field) in [
        (
            json!({ "unpriced_models": "default_price" }),
            "default_price",
        ),
        (json!({ "unpriced_models": "free" }), "unpriced_models"),
        (
            json!({ "default_price": { "input": "1" } }),
            "default_price.output",
        ),
        (
            json!({ "default_price": { "input": "x", "output": "1" } }),
            "default_price.input",
        ),
    ] {
        let refused = root.patch("/api/settings", &settings).await;
        assert_eq!(refused.status, 400, "{settings}");
        assert_eq!(refused.json()["error"]["field"], field, "{settings}");
    }
    let stated = json!({ "unpriced_models": "default_price", "default_price": { "input": "4", "output": "5" } });
    let settings = root.patch("/api/settings", &stated).await.expect(200);
    assert_eq!(settings["default_price"]["input"], "4");
    let answer = ada.chat(call.clone()).await;
    // 10 × 4 + 20 × 5 micro-USD
    assert_eq!(bill_of(&house, &answer).await.0, "0.00014");
    // It cannot be taken away from under the rule that needs it.
    let taken = root
        .patch("/api/settings", &json!({ "default_price": null }))
        .await;
    assert_eq!(taken.status, 400);
    let back = json!({ "unpriced_models": "refuse", "default_price": null });
    let settings = root.patch("/api/settings", &back).await.expect(200);
    assert_eq!(settings["default_price"], json!(null));
    assert_eq!(ada.chat(call).await.status, 403);
}

fn map() -> Value {
    serde_json::from_str(
        r#"{
        "sample_spec": { "mode": "one of: chat, embedding" },
        "cheap": { "mode": "chat", "litellm_provider": "x", "input_cost_per_token": 2.5e-06,
            "output_cost_per_token": 1e-05, "max_output_tokens": 4096, "source": "https://x.example" },
        "x/dear": { "mode": "chat", "litellm_provider": "x", "input_cost_per_token": 3e-06,
            "output_cost_per_token": 1.5e-05, "cache_creation_input_token_cost": 3.75e-06,
            "cache_creation_input_token_cost_above_1hr": 6e-06,
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05 },
        "drawn": { "mode": "image_generation", "output_cost_per_image": 0.04 },
        "too-fine": { "mode": "chat", "input_cost_per_token": 1.00000000000001e-06, "output_cost_per_token": 0 }
        }"#,
    )
    .unwrap()
}

#[tokio::test]
async fn an_import_is_told_first_then_written_and_the_second_time_changes_nothing() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let before = house.store.configuration().version().await.unwrap();
    let told = root
        .post("/api/prices/import", &json!({ "prices": map() }))
        .await
        .expect(200);
    assert_eq!(told["dry_run"], true);
    assert_eq!(models(&told["added"]), ["cheap", "x/dear"]);
    assert_eq!(told["added"][0]["input"], "2.5");
    assert_eq!(told["added"][1]["tiers"][0]["cache_write_1h"], "12");
    assert_eq!(
        models(&told["skipped"]),
        ["drawn", "sample_spec", "too-fine"]
    );
    let reason = told["skipped"][2]["reason"].as_str().unwrap();
    assert!(reason.contains("1.00000000000001e-6"), "{reason}");
    assert_eq!(house.store.configuration().version().await.unwrap(), before);
    assert_eq!(all_prices(&root, "origin=import").await.len(), 0);

    let import = json!({ "prices": map(), "dry_run": false });
    let done = root.post("/api/prices/import", &import).await.expect(200);
    assert_eq!(
        (&done["dry_run"], &done["added"]),
        (&json!(false), &told["added"])
    );
    let kept = root.get("/api/prices/cheap").await.expect(200);
    assert_eq!(kept, told["added"][0]);
    assert_eq!(
        (&kept["origin"], &kept["source"]),
        (&json!("import"), &json!("https://x.example"))
    );
    assert_eq!(
        (&kept["date"], &kept["max_output"]),
        (&json!("2026-11-23"), &json!(4096))
    );

    let version = house.store.configuration().version().await.unwrap();
    assert_eq!(version, before + 1);
    for mode in ["add", "update", "overwrite"] {
        let again = json!({ "prices": map(), "dry_run": false, "mode": mode });
        let again = root.post("/api/prices/import", &again).await.expect(200);
        assert_eq!(
            (&again["added"], &again["changed"]),
            (&json!([]), &json!([]))
        );
        assert_eq!(again["unchanged"], 2, "{mode}");
    }
    assert_eq!(
        house.store.configuration().version().await.unwrap(),
        version
    );
}

#[tokio::test]
async fn an_import_takes_what_its_mode_and_its_patterns_say_and_leaves_locked_prices_alone() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    for (model, locked) in [("cheap", false), ("dear", true)] {
        let price = json!({ "model": model, "input": "1", "output": "1", "locked": locked });
        assert_eq!(root.post("/api/prices", &price).await.status, 201);
    }
    let import = async |more: Value| {
        let mut body = json!({ "prices": map(), "strip_prefix": true });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        root.post("/api/prices/import", &body).await.expect(200)
    };
    let told = import(json!({ "mode": "add" })).await;
    assert_eq!((&told["added"], &told["changed"]), (&json!([]), &json!([])));
    assert_eq!(
        (&told["left_out"], &told["locked"]),
        (&json!(1), &json!(["dear"]))
    );
    let told = import(json!({ "mode": "update" })).await;
    assert_eq!(models(&told["changed"]), ["cheap"]);
    let changed = &told["changed"][0];
    assert_eq!(
        (&changed["before"]["input"], &changed["after"]["input"]),
        (&json!("1"), &json!("2.5"))
    );
    let told = import(json!({ "mode": "overwrite", "models": ["x/*", "drawn"] })).await;
    assert_eq!(
        (&told["changed"], &told["locked"]),
        (&json!([]), &json!(["dear"]))
    );
    assert_eq!(models(&told["skipped"]), ["drawn"]);

    import(json!({ "mode": "overwrite", "dry_run": false })).await;
    assert_eq!(root.get("/api/prices/dear").await.expect(200)["input"], "1");
    assert_eq!(
        root.get("/api/prices/cheap").await.expect(200)["input"],
        "2.5"
    );
    // Whoever sets it by hand makes it their own.
    root.patch("/api/prices/cheap", &json!({ "locked": true }))
        .await
        .expect(200);
    assert_eq!(
        root.get("/api/prices/cheap").await.expect(200)["origin"],
        "set"
    );
}

#[tokio::test]
async fn an_import_is_bounded_and_larger_than_a_transaction() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let many = |count: usize| {
        let row = json!({ "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06 });
        let rows = (0..count).map(|at| (format!("model-{at:04}"), row.clone()));
        Value::Object(rows.collect())
    };
    let refused = root
        .post("/api/prices/import", &json!({ "prices": many(2_001) }))
        .await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["field"]),
        (400, &json!("models"))
    );
    let import = json!({ "prices": many(120), "dry_run": false });
    let done = root.post("/api/prices/import", &import).await.expect(200);
    assert_eq!(done["added"].as_array().unwrap().len(), 120);
    assert_eq!(all_prices(&root, "origin=import").await.len(), 120);
    // 49 a transaction.
    assert_eq!(house.store.configuration().version().await.unwrap(), 3);
    // A body of more than the usual megabyte is taken here.
    let mut large = many(1);
    large["model-0000"]["padding"] = json!("x".repeat(2_000_000));
    root.post("/api/prices/import", &json!({ "prices": large }))
        .await
        .expect(200);
    large["model-0000"]["padding"] = json!("x".repeat(6_000_000));
    let refused = root
        .post("/api/prices/import", &json!({ "prices": large }))
        .await;
    assert_eq!(refused.status, 413);
}

#[tokio::test]
async fn a_map_is_fetched_from_its_address_and_an_inner_one_never() {
    let house = House::builder().bare().with_price_maps().build().await;
    let root = house.root().await;
    let url = format!("{}/map.json", house.upstream.url());
    house.upstream.next(Act::json(200, &map()));
    let told = root
        .post("/api/prices/import", &json!({ "url": url }))
        .await
        .expect(200);
    assert_eq!(models(&told["added"]), ["cheap", "x/dear"]);
    let source = told["added"][0]["source"].as_str().unwrap();
    assert_eq!(source, format!("{url}, after https://x.example"));
    for act in [Act::json(404, &json!({})), Act::json(200, &json!([1]))] {
        house.upstream.next(act);
        let refused = root
            .post("/api/prices/import", &json!({ "url": url }))
            .await;
        assert_eq!(
            (refused.status, &refused.json()["error"]["field"]),
            (400, &json!("url"))
        );
    }

    let strict = House::builder().bare().build().await;
    let root = strict.root().await;
    let inner = format!("https://{}/map.json", strict.address);
    for url in [
        url.as_str(),
        &inner,
        "https://169.254.169.254/",
        "https://localhost:1/map.json",
    ] {
        let refused = root
            .post("/api/prices/import", &json!({ "url": url }))
            .await;
        assert_eq!(refused.status, 400, "{url}: {}", refused.text);
    }
    assert_eq!(house.upstream.got().len(), 3);
    for body in [
        json!({}),
        json!({ "url": "https://x.example", "prices": {} }),
        json!({ "prices": [] }),
    ] {
        assert_eq!(
            root.post("/api/prices/import", &body).await.status,
            400,
            "{body}"
        );
    }
}

#[tokio::test]
async fn members_read_prices_and_change_none() {
    let house = House::builder().bare().build().await;
    house.root().await.create_user("ada").await;
    let ada = house.anonymous().sign_in("ada", "password of ada").await;
    assert_eq!(ada.get("/api/prices").await.status, 200);
    let price = json!({ "model": "m", "input": "0", "output": "0" });
    assert_eq!(ada.post("/api/prices", &price).await.status, 403);
    assert_eq!(ada.put("/api/prices/gpt-4o", &price).await.status, 403);
    assert_eq!(
        ada.patch("/api/prices/gpt-4o", &json!({ "input": "0" }))
            .await
            .status,
        403
    );
    assert_eq!(ada.delete("/api/prices/gpt-4o").await.status, 403);
    let import = json!({ "prices": map() });
    assert_eq!(ada.post("/api/prices/import", &import).await.status, 403);
}

#[tokio::test]
async fn two_administrators_at_once_lose_no_change() {
    let house = House::new().await;
    let root = house.root().await;
    let path = format!("/api/prices/{MODEL}");
    let members = [
        "input",
        "output",
        "cache_read",
        "reasoning",
        "input_audio",
        "output_audio",
    ];
    let price = async |member: &str| {
        root.patch(&path, &json!({ member: "9" })).await.expect(200);
    };
    let setting = async |body: Value| {
        root.patch("/api/settings", &body).await.expect(200);
    };
    tokio::join!(
        price(members[0]),
        price(members[1]),
        price(members[2]),
        price(members[3]),
        price(members[4]),
        price(members[5]),
        setting(json!({ "keepalive_ms": 1_000 })),
        setting(json!({ "default_max_output_tokens": 77 })),
        setting(json!({ "usage_retention_days": 7 })),
    );
    let shown = root.get(&path).await.expect(200);
    for member in members {
        assert_eq!(shown[member], "9", "{member} of {shown}");
    }
    let settings = root.get("/api/settings").await.expect(200);
    assert_eq!(settings["keepalive_ms"], 1_000);
    assert_eq!(settings["default_max_output_tokens"], 77);
    assert_eq!(settings["usage_retention_days"], 7);
}

#[tokio::test]
async fn every_version_has_the_prices_that_it_had() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let configuration = house.store.configuration();
    let mut versions = vec![configuration.version().await.unwrap()];
    for usd in ["1", "2"] {
        let price = json!({ "input": usd, "output": usd });
        assert!(root.put("/api/prices/gpt-4o", &price).await.status < 300);
        versions.push(configuration.version().await.unwrap());
        root.patch("/api/settings", &json!({ "keepalive_ms": 1 }))
            .await
            .expect(200);
    }
    assert_eq!(root.delete("/api/prices/gpt-4o").await.status, 204);
    versions.push(configuration.version().await.unwrap());
    let import = json!({ "prices": map(), "dry_run": false, "models": ["cheap"] });
    root.post("/api/prices/import", &import).await.expect(200);
    versions.push(configuration.version().await.unwrap());

    let history = configuration.price_history().await.unwrap();
    let input = |version: u64, model: &str| {
        let prices = history.at(version);
        let price = prices.price_of(model)?;
        price.rates.input.map(|rate| rate.to_string())
    };
    // By the book, set, set anew, and by the book again.
    let told: Vec<_> = versions
        .iter()
        .map(|version| input(*version, "gpt-4o").unwrap())
        .collect();
    assert_eq!(told, ["2.5", "1", "2", "2.5", "2.5"]);
    // What was stated for models without a price is part of it.
    let stated = json!({ "unpriced_models": "default_price", "default_price": { "input": "4", "output": "5" } });
    root.patch("/api/settings", &stated).await.expect(200);
    let stated = configuration.version().await.unwrap();
    root.patch("/api/settings", &json!({ "unpriced_models": "refuse" }))
        .await
        .expect(200);
    let later = configuration.price_history().await.unwrap();
    let input_of_unknown = |version| {
        let prices = later.at(version);
        let price = prices.price_of("unknown")?;
        price.rates.input.map(|rate| rate.to_string())
    };
    let told: Vec<_> = (stated - 1..=stated + 1).map(input_of_unknown).collect();
    assert_eq!(told, [None, Some("4".to_owned()), None]);
    // Between two changes the former holds.
    assert_eq!(input(versions[2] - 1, "gpt-4o").as_deref(), Some("1"));
    assert_eq!(input(versions[3], "cheap"), None);
    assert_eq!(input(versions[4], "cheap").as_deref(), Some("2.5"));
    let named = history
        .changes()
        .iter()
        .filter(|change| !change.model.is_empty());
    let began: Vec<_> = named
        .map(|change| (change.began.version, change.began.at))
        .collect();
    let expected: Vec<_> = versions[1..]
        .iter()
        .map(|version| (*version, house.clock.now()))
        .collect();
    assert_eq!(began, expected);
}

#[tokio::test]
async fn administrators_see_the_margin_and_members_do_not() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let price = json!({ "model": "*", "input": "10", "output": "10" });
    assert_eq!(root.post("/api/prices", &price).await.status, 201);
    let mut channel = house.upstream.channel("openai");
    channel["models"] = json!(["sold-*", "other"]);
    channel["model_mapping"] = json!({ "sold-mapped": "bought" });
    channel["cost_ratio"] = json!("0.8");
    channel["cost_prices"] = json!([{ "model": "bought", "input": "1", "output": "20" }]);
    let id = house.channel(channel).await;
    let shown = root.get(&format!("/api/channels/{id}")).await.expect(200);
    assert_eq!(shown["cost_ratio"], "0.8");
    assert_eq!(shown["cost_prices"][0]["output"], "20");

    root.create_user("ada").await;
    let signed_in = house.anonymous().sign_in("ada", "password of ada").await;
    root.credit(&signed_in.user_id, "1").await;
    let ada = root.create_key(&signed_in.user_id, json!({})).await;
    let told = async |model: &str| {
        let call = json!({ "model": model, "max_tokens": 20 });
        let record = record_of(&house, &ada.chat(call).await).await;
        ["cost_usd", "upstream_cost_usd", "margin_usd"].map(|member| record[member].clone())
    };
    // 30 tokens at 10 micro-USD each, of which four fifths are paid on.
    assert_eq!(
        told("other").await,
        [json!("0.0003"), json!("0.00024"), json!("0.00006")]
    );
    // 10 × 1 + 20 × 20: sold at a loss.
    assert_eq!(
        told("sold-mapped").await,
        [json!("0.0003"), json!("0.00041"), json!("-0.00011")]
    );
    let free = json!({ "cost_ratio": null, "cost_prices": null });
    root.patch(&format!("/api/channels/{id}"), &free)
        .await
        .expect(200);
    assert_eq!(
        told("other").await,
        [json!("0.0003"), json!(null), json!(null)]
    );

    let own = signed_in.get("/api/usage").await.expect(200);
    for record in own["data"].as_array().unwrap() {
        assert_eq!(
            (&record["upstream_cost_usd"], &record["margin_usd"]),
            (&json!(null), &json!(null))
        );
    }
    for wrong in [
        json!({ "cost_ratio": "-1" }),
        json!({ "cost_prices": [{ "model": "m", "input": "1" }] }),
        json!({ "cost_prices": [
            { "model": "m", "per_call": "1" }, { "model": "m", "per_call": "1" },
        ] }),
    ] {
        let refused = root.patch(&format!("/api/channels/{id}"), &wrong).await;
        assert_eq!(refused.status, 400, "{wrong}");
    }
}
