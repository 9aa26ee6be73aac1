//! What a new installation begins with: an administrator, and a demo that needs no provider.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::channel::{Channel, Timeouts};
use shared::domain::cost::Cost;
use shared::domain::credit::{Cause, Credit};
use shared::domain::group::DEFAULT_GROUP;
use shared::domain::id::{ChannelId, CreditId, UserId};
use shared::domain::key::{Key, WhenShort};
use shared::domain::key_text::{KeyText, SECRET_CHARS};
use shared::domain::limit::Limits;
use shared::domain::money::NanoUsd;
use shared::domain::price::{Price, Rates};
use shared::domain::user::{Role, User};
use shared::failure::Failure;
use shared::secrets::Secrets;
use shared::store::Store;
use shared::{env, random, seal};

/// The demo's model.
pub(crate) const DEMO_MODEL: &str = "demo";
const DEMO: &str = "demo";
/// 5 USD.
const DEMO_CREDIT: NanoUsd = NanoUsd::new(5_000_000_000);

/// Providers whose credential may stand in the environment: its variable, the card, the label.
const FROM_ENVIRONMENT: [(&str, &str, &str); 3] = [
    ("OPENAI_API_KEY", "openai", "OpenAI"),
    ("ANTHROPIC_API_KEY", "anthropic", "Anthropic"),
    ("GEMINI_API_KEY", "gemini", "Gemini"),
];
/// The variable that tells that there are AWS credentials, and those that name a region.
const AWS_CREDENTIALS: &str = "AWS_ACCESS_KEY_ID";
const AWS_REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Makes what a new installation needs, over one store.
#[derive(Debug)]
pub(crate) struct Seed<'a> {
    pub(crate) store: &'a Store,
    pub(crate) secrets: &'a Secrets,
    pub(crate) clock: &'a Clock,
}

impl Seed<'_> {
    /// The demo's user, money, key, price and channel; the key, if they are new.
    pub(crate) async fn demo(&self, address: SocketAddr) -> Result<Option<KeyText>, Failure> {
        self.demo_channel(address).await?;
        if self.store.users().find_by_username(DEMO).await?.is_some() {
            return Ok(None);
        }
        let user = self.demo_user();
        let credit = Credit {
            id: CreditId::from_parts(self.at_ms(), random::bits()),
            user_id: user.id,
            cause: Cause::Gift,
            amount: DEMO_CREDIT,
            note: "A beginning.".to_owned(),
            by: None,
            reference: None,
        };
        self.store.users().create_with(&user, &credit).await?;
        let text = KeyText::of_secret(&random::text(SECRET_CHARS));
        self.store
            .keys()
            .create(&demo_key(&text, user.id, self.clock.now()))
            .await?;
        Ok(Some(text))
    }

    /// A channel for each provider whose credential stands in the environment; the new ones' names.
    pub(crate) async fn channels_of_environment(&self) -> Result<Vec<&'static str>, Failure> {
        let mut made = Vec::new();
        for (variable, provider, label) in FROM_ENVIRONMENT {
            let Some(credential) = env::optional(variable) else {
                continue;
            };
            let channel = self.channel(&format!("{label} ({variable})"), provider);
            if self
                .offer(channel, &json!({ "api_key": credential }))
                .await?
            {
                made.push(variable);
            }
        }
        // The credentials themselves are not kept: the process has them.
        let region = AWS_REGIONS.into_iter().find_map(env::optional);
        if let (Some(region), Some(_)) = (region, env::optional(AWS_CREDENTIALS)) {
            let channel = self.channel(&format!("Bedrock ({AWS_CREDENTIALS})"), "bedrock");
            if self.offer(channel, &json!({ "region": region })).await? {
                made.push(AWS_CREDENTIALS);
            }
        }
        Ok(made)
    }

    /// Adds a channel, unless there is one of its name; whether it is new.
    async fn offer(&self, mut channel: Channel, credential: &Value) -> Result<bool, Failure> {
        let known = self.store.configuration().load().await?.channels;
        if known.iter().any(|other| other.name == channel.name) {
            return Ok(false);
        }
        let credential = SecretString::from(credential.to_string());
        let sealed = seal::seal(&self.secrets.master_key, channel.id, &credential);
        channel.credential = Some(sealed);
        self.store.configuration().put_channel(&channel).await?;
        Ok(true)
    }

    /// The demo's channel leads to this very process, wherever it listens now.
    async fn demo_channel(&self, address: SocketAddr) -> Result<(), Failure> {
        let base_url = Some(format!("http://{address}/demo"));
        let configuration = self.store.configuration().load().await?;
        let known = configuration
            .channels
            .iter()
            .find(|channel| channel.provider == DEMO);
        if known.is_some_and(|channel| channel.base_url == base_url) {
            return Ok(());
        }
        let mut channel = known.cloned().unwrap_or_else(|| self.channel("Demo", DEMO));
        channel.base_url = base_url;
        channel.models = vec![DEMO_MODEL.to_owned()];
        self.store.configuration().put_channel(&channel).await?;
        if configuration.prices.named(DEMO_MODEL).is_none() {
            self.store
                .configuration()
                .put_price(&demo_price(), self.clock.now())
                .await?;
        }
        Ok(())
    }

    fn channel(&self, name: &str, provider: &str) -> Channel {
        Channel {
            id: ChannelId::from_parts(self.at_ms(), random::bits()),
            name: name.to_owned(),
            provider: provider.to_owned(),
            base_url: None,
            credential: None,
            models: vec!["*".to_owned()],
            model_mapping: BTreeMap::new(),
            dialects: Vec::new(),
            groups: vec![DEFAULT_GROUP.to_owned()],
            priority: 0,
            weight: 1,
            enabled: true,
            tag: None,
            disabled_reason: None,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            rename_model: false,
            cost: Cost::default(),
            created_at: self.clock.now(),
        }
    }

    fn demo_user(&self) -> User {
        User {
            id: UserId::from_parts(self.at_ms(), random::bits()),
            username: DEMO.to_owned(),
            display_name: "Demo".to_owned(),
            role: Role::Member,
            group: DEFAULT_GROUP.to_owned(),
            enabled: true,
            unlimited: false,
            password_hash: None,
            must_change_password: false,
            session_epoch: 0,
            revision: 0,
            created_at: self.clock.now(),
        }
    }

    fn at_ms(&self) -> u64 {
        u64::try_from(self.clock.now_ms()).unwrap_or(0)
    }
}

fn demo_key(text: &KeyText, user_id: UserId, created_at: Timestamp) -> Key {
    Key {
        id: text.id(),
        hash: text.hash(),
        prefix: text.shown(),
        user_id,
        name: "Demo".to_owned(),
        enabled: true,
        expires_at: None,
        models: Vec::new(),
        cidrs: Vec::new(),
        budget: None,
        when_short: WhenShort::default(),
        limits: Limits::default(),
        created_at,
    }
}

/// 1 USD per million tokens of input, 4 of output: a made-up price, so that money moves.
fn demo_price() -> Price {
    let rate = |usd: &str| usd.parse().ok();
    let rates = Rates {
        input: rate("1"),
        output: rate("4"),
        ..Rates::default()
    };
    Price {
        model: DEMO_MODEL.to_owned(),
        rates,
        source: Some("demo".to_owned()),
        ..Price::default()
    }
}
