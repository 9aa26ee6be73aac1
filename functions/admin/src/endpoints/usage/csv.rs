//! Usage records as CSV (RFC 4180), safe to open in a spreadsheet.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use shared::domain::record::{Status, UsageRecord};
use shared::failure::Failure;

use super::json::arrived;

/// A column: its name, and its cell of a record.
type Column = (&'static str, fn(&UsageRecord) -> Cell);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// What somebody wrote, or that stands for itself.
    Text(String),
    /// A number or a flag: nothing that a spreadsheet could take for a formula.
    Plain(String),
    Empty,
}

const COLUMNS: &[Column] = &[
    ("id", |r| text(r.id)),
    ("at", |r| text(arrived(r.id))),
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
    ("status", |r| text(status(r.status))),
    ("http_status", |r| plain(r.http_status)),
    ("error_code", |r| maybe(r.error_code.as_ref())),
    ("attempts", |r| plain(r.attempts.len())),
    ("input", |r| plain(r.tokens.input)),
    ("cache_read", |r| plain(r.tokens.cache_read)),
    ("cache_write_5m", |r| plain(r.tokens.cache_write_5m)),
    ("cache_write_1h", |r| plain(r.tokens.cache_write_1h)),
    ("output", |r| plain(r.tokens.output)),
    ("reasoning", |r| plain(r.tokens.reasoning)),
    ("input_audio", |r| plain(r.tokens.input_audio)),
    ("output_audio", |r| plain(r.tokens.output_audio)),
    ("input_image", |r| plain(r.tokens.input_image)),
    ("output_image", |r| plain(r.tokens.output_image)),
    ("cost_usd", |r| plain(r.cost)),
    ("estimated", |r| plain(r.estimated)),
    ("ttfb_ms", |r| r.ttfb_ms.map_or(Cell::Empty, plain)),
    ("total_ms", |r| plain(r.total_ms)),
    ("config_version", |r| plain(r.config_version)),
    ("source_ip", |r| maybe(r.source_ip)),
];

/// The line of names.
pub(super) fn head() -> String {
    let mut csv = String::new();
    line(COLUMNS.iter().map(|(name, _)| text(name)), &mut csv);
    csv
}

/// A record's line.
pub(super) fn write(record: &UsageRecord, csv: &mut String) {
    line(COLUMNS.iter().map(|(_, cell)| cell(record)), csv);
}

/// A line of cells.
pub(super) fn line(cells: impl Iterator<Item = Cell>, csv: &mut String) {
    let cells: Vec<String> = cells.map(Cell::write).collect();
    csv.push_str(&cells.join(","));
    csv.push_str("\r\n");
}

/// An answer that is kept as a file of that name.
pub(super) fn answer(csv: String, name: &str) -> Result<Response, Failure> {
    let mut answer = csv.into_response();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let name = name.map_err(Failure::internal)?;
    answer.headers_mut().insert(CONTENT_DISPOSITION, name);
    Ok(answer)
}

impl Cell {
    /// A text that begins like a formula is led by a quote, which a spreadsheet does not show.
    /// <https://owasp.org/www-community/attacks/CSV_Injection>
    fn write(self) -> String {
        let text = match self {
            Self::Empty => return String::new(),
            Self::Plain(text) => return text,
            Self::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
                format!("'{text}")
            }
            Self::Text(text) => text,
        };
        if text.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "columns hand over ids and references"
)]
pub(super) fn text(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "columns hand over numbers")]
pub(super) fn plain(value: impl ToString) -> Cell {
    Cell::Plain(value.to_string())
}

pub(super) fn maybe(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Empty, text)
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Error => "error",
        Status::Cut => "cut",
        Status::Unsettled => "unsettled",
    }
}

fn lane(lane: shared::domain::dialect::Lane) -> &'static str {
    match lane {
        shared::domain::dialect::Lane::Express => "express",
        shared::domain::dialect::Lane::Conversion => "conversion",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula_and_no_number_a_text() {
        for (cell, written) in [
            (text("gpt-4o"), "gpt-4o"),
            (text("=1+1"), "'=1+1"),
            (text("+1"), "'+1"),
            (text("-1"), "'-1"),
            (text("@a"), "'@a"),
            (text("a,b"), "\"a,b\""),
            (text("say \"a\""), "\"say \"\"a\"\"\""),
            (text("=a,b\n"), "\"'=a,b\n\""),
            (plain(-1), "-1"),
            (maybe(None::<u8>), ""),
        ] {
            assert_eq!(cell.clone().write(), written, "{cell:?}");
        }
    }
}
