//! `/api/prices`: decimal texts, exactly.

use serde_json::json;
use tests::House;

#[tokio::test]
async fn a_price_is_kept_exactly() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let price = json!({
        "model": "meta/llama*", "input": "0.15", "output": 0.6, "cache_read": "0",
        "tiers": [{ "above_input_tokens": 200_000, "input": "0.3" }],
    });
    assert!(root.post("/api/prices", &price).await.status < 300);
    let shown = root.get("/api/prices/meta/llama*").await.expect(200);
    assert_eq!(
        (&shown["input"], &shown["output"]),
        (&json!("0.15"), &json!("0.6"))
    );
    assert_eq!(
        (&shown["cache_read"], &shown["reasoning"]),
        (&json!("0"), &json!(null))
    );
    assert_eq!(shown["tiers"][0]["input"], "0.3");
    assert!(root.delete("/api/prices/meta/llama*").await.status < 300);
    assert_eq!(root.get("/api/prices").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_price_that_says_too_little_or_too_much_is_refused() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    for price in [
        json!({ "model": "m" }),
        json!({ "model": "m", "input": "1" }),
        json!({ "model": "m", "input": "-1", "output": "1" }),
        json!({ "model": "m", "input": "0.0000001", "output": "1" }),
        json!({ "model": "m", "input": "1e3", "output": "1" }),
        json!({ "model": "", "input": "1", "output": "1" }),
        json!({ "model": "m", "input": "1", "output": "1", "thinking": "3" }),
    ] {
        let refused = root.post("/api/prices", &price).await;
        assert_eq!(refused.status, 400, "{price}: {}", refused.text);
    }
}
