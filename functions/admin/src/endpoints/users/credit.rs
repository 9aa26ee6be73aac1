//! Putting money into a user's wallet, or taking it out.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::domain::hold::WalletId;
use shared::domain::id::{RequestId, UserId};
use shared::domain::money::NanoUsd;
use shared::failure::{Failure, Kind};
use shared::random;
use shared::store::StoreError;
use shared::store::credits::Credit;

use super::json::CreditBody;
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::json::user::UserJson;
use crate::path::Named;
use crate::session::Admin;
use crate::standing;

/// A thousand million USD: far from what a wallet can count, and from what anybody means.
const MOST: NanoUsd = NanoUsd::new(1_000_000_000 * 1_000_000_000);
const NOTE_CHARS: usize = 500;

/// Put money into a user's wallet
///
/// A negative amount takes out; a wallet never goes below zero.
#[utoipa::path(
    post, path = "/api/users/{id}/credits", tag = "users", params(("id" = String, Path)),
    request_body = CreditBody,
    responses((status = 201, description = "The user", body = UserJson)),
)]
pub(crate) async fn credit_user(
    State(app): State<App>,
    actor: Admin,
    Named(id): Named<UserId>,
    Body(body): Body<CreditBody>,
) -> Answer<(StatusCode, Json<UserJson>)> {
    let user = app.store.users().find(id).await?;
    let user = user.ok_or_else(|| Failure::missing("user", &id))?;
    let credit = Credit {
        id: RequestId::from_parts(app.at_ms(), random::bits()),
        user_id: id,
        amount: body.amount_usd.0,
        note: note(body.note)?,
        by: actor.0.id,
    };
    check(&app, &credit).await?;
    match app.store.credits().book(&credit).await {
        Ok(()) => Ok((StatusCode::CREATED, Json(standing::of(&app, &user).await?))),
        Err(StoreError::Conflict) => Err(short(&app, id).await?.into()),
        Err(error) => Err(error.into()),
    }
}

fn note(text: Option<String>) -> Result<String, Failure> {
    let note = text.unwrap_or_default();
    if note.chars().count() > NOTE_CHARS {
        let text = format!("A note has at most {NOTE_CHARS} characters.");
        return Err(Failure::bad_field("note", text));
    }
    Ok(note)
}

/// A wallet counts to nine thousand million USD: nobody gets near by one credit or by many.
async fn check(app: &App, credit: &Credit) -> Result<(), Failure> {
    let refuse = |text| Err(Failure::bad_field("amount_usd", text));
    if credit.amount == NanoUsd::ZERO {
        return refuse("A credit of nothing is none.");
    }
    let wallet = app
        .store
        .wallets()
        .find(WalletId::User(credit.user_id))
        .await?;
    let after = wallet
        .unwrap_or_default()
        .granted
        .saturating_add(credit.amount);
    if credit.amount > MOST || after > MOST {
        return refuse("That is more than a wallet holds.");
    }
    Ok(())
}

async fn short(app: &App, id: UserId) -> Result<Failure, Failure> {
    let wallet = app.store.wallets().find(WalletId::User(id)).await?;
    let left = wallet.unwrap_or_default().balance;
    let text = format!("The wallet holds {left} USD: no more can be taken out.");
    let mut failure = Failure::new(Kind::Conflict, "insufficient_balance", text);
    failure.field = Some("amount_usd".into());
    Ok(failure)
}
