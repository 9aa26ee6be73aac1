//! Budgets begin anew when their period ends, once.

use serde_json::json;
use tests::House;

#[tokio::test]
async fn a_period_that_is_over_begins_anew_and_keeps_what_is_held() {
    let house = House::new().await;
    let root = house.root().await;
    let user = house.user_with("ada", "1").await.user_id;
    let budget = json!({ "limit_usd": "0.001", "period": "day" });
    let key = root.create_key(&user, json!({ "budget": budget })).await;
    assert_eq!(key.chat(json!({ "max_tokens": 100 })).await.status, 200);
    let shown = root
        .get(&format!("/api/keys/{}", key.key_id))
        .await
        .expect(200);
    assert_eq!(shown["spent_usd"], "0.00005");
    assert_eq!(
        house.run_job("reset_budgets", json!({})).await["report"]["reset"],
        0
    );
    house.clock.advance_ms(12 * 3_600 * 1_000);
    for reset in [1, 0] {
        assert_eq!(
            house.run_job("reset_budgets", json!({})).await["report"]["reset"],
            reset
        );
        let root = house.root().await;
        let shown = root
            .get(&format!("/api/keys/{}", key.key_id))
            .await
            .expect(200);
        assert_eq!(
            (&shown["spent_usd"], &shown["remaining_usd"]),
            (&json!("0"), &json!("0.001"))
        );
        assert_eq!(shown["resets_at"], "2026-11-25T00:00:00Z");
    }
}
