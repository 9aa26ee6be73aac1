//! What users have and have spent: their wallets, and their calls that needed none.

use futures_util::future::try_join_all;
use jiff::ToSpan;
use shared::domain::hold::WalletId;
use shared::domain::money::NanoUsd;
use shared::domain::user::User;
use shared::failure::Failure;
use shared::store::usage_log::{Span, UsageFilter};

use crate::app::App;
use crate::json::user::UserJson;

const RECORDS_A_PAGE: usize = 1_000;
/// How many pages are added up; more, and the sum is not told: nobody waits for it.
const PAGES: usize = 5;

/// A user, with what they have and have spent.
pub(crate) async fn of(app: &App, user: &User) -> Result<UserJson, Failure> {
    let mut one = of_all(app, std::slice::from_ref(user)).await?;
    one.pop()
        .ok_or_else(|| Failure::internal("one user has one standing"))
}

/// The same of several, in their order.
pub(crate) async fn of_all(app: &App, users: &[User]) -> Result<Vec<UserJson>, Failure> {
    let ids: Vec<_> = users.iter().map(|user| WalletId::User(user.id)).collect();
    let wallets = app.store.wallets().find_all(&ids).await?;
    let unheld = try_join_all(users.iter().map(|user| unheld(app, user))).await?;
    let low = app.store.configuration().settings().await?.low_balance;
    let standings = users.iter().zip(unheld).map(|(user, unheld)| {
        let wallet = wallets.get(&WalletId::User(user.id)).cloned();
        UserJson::new(user, &wallet.unwrap_or_default(), unheld, low)
    });
    Ok(standings.collect())
}

/// What the calls cost that an unlimited user made without a hold: no wallet has counted those.
async fn unheld(app: &App, user: &User) -> Result<Option<NanoUsd>, Failure> {
    if !user.unlimited {
        return Ok(Some(NanoUsd::ZERO));
    }
    let filter = UsageFilter {
        user_id: Some(user.id),
        ..UsageFilter::default()
    };
    let span = Span {
        from: user.created_at,
        to: app
            .now()
            .saturating_add(1.minute())
            .map_err(Failure::internal)?,
    };
    let wallet = WalletId::User(user.id);
    let mut sum = NanoUsd::ZERO;
    let mut cursor = None;
    for _ in 0..PAGES {
        let log = app.store.usage_log();
        let page = log.list(&filter, span, RECORDS_A_PAGE, cursor).await?;
        let counted = |hold: &shared::domain::hold::HoldName| hold.wallet == wallet;
        let unheld = page
            .items
            .iter()
            .filter(|record| !record.holds.iter().any(counted));
        sum = sum.saturating_add(unheld.map(|record| record.cost).sum());
        cursor = page.next.and_then(|next| next.parse().ok());
        if cursor.is_none() {
            return Ok(Some(sum));
        }
    }
    Ok(None)
}
