//! `/api/openapi.json`: generated from the code, and complete.

use std::collections::BTreeSet;

use tests::House;

#[tokio::test]
async fn the_document_names_every_path_of_the_contract() {
    let house = House::new().await;
    let document = house.anonymous().get("/api/openapi.json").await.expect(200);
    let paths: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    for path in [
        "/api/session",
        "/api/users",
        "/api/users/{id}",
        "/api/users/{id}/credits",
        "/api/keys",
        "/api/keys/{id}",
        "/api/channels",
        "/api/channels/{id}",
        "/api/channels/{id}/test",
        "/api/groups",
        "/api/prices",
        "/api/models",
        "/api/settings",
        "/api/providers",
        "/api/usage",
    ] {
        assert!(paths.contains(path), "{path} is not in {paths:?}");
    }
    insta::assert_snapshot!("paths", paths.into_iter().collect::<Vec<_>>().join("\n"));
    for page in ["/", "/api/docs"] {
        let page = house.anonymous().get(page).await;
        assert_eq!(page.status, 200);
        assert!(
            page.header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
        assert!(page.text.contains("/api/"));
    }
}
