//! The process is killed at every step of a call; then the reconciler runs, and nothing is lost and
//! nothing is charged twice.
//!
//! The real binary talks to the database through a proxy of ours that counts its operations and
//! kills it right before or right after one of them; and to a provider that kills it in the middle of
//! an answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![expect(clippy::indexing_slicing, reason = "what is not there fails the test")]

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use maintenance::app::App;
use maintenance::jobs::{self, Order};
use serde_json::{Map, Value, json};
use shared::clock::Clock;
use shared::domain::hold::{Wallet, WalletId};
use shared::domain::id::UserId;
use shared::store::Store;
use tests::callers::{Anonymous, KeyCaller};
use tests::database::Database;
use tests::upstream::{Act, FakeUpstream, Gate, Piece, chat_end, chat_text};
use tests::{MODEL, PASSWORD, client};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// When the process dies: at which of its operations from now on, and on which side of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    Before(usize),
    After(usize),
}

/// A proxy before the database, that can kill the process behind it.
#[derive(Clone)]
struct Proxy {
    engine: String,
    http: reqwest::Client,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    operations: usize,
    death: Option<Death>,
    victim: Option<Child>,
}

impl Proxy {
    async fn start(database: &Database) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Self {
            engine: database.endpoint().to_owned(),
            http: client(),
            plan: Arc::default(),
        };
        let router = Router::new().fallback(forward).with_state(proxy.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "the proxy lives as long as the test"
        )]
        tokio::spawn(async move { axum::serve(listener, router).await });
        (proxy, address)
    }

    /// From now on operations are counted, until death.
    fn plan(&self, death: Option<Death>, victim: Child) {
        *self.plan.lock().unwrap() = Plan {
            operations: 0,
            death,
            victim: Some(victim),
        };
    }

    /// Kills the process, and tells how many operations it made.
    async fn finish(&self) -> usize {
        let plan = std::mem::take(&mut *self.plan.lock().unwrap());
        if let Some(mut victim) = plan.victim {
            let _ = victim.kill().await;
        }
        plan.operations
    }

    fn dies(&self, death: Death) -> bool {
        let mut plan = self.plan.lock().unwrap();
        let dies = plan.death == Some(death);
        if dies && let Some(victim) = &mut plan.victim {
            victim.start_kill().unwrap();
        }
        dies
    }

    fn count(&self) -> usize {
        let mut plan = self.plan.lock().unwrap();
        plan.operations += 1;
        plan.operations
    }
}

async fn forward(State(proxy): State<Proxy>, request: Request) -> Response {
    let number = proxy.count();
    if proxy.dies(Death::Before(number)) {
        return std::future::pending().await;
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let sent = proxy
        .http
        .post(&proxy.engine)
        .headers(parts.headers)
        .body(body)
        .send();
    let answer = sent.await.unwrap();
    if proxy.dies(Death::After(number)) {
        return std::future::pending().await;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = Body::from(answer.bytes().await.unwrap());
    response
}

/// The stage: one database for all lives of the process.
struct Stage {
    database: Database,
    store: Store,
    proxy: Proxy,
    proxy_url: String,
    upstream: FakeUpstream,
    data_dir: std::path::PathBuf,
}

impl Stage {
    async fn set(name: &str) -> Self {
        let database = Database::new();
        let store = database.store().await;
        let (proxy, proxy_url) = Proxy::start(&database).await;
        let data_dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&data_dir);
        let upstream = FakeUpstream::start().await;
        Self {
            database,
            store,
            proxy,
            proxy_url,
            upstream,
            data_dir,
        }
    }

    /// Starts the process; its address is known when it serves.
    async fn start(&self) -> (Child, Anonymous) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tollhouse"))
            .args(["--no-demo", "--listen", "127.0.0.1:0"])
            .args(["--dynamodb-endpoint", &self.proxy_url])
            .arg("--data-dir")
            .arg(&self.data_dir)
            .envs(self.database.environment())
            .env("TOLLHOUSE_ADMIN_PASSWORD", PASSWORD)
            .env("LOG_LEVEL", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("it says where it is");
            if let Some(base) = line.strip_prefix("Tollhouse is at ") {
                break base.to_owned();
            }
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "what it says further must not block it"
        )]
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        (child, Anonymous::new(client(), base))
    }

    /// A user with a dollar, a key with a budget, a priced model behind a channel.
    async fn furnish(&self) -> KeyCaller {
        let (mut child, nobody) = self.start().await;
        let root = nobody.sign_in("root", PASSWORD).await;
        let price = json!({ "model": MODEL, "input": "1", "output": "2" });
        assert!(root.post("/api/prices", &price).await.status < 300);
        root.post("/api/channels", &self.upstream.channel("openai"))
            .await
            .expect(201);
        let user = root.create_user("ada").await;
        root.credit(&user, "1").await;
        let budget = json!({ "limit_usd": "0.5", "period": "total" });
        let caller = root.create_key(&user, json!({ "budget": budget })).await;
        child.kill().await.unwrap();
        caller
    }

    async fn wallets(&self, caller: &KeyCaller) -> [Wallet; 2] {
        let user: UserId = caller.user_id.parse().unwrap();
        let key = caller.key_id.parse().unwrap();
        let ids = [WalletId::User(user), WalletId::Key(key)];
        let found = self.store.wallets().find_all(&ids).await.unwrap();
        ids.map(|id| found[&id].clone())
    }

    /// Runs the reconciler, as after an outage.
    async fn reconcile(&self) {
        let app = App {
            store: self.store.clone(),
            clock: Clock::system(),
        };
        let arguments = Map::from_iter([("older_than_seconds".to_owned(), json!(0))]);
        let order = Order {
            job: "release_holds".to_owned(),
            arguments,
        };
        jobs::run(&app, order).await.unwrap();
    }

    /// The sum of all records' costs, in nano-USD.
    async fn recorded(&self, caller: &KeyCaller) -> i64 {
        let filter = shared::store::usage_log::UsageFilter {
            user_id: Some(caller.user_id.parse().unwrap()),
            ..Default::default()
        };
        let span = shared::store::usage_log::Span {
            from: caller_began(),
            to: Clock::system().now() + jiff::SignedDuration::from_hours(1),
        };
        let page = self
            .store
            .usage_log()
            .list(&filter, span, 1_000, None)
            .await
            .unwrap();
        page.items.iter().map(|record| record.cost.get()).sum()
    }

    /// Every wallet adds up, nothing is held, and the records say what was spent.
    async fn books_are_true(&self, caller: &KeyCaller, when: &str) {
        for _ in 0..2 {
            self.reconcile().await;
            let recorded = self.recorded(caller).await;
            for wallet in self.wallets(caller).await {
                assert!(wallet.holds.is_empty(), "{when}: {wallet:?}");
                assert_eq!(
                    wallet.balance.saturating_add(wallet.spent),
                    wallet.granted,
                    "{when}"
                );
                assert_eq!(wallet.spent.get(), recorded, "{when}");
            }
        }
    }
}

/// Before anything happened.
fn caller_began() -> jiff::Timestamp {
    Clock::system().now() - jiff::SignedDuration::from_hours(24)
}

fn streamed(caller: &KeyCaller, nobody: &Anonymous) -> impl Future<Output = ()> {
    let caller = nobody.with_key(&caller.key);
    async move {
        let request = caller.request("POST", "/v1/chat/completions");
        let body = tests::callers::chat(json!({ "stream": true, "max_tokens": 50 }));
        // It may die at any moment.
        if let Ok(mut response) = request.json(&body).send().await {
            while let Ok(Some(_)) = response.chunk().await {}
        }
    }
}

#[tokio::test]
async fn killed_at_every_write_and_read_of_a_call() {
    let stage = Stage::set("killed-at-writes").await;
    let caller = stage.furnish().await;
    // A whole life, to learn how many operations a call has.
    let (child, nobody) = stage.start().await;
    stage.proxy.plan(None, child);
    streamed(&caller, &nobody).await;
    let operations = stage.proxy.finish().await;
    assert!((7..20).contains(&operations), "{operations}");
    stage.books_are_true(&caller, "after a whole call").await;
    assert_eq!(stage.recorded(&caller).await, 50_000);

    let mut charged = Vec::new();
    for number in 1..=operations {
        for death in [Death::Before(number), Death::After(number)] {
            let before = stage.recorded(&caller).await;
            let (child, nobody) = stage.start().await;
            stage.proxy.plan(Some(death), child);
            streamed(&caller, &nobody).await;
            assert!(stage.proxy.finish().await >= number);
            stage
                .books_are_true(&caller, &format!("{death:?} of {operations}"))
                .await;
            charged.push(stage.recorded(&caller).await - before);
        }
    }
    // A call costs all or nothing; once its record is written, it costs.
    assert!(
        charged.iter().all(|cost| [0, 50_000].contains(cost)),
        "{charged:?}"
    );
    assert!(charged.is_sorted(), "{charged:?}");
    assert!(
        charged.contains(&0) && charged.contains(&50_000),
        "{charged:?}"
    );
}

#[tokio::test]
async fn killed_in_the_middle_of_an_answer() {
    let stage = Stage::set("killed-in-answers").await;
    let caller = stage.furnish().await;
    for (when, pieces) in [
        ("before the first event", vec![]),
        ("after the first event", vec![chat_text("Hi")]),
    ] {
        let (mut child, nobody) = stage.start().await;
        let gate = Gate::default();
        let mut pieces = pieces;
        let said = !pieces.is_empty();
        pieces.push(Piece::Gate(gate.clone()));
        pieces.extend(chat_end(10, 20));
        stage.upstream.next(Act::stream(pieces));
        let asked = stage.upstream.got().len();
        let caller_now = nobody.with_key(&caller.key);
        let mut call = Box::pin(caller_now.open_chat(json!({ "stream": true })));
        if said {
            let mut response = call.await;
            assert!(response.chunk().await.unwrap().is_some());
        } else {
            while stage.upstream.got().len() == asked {
                tokio::select! {
                    _ = &mut call => unreachable!("nobody answers yet"),
                    () = tokio::task::yield_now() => {}
                }
            }
            drop(call);
        }
        child.kill().await.unwrap();
        gate.open_for_all();
        assert_eq!(stage.wallets(&caller).await[0].holds.len(), 1, "{when}");
        stage.books_are_true(&caller, when).await;
        assert_eq!(stage.recorded(&caller).await, 0, "{when}");
        stage.database.delete_expired();
    }
}

/// What the reconciler wrote of lost calls can be read by the API.
#[tokio::test]
async fn a_lost_call_is_told_by_the_api() {
    let stage = Stage::set("lost-calls").await;
    let caller = stage.furnish().await;
    let (child, nobody) = stage.start().await;
    // Key, user and configuration are read, two holders noted and two holds written before the end.
    stage.proxy.plan(Some(Death::After(8)), child);
    streamed(&caller, &nobody).await;
    stage.proxy.finish().await;
    stage.reconcile().await;
    let (_child, nobody) = stage.start().await;
    let root = nobody.sign_in("root", PASSWORD).await;
    let records: Value = root.get("/api/usage").await.expect(200);
    for record in records["data"].as_array().unwrap() {
        assert!(
            ["ok", "unsettled"].contains(&record["status"].as_str().unwrap()),
            "{record}"
        );
    }
}
