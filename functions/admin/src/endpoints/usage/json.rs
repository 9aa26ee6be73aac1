//! Usage records, as the outside sees them.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::dialect::{Dialect, Lane};
use shared::domain::price::BillLine;
use shared::domain::record::{Attempt, Status, UsageRecord};
use shared::domain::usage::{Service, Usage};
use utoipa::ToSchema;

/// One finished call: who, what, where, tokens by component, cost, timing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageRecord)]
pub(crate) struct RecordJson {
    /// The request's id.
    id: String,
    /// When the call arrived.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    user_id: String,
    /// Null for an administrator's test of a channel.
    key_id: Option<String>,
    key_name: Option<String>,
    group: String,
    channel_id: Option<String>,
    provider: Option<String>,
    /// The caller's name of the model; null when the call was lost.
    model: Option<String>,
    upstream_model: Option<String>,
    /// The caller's dialect.
    #[schema(value_type = Option<String>)]
    dialect: Option<Dialect>,
    /// `express` or `conversion`.
    #[schema(value_type = Option<String>)]
    lane: Option<Lane>,
    stream: bool,
    /// `ok`, `error`, `cut` or `unsettled`.
    #[schema(value_type = String)]
    status: Status,
    /// The status that the caller saw.
    http_status: u16,
    error_code: Option<String>,
    /// Every channel that was tried, in order.
    attempts: Vec<AttemptJson>,
    tokens: TokensJson,
    pieces: PiecesJson,
    /// At which service the provider says that it answered: `standard`, `batch`, `flex`, `priority` or
    /// `fast`.
    #[schema(value_type = String, example = "standard")]
    service: Service,
    #[schema(example = "0.000381")]
    cost_usd: String,
    /// What it cost more than it was charged, because nothing was left.
    #[schema(example = "0")]
    uncollected_usd: String,
    /// What the operator pays for it, where the channel tells; null for members.
    upstream_cost_usd: Option<String>,
    /// What is left of the price after that; null for members.
    margin_usd: Option<String>,
    /// Why it cost that.
    bill: Vec<BillLineJson>,
    /// Whether the usage was estimated because the provider gave none.
    estimated: bool,
    ttfb_ms: Option<u64>,
    total_ms: u64,
    /// The version of the prices that the bill was made with.
    price_version: u64,
    config_version: u64,
    #[schema(value_type = Option<String>)]
    source_ip: Option<IpAddr>,
}

/// One channel that was tried.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
struct AttemptJson {
    channel_id: String,
    /// `ok`, or the code of the failure.
    outcome: String,
    http_status: Option<u16>,
    ms: u64,
}

/// Tokens by component, disjoint, except that `reasoning` is part of `output`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(super) struct TokensJson {
    input: u64,
    /// Text and whatever a provider does not count apart.
    cache_read: u64,
    /// Audio that a cache served, where a provider counts it apart.
    cache_read_audio: u64,
    /// Images that a cache served, where a provider counts them apart.
    cache_read_image: u64,
    cache_write_5m: u64,
    cache_write_1h: u64,
    output: u64,
    reasoning: u64,
    input_audio: u64,
    output_audio: u64,
    input_image: u64,
    output_image: u64,
}

/// What a provider bills by the piece, not by the token.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Pieces)]
pub(super) struct PiecesJson {
    /// Searches of the web that the provider made for the answer.
    web_searches: u64,
    /// Searches of files that it made.
    file_searches: u64,
    /// Containers of code that it ran.
    code_runs: u64,
}

/// One line of a bill: `quantity × unit_usd = usd`, exactly.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BillLine)]
struct BillLineJson {
    component: String,
    quantity: u64,
    unit_usd: String,
    usd: String,
}

impl RecordJson {
    /// A record, with what it earned if that may be told.
    pub(super) fn of(record: UsageRecord, with_margin: bool) -> Self {
        let paid = record.upstream_cost.filter(|_| with_margin);
        let margin = record.margin().filter(|_| with_margin);
        Self {
            id: record.id.to_string(),
            at: record.id.at(),
            user_id: record.user_id.to_string(),
            key_id: record.key_id.map(Into::into),
            key_name: record.key_name,
            group: record.group,
            channel_id: record.channel_id.map(Into::into),
            provider: record.provider,
            model: record.model,
            upstream_model: record.upstream_model,
            dialect: record.dialect,
            lane: record.lane,
            stream: record.stream,
            status: record.status,
            http_status: record.http_status,
            error_code: record.error_code,
            attempts: record.attempts.into_iter().map(Into::into).collect(),
            tokens: (&record.tokens).into(),
            pieces: (&record.tokens).into(),
            service: record.tokens.service,
            cost_usd: record.cost.to_string(),
            uncollected_usd: record.uncollected.to_string(),
            upstream_cost_usd: paid.map(|paid| paid.to_string()),
            margin_usd: margin.map(|margin| margin.to_string()),
            bill: record.bill.into_iter().map(Into::into).collect(),
            estimated: record.estimated,
            ttfb_ms: record.ttfb_ms,
            total_ms: record.total_ms,
            price_version: record.config_version,
            config_version: record.config_version,
            source_ip: record.source_ip,
        }
    }
}

impl From<Attempt> for AttemptJson {
    fn from(attempt: Attempt) -> Self {
        Self {
            channel_id: attempt.channel_id.to_string(),
            outcome: attempt.outcome,
            http_status: attempt.http_status,
            ms: attempt.ms,
        }
    }
}

impl From<&Usage> for TokensJson {
    fn from(tokens: &Usage) -> Self {
        Self {
            input: tokens.input,
            cache_read: tokens.cache_read,
            cache_read_audio: tokens.cache_read_audio,
            cache_read_image: tokens.cache_read_image,
            cache_write_5m: tokens.cache_write_5m,
            cache_write_1h: tokens.cache_write_1h,
            output: tokens.output,
            reasoning: tokens.reasoning,
            input_audio: tokens.input_audio,
            output_audio: tokens.output_audio,
            input_image: tokens.input_image,
            output_image: tokens.output_image,
        }
    }
}

impl From<&Usage> for PiecesJson {
    fn from(used: &Usage) -> Self {
        Self {
            web_searches: used.web_searches,
            file_searches: used.file_searches,
            code_runs: used.code_runs,
        }
    }
}

impl From<BillLine> for BillLineJson {
    fn from(line: BillLine) -> Self {
        Self {
            component: line.component.to_string(),
            quantity: line.quantity,
            unit_usd: line.unit_usd(),
            usd: line.usd(),
        }
    }
}
