//! Rows of sums: grouped, sorted, and written as JSON or CSV.

use std::collections::BTreeMap;

use axum::response::Response;
use serde::Serialize;
use shared::domain::rollup::Sums;
use shared::failure::Failure;
use shared::store::usage_sums::Piece;
use utoipa::ToSchema;

use super::json::{PiecesJson, TokensJson};
use crate::csv::{self, Column};

/// How many rows one answer has at most.
const MOST: usize = 10_000;

/// What rows can be made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Day,
    Model,
    User,
    Channel,
    Key,
    Provider,
    Group,
}

impl By {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "day" => Self::Day,
            "model" => Self::Model,
            "user" | "user_id" => Self::User,
            "channel" | "channel_id" => Self::Channel,
            "key" | "key_id" => Self::Key,
            "provider" => Self::Provider,
            "group" => Self::Group,
            _ => return None,
        })
    }

    /// Its member in a row, as in a usage record.
    const fn member(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::User => "user_id",
            Self::Channel => "channel_id",
            Self::Key => "key_id",
            Self::Provider => "provider",
            Self::Group => "group",
        }
    }

    fn of(self, piece: &Piece<'_>) -> Option<String> {
        let subject = piece.subject;
        match self {
            Self::Day => Some(piece.date.to_string()),
            Self::Model => subject.model.clone(),
            Self::User => Some(piece.user_id.to_string()),
            Self::Channel => subject.channel_id.map(Into::into),
            Self::Key => subject.key_id.map(Into::into),
            Self::Provider => subject.provider.clone(),
            Self::Group => Some(subject.group.clone()).filter(|group| !group.is_empty()),
        }
    }
}

/// Sums by group, while they are added up.
#[derive(Debug)]
pub(super) struct Groups {
    by: Vec<By>,
    rows: BTreeMap<Vec<Option<String>>, Sums>,
    total: Sums,
}

/// Sums by group, and of all groups.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageSummary)]
pub(crate) struct SummaryJson {
    /// The rows, sorted.
    data: Vec<RowJson>,
    /// Everything together.
    total: SumsJson,
}

/// A row: what it is about, as far as `by` asks for it (null where the records do not tell), and its
/// sums.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = UsageSummaryRow)]
struct RowJson {
    #[serde(flatten)]
    about: AboutJson,
    #[serde(flatten)]
    sums: SumsJson,
}

#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = UsageSummarySubject)]
struct AboutJson {
    /// The day in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Told,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Told,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Told,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Told,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Told,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Told,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Told,
}

/// Not asked for, not known, or known.
type Told = Option<Option<String>>;

impl AboutJson {
    const fn member(&mut self, by: By) -> &mut Told {
        match by {
            By::Day => &mut self.day,
            By::Model => &mut self.model,
            By::User => &mut self.user_id,
            By::Channel => &mut self.channel_id,
            By::Key => &mut self.key_id,
            By::Provider => &mut self.provider,
            By::Group => &mut self.group,
        }
    }
}

/// What calls add up to.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = UsageSums)]
struct SumsJson {
    requests: u64,
    /// Those without an answer.
    errors: u64,
    /// Those whose answer broke off.
    cut: u64,
    /// Those that were lost.
    unsettled: u64,
    /// Those whose usage is an estimate.
    estimated: u64,
    tokens: TokensJson,
    pieces: PiecesJson,
    #[schema(example = "0.000381")]
    cost_usd: String,
    /// What calls cost more than they were charged, because nothing was left.
    #[schema(example = "0")]
    uncollected_usd: String,
    /// What the operator pays the providers for it, where channels tell; null for members.
    upstream_cost_usd: Option<String>,
    /// How long the calls took together.
    total_ms: u64,
}

impl SumsJson {
    fn of(sums: &Sums, with_margin: bool) -> Self {
        let paid = with_margin.then_some(sums.upstream_cost);
        Self {
            requests: sums.requests,
            errors: sums.errors,
            cut: sums.cut,
            unsettled: sums.unsettled,
            estimated: sums.estimated,
            tokens: (&sums.tokens).into(),
            pieces: (&sums.tokens).into(),
            cost_usd: sums.cost.to_string(),
            uncollected_usd: sums.uncollected.to_string(),
            upstream_cost_usd: paid.map(|paid| paid.to_string()),
            total_ms: sums.total_ms,
        }
    }
}

impl Groups {
    pub(super) fn new(by: Vec<By>) -> Self {
        Self {
            by,
            rows: BTreeMap::new(),
            total: Sums::default(),
        }
    }

    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        self.total.add(piece.sums);
        let group = self.by.iter().map(|by| by.of(piece)).collect();
        // One more than may be is enough to know.
        if self.rows.len() <= MOST || self.rows.contains_key(&group) {
            self.rows.entry(group).or_default().add(piece.sums);
        }
    }

    pub(super) fn too_many(&self) -> bool {
        self.rows.len() > MOST
    }

    pub(super) fn json(&self, with_margin: bool) -> SummaryJson {
        let rows = self.rows.iter().map(|(group, sums)| {
            let mut about = AboutJson::default();
            for (by, value) in self.by.iter().zip(group) {
                *about.member(*by) = Some(value.clone());
            }
            RowJson {
                about,
                sums: SumsJson::of(sums, with_margin),
            }
        });
        SummaryJson {
            data: rows.collect(),
            total: SumsJson::of(&self.total, with_margin),
        }
    }

    pub(super) fn csv(&self, with_margin: bool) -> Result<Response, Failure> {
        let mut text = String::new();
        let columns = || {
            let told = COLUMNS.iter();
            told.filter(|(name, _)| with_margin || *name != UPSTREAM)
        };
        let names = self.by.iter().map(|by| by.member());
        let names = names.chain(columns().map(|(name, _)| *name));
        csv::line(names.map(csv::text), &mut text);
        for (group, sums) in &self.rows {
            let about = group.iter().map(|value| csv::maybe(value.as_ref()));
            let sums = columns().map(|(_, cell)| cell(sums));
            csv::line(about.chain(sums), &mut text);
        }
        csv::answer(text, "usage-summary.csv", None)
    }
}

/// The column that only administrators see.
const UPSTREAM: &str = "upstream_cost_usd";

const COLUMNS: &[Column<Sums>] = &[
    ("requests", |s| csv::plain(s.requests)),
    ("errors", |s| csv::plain(s.errors)),
    ("cut", |s| csv::plain(s.cut)),
    ("unsettled", |s| csv::plain(s.unsettled)),
    ("estimated", |s| csv::plain(s.estimated)),
    ("input", |s| csv::plain(s.tokens.input)),
    ("cache_read", |s| csv::plain(s.tokens.cache_read)),
    ("cache_read_audio", |s| {
        csv::plain(s.tokens.cache_read_audio)
    }),
    ("cache_read_image", |s| {
        csv::plain(s.tokens.cache_read_image)
    }),
    ("cache_write_5m", |s| csv::plain(s.tokens.cache_write_5m)),
    ("cache_write_1h", |s| csv::plain(s.tokens.cache_write_1h)),
    ("output", |s| csv::plain(s.tokens.output)),
    ("reasoning", |s| csv::plain(s.tokens.reasoning)),
    ("input_audio", |s| csv::plain(s.tokens.input_audio)),
    ("output_audio", |s| csv::plain(s.tokens.output_audio)),
    ("input_image", |s| csv::plain(s.tokens.input_image)),
    ("output_image", |s| csv::plain(s.tokens.output_image)),
    ("web_searches", |s| csv::plain(s.tokens.web_searches)),
    ("file_searches", |s| csv::plain(s.tokens.file_searches)),
    ("code_runs", |s| csv::plain(s.tokens.code_runs)),
    ("cost_usd", |s| csv::plain(s.cost)),
    ("uncollected_usd", |s| csv::plain(s.uncollected)),
    (UPSTREAM, |s| csv::plain(s.upstream_cost)),
    ("total_ms", |s| csv::plain(s.total_ms)),
];
