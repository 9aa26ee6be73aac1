//! Redeeming a code.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::domain::hold::WalletId;
use shared::domain::id::{CreditId, UserId};
use shared::domain::redemption_code::{CodeText, NotRedeemable, Redemption, RedemptionCode};
use shared::failure::{Failure, Kind};
use shared::random;
use shared::store::redemption_codes::RedeemError;

use super::json::{RedemptionBody, RedemptionJson};
use super::throttle;
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::session::Member;

/// Redeem a code into one's own wallet
///
/// A code is money once, whoever sends it at the same time: everybody else is refused with
/// `redemption_code_used`. Other codes of refusals are `redemption_code_malformed`,
/// `redemption_code_unknown`, `redemption_code_disabled` and `redemption_code_expired`. After ten codes
/// a minute that do not exist there is a pause.
#[utoipa::path(
    post, path = "/api/redemptions", tag = "redemption codes", request_body = RedemptionBody,
    responses((status = 201, description = "What it became", body = RedemptionJson)),
)]
pub(crate) async fn redeem_code(
    State(app): State<App>,
    member: Member,
    Body(body): Body<RedemptionBody>,
) -> Answer<(StatusCode, Json<RedemptionJson>)> {
    let user = member.0.id;
    let code = find(&app, user, &body.code).await?;
    let redemption = Redemption {
        by: user,
        at: app.now(),
        credit_id: CreditId::from_parts(app.at_ms(), random::bits()),
    };
    let redeemed = app.store.redemption_codes().redeem(code, redemption).await;
    let credit = redeemed.map_err(refusal)?;
    let json = RedemptionJson {
        id: credit.id.to_string(),
        amount_usd: credit.amount.to_string(),
        balance_usd: balance(&app, user).await,
        at: redemption.at,
    };
    Ok((StatusCode::CREATED, Json(json)))
}

/// The code of that text, for a user who has not guessed too often.
async fn find(app: &App, user: UserId, text: &str) -> Result<RedemptionCode, Failure> {
    let throttle = throttle::of(user);
    throttle.check(app).await?;
    let Ok(text) = CodeText::read(text) else {
        throttle.count(app).await?;
        let message = "That is no redemption code: a character is missing or mistyped.";
        return Err(named(Failure::new(
            Kind::BadRequest,
            "redemption_code_malformed",
            message,
        )));
    };
    let code = app.store.redemption_codes().find(text.id()).await?;
    let Some(code) = code.filter(|code| text.matches(&code.hash)) else {
        throttle.count(app).await?;
        return Err(unknown());
    };
    // Of many guesses sent at once, the right one may not win either.
    throttle.check(app).await?;
    Ok(code)
}

/// The money is booked already: that it cannot be read is no reason to say that it is not.
async fn balance(app: &App, user: UserId) -> Option<String> {
    let wallet = app.store.wallets().find(WalletId::User(user)).await;
    Some(wallet.ok()??.balance.to_string())
}

fn refusal(error: RedeemError) -> Failure {
    let (code, text) = match error {
        RedeemError::Unknown => return unknown(),
        RedeemError::NotBooked(error) => return error.into(),
        RedeemError::NotRedeemable(NotRedeemable::Used) => {
            ("redemption_code_used", "This code was redeemed before.")
        }
        RedeemError::NotRedeemable(NotRedeemable::Disabled) => {
            ("redemption_code_disabled", "This code is disabled.")
        }
        RedeemError::NotRedeemable(NotRedeemable::Expired) => {
            ("redemption_code_expired", "This code has expired.")
        }
    };
    named(Failure::new(Kind::Conflict, code, text))
}

fn unknown() -> Failure {
    let text = "There is no such redemption code.";
    named(Failure::new(Kind::Missing, "redemption_code_unknown", text))
}

fn named(mut failure: Failure) -> Failure {
    failure.field = Some("code".into());
    failure
}
