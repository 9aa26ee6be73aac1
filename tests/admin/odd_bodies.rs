//! Bodies as no client means them: each is refused, and the refusal says what is wrong.

use serde_json::json;
use tests::House;

#[tokio::test]
async fn a_list_is_no_object() {
    let house = House::new().await;
    let root = house.root().await;
    for (path, body) in [
        ("/api/redemption-codes", json!(["5", 1])),
        ("/api/redemptions", json!(["09EX6-94Z7G-26KG0-G2QS8-MEHQ4"])),
        ("/api/groups", json!(["vip"])),
        ("/api/prices/import", json!([])),
        ("/api/jobs/roll_up", json!([])),
    ] {
        let answer = root.post(path, &body).await;
        let error = &answer.expect(400)["error"];
        assert_eq!(error["message"], "A JSON object is expected.", "{path}");
    }
    root.patch("/api/settings", &json!([0])).await.expect(400);
    let codes = root.get("/api/redemption-codes").await.expect(200);
    assert_eq!(codes["data"], json!([]), "nothing was made of a list");
}

#[tokio::test]
async fn a_number_in_place_of_a_word_is_named() {
    let house = House::new().await;
    let root = house.root().await;
    for name in ["unsettled_policy", "unpriced_models"] {
        for value in [json!(1), json!(true), json!(["release"]), json!("maybe")] {
            let change = json!({ name: value });
            let error = root.patch("/api/settings", &change).await.expect(400);
            assert_eq!(error["error"]["field"], name, "{change}");
            assert_eq!(error["error"]["code"], "invalid_value", "{change}");
        }
    }
}
