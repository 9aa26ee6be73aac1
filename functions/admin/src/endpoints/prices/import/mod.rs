//! Importing prices from a map in LiteLLM's format: told first, written when that is wanted.

mod body;
mod decimal;
mod difference;
mod json;
mod litellm;

use axum::Json;
use axum::extract::State;
use shared::failure::{Failure, Kind};
use shared::store::StoreError;
use shared::store::configuration::{Change, Configuration, MOST_CHANGES};

use body::{From, Import, ImportBody, PriceMap};
use difference::{Difference, Rows, Write};
use json::DifferenceJson;

use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::session::Admin;

/// The largest body that is taken here. Lambda takes 6 MB, and LiteLLM's whole map has three.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(crate) const LIMIT_BYTES: usize = 6_000_000;

/// How many prices there may be beside the book: every relay reads all of them, and keeps them.
const MOST_PRICES: usize = 2_000;

/// How often an import goes on after somebody else has changed something meanwhile.
const TRIES: usize = 16;

/// Import prices from a map in LiteLLM's format
///
/// Without `"dry_run": false` nothing is written, and the answer tells the difference. Prices that are
/// locked are left alone, and rows that cannot be kept exactly are skipped. There may be 2,000 prices
/// beside the built-in ones: say with `models` which you need.
#[utoipa::path(
    post, path = "/api/prices/import", tag = "prices", request_body = ImportBody,
    responses((status = 200, description = "The difference", body = DifferenceJson)),
)]
pub(crate) async fn import_prices(
    State(app): State<App>,
    _: Admin,
    Body(body): Body<ImportBody>,
) -> Answer<Json<DifferenceJson>> {
    let today = app.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (from, import) = body.read(today)?;
    let map = match from {
        From::Body(map) => map,
        From::Url(url) => fetch(&app, &url).await?,
    };
    let rows = Rows::read(&map, &import);
    drop(map);
    Ok(Json(write(&app, rows, &import).await?))
}

async fn fetch(app: &App, url: &str) -> Result<PriceMap, Failure> {
    let text = app.price_source.fetch(url).await?;
    serde_json::from_slice(&text).map_err(|_| {
        let text = "What is there is not a price map: a JSON object of rows by model is expected.";
        Failure::bad_field("url", text)
    })
}

/// Writes the difference, if that is wanted. Whoever changes something at the same time makes it begin
/// anew with what is left, so that nobody's change is undone unknowingly.
async fn write(app: &App, rows: Rows, import: &Import) -> Result<DifferenceJson, Failure> {
    let mut written: Vec<Write> = Vec::new();
    for _ in 0..TRIES {
        let configuration = app.store.configuration().load().await?;
        let mut difference = rows.difference(&configuration, import.mode);
        check_room(&configuration, &difference)?;
        let mut writes = std::mem::take(&mut difference.writes);
        if import.dry_run {
            return Ok(report(rows, difference, &writes, import));
        }
        let mut version = configuration.version;
        loop {
            let rest = writes.split_off(writes.len().min(MOST_CHANGES));
            if writes.is_empty() {
                difference.unchanged -= written_before(&written, &configuration);
                return Ok(report(rows, difference, &written, import));
            }
            let changes: Vec<Change> = writes.iter().map(Write::change).collect();
            let seen = app.store.configuration().at(version);
            match seen.write(&changes, app.now()).await {
                Ok(now) => version = now,
                Err(StoreError::Conflict) => break,
                Err(error) => return Err(error.into()),
            }
            written.append(&mut writes);
            writes = rest;
        }
    }
    let text = "Many changes are being made at once. What is left of the import is to be repeated.";
    let failure = Failure::new(Kind::Unavailable, "store_unavailable", text);
    Err(failure.retry_after(1))
}

/// How many of the prices that this import has written were counted as unchanged later.
fn written_before(written: &[Write], configuration: &Configuration) -> usize {
    let there = |write: &&Write| {
        let now = configuration.prices.named(&write.after.model);
        now.is_some_and(|now| now.costs_as(&write.after))
    };
    written.iter().filter(there).count()
}

fn check_room(configuration: &Configuration, difference: &Difference) -> Result<(), Failure> {
    let new = difference.writes.iter().filter(|w| w.before.is_none());
    let all = configuration.prices.rows().len() + new.count();
    if all <= MOST_PRICES {
        return Ok(());
    }
    let text = format!(
        "There would be {all} prices, and there may be {MOST_PRICES}. Say with models which to import."
    );
    Err(Failure::bad_field("models", text))
}

fn report(rows: Rows, difference: Difference, writes: &[Write], import: &Import) -> DifferenceJson {
    DifferenceJson {
        dry_run: import.dry_run,
        added: writes.iter().filter_map(Write::added).collect(),
        changed: writes.iter().filter_map(Write::changed).collect(),
        unchanged: difference.unchanged,
        left_out: difference.left_out,
        locked: difference.locked,
        ignored: rows.ignored(writes),
        skipped: rows.skipped,
    }
}
