//! Keys, as the outside sees them: never their text or its hash.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::hold::{Wallet, WalletId};
use shared::domain::key::{Key, WhenShort};
use shared::domain::money::NanoUsd;
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::app::App;
use crate::json::budget::BudgetJson;
use crate::json::limits::LimitsJson;

/// A key, with what is left of its budget.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyJson {
    id: String,
    user_id: String,
    name: String,
    enabled: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Patterns of the models it may call; empty for all.
    models: Vec<String>,
    /// Networks it may be used from; empty for all.
    cidrs: Vec<String>,
    budget: Option<BudgetJson>,
    /// What is left of the budget in this period; null without a budget.
    remaining_usd: Option<String>,
    spent_usd: Option<String>,
    held_usd: Option<String>,
    /// When the next period begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    resets_at: Option<Timestamp>,
    limits: LimitsJson,
    /// What happens to a call that can cost more than there is: `refuse` or `lower_output`.
    #[schema(value_type = String)]
    when_short: WhenShort,
    /// The first characters, to tell keys apart.
    #[schema(example = "sk-th-ab12…")]
    prefix: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = NewKey)]
pub(crate) struct NewKeyJson {
    /// The key itself. It is shown this once.
    pub(crate) key: String,
    #[serde(flatten)]
    pub(crate) about: KeyJson,
}

/// A key with its wallet.
pub(crate) async fn of(app: &App, key: &Key) -> Result<KeyJson, Failure> {
    let mut one = of_all(app, std::slice::from_ref(key)).await?;
    one.pop()
        .ok_or_else(|| Failure::internal("one key has one shape"))
}

/// Keys with their wallets, in their order.
pub(crate) async fn of_all(app: &App, keys: &[Key]) -> Result<Vec<KeyJson>, Failure> {
    let budgeted = keys.iter().filter(|key| key.budget.is_some());
    let ids: Vec<_> = budgeted.map(|key| WalletId::Key(key.id)).collect();
    let wallets = app.store.wallets().find_all(&ids).await?;
    let now = app.now();
    let shapes = keys.iter().map(|key| {
        let wallet = wallets
            .get(&WalletId::Key(key.id))
            .cloned()
            .unwrap_or_default();
        let budget = key.budget.as_ref();
        let wallet = budget.map(|budget| budget.as_of(wallet, now));
        shape(key, wallet.as_ref())
    });
    Ok(shapes.collect())
}

fn shape(key: &Key, wallet: Option<&Wallet>) -> KeyJson {
    let amount = |amount: fn(&Wallet) -> NanoUsd| wallet.map(|wallet| amount(wallet).to_string());
    let resets_at_ms = wallet.and_then(|wallet| wallet.resets_at_ms);
    KeyJson {
        id: key.id.to_string(),
        user_id: key.user_id.to_string(),
        name: key.name.clone(),
        enabled: key.enabled,
        expires_at: key.expires_at,
        models: key.models.clone(),
        cidrs: key.cidrs.iter().map(ToString::to_string).collect(),
        budget: key.budget.as_ref().map(BudgetJson::from),
        // A budget that was made smaller than what is spent already has nothing left.
        remaining_usd: amount(|wallet| wallet.balance.max(NanoUsd::ZERO)),
        spent_usd: amount(|wallet| wallet.spent),
        held_usd: amount(Wallet::held),
        resets_at: resets_at_ms.and_then(|at| Timestamp::from_millisecond(at).ok()),
        limits: key.limits.into(),
        when_short: key.when_short,
        prefix: key.prefix.clone(),
        created_at: key.created_at,
    }
}
