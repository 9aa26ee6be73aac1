//! A user, as everybody but the store sees them.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::budget::Budget;
use shared::domain::hold::Wallet;
use shared::domain::money::NanoUsd;
use shared::domain::user::{Role, User};
use utoipa::ToSchema;

use crate::json::budget::BudgetJson;

/// A user with what they have and have spent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserJson {
    id: String,
    username: String,
    display_name: String,
    /// `member`, `admin` or `root`.
    #[schema(value_type = String, example = "member")]
    role: Role,
    group: String,
    enabled: bool,
    /// Whether calls need no balance.
    unlimited: bool,
    /// What can still be spent, as a decimal string.
    #[schema(example = "4.2")]
    balance_usd: String,
    /// Whether less than the setting `low_balance_usd` can still be spent; never for unlimited users.
    low_balance: bool,
    /// What is set aside for calls in flight.
    #[schema(example = "0")]
    held_usd: String,
    /// What calls have cost; null when it cannot be told at the moment.
    #[schema(example = "0.8")]
    spent_usd: Option<String>,
    /// What the user's group lets the user spend in a period; null where it sets no budget.
    allowance: Option<AllowanceJson>,
    /// Whether the password is a one-time one.
    must_change_password: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// What a group lets each of its users spend in a period, and what is left of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Allowance)]
struct AllowanceJson {
    #[serde(flatten)]
    budget: BudgetJson,
    remaining_usd: String,
    spent_usd: String,
    held_usd: String,
    /// When the next period begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    resets_at: Option<Timestamp>,
}

impl AllowanceJson {
    fn new(budget: &Budget, wallet: &Wallet) -> Self {
        let resets_at = wallet.resets_at_ms.map(Timestamp::from_millisecond);
        Self {
            budget: budget.into(),
            // A budget that was made smaller than what is spent already has nothing left.
            remaining_usd: wallet.balance.max(NanoUsd::ZERO).to_string(),
            spent_usd: wallet.spent.to_string(),
            held_usd: wallet.held().to_string(),
            resets_at: resets_at.and_then(Result::ok),
        }
    }
}

impl UserJson {
    /// The same user, with what the group's budget leaves.
    pub(crate) fn with_allowance(mut self, budget: &Budget, wallet: &Wallet) -> Self {
        self.allowance = Some(AllowanceJson::new(budget, wallet));
        self
    }

    /// The user, with a wallet, and with what calls without a hold have cost. A balance below `low` is
    /// low.
    pub(crate) fn new(user: &User, wallet: &Wallet, unheld: Option<NanoUsd>, low: NanoUsd) -> Self {
        Self {
            id: user.id.to_string(),
            username: user.username.clone(),
            display_name: user.display_name.clone(),
            role: user.role,
            group: user.group.clone(),
            enabled: user.enabled,
            unlimited: user.unlimited,
            balance_usd: wallet.balance.to_string(),
            low_balance: !user.unlimited && low > NanoUsd::ZERO && wallet.balance < low,
            held_usd: wallet.held().to_string(),
            spent_usd: unheld.map(|unheld| wallet.spent.saturating_add(unheld).to_string()),
            allowance: None,
            must_change_password: user.must_change_password,
            created_at: user.created_at,
        }
    }
}
