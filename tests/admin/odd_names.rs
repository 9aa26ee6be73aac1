//! Names and places in lists as no client writes them: the table has rules for what a key may be, and
//! none of them may show as a failure of ours.

use serde_json::json;
use tests::House;

/// Texts that keys of a table do not bear, or that expressions could take for something else.
fn odd() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "#",
        "a#b",
        ":x",
        "\u{0}",
        "\u{ffff}",
        "\u{10ffff}",
        "é",
        "日本",
        "a\nb",
        "!VERSION",
        "USERS",
        "%00",
        "🧾",
    ]
    .map(str::to_owned)
    .into();
    texts.extend([255, 1_024, 1_100, 2_049, 5_000].map(|length| "k".repeat(length)));
    texts
}

/// As it stands in a query string.
fn escaped(text: &str) -> String {
    let byte = |byte: &u8| format!("%{byte:02X}");
    text.as_bytes().iter().map(byte).collect()
}

#[tokio::test]
async fn no_name_of_anything_is_a_failure_of_ours() {
    let house = House::new().await;
    let root = house.root().await;
    for name in odd() {
        let told = format!("{:?}", name.chars().take(12).collect::<String>());
        let price = json!({ "model": name, "input": "1", "output": "2" });
        let user = json!({ "username": name, "password": "a long password" });
        let group = json!({ "name": name });
        for (path, body) in [
            ("/api/prices", price),
            ("/api/users", user),
            ("/api/groups", group),
        ] {
            let answer = root.post(path, &body).await;
            assert!(answer.status < 500, "{path} {told}: {}", answer.text);
        }
        for list in ["prices", "groups", "users", "keys", "channels", "credits"] {
            let path = format!("/api/{list}/{}", escaped(&name));
            for answer in [
                root.get(&path).await,
                root.patch(&path, &json!({})).await,
                root.delete(&path).await,
            ] {
                assert!(answer.status < 500, "{list} {told}: {}", answer.text);
            }
        }
        let signed = json!({ "username": name, "password": "a long password" });
        let answer = house.anonymous().post("/api/session", &signed).await;
        assert!(answer.status < 500, "{told}: {}", answer.text);
    }
}

#[tokio::test]
async fn no_place_in_a_list_is_a_failure_of_ours() {
    let house = House::new().await;
    let root = house.root().await;
    let ada = house.user_with("ada", "1").await.user_id;
    let of_user = format!("/api/keys?user_id={ada}&");
    let mut cursors = odd();
    // Within the user's part of the list, and beyond its end.
    cursors.extend(odd().iter().map(|text| format!("{ada}#{text}")));
    for cursor in cursors {
        let told = format!("{:?}", cursor.chars().take(12).collect::<String>());
        for path in [
            "/api/users?",
            "/api/keys?",
            "/api/prices?",
            "/api/channels?",
            "/api/groups?",
            "/api/usage?",
            &of_user,
        ] {
            let answer = root
                .get(&format!("{path}cursor={}", escaped(&cursor)))
                .await;
            assert!(answer.status < 500, "{path} {told}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn no_model_that_a_caller_names_is_a_failure_of_ours() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for model in odd() {
        let told = format!("{:?}", model.chars().take(12).collect::<String>());
        let answer = ada.chat(json!({ "model": model })).await;
        assert!(answer.status < 500, "{told}: {}", answer.text);
    }
}
