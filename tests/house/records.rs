//! Usage records as if calls had made them.

use shared::domain::dialect::{Dialect, Lane};
use shared::domain::hold::{HoldId, HoldName, WalletId};
use shared::domain::id::{ChannelId, KeyId, RequestId, UserId};
use shared::domain::money::{NanoUsd, Ratio};
use shared::domain::record::{Attempt, Status, UsageRecord};
use shared::domain::usage::Usage;

/// A long record of a call that began then and took so long: two attempts, three holds, an IPv6 address.
#[must_use]
pub fn record(user_id: UserId, began_ms: i64, took_ms: u64, n: u128) -> UsageRecord {
    let id = RequestId::from_parts(u64::try_from(began_ms).unwrap(), n);
    let key_id = KeyId::from_bits(u128::MAX);
    let attempt = |outcome: &str| Attempt {
        channel_id: ChannelId::from_bits(7),
        outcome: outcome.to_owned(),
        http_status: Some(429),
        ms: 1_234,
    };
    let wallets = [
        WalletId::User(user_id),
        WalletId::Key(key_id),
        WalletId::Allowance(user_id),
    ];
    UsageRecord {
        id,
        user_id,
        key_id: Some(key_id),
        key_name: Some("production, team of ada".to_owned()),
        group: "default".to_owned(),
        channel_id: Some(ChannelId::from_bits(7)),
        provider: Some("openai-compatible".to_owned()),
        model: Some("anthropic.claude-sonnet-4-5-20250929-v1:0".to_owned()),
        upstream_model: Some("us.anthropic.claude-sonnet-4-5-20250929-v1:0".to_owned()),
        dialect: Some(Dialect::OpenaiChat),
        lane: Some(Lane::Conversion),
        stream: true,
        status: Status::Ok,
        http_status: 200,
        error_code: None,
        attempts: vec![attempt("provider_rate_limited"), attempt("ok")],
        tokens: Usage {
            input: 123_456,
            cache_read: 65_432,
            output: 7_890,
            reasoning: 1_234,
            ..Usage::default()
        },
        uncollected: NanoUsd::ZERO,
        closed: 0,
        cost: NanoUsd::new(i64::try_from(n).unwrap_or(1) + 1),
        upstream_cost: None,
        bill: Vec::new(),
        ratio: Ratio::ONE,
        estimated: false,
        ttfb_ms: Some(1_234),
        total_ms: took_ms,
        config_version: 12_345,
        source_ip: Some("2001:db8:1234:5678:9abc:def0:1234:5678".parse().unwrap()),
        holds: wallets
            .map(|wallet| HoldName {
                wallet,
                id: HoldId::first(id),
                before: NanoUsd::ZERO,
            })
            .to_vec(),
    }
}
