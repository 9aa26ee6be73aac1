//! Everything at once: callers who stay and who leave, providers that refuse, break off and count too
//! much, a database that loses answers, administrators who meddle, reconcilers in the middle, and days
//! that end while calls are on their way.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use relay::dice::Dice;
use serde_json::{Value, json};
use shared::domain::hold::WalletId;
use shared::domain::money::NanoUsd;
use tests::callers::{Administrator, KeyCaller};
use tests::faults::{Faults, Rates};
use tests::upstream::Gate;
use tests::{CLAUDE, House, MODEL};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use super::books::{Books, is_sound, run};
use super::invoice::{Answer, Does, End, Invoice};

/// How many days pass.
const DAYS: usize = 3;
/// How many calls there are on each, and how many other things happen.
const CALLS: usize = 80;
const MEDDLINGS: usize = 24;
/// How much is done at once.
const AT_ONCE: usize = 20;
/// How many calls are on their way when a day ends.
const OVER_MIDNIGHT: usize = 4;
const DAY_MS: i64 = 86_400_000;

const RATES: Rates = Rates {
    throttled: 30,
    lost: 20,
    applied: 20,
    late: 20,
};

/// Everybody, and everything that happens to them.
struct Storm {
    house: House,
    books: Books,
    invoice: Invoice,
    faults: Faults,
    dice: Dice,
    callers: Vec<KeyCaller>,
    wallets: Vec<WalletId>,
    codes: Vec<String>,
    calls: usize,
}

/// A call, as its caller makes it.
struct Call {
    caller: KeyCaller,
    path: &'static str,
    body: Value,
    /// After how many bytes the caller leaves.
    leaves: Option<usize>,
}

impl Storm {
    async fn gather(seed: u64, policy: &str) -> Self {
        let faults = Faults::default();
        let house = House::builder()
            .with(&faults)
            .setting("unsettled_policy", policy)
            .build()
            .await;
        let root = house.root().await;
        let team = json!({
            "name": "team", "ratio": "0.5", "budget": { "limit_usd": "0.06", "period": "day" },
            "limits": { "rpm": 60, "tpm": 400_000, "parallel": 16 },
        });
        root.post("/api/groups", &team).await.expect(201);
        for (provider, model) in [("openai-compatible", MODEL), ("anthropic", CLAUDE)] {
            for _ in 0..2 {
                let mut channel = house.upstream.channel(provider);
                channel["models"] = json!([model]);
                channel["groups"] = json!(["default", "team"]);
                house.channel(channel).await;
            }
        }
        let mut callers = Vec::new();
        for (name, usd, change, keys) in people() {
            let user = root.create_user(name).await;
            if usd != "0" {
                root.credit(&user, usd).await;
            }
            root.patch(&format!("/api/users/{user}"), &change)
                .await
                .expect(200);
            for key in keys {
                callers.push(root.create_key(&user, key).await);
            }
        }
        let body = json!({ "amount_usd": "0.004", "count": 40 });
        let codes = root.post("/api/redemption-codes", &body).await.expect(201);
        let codes = codes["data"].as_array().unwrap().iter();
        let codes = codes.map(|code| code["code"].as_str().unwrap().to_owned());
        Self {
            books: Books::of(&house),
            invoice: Invoice::of(&house),
            dice: Dice::seeded(seed),
            wallets: wallets(&callers),
            codes: codes.collect(),
            callers,
            faults,
            house,
            calls: 0,
        }
    }

    fn one_in(&self, n: u64) -> bool {
        self.dice.below(n) == 0
    }

    fn below(&self, n: u64) -> usize {
        usize::try_from(self.dice.below(n)).unwrap()
    }

    fn next_call(&mut self) -> usize {
        self.calls += 1;
        self.calls
    }

    /// A call like any other.
    fn any_call(&mut self) -> Call {
        let call = self.next_call();
        let mut does: Vec<Does> = (0..self.below(3))
            .map(|_| match self.below(9) {
                0 => Does::Refuse(400),
                1 | 2 => Does::Refuse(401),
                3 | 4 => Does::Refuse(429),
                5 | 6 => Does::Refuse(500),
                _ => Does::ErrInside,
            })
            .collect();
        let path = ["/v1/chat/completions", "/v1/messages"][self.below(2)];
        let model = [MODEL, CLAUDE][self.below(2)];
        does.push(Does::Answer(self.any_answer(call, model)));
        self.invoice.plan(call, does);
        let mut body = json!({
            "model": model, "stream": self.one_in(2),
            "messages": [{ "role": "user", "content": Invoice::message(call, self.below(2_500)) }],
        });
        if path.ends_with("messages") || !self.one_in(4) {
            body["max_tokens"] = json!(1 + self.below(60));
        }
        Call {
            caller: self.callers[self.below(self.callers.len() as u64)].clone(),
            path,
            body,
            leaves: self.one_in(4).then(|| 1 + self.below(1_400)),
        }
    }

    fn any_answer(&self, call: usize, model: &str) -> Answer {
        let much = if self.one_in(12) { 60_000 } else { 0 };
        let end = if self.one_in(4) {
            End::After {
                bytes: self.below(900),
                broken: self.one_in(2),
            }
        } else {
            End::Proper
        };
        Answer {
            input: much + call as u64,
            output: self.dice.below(60),
            told: model == CLAUDE || !self.one_in(8),
            end,
            gate: None,
            step: 1 + self.below(300),
        }
    }

    /// A day: some calls that go on over midnight, many others, and all that happens meanwhile.
    async fn day(&mut self, seed: u64, gate: &Gate, patient: &TaskTracker) {
        for turn in 0..OVER_MIDNIGHT {
            self.begin_patiently(turn, gate, patient).await;
        }
        let mut doings = Vec::new();
        for _ in 0..CALLS {
            let call = self.any_call();
            let at = self.below(doings.len() as u64 + 1);
            doings.insert(at, Ok(call));
        }
        for _ in 0..MEDDLINGS {
            let at = self.below(doings.len() as u64 + 1);
            doings.insert(at, Err(self.below(9)));
        }
        let root = self.house.root().await;
        let ada = self
            .house
            .anonymous()
            .sign_in("ada", "password of ada")
            .await;
        self.faults.rage(seed, RATES);
        let doings = doings.into_iter().map(|doing| -> BoxFuture<'_, ()> {
            match doing {
                Ok(call) => Box::pin(self.make(call)),
                Err(meddling) => Box::pin(self.meddle(meddling, &root, &ada)),
            }
        });
        let all = stream::iter(doings)
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>();
        tokio::select! {
            _ = all => {}
            () = self.observe() => {}
        }
        // Whoever left is served to the end, too.
        while self.house.server.relay.calls.len() > OVER_MIDNIGHT {
            tokio::task::yield_now().await;
        }
        self.faults.calm().await;
    }

    /// Begins a call that is answered when the gate opens.
    async fn begin_patiently(&mut self, turn: usize, gate: &Gate, patient: &TaskTracker) {
        let call = self.next_call();
        let answer = Answer {
            gate: Some(gate.clone()),
            step: 300,
            ..Answer::of(call as u64, 5)
        };
        self.invoice.plan(call, vec![Does::Answer(answer)]);
        let model = [MODEL, CLAUDE][turn % 2];
        let body = json!({
            "model": model, "stream": true, "max_tokens": 10,
            "messages": [{ "role": "user", "content": Invoice::message(call, 300) }],
        });
        let caller = self.callers[turn % self.callers.len()].clone();
        let mut answered =
            patient.spawn(async move { caller.post("/v1/chat/completions", &body).await });
        tokio::select! {
            biased;
            () = self.invoice.asked(call) => {}
            answer = &mut answered => panic!("it was not patient: {answer:?}"),
        }
    }

    async fn make(&self, call: Call) {
        let Call {
            caller,
            path,
            body,
            leaves,
        } = call;
        match leaves {
            Some(bytes) => {
                leave_after(&self.house, (&caller, path), &body, bytes).await;
            }
            None => {
                let answer = caller.post(path, &body).await;
                let expected = [200, 400, 402, 429, 500, 502, 503];
                assert!(
                    expected.contains(&answer.status),
                    "{} {}",
                    answer.status,
                    answer.text
                );
            }
        }
    }

    async fn meddle(&self, meddling: usize, root: &Administrator, ada: &Administrator) {
        let maintenance = &self.house.server.maintenance;
        let user = |n: usize| format!("/api/users/{}/credits", self.callers[n].user_id);
        let status = match meddling {
            0 => {
                let model = [MODEL, CLAUDE][self.below(2)];
                let (input, output) = (1 + self.below(3), 2 + self.below(3));
                let price = json!({ "model": model, "input": input.to_string(), "output": output.to_string() });
                root.post("/api/prices", &price).await.status
            }
            1 => {
                let credit = json!({ "amount_usd": "0.01", "note": "for good work" });
                root.post(&user(0), &credit).await.status
            }
            2 => {
                let credit = json!({ "amount_usd": "-0.003", "note": "a mistake" });
                root.post(&user(4), &credit).await.status
            }
            3 | 4 => {
                let code = json!({ "code": self.codes[self.below(8)] });
                ada.post("/api/redemptions", &code).await.status
            }
            5 => {
                self.house.clock.advance_ms(7_000);
                200
            }
            6 => {
                let resets = || run(maintenance, "reset_budgets", json!({}));
                let _ = tokio::join!(resets(), resets());
                200
            }
            _ => {
                let now = || json!({ "older_than_seconds": 0 });
                let release = || run(maintenance, "release_holds", now());
                let _ = tokio::join!(release(), release());
                200
            }
        };
        let expected = [200, 201, 402, 409, 429, 503];
        assert!(expected.contains(&status), "{meddling}: {status}");
    }

    /// Looks at every wallet, again and again.
    async fn observe(&self) {
        loop {
            for (id, wallet) in self.books.wallets(&self.wallets).await {
                is_sound(id, &wallet);
            }
            tokio::task::yield_now().await;
        }
    }

    /// The next day, in which every budget of a day begins anew, whoever finds it first.
    async fn midnight(&mut self) {
        let now = self.house.clock.now_ms();
        self.house
            .clock
            .advance_ms(DAY_MS - now.rem_euclid(DAY_MS) + 1_000);
        let maintenance = &self.house.server.maintenance;
        let resets = || run(maintenance, "reset_budgets", json!({}));
        let (one, other) = tokio::join!(resets(), resets());
        assert!(one.is_ok() && other.is_ok());
        // What a group gives is renewed by whoever calls.
        for n in 0..self.callers.len() {
            let call = self.next_call();
            let answer = Answer::of(call as u64, 1);
            self.invoice.plan(call, vec![Does::Answer(answer)]);
            let body = json!({
                "model": MODEL, "max_tokens": 1,
                "messages": [{ "role": "user", "content": Invoice::message(call, 500) }],
            });
            let answer = self.callers[n].post("/v1/chat/completions", &body).await;
            assert!([200, 402].contains(&answer.status), "{}", answer.text);
        }
        let now = self.house.clock.now_ms();
        for (id, wallet) in self.books.wallets(&self.wallets).await {
            assert!(
                wallet.resets_at_ms.is_none_or(|at| at > now),
                "{id}: {wallet:?}"
            );
        }
    }

    /// Nobody has more or less money than was credited.
    async fn credits_are_what_was_granted(&self) {
        let mut credited: BTreeMap<WalletId, NanoUsd> = BTreeMap::new();
        for (user, amount) in self.books.credits().await {
            let sum = credited.entry(WalletId::User(user)).or_default();
            *sum = sum.saturating_add(amount);
        }
        for (id, wallet) in self.books.wallets(&self.wallets).await {
            if let WalletId::User(_) = id {
                let credited = credited.get(&id).copied().unwrap_or_default();
                assert_eq!(wallet.granted, credited, "{id}");
            }
        }
    }
}

/// Who there is: name, money, group, keys.
fn people() -> [(&'static str, &'static str, Value, Vec<Value>); 4] {
    let limits = json!({ "rpm": 50, "tpm": 300_000, "parallel": 12 });
    let daily = json!({ "limit_usd": "0.05", "period": "day" });
    let total = json!({ "limit_usd": "0.15", "period": "total" });
    [
        (
            "ada",
            "0.09",
            json!({}),
            vec![json!({ "budget": daily, "limits": limits })],
        ),
        (
            "bob",
            "3",
            json!({ "group": "team" }),
            vec![json!({}), json!({ "budget": total })],
        ),
        (
            "cleo",
            "0",
            json!({ "group": "team", "unlimited": true }),
            vec![json!({ "budget": daily })],
        ),
        (
            "dan",
            "0.03",
            json!({}),
            vec![json!({ "when_short": "lower_output" })],
        ),
    ]
}

/// Every wallet that may be theirs.
fn wallets(callers: &[KeyCaller]) -> Vec<WalletId> {
    let mut wallets = Vec::new();
    for caller in callers {
        let user = caller.user_id.parse().unwrap();
        let key = caller.key_id.parse().unwrap();
        wallets.extend([
            WalletId::Key(key),
            WalletId::User(user),
            WalletId::Allowance(user),
        ]);
    }
    wallets.sort_unstable();
    wallets.dedup();
    wallets
}

/// A caller who leaves when so many bytes have come, counted on the wire; gives how many came.
pub(super) async fn leave_after(
    house: &House,
    (caller, path): (&KeyCaller, &str),
    body: &Value,
    bytes: usize,
) -> usize {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: \
         application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        house.address,
        caller.key,
        body.len(),
    );
    let mut wire = TcpStream::connect(house.address).await.unwrap();
    wire.write_all((head + &body).as_bytes()).await.unwrap();
    let (mut read, mut buffer) = (0, [0; 256]);
    while read < bytes {
        let room = buffer.len().min(bytes - read);
        match wire.read(&mut buffer[..room]).await.unwrap() {
            0 => break,
            n => read += n,
        }
    }
    read
}

async fn chaos(seed: u64, policy: &str) {
    let mut storm = Storm::gather(seed, policy).await;
    let mut before: BTreeMap<WalletId, NanoUsd> = BTreeMap::new();
    for day in 0..DAYS {
        let (gate, patient) = (Gate::default(), TaskTracker::new());
        storm.day(seed * 100 + day as u64, &gate, &patient).await;
        // Whoever is still on the way is taken for lost: everything else is in the books now.
        storm.books.reconcile().await;
        storm.books.add_up(&storm.wallets, &before).await;
        let recorded = storm.books.recorded().await;
        for (id, wallet) in storm.books.wallets(&storm.wallets).await {
            if wallet.resets_at_ms.is_some() {
                before.insert(id, recorded.get(&id).copied().unwrap_or_default());
            }
        }
        storm.midnight().await;
        gate.open_for_all();
        patient.close();
        patient.wait().await;
        storm.house.quiet().await;
    }
    storm.books.are_true(&storm.wallets, &before).await;
    storm.credits_are_what_was_granted().await;
    storm.invoice.equals(&storm.books.records().await);
    assert!(storm.invoice.len() > CALLS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_the_books_are_true() {
    chaos(1, "release").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_the_books_are_true_where_lost_calls_are_charged() {
    chaos(2, "charge").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_else_happens_the_books_are_true() {
    chaos(3, "release").await;
}
