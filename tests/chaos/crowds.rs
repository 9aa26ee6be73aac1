//! Two hundred callers at once against each limit, through two processes that do not know of each
//! other: as many are admitted as fit, not one more and not one less.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::hold::{Wallet, WalletId};
use shared::domain::limit::Minute;
use tests::answer::Answer;
use tests::callers::KeyCaller;
use tests::upstream::{Act, Gate, Got, Piece, chat_reply, chat_stream};
use tests::{House, MODEL};

use super::books::{Books, is_sound};

const CROWD: usize = 200;
/// The output limit of each call; the provider uses all of it.
const OUTPUT: u64 = 1_000;
/// What each call costs and holds, in nano-USD: input is free, output 2 USD a million.
const COST: i64 = 2_000_000;

/// A limit, on the way to a call: of its key, or of its user's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Key,
    Group,
}

const BOTH: [Whose; 2] = [Whose::Key, Whose::Group];

struct Crowd {
    house: House,
    books: Books,
    /// The same user at two processes, with one key or with two.
    callers: Vec<KeyCaller>,
}

impl Crowd {
    /// A user with so much money, limited so.
    async fn gather(usd: &str, whose: Whose, limited: Value) -> Self {
        let house = House::builder().bare().build().await;
        let root = house.root().await;
        let price = json!({ "model": MODEL, "input": "0", "output": "2" });
        assert!(root.post("/api/prices", &price).await.status < 300);
        house
            .channel(house.upstream.channel("openai-compatible"))
            .await;
        house.upstream.decide(uses_all);
        let ada = root.create_user("ada").await;
        root.credit(&ada, usd).await;
        let keys = match whose {
            Whose::Key => {
                let key = root.create_key(&ada, limited).await;
                [key.clone(), key]
            }
            Whose::Group => {
                let group = root.patch("/api/groups/default", &limited).await;
                group.expect(200);
                [
                    root.create_key(&ada, json!({})).await,
                    root.create_key(&ada, json!({})).await,
                ]
            }
        };
        let [here, there] = keys;
        let there = house.elsewhere(&house.clock, &there).await;
        Self {
            books: Books::of(&house),
            callers: vec![here, there],
            house,
        }
    }

    /// Everybody calls at once.
    async fn rush(&self) -> Vec<Answer> {
        join_all((0..CROWD).map(|n| self.call(n))).await
    }

    async fn call(&self, n: usize) -> Answer {
        let body = json!({ "max_tokens": OUTPUT, "stream": n % 4 > 1 });
        self.callers[n % 2].chat(body).await
    }

    /// Everybody calls at once; so many are answered, and everybody else is told that.
    async fn admits(&self, expected: usize, code: &str) {
        let answers = self.rush().await;
        let admitted = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(admitted, expected);
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(refused.openai_code(), code);
        }
        self.nothing_is_held().await;
    }

    async fn nothing_is_held(&self) {
        self.house.quiet().await;
        for wallet in self.wallets().await {
            assert!(wallet.holds.is_empty(), "{wallet:?}");
        }
    }

    /// The wallets that there are: of the key, of the group's budget, of the user.
    async fn wallets(&self) -> Vec<Wallet> {
        let mut ids = Vec::new();
        for caller in &self.callers {
            let user = caller.user_id.parse().unwrap();
            ids.push(WalletId::Key(caller.key_id.parse().unwrap()));
            ids.extend([WalletId::Allowance(user), WalletId::User(user)]);
        }
        ids.sort_unstable();
        ids.dedup();
        let found = self.books.wallets(&ids).await;
        for (id, wallet) in &found {
            is_sound(*id, wallet);
        }
        found.into_values().collect()
    }

    /// The wallet that counts.
    async fn counting(&self) -> Wallet {
        let mut wallets = self.wallets().await.into_iter();
        wallets.find(|wallet| wallet.minute.is_some()).unwrap()
    }

    /// How many tokens a call claims.
    async fn claim(&self) -> u64 {
        let gate = Gate::default();
        self.house.upstream.next(Act::Hang(gate.clone()));
        let (answer, claim) = tokio::join!(self.call(0), async {
            while self.house.upstream.got().is_empty() {
                tokio::task::yield_now().await;
            }
            let wallet = self.counting().await;
            gate.open_for_all();
            wallet.tokens
        });
        assert_eq!(answer.status, 502);
        self.house.clock.advance_ms(60_000);
        claim
    }
}

/// All of the output that it may.
fn uses_all(got: &Got) -> Act {
    let output = got.json()["max_tokens"].as_u64().unwrap();
    if got.json()["stream"] == true {
        chat_stream(&["x"], 3, output)
    } else {
        chat_reply("x", 3, output)
    }
}

fn usd(calls: i64) -> String {
    shared::domain::money::NanoUsd::new(calls * COST + COST / 2).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_per_minute() {
    for whose in BOTH {
        let limited = json!({ "limits": { "rpm": 37 } });
        let crowd = Crowd::gather("100", whose, limited).await;
        for _ in 0..2 {
            crowd.admits(37, "rate_limit_exceeded").await;
            assert_eq!(crowd.counting().await.requests, 37);
            crowd.house.clock.advance_ms(60_000);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_per_minute() {
    for whose in BOTH {
        let any = json!({ "limits": { "tpm": 1_000_000 } });
        let claim = Crowd::gather("100", whose, any).await.claim().await;
        assert!(claim > OUTPUT);
        // One more would be one token too many.
        let limit = claim * 24 - 1;
        let crowd = Crowd::gather("100", whose, json!({ "limits": { "tpm": limit } })).await;
        let input = claim - OUTPUT;
        crowd
            .house
            .upstream
            .decide(move |_| chat_reply("x", input, OUTPUT));
        for _ in 0..2 {
            crowd.admits(23, "rate_limit_exceeded").await;
            assert_eq!(crowd.counting().await.tokens, claim * 23);
            crowd.house.clock.advance_ms(60_000);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_were_not_used_are_there_for_others() {
    let any = json!({ "limits": { "tpm": 1_000_000 } });
    let claim = Crowd::gather("100", Whose::Key, any).await.claim().await;
    let limited = json!({ "limits": { "tpm": claim * 2 } });
    let crowd = Crowd::gather("100", Whose::Key, limited).await;
    crowd.house.upstream.decide(|_| chat_reply("x", 5, 5));
    // Ten tokens each: there is room for every one, one after the other, until less than a claim is left.
    let room = usize::try_from(claim / 10).unwrap() + 1;
    for n in 0..room.min(CROWD) {
        assert_eq!(crowd.call(n).await.status, 200, "{n} of {room}");
    }
    let counted = 10 * u64::try_from(room.min(CROWD)).unwrap();
    assert_eq!(crowd.counting().await.tokens, counted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_the_same_time() {
    for whose in BOTH {
        let crowd = Crowd::gather("100", whose, json!({ "limits": { "parallel": 11 } })).await;
        for turn in 0..2 {
            let gate = Gate::default();
            let pieces = vec![
                Piece::Gate(gate.clone()),
                Piece::Text(
                    r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9}}"#.into(),
                ),
            ];
            crowd.house.upstream.decide(move |_| Act::Say {
                status: 200,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                pieces: pieces.clone(),
            });
            let before = crowd.house.upstream.got().len();
            // Nobody who was admitted is answered before everybody else was refused.
            let refused = AtomicUsize::new(0);
            let (refused, gate) = (&refused, &gate);
            let calls = (0..CROWD).map(|n| {
                let call = crowd.callers[n % 2].chat(json!({ "max_tokens": OUTPUT }));
                async move {
                    let answer = call.await;
                    if answer.status != 200 && refused.fetch_add(1, SeqCst) + 12 == CROWD {
                        gate.open_for_all();
                    }
                    answer
                }
            });
            let answers = join_all(calls).await;
            let admitted = answers.iter().filter(|answer| answer.status == 200).count();
            assert_eq!(admitted, 11, "{whose:?} {turn}");
            assert_eq!(crowd.house.upstream.got().len() - before, 11);
            for refused in answers.iter().filter(|answer| answer.status != 200) {
                assert_eq!(refused.openai_code(), "too_many_parallel_calls");
            }
            crowd.nothing_is_held().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets() {
    for whose in BOTH {
        let budget = json!({ "budget": { "limit_usd": usd(29), "period": "day" } });
        let crowd = Crowd::gather("100", whose, budget).await;
        for _ in 0..2 {
            crowd.admits(29, "budget_exceeded").await;
            // Every day, exactly at its first call.
            crowd.house.clock.advance_ms(86_400_000);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn balances() {
    let crowd = Crowd::gather(&usd(41), Whose::Key, json!({})).await;
    crowd.admits(41, "insufficient_balance").await;
    assert_eq!(crowd.wallets().await[0].balance.get(), COST / 2);
    crowd.admits(0, "insufficient_balance").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_and_a_balance_and_limits_all_hold() {
    for (key, group, balance, rpm) in [
        (40, 30, 20, 50),
        (20, 40, 30, 50),
        (30, 20, 40, 50),
        (50, 40, 30, 20),
    ] {
        let budget = |calls| json!({ "limit_usd": usd(calls), "period": "total" });
        let limited = json!({ "budget": budget(key), "limits": { "rpm": rpm, "parallel": 500 } });
        let crowd = Crowd::gather(&usd(balance), Whose::Key, limited).await;
        let root = crowd.house.root().await;
        let group = json!({ "budget": budget(group), "limits": { "rpm": 190 } });
        root.patch("/api/groups/default", &group).await.expect(200);
        // The other process learns of it when it looks again.
        crowd.house.clock.advance_ms(6_000);
        let answers = crowd.rush().await;
        let admitted = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(admitted, 20, "{key} {balance} {rpm}");
        crowd.nothing_is_held().await;
        let spent = crowd
            .wallets()
            .await
            .into_iter()
            .map(|wallet| wallet.spent.get());
        assert!(spent.into_iter().all(|spent| spent == 20 * COST));
        // Who was refused is not counted, and no claim is left of them.
        for wallet in crowd
            .wallets()
            .await
            .iter()
            .filter(|wallet| wallet.minute.is_some())
        {
            assert_eq!((wallet.requests, wallet.tokens), (20, 20 * (OUTPUT + 3)));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_that_ends_in_the_middle() {
    let crowd = Crowd::gather("100", Whose::Key, json!({ "limits": { "rpm": 25 } })).await;
    crowd.house.clock.advance_ms(59_999);
    let edge = async {
        while crowd.house.upstream.got().len() < 5 {
            tokio::task::yield_now().await;
        }
        crowd.house.clock.advance_ms(1);
    };
    let (answers, ()) = tokio::join!(crowd.rush(), edge);
    admits_the_rest(&crowd, &answers, 25).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_whose_clocks_differ() {
    let mut crowd = Crowd::gather("100", Whose::Key, json!({ "limits": { "rpm": 25 } })).await;
    let ahead = Clock::manual(crowd.house.clock.now());
    ahead.advance_ms(61_000);
    let there = crowd.house.elsewhere(&ahead, &crowd.callers[0]).await;
    crowd.callers[1] = there;
    let answers = crowd.rush().await;
    admits_the_rest(&crowd, &answers, 25).await;
}

/// Of two minutes none has more than its limit, and what the second has left is admitted.
async fn admits_the_rest(crowd: &Crowd, answers: &[Answer], rpm: u64) {
    let admitted = answers.iter().filter(|answer| answer.status == 200).count();
    let admitted = u64::try_from(admitted).unwrap();
    let wallet = crowd.counting().await;
    let now = Minute::of_ms(crowd.house.clock.now_ms());
    // All may have been admitted before the minute ended.
    let counted = if wallet.minute >= Some(now) {
        wallet.requests
    } else {
        0
    };
    assert!((rpm..=2 * rpm).contains(&admitted), "{admitted}");
    assert!(
        counted <= rpm && admitted - counted <= rpm,
        "{admitted} {counted}"
    );
    let more = crowd.rush().await;
    let more = more.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(u64::try_from(more).unwrap(), rpm - counted);
}
