//! The stage: the real binary, over a database behind a proxy that can kill it, with a provider that
//! does as it is told.

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
use shared::domain::record::UsageRecord;
use shared::store::Store;
use tests::callers::{Anonymous, KeyCaller};
use tests::database::Database;
use tests::upstream::FakeUpstream;
use tests::{MODEL, PASSWORD, client};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// When the process dies: at which of its operations from now on, and on which side of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    Before(usize),
    After(usize),
}

/// A proxy before the database, that can kill the process behind it.
#[derive(Clone)]
pub(super) struct Proxy {
    engine: String,
    http: reqwest::Client,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    operations: Vec<String>,
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
    pub(super) fn plan(&self, death: Option<Death>, victim: Child) {
        *self.plan.lock().unwrap() = Plan {
            operations: Vec::new(),
            death,
            victim: Some(victim),
        };
    }

    /// Kills the process, and tells which operations it made.
    pub(super) async fn finish(&self) -> Vec<String> {
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

    fn count(&self, operation: &str) -> usize {
        let mut plan = self.plan.lock().unwrap();
        plan.operations.push(operation.to_owned());
        plan.operations.len()
    }
}

async fn forward(State(proxy): State<Proxy>, request: Request) -> Response {
    let target = request.headers().get("x-amz-target");
    let target = target
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let number = proxy.count(target.rsplit('.').next().unwrap_or_default());
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
pub(super) struct Stage {
    pub(super) database: Database,
    pub(super) store: Store,
    pub(super) proxy: Proxy,
    proxy_url: String,
    pub(super) upstream: FakeUpstream,
    data_dir: std::path::PathBuf,
}

impl Stage {
    pub(super) async fn set(name: &str) -> Self {
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
    pub(super) async fn start(&self) -> (Child, Anonymous) {
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
    pub(super) async fn furnish(&self) -> KeyCaller {
        let budget = json!({ "limit_usd": "0.5", "period": "total" });
        let key = json!({ "budget": budget });
        self.furnish_with("1", key, [json!({}), json!({})]).await
    }

    /// The same with so much money, such a key, and changes of the settings and of the group.
    pub(super) async fn furnish_with(
        &self,
        usd: &str,
        key: Value,
        [settings, group]: [Value; 2],
    ) -> KeyCaller {
        let (mut child, nobody) = self.start().await;
        let root = nobody.sign_in("root", PASSWORD).await;
        let price = json!({ "model": MODEL, "input": "1", "output": "2" });
        assert!(root.post("/api/prices", &price).await.status < 300);
        root.patch("/api/settings", &settings).await.expect(200);
        root.patch("/api/groups/default", &group).await.expect(200);
        root.post("/api/channels", &self.upstream.channel("openai"))
            .await
            .expect(201);
        let user = root.create_user("ada").await;
        root.credit(&user, usd).await;
        let caller = root.create_key(&user, key).await;
        child.kill().await.unwrap();
        caller
    }

    /// Those of the caller's wallets that there are: of the user, of the key, of the group's budget.
    pub(super) async fn wallets(&self, caller: &KeyCaller) -> Vec<(WalletId, Wallet)> {
        let user = caller.user_id.parse().unwrap();
        let key = caller.key_id.parse().unwrap();
        let ids = [
            WalletId::User(user),
            WalletId::Key(key),
            WalletId::Allowance(user),
        ];
        let mut found = self.store.wallets().find_all(&ids).await.unwrap();
        ids.into_iter()
            .filter_map(|id| Some((id, found.remove(&id)?)))
            .collect()
    }

    /// Runs the reconciler, as after an outage.
    pub(super) async fn reconcile(&self) {
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

    /// The caller's usage records.
    pub(super) async fn records(&self, caller: &KeyCaller) -> Vec<UsageRecord> {
        let filter = shared::store::usage_log::UsageFilter {
            user_id: Some(caller.user_id.parse().unwrap()),
            ..Default::default()
        };
        let span = shared::store::usage_log::Span {
            from: caller_began(),
            to: Clock::system().now() + jiff::SignedDuration::from_hours(1),
        };
        let log = self.store.usage_log();
        log.list(&filter, span, 1_000, None).await.unwrap().items
    }

    /// The sum of all records' costs, in nano-USD.
    pub(super) async fn recorded(&self, caller: &KeyCaller) -> i64 {
        let records = self.records(caller).await;
        records.iter().map(|record| record.cost.get()).sum()
    }

    /// Every wallet adds up, nothing is held, and the records that name it say what was spent.
    pub(super) async fn books_are_true(&self, caller: &KeyCaller, when: &str) {
        for _ in 0..2 {
            self.reconcile().await;
            let records = self.records(caller).await;
            for (id, wallet) in self.wallets(caller).await {
                assert!(wallet.holds.is_empty(), "{when}: {wallet:?}");
                assert!(wallet.balance.get() >= 0, "{when}: {wallet:?}");
                assert_eq!(
                    wallet.balance.saturating_add(wallet.spent),
                    wallet.granted,
                    "{when}"
                );
                let names =
                    |record: &&UsageRecord| record.holds.iter().any(|name| name.wallet == id);
                let named = records.iter().filter(names);
                let due: i64 = named.map(|record| record.cost.get()).sum();
                assert_eq!(wallet.spent.get(), due, "{when}: {id}");
            }
        }
    }
}

/// Before anything happened.
fn caller_began() -> jiff::Timestamp {
    Clock::system().now() - jiff::SignedDuration::from_hours(24)
}
