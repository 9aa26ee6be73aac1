//! Redemption codes as CSV.

use super::json::CodeJson;
use crate::csv::{self, Column, maybe, plain, text};

const COLUMNS: &[Column<CodeJson>] = &[
    ("id", |c| text(&c.id)),
    ("code", |c| maybe(c.code.as_ref())),
    ("amount_usd", |c| plain(&c.amount_usd)),
    ("expires_at", |c| maybe(c.expires_at)),
    ("enabled", |c| plain(c.enabled)),
    ("note", |c| text(&c.note)),
    ("batch", |c| text(&c.batch)),
    ("created_at", |c| text(c.created_at)),
    ("created_by", |c| text(&c.created_by)),
    ("redeemed_at", |c| maybe(c.redeemed_at)),
    ("redeemed_by", |c| maybe(c.redeemed_by.as_ref())),
    ("credit_id", |c| maybe(c.credit_id.as_ref())),
];

/// The codes, a line each, under a line of names.
pub(super) fn write(codes: &[CodeJson]) -> String {
    csv::write(COLUMNS, codes)
}
