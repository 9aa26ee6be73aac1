//! A thousand callers at once on a balance for a hundred.

use futures_util::future::join_all;
use serde_json::json;
use tests::upstream::{Act, Gate, Piece};
use tests::{CLAUDE, House};

/// What the fake provider says to each of those who get through, once all have been answered or hold.
const THOUSAND: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_as_many_are_admitted_as_can_be_paid() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    // Free input, so that the hold is exactly 1,000 tokens of output: 0.002 USD.
    let price = json!({ "model": "fake-model", "input": "0", "output": "2" });
    assert!(root.post("/api/prices", &price).await.status < 300);
    house
        .channel(house.upstream.channel("openai-compatible"))
        .await;
    let ada = house.user_with("ada", "0.2").await;
    let gate = Gate::default();
    let body = json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": 400 } });
    for _ in 0..THOUSAND {
        house.upstream.next(Act::Say {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            pieces: vec![Piece::Gate(gate.clone()), Piece::Text(body.to_string())],
        });
    }
    let calls = join_all((0..THOUSAND).map(|_| ada.chat(json!({ "max_tokens": 1_000 }))));
    let watch = async {
        // Nobody gets an answer before everybody has asked: all holds are taken at once.
        while house.upstream.got().len() < 100 {
            tokio::task::yield_now().await;
        }
        let wallet = house.wallet(&ada.user_id).await;
        assert_eq!((wallet.balance.get(), wallet.holds.len()), (0, 100));
        gate.open_for_all();
    };
    let (answers, ()) = tokio::join!(calls, watch);
    // Money that comes back while others still ask may admit some of them, too.
    let admitted = answers.iter().filter(|answer| answer.status == 200).count();
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status != 200)
        .collect();
    assert!(admitted >= 100, "{admitted}");
    for answer in &refused {
        assert_eq!(
            (answer.status, answer.openai_code().as_str()),
            (402, "insufficient_balance")
        );
    }
    assert_eq!(house.upstream.got().len(), admitted);
    let wallet = house.wallet(&ada.user_id).await;
    assert_eq!(
        wallet.spent.get(),
        i64::try_from(admitted).unwrap() * 800_000
    );
    assert_eq!(wallet.balance.saturating_add(wallet.spent), wallet.granted);
    assert!(wallet.balance.get() >= 0 && wallet.holds.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_pay_their_last_cent_and_nobody_else_gets_in() {
    let house = House::builder().bare().build().await;
    let root = house.root().await;
    let price = json!({ "model": CLAUDE, "input": "0", "output": "2" });
    assert!(root.post("/api/prices", &price).await.status < 300);
    let mut channel = house.upstream.channel("anthropic");
    channel["models"] = json!([CLAUDE]);
    house.channel(channel).await;
    let ada = house.user_with("ada", "0.2").await;
    for _ in 0..THOUSAND {
        // Every call uses all that it may: nothing comes back.
        house
            .upstream
            .next(tests::upstream::messages_reply("x", 1, 1_000));
    }
    let limit = json!({ "max_tokens": 1_000 });
    let answers = join_all((0..THOUSAND).map(|_| ada.messages(limit.clone()))).await;
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status != 200)
        .collect();
    assert_eq!(refused.len(), THOUSAND - 100);
    for answer in refused {
        assert_eq!(
            (answer.status, answer.anthropic_type().as_str()),
            (402, "billing_error")
        );
    }
    let wallet = house.wallet(&ada.user_id).await;
    assert_eq!((wallet.balance.get(), wallet.spent), (0, wallet.granted));
    assert!(wallet.holds.is_empty());
}
