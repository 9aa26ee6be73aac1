//! Usage records as CSV.

use shared::domain::record::UsageRecord;

use crate::csv::{self, Cell, Column, maybe, plain, text};

/// The columns that only administrators see.
const UPSTREAM_COST: &str = "upstream_cost_usd";
const MARGIN: &str = "margin_usd";

const COLUMNS: &[Column<UsageRecord>] = &[
    ("id", |r| text(r.id)),
    ("at", |r| text(r.id.at())),
    ("user_id", |r| text(r.user_id)),
    ("key_id", |r| maybe(r.key_id)),
    ("key_name", |r| maybe(r.key_name.as_ref())),
    ("group", |r| text(&r.group)),
    ("channel_id", |r| maybe(r.channel_id)),
    ("provider", |r| maybe(r.provider.as_ref())),
    ("model", |r| maybe(r.model.as_ref())),
    ("upstream_model", |r| maybe(r.upstream_model.as_ref())),
    ("dialect", |r| maybe(r.dialect)),
    ("lane", |r| maybe(r.lane.map(lane))),
    ("stream", |r| plain(r.stream)),
    ("status", |r| text(r.status.name())),
    ("http_status", |r| plain(r.http_status)),
    ("error_code", |r| maybe(r.error_code.as_ref())),
    ("attempts", |r| plain(r.attempts.len())),
    ("input", |r| plain(r.tokens.input)),
    ("cache_read", |r| plain(r.tokens.cache_read)),
    ("cache_read_audio", |r| plain(r.tokens.cache_read_audio)),
    ("cache_read_image", |r| plain(r.tokens.cache_read_image)),
    ("cache_write_5m", |r| plain(r.tokens.cache_write_5m)),
    ("cache_write_1h", |r| plain(r.tokens.cache_write_1h)),
    ("output", |r| plain(r.tokens.output)),
    ("reasoning", |r| plain(r.tokens.reasoning)),
    ("input_audio", |r| plain(r.tokens.input_audio)),
    ("output_audio", |r| plain(r.tokens.output_audio)),
    ("input_image", |r| plain(r.tokens.input_image)),
    ("output_image", |r| plain(r.tokens.output_image)),
    ("web_searches", |r| plain(r.tokens.web_searches)),
    ("file_searches", |r| plain(r.tokens.file_searches)),
    ("code_runs", |r| plain(r.tokens.code_runs)),
    ("service", |r| text(r.tokens.service.name())),
    ("cost_usd", |r| plain(r.cost)),
    ("uncollected_usd", |r| plain(r.uncollected)),
    (UPSTREAM_COST, |r| {
        r.upstream_cost.map_or(Cell::Empty, plain)
    }),
    (MARGIN, |r| r.margin().map_or(Cell::Empty, plain)),
    ("estimated", |r| plain(r.estimated)),
    ("ttfb_ms", |r| r.ttfb_ms.map_or(Cell::Empty, plain)),
    ("total_ms", |r| plain(r.total_ms)),
    ("config_version", |r| plain(r.config_version)),
    ("source_ip", |r| maybe(r.source_ip)),
];

/// A table for somebody: with what each call earned, if that may be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) with_margin: bool,
}

impl Table {
    fn columns(self) -> impl Iterator<Item = &'static Column<UsageRecord>> {
        let told = move |name| self.with_margin || ![UPSTREAM_COST, MARGIN].contains(&name);
        COLUMNS.iter().filter(move |(name, _)| told(*name))
    }

    /// The line of names.
    pub(super) fn head(self) -> String {
        let mut csv = String::new();
        csv::line(self.columns().map(|(name, _)| text(name)), &mut csv);
        csv
    }

    /// A record's line.
    pub(super) fn write(self, record: &UsageRecord, csv: &mut String) {
        csv::line(self.columns().map(|(_, cell)| cell(record)), csv);
    }
}

fn lane(lane: shared::domain::dialect::Lane) -> &'static str {
    match lane {
        shared::domain::dialect::Lane::Express => "express",
        shared::domain::dialect::Lane::Conversion => "conversion",
    }
}
