//! `/api/users`: who there is, who may change whom, and their money.

use serde_json::json;
use tests::House;

#[tokio::test]
async fn a_new_user_has_nothing_and_gets_credits() {
    let house = House::new().await;
    let root = house.root().await;
    let created = root
        .post("/api/users", &json!({ "username": "Ada" }))
        .await
        .expect(201);
    assert_eq!(created["username"], "ada");
    let expected = json!({
        "display_name": created["display_name"], "role": "member", "group": "default", "enabled": true,
        "unlimited": false, "balance_usd": "0", "held_usd": "0", "spent_usd": "0",
        "created_at": "2026-11-23T12:00:00Z",
    });
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&created[member], value, "{member}");
    }
    let id = created["id"].as_str().unwrap();
    let path = format!("/api/users/{id}/credits");
    let credit = |amount: &str| json!({ "amount_usd": amount, "note": "n" });
    assert!(root.post(&path, &credit("4.2")).await.status < 300);
    assert!(root.post(&path, &credit("-0.2")).await.status < 300);
    assert_eq!(root.user(id).await["balance_usd"], "4");
    assert_eq!(root.post(&path, &credit("-4.000000001")).await.status, 409);
    assert_eq!(root.post(&path, &credit("0.0000000001")).await.status, 400);
    assert_eq!(root.user(id).await["balance_usd"], "4");
    assert_eq!(
        root.post("/api/users", &json!({ "username": "ada" }))
            .await
            .status,
        409
    );
}

#[tokio::test]
async fn members_see_and_change_only_themselves() {
    let house = House::new().await;
    let root = house.root().await;
    let id = root.create_user("ada").await;
    let other = root.create_user("bob").await;
    let ada = house.anonymous().sign_in("ada", "password of ada").await;
    assert_eq!(ada.get(&format!("/api/users/{id}")).await.status, 200);
    for path in [
        format!("/api/users/{other}"),
        "/api/users".into(),
        "/api/channels".into(),
    ] {
        assert!([403, 404].contains(&ada.get(&path).await.status), "{path}");
    }
    let credit = json!({ "amount_usd": "1", "note": "for me" });
    assert_eq!(
        ada.post(&format!("/api/users/{id}/credits"), &credit)
            .await
            .status,
        403
    );
    for change in [
        json!({ "role": "admin" }),
        json!({ "unlimited": true }),
        json!({ "group": "x" }),
    ] {
        assert_eq!(
            ada.patch(&format!("/api/users/{id}"), &change).await.status,
            403,
            "{change}"
        );
    }
    assert_eq!(
        ada.post("/api/prices", &json!({ "model": "m" }))
            .await
            .status,
        403
    );
    assert_eq!(
        ada.post("/api/jobs/release_holds", &json!({})).await.status,
        403
    );
}

#[tokio::test]
async fn administrators_do_not_rise_above_root() {
    let house = House::new().await;
    let root = house.root().await;
    let id = root.create_user("eve").await;
    root.patch(&format!("/api/users/{id}"), &json!({ "role": "admin" }))
        .await
        .expect(200);
    let eve = house.anonymous().sign_in("eve", "password of eve").await;
    let path = format!("/api/users/{}", root.user_id);
    assert_eq!(
        eve.patch(&path, &json!({ "password": "mine now, root" }))
            .await
            .status,
        403
    );
    let rise = eve
        .patch(&format!("/api/users/{id}"), &json!({ "role": "root" }))
        .await;
    assert!([403, 409].contains(&rise.status));
    assert!([403, 409].contains(&eve.delete(&path).await.status));
    assert!(root.delete(&path).await.status >= 400);
    assert!(root.delete(&format!("/api/users/{id}")).await.status < 300);
    assert_eq!(eve.get("/api/session").await.status, 401);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let house = House::new().await;
    let root = house.root().await;
    for name in ["ada", "bob", "cyd"] {
        root.create_user(name).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = root
            .get(&format!("/api/users?limit=2{cursor}"))
            .await
            .expect(200);
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 2);
        seen.extend(
            data.iter()
                .map(|user| user["username"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["ada", "bob", "cyd", "root"]);
}

#[tokio::test]
async fn a_change_of_what_is_no_longer_so_is_refused() {
    let house = House::new().await;
    let root = house.root().await;
    let id = root.create_user("eve").await;
    let path = format!("/api/users/{id}");
    root.patch(&path, &json!({ "role": "admin" }))
        .await
        .expect(200);
    let stale = house
        .store
        .users()
        .find(id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    root.patch(&path, &json!({ "role": "member" }))
        .await
        .expect(200);
    // Whoever saw the administrator writes it back.
    assert!(house.store.users().update(&stale).await.is_err());
    assert_eq!(root.user(&id).await["role"], "member");
}
