//! Putting money into a user's wallet, or taking it out.

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use shared::domain::credit::{Cause, Credit, MOST};
use shared::domain::hold::{Wallet, WalletId};
use shared::domain::id::{CreditId, UserId};
use shared::domain::money::NanoUsd;
use shared::domain::user::User;
use shared::failure::{Failure, Kind};
use shared::random;
use shared::store::credits::BookError;

use super::json::CreditBody;
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::json::user::UserJson;
use crate::path::Named;
use crate::session::Admin;
use crate::standing;

const NOTE_CHARS: usize = 500;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const IDEMPOTENCY_KEY_CHARS: usize = 255;

/// Put money into a user's wallet
///
/// A negative amount takes out; a wallet never goes below zero by it. With an idempotency key (a member
/// of the body, or the header `Idempotency-Key`) the same request is booked once, however often it is
/// sent; another one under the same key is refused.
#[utoipa::path(
    post, path = "/api/users/{id}/credits", tag = "users", params(("id" = String, Path)),
    request_body = CreditBody,
    responses((status = 201, description = "The user", body = UserJson)),
)]
pub(crate) async fn credit_user(
    State(app): State<App>,
    actor: Admin,
    Named(id): Named<UserId>,
    headers: HeaderMap,
    Body(body): Body<CreditBody>,
) -> Answer<(StatusCode, Json<UserJson>)> {
    let key = idempotency_key(&headers, body.idempotency_key.as_deref())?;
    let amount = amount(body.amount_usd.0)?;
    let user = app.store.users().find(id).await?;
    let user = user.ok_or_else(|| Failure::missing("user", &id))?;
    let credit = Credit {
        id: CreditId::from_parts(app.at_ms(), random::bits()),
        user_id: id,
        cause: body.cause.map_or_else(|| usual_cause(amount), Into::into),
        amount,
        note: note(body.note)?,
        by: Some(actor.0.id),
        reference: None,
    };
    let before = app.store.wallets().find(WalletId::User(id)).await?;
    let booked = match &key {
        Some(key) => app.store.credits().book_once(&credit, key).await,
        None => app.store.credits().book(&credit).await,
    };
    booked.map_err(|error| refusal(error, key.is_some()))?;
    let json = shown(&app, &user, before.unwrap_or_default(), amount).await;
    Ok((StatusCode::CREATED, Json(json)))
}

fn amount(amount: NanoUsd) -> Result<NanoUsd, Failure> {
    if amount == NanoUsd::ZERO {
        let text = "A credit of nothing is none.";
        return Err(Failure::bad_field("amount_usd", text));
    }
    if amount > MOST {
        let text = "That is more than a wallet holds.";
        return Err(Failure::bad_field("amount_usd", text));
    }
    Ok(amount)
}

fn usual_cause(amount: NanoUsd) -> Cause {
    if amount < NanoUsd::ZERO {
        Cause::Correction
    } else {
        Cause::TopUp
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

/// The key in the body or in the header; both may say the same.
fn idempotency_key(headers: &HeaderMap, body: Option<&str>) -> Result<Option<String>, Failure> {
    let bad = |text: &str| Err(Failure::bad_field("idempotency_key", text));
    let header = match headers.get(IDEMPOTENCY_KEY).map(|key| key.to_str()) {
        Some(Err(_)) => return bad("The header is not plain text."),
        Some(Ok(key)) => Some(key),
        None => None,
    };
    if header.is_some() && body.is_some() && header != body {
        return bad("The body and the header Idempotency-Key differ.");
    }
    match header.or(body) {
        Some(key) if key.is_empty() || key.chars().count() > IDEMPOTENCY_KEY_CHARS => {
            bad("1 to 255 characters are expected.")
        }
        key => Ok(key.map(str::to_owned)),
    }
}

fn refusal(error: BookError, has_key: bool) -> Failure {
    match error {
        BookError::Taken if has_key => {
            let text = "Another credit was booked under this idempotency key.";
            let mut failure = Failure::new(Kind::Conflict, "idempotency_key_reused", text);
            failure.field = Some("idempotency_key".into());
            failure
        }
        error => error.into(),
    }
}

/// The user as they stand. The credit is booked: if the table does not tell how they stand, that is no
/// reason to say that it is not. Then it is worked out from what was there before.
async fn shown(app: &App, user: &User, before: Wallet, amount: NanoUsd) -> UserJson {
    match standing::of(app, user).await {
        Ok(json) => json,
        Err(failure) => {
            let error = shared::trace::chain(&failure);
            tracing::warn!(error, "a credit is booked, but its user cannot be shown");
            let after = Wallet {
                balance: before.balance.saturating_add(amount),
                ..before
            };
            UserJson::new(user, &after, None, NanoUsd::ZERO)
        }
    }
}
