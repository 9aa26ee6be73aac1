//! What users have and have spent: their wallets, and their calls that needed none.

use futures_util::future::try_join_all;
use shared::domain::hold::WalletId;
use shared::domain::money::NanoUsd;
use shared::domain::rollup::day_of;
use shared::domain::user::User;
use shared::failure::Failure;
use shared::store::usage_sums::Piece;

use crate::app::App;
use crate::json::user::UserJson;

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
        UserJson::new(user, &wallet.unwrap_or_default(), Some(unheld), low)
    });
    Ok(standings.collect())
}

/// What the calls cost that an unlimited user made without a hold: no wallet has counted those. It is
/// added up from the day on which the user was made.
async fn unheld(app: &App, user: &User) -> Result<NanoUsd, Failure> {
    if !user.unlimited {
        return Ok(NanoUsd::ZERO);
    }
    let first = day_of(user.created_at.as_millisecond());
    // Clocks differ: what another machine takes for tomorrow is counted too.
    let last = day_of(app.now().as_millisecond() + 60_000);
    let mut sum = NanoUsd::ZERO;
    let mut add = |piece: Piece<'_>| sum = sum.saturating_add(piece.sums.unheld);
    let rollups = app.store.rollups();
    rollups.of_user(user.id, (first, last), &mut add).await?;
    Ok(sum)
}
