//! Media that callers only point to: fetched for providers that want bytes, from public places only.

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use relay::upstream::Upstream;
use relay::upstream::fetch::{NotFetched, Reach};
use serde_json::json;
use tests::{House, MODEL};
use tokio::net::TcpListener;

/// A server of images on this machine; its address.
async fn images() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route(
            "/a.png",
            get(|| async { ([("content-type", "image/png; x=y")], "not really") }),
        )
        .route("/moved", get(|| async { Redirect::temporary("/a.png") }))
        .route("/around", get(|| async { Redirect::temporary("/around") }))
        .route(
            "/inside",
            get(|| async { Redirect::temporary("http://169.254.169.254/latest") }),
        );
    #[expect(
        clippy::disallowed_methods,
        reason = "the server lives as long as its test"
    )]
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn nobody_reaches_this_machine_through_the_gateway() {
    let house = House::builder().bare().build().await;
    let price = json!({ "model": MODEL, "input": "1", "output": "2" });
    house.root().await.post("/api/prices", &price).await;
    house.channel(house.upstream.channel("gemini")).await;
    let ada = house.user_with("ada", "1").await;
    for url in [
        format!("{}/a.png", images().await),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let image = json!({ "type": "image_url", "image_url": { "url": url } });
        let message = json!({ "role": "user", "content": [image] });
        let answer = ada.chat(json!({ "messages": [message] })).await;
        assert_eq!(answer.status, 400, "{url}: {}", answer.text);
    }
    assert!(house.upstream.got().is_empty());
    let user = house.root().await.user(&ada.user_id).await;
    assert_eq!(user["balance_usd"], "1");
}

#[tokio::test]
async fn what_may_be_fetched_is_bounded_and_checked_after_each_redirect() {
    let (images, upstream) = (
        images().await,
        Upstream::new().with_media_from(Reach::Private),
    );
    let fetch = async |path: &str, largest| {
        let url = format!("{images}{path}");
        upstream.fetch(&url, largest).await
    };
    for path in ["/a.png", "/moved"] {
        let fetched = fetch(path, 100).await.unwrap();
        assert_eq!(fetched.mime.as_deref(), Some("image/png"));
        assert_eq!(fetched.bytes, "not really");
    }
    assert!(matches!(
        fetch("/a.png", 5).await,
        Err(NotFetched::TooLarge)
    ));
    assert!(matches!(
        fetch("/none", 100).await,
        Err(NotFetched::Refused(404))
    ));
    assert!(matches!(
        fetch("/around", 100).await,
        Err(NotFetched::Redirects)
    ));
    assert!(matches!(
        fetch("/inside", 100).await,
        Err(NotFetched::Private)
    ));
    let public = Upstream::new().fetch(&format!("{images}/a.png"), 100).await;
    assert!(matches!(public, Err(NotFetched::Private)));
}
