//! Users, as the outside changes them. How they are shown is in `crate::json::user`.

use serde::Deserialize;
use shared::domain::credit::Cause;
use shared::domain::money::NanoUsd;
use shared::domain::user::Role;
use utoipa::ToSchema;

use crate::body::present;
use crate::json::decimal::Decimal;

/// A user to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserCreate)]
pub(crate) struct CreateBody {
    /// 1 to 64 of `a-z 0-9 . _ @ -`; capitals are made small.
    pub(crate) username: String,
    /// 8 to 256 characters. Nobody can sign in as a user without one.
    #[schema(format = Password)]
    pub(crate) password: Option<String>,
    /// The username unless given.
    pub(crate) display_name: Option<String>,
    /// `member` (unless given), `admin` or `root`. Only root makes administrators.
    #[schema(value_type = Option<String>)]
    pub(crate) role: Option<Role>,
    /// `default` unless given.
    pub(crate) group: Option<String>,
    /// True unless given.
    pub(crate) enabled: Option<bool>,
    /// Whether calls need no balance; false unless given.
    pub(crate) unlimited: Option<bool>,
    /// Whether the password is a one-time one; false unless given.
    pub(crate) must_change_password: Option<bool>,
}

/// What to change; what is left out stays. Without an administrator's rights over the user: only your
/// own `display_name` and `password`, the latter with `current_password`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChange)]
pub(crate) struct UpdateBody {
    #[serde(default, deserialize_with = "present")]
    pub(crate) display_name: Option<String>,
    /// `member`, `admin` or `root`. Only root makes administrators.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub(crate) role: Option<Role>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) group: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) enabled: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) unlimited: Option<bool>,
    /// 8 to 256 characters. Another password ends all sessions of the user.
    #[serde(default, deserialize_with = "present")]
    #[schema(format = Password)]
    pub(crate) password: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(format = Password)]
    pub(crate) current_password: Option<String>,
    /// Whether the password is a one-time one; false with another password unless given.
    #[serde(default, deserialize_with = "present")]
    pub(crate) must_change_password: Option<bool>,
}

/// Money to put into a user's wallet, or to take out when the amount is negative.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditCreate)]
pub(crate) struct CreditBody {
    /// A decimal string or a number.
    #[schema(value_type = String, example = "10")]
    pub(crate) amount_usd: Decimal<NanoUsd>,
    /// Why.
    pub(crate) note: Option<String>,
    /// `top_up`, `gift` or `correction`; unless given, `top_up` for money that is put in, and
    /// `correction` for money that is taken out.
    pub(crate) cause: Option<CauseName>,
    /// A name of your choice, 1 to 255 characters: the same credit under the same name is booked once,
    /// however often it is sent. The header `Idempotency-Key` says the same.
    pub(crate) idempotency_key: Option<String>,
}

/// What an administrator may book.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CreditCause)]
pub(crate) enum CauseName {
    TopUp,
    Gift,
    Correction,
}

impl From<CauseName> for Cause {
    fn from(name: CauseName) -> Self {
        match name {
            CauseName::TopUp => Self::TopUp,
            CauseName::Gift => Self::Gift,
            CauseName::Correction => Self::Correction,
        }
    }
}
