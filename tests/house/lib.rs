//! The stage and the actors: a whole Tollhouse in this process, on real sockets, over a database of
//! its own, with a provider that does as it is told and a clock that stands still.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]
#![expect(clippy::indexing_slicing, reason = "JSON that is not there is null")]
#![expect(missing_docs, reason = "the stories are the documentation")]

pub mod answer;
pub mod callers;
pub mod database;
pub mod faults;
pub mod meter;
pub mod records;
pub mod replay;
pub mod upstream;

use std::net::SocketAddr;

use admin::first_start;
use admin::price_source::{PriceSource, Reach};
use local::engine::{self, TABLE_NAME};
use local::server::Server;
use maintenance::jobs::{self, Order};
use relay::dice::Dice;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use shared::clock::Clock;
use shared::domain::hold::{Wallet, WalletId};
use shared::domain::id::{ChannelId, UserId};
use shared::secrets::{MasterKey, SecretSource, Secrets};
use shared::store::Store;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use callers::{Administrator, Anonymous, KeyCaller};
use database::Database;
use faults::Faults;
use meter::Meter;
use upstream::FakeUpstream;

/// What every test's clock begins with: a Monday noon.
pub const NOON: &str = "2026-11-23T12:00:00Z";
/// The first administrator's password.
pub const PASSWORD: &str = "correct horse battery staple";
/// The model that the fake provider serves, at 1 USD per million tokens of input and 2 of output.
pub const MODEL: &str = "fake-model";
/// The model that it serves in Anthropic's dialect alone, at the same price.
pub const CLAUDE: &str = "fake-claude";

/// A whole Tollhouse.
#[derive(Debug)]
pub struct House {
    pub database: Database,
    pub store: Store,
    pub server: Server,
    pub clock: Clock,
    pub upstream: FakeUpstream,
    pub address: SocketAddr,
    pub http: reqwest::Client,
    _stop: oneshot::Sender<()>,
}

/// What a house is built from.
#[derive(Debug, Default)]
pub struct Builder {
    faults: Option<Faults>,
    meter: Option<Meter>,
    bare: bool,
    price_maps: bool,
    settings: Map<String, Value>,
}

impl House {
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A house with the fake provider behind a channel for each dialect, and a price for its model.
    pub async fn new() -> Self {
        Self::builder().build().await
    }

    /// Nobody in particular.
    #[must_use]
    pub fn anonymous(&self) -> Anonymous {
        Anonymous::new(self.http.clone(), format!("http://{}", self.address))
    }

    /// The first administrator, signed in.
    pub async fn root(&self) -> Administrator {
        self.anonymous().sign_in("root", PASSWORD).await
    }

    /// A user of that name with so much money, and a key.
    pub async fn user_with(&self, name: &str, usd: &str) -> KeyCaller {
        let root = self.root().await;
        let user = root.create_user(name).await;
        if usd != "0" {
            root.credit(&user, usd).await;
        }
        root.create_key(&user, json!({})).await
    }

    /// A user's wallet as it stands.
    pub async fn wallet(&self, user: &str) -> Wallet {
        let id: UserId = user.parse().unwrap();
        self.store
            .wallets()
            .find(WalletId::User(id))
            .await
            .unwrap()
            .unwrap()
    }

    /// Runs a maintenance job.
    pub async fn run_job(&self, job: &str, arguments: Value) -> Value {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object")
        };
        let order = Order {
            job: job.to_owned(),
            arguments,
        };
        jobs::run(&self.server.maintenance, order).await.unwrap()
    }

    /// Waits until no call is in flight: until everything that a caller left behind is settled.
    pub async fn quiet(&self) {
        self.server.relay.calls.close();
        self.server.relay.calls.wait().await;
        self.server.relay.calls.reopen();
    }

    /// The only usage record there is.
    pub async fn only_record(&self) -> Value {
        let mut records = self.records().await;
        assert_eq!(records.len(), 1, "{records:#?}");
        records.remove(0)
    }

    /// All usage records, latest first.
    pub async fn records(&self) -> Vec<Value> {
        let answer = self.root().await.get("/api/usage?limit=200").await;
        answer.expect(200)["data"].as_array().unwrap().clone()
    }

    /// Another process over the same table, with a clock of its own: somebody with the same key there.
    pub async fn elsewhere(&self, clock: &Clock, caller: &KeyCaller) -> KeyCaller {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let store = Store::new(self.database.client(), TABLE_NAME);
        let server = Server::new(&store, &SecretSource::fixed(secrets()), clock, address);
        #[expect(
            clippy::disallowed_methods,
            reason = "the server lives as long as its house"
        )]
        tokio::spawn(server.serve(listener, std::future::pending()));
        let there = Anonymous::new(self.http.clone(), format!("http://{address}"));
        let mut caller_there = there.with_key(&caller.key);
        caller_there.key_id.clone_from(&caller.key_id);
        caller_there.user_id.clone_from(&caller.user_id);
        caller_there
    }

    /// Adds a channel to the fake provider.
    pub async fn channel(&self, body: Value) -> ChannelId {
        let created = self.root().await.post("/api/channels", &body).await;
        created.expect(201)["id"].as_str().unwrap().parse().unwrap()
    }
}

impl Builder {
    /// A house whose database has these faults.
    #[must_use]
    pub fn with(mut self, faults: &Faults) -> Self {
        self.faults = Some(faults.clone());
        self
    }

    /// A house whose database is on this meter.
    #[must_use]
    pub fn on(mut self, meter: &Meter) -> Self {
        self.meter = Some(meter.clone());
        self
    }

    /// A house without channels and prices.
    #[must_use]
    pub const fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// A house whose administrators may fetch price maps from this machine.
    #[must_use]
    pub const fn with_price_maps(mut self) -> Self {
        self.price_maps = true;
        self
    }

    /// A house with this setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    pub async fn build(self) -> House {
        let database = Database::new();
        database.store().await;
        let mut http = engine::plain_http();
        if let Some(meter) = &self.meter {
            http = meter.over(http);
        }
        if let Some(faults) = &self.faults {
            http = faults.over(http);
        }
        let mut books = database.client_over(http);
        if self.faults.is_some() {
            books = faults::hasty(&books);
        }
        let store = Store::new(books, TABLE_NAME);
        let clock = Clock::manual(NOON.parse().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = Server::new(&store, &SecretSource::fixed(secrets()), &clock, address);
        server.relay = server.relay.with_dice(Dice::seeded(7));
        if self.price_maps {
            let source = PriceSource::within(Reach::Anywhere);
            server.admin = server.admin.with_price_source(source);
        }
        let (stop, stopped) = oneshot::channel();
        let serving = server.clone().serve(listener, async {
            let _ = stopped.await;
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "the server lives as long as its house"
        )]
        tokio::spawn(serving);
        let upstream = FakeUpstream::start().await;
        let http = client();
        let house = House {
            database,
            store,
            server,
            clock,
            upstream,
            address,
            http,
            _stop: stop,
        };
        self.furnish(&house).await;
        house
    }

    async fn furnish(self, house: &House) {
        let password = SecretString::from(PASSWORD);
        first_start::ensure_root(&house.store, &house.clock, &password, false)
            .await
            .unwrap();
        let root = house.root().await;
        if !self.settings.is_empty() {
            root.patch("/api/settings", &Value::Object(self.settings))
                .await
                .expect(200);
        }
        if !self.bare {
            for (provider, model) in [("openai-compatible", MODEL), ("anthropic", CLAUDE)] {
                let price = json!({ "model": model, "input": "1", "output": "2" });
                assert!(root.post("/api/prices", &price).await.status < 300);
                let mut channel = house.upstream.channel(provider);
                channel["models"] = json!([model]);
                house.channel(channel).await;
            }
        }
    }
}

/// The secret of a house.
fn secrets() -> Secrets {
    Secrets {
        origin_token: SecretString::from("test-origin-token"),
        master_key: MasterKey::new("m".repeat(64)),
        admin_password: SecretString::from(PASSWORD),
    }
}

/// A client whose calls are its own: no pool that could hide a hang-up.
#[must_use]
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(
        clippy::disallowed_methods,
        reason = "a caller of the house, not a way to providers"
    )]
    let client = reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build();
    client.unwrap()
}
