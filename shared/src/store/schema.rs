//! The table: every key pattern, and the only file that spells them.
//!
//! ```text
//! pk                     sk             what                                gpk, gsk (index `listing`)
//! CONFIG                 !VERSION       counts changes of this partition
//! CONFIG                 CHANNEL#<id>   a channel
//! CONFIG                 GROUP#<name>   a group
//! CONFIG                 PRICE#<model>  a price
//! CONFIG                 SETTINGS       the settings
//! PRICES                 <version>#<model>  what became of a price with that version; kept for ever
//! USER#<id>              USER           a user                              USERS, <username>
//! USERNAME#<name>        USERNAME       who has that name
//! KEY#<id>               KEY            a key                               KEYS, <user>#<id>
//! WALLET#<wallet>        WALLET         balance, spent, granted, holds (of a user, a key, or calls)
//! CREDITS#<user>         <ulid>         a movement of money into a wallet
//! CREDITKEY#<user>#<hash> CREDITKEY     the credit that was booked under an idempotency key
//! CORRECTED#<user>       <date>#<model> what was put right of those calls' costs; kept as long as credits
//! CODE#<id>              CODE           a redemption code                   CODES, <batch>.<number>
//! USAGE#<user>#<yyyy-mm> <request>      a usage record
//! ACTIVE#<yyyy-mm>       <hour>#<user>  calls of this user began in that hour
//! ROLLUP#<user>          <date>#<part>  the user's calls of that day, added up      ROLLUP#<date>, <user>#<part>
//! STALE                  <date>#<user>  records of that day came after it was added up
//! HOLDERS#<hour>         <wallet>       this wallet took holds in that hour
//! WINDOW#<what>#<minute> WINDOW         counters of one minute
//! JOB#<name>             JOB            lease and state of a maintenance job
//! ```
//!
//! `!VERSION` sorts first, so that a query of the partition reads the version before what it counts:
//! a change in between is seen as a newer version at the next look.

use jiff::civil::Date;

use crate::domain::hold::WalletId;
use crate::domain::id::{ChannelId, CreditId, KeyId, RedemptionCodeId, RequestId, UserId};
use crate::domain::limit::Minute;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
pub(super) const GPK: &str = "gpk";
pub(super) const GSK: &str = "gsk";
pub(super) const TTL: &str = "ttl";
pub(super) const LISTING: &str = "listing";

/// The full key of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemKey {
    pub(super) pk: String,
    pub(super) sk: String,
}

fn key(pk: impl Into<String>, sk: impl Into<String>) -> ItemKey {
    ItemKey {
        pk: pk.into(),
        sk: sk.into(),
    }
}

pub(super) const CONFIG: &str = "CONFIG";
pub(super) const CHANNEL: &str = "CHANNEL#";
pub(super) const GROUP: &str = "GROUP#";
pub(super) const PRICE: &str = "PRICE#";
pub(super) const SETTINGS: &str = "SETTINGS";
pub(super) const VERSION: &str = "!VERSION";

pub(super) fn version() -> ItemKey {
    key(CONFIG, VERSION)
}

pub(super) fn channel(id: ChannelId) -> ItemKey {
    key(CONFIG, format!("{CHANNEL}{id}"))
}

pub(super) fn group(name: &str) -> ItemKey {
    key(CONFIG, format!("{GROUP}{name}"))
}

pub(super) fn price(model: &str) -> ItemKey {
    key(CONFIG, format!("{PRICE}{model}"))
}

pub(super) const PRICES: &str = "PRICES";

/// Versions are padded, so that they sort as numbers.
pub(super) fn price_change(version: u64, model: &str) -> ItemKey {
    key(PRICES, format!("{version:020}#{model}"))
}

pub(super) fn settings() -> ItemKey {
    key(CONFIG, SETTINGS)
}

pub(super) const USERS: &str = "USERS";

pub(super) fn user(id: UserId) -> ItemKey {
    key(format!("USER#{id}"), "USER")
}

pub(super) fn username(name: &str) -> ItemKey {
    key(format!("USERNAME#{name}"), "USERNAME")
}

pub(super) const KEYS: &str = "KEYS";

pub(super) fn key_item(id: KeyId) -> ItemKey {
    key(format!("KEY#{id}"), "KEY")
}

/// Where a key stands in the list of keys: all of one user's keys together.
pub(super) fn key_listing(user: UserId, id: KeyId) -> String {
    format!("{user}#{id}")
}

pub(super) fn keys_of(user: UserId) -> String {
    format!("{user}#")
}

pub(super) fn wallet(id: WalletId) -> ItemKey {
    key(format!("WALLET#{id}"), "WALLET")
}

pub(super) fn credits(user: UserId) -> String {
    format!("CREDITS#{user}")
}

pub(super) fn credit(user: UserId, id: CreditId) -> ItemKey {
    key(credits(user), id.to_string())
}

/// `hash` is of an idempotency key, which may be longer than a key of the table.
pub(super) fn credit_key(user: UserId, hash: &str) -> ItemKey {
    key(format!("CREDITKEY#{user}#{hash}"), "CREDITKEY")
}

pub(super) fn corrected(user: UserId) -> String {
    format!("CORRECTED#{user}")
}

/// `model` is a name, or the hash of one that is longer than a key of the table.
pub(super) fn correction(user: UserId, date: Date, model: &str) -> ItemKey {
    key(corrected(user), format!("{date}#{model}"))
}

pub(super) const CODES: &str = "CODES";

pub(super) fn redemption_code(id: RedemptionCodeId) -> ItemKey {
    key(format!("CODE#{id}"), "CODE")
}

pub(super) fn usage(user: UserId, month: &str, id: RequestId) -> ItemKey {
    key(usage_month(user, month), id.to_string())
}

pub(super) fn usage_month(user: UserId, month: &str) -> String {
    format!("USAGE#{user}#{month}")
}

pub(super) fn active_month(month: &str) -> String {
    format!("ACTIVE#{month}")
}

/// `hour` as `2026-11-23T12`.
pub(super) fn active(month: &str, hour: &str, user: UserId) -> ItemKey {
    key(active_month(month), format!("{hour}#{user}"))
}

pub(super) fn rollups(user: UserId) -> String {
    format!("ROLLUP#{user}")
}

pub(super) fn rollup(user: UserId, date: Date, part: usize) -> ItemKey {
    key(rollups(user), format!("{date}#{part:02}"))
}

/// Where a part of a user's day stands in the index: with everybody's of that day.
pub(super) fn rollups_of_day(date: Date) -> String {
    format!("ROLLUP#{date}")
}

pub(super) fn rollup_listing(user: UserId, date: Date, part: usize) -> (String, String) {
    (rollups_of_day(date), format!("{user}#{part:02}"))
}

pub(super) const STALE: &str = "STALE";

pub(super) fn stale(date: Date, user: UserId) -> ItemKey {
    key(STALE, format!("{date}#{user}"))
}

pub(super) fn holders(hour: &str) -> String {
    format!("HOLDERS#{hour}")
}

pub(super) fn holder(hour: &str, wallet: WalletId) -> ItemKey {
    key(holders(hour), wallet.to_string())
}

pub(super) fn window(what: &str, minute: Minute) -> ItemKey {
    key(format!("WINDOW#{what}#{}", minute.0), "WINDOW")
}

pub(super) fn job(name: &str) -> ItemKey {
    key(format!("JOB#{name}"), "JOB")
}
