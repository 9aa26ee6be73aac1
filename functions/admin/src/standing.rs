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
    let groups = app.store.configuration().groups().await?;
    let budget = |user: &User| {
        let group = groups.iter().find(|group| group.name == user.group)?;
        group.budget.as_ref()
    };
    let mut ids: Vec<_> = users.iter().map(|user| WalletId::User(user.id)).collect();
    let allowed = users.iter().filter(|user| budget(user).is_some());
    ids.extend(allowed.map(|user| WalletId::Allowance(user.id)));
    let wallets = app.store.wallets().find_all(&ids).await?;
    let unheld = try_join_all(users.iter().map(|user| unheld(app, user))).await?;
    let low = app.store.configuration().settings().await?.low_balance;
    let standings = users.iter().zip(unheld).map(|(user, unheld)| {
        let wallet = |id| wallets.get(&id).cloned().unwrap_or_default();
        let json = UserJson::new(user, &wallet(WalletId::User(user.id)), Some(unheld), low);
        match budget(user) {
            Some(budget) => {
                let allowance = wallet(WalletId::Allowance(user.id));
                json.with_allowance(budget, &budget.as_of(allowance, app.now()))
            }
            None => json,
        }
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
