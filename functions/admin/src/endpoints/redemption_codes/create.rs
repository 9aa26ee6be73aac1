//! Making redemption codes.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::domain::credit;
use shared::domain::id::{BatchId, UserId};
use shared::domain::money::NanoUsd;
use shared::domain::redemption_code::{CodeText, Place, RedemptionCode};
use shared::failure::{Failure, Kind};
use shared::secrets::MasterKey;
use shared::store::redemption_codes::Partly;
use shared::{random, seal};

use super::body::{self, CreateBody};
use super::json::{CodeJson, CodesJson};
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::session::Admin;

/// How many are made at once.
const MOST: u16 = 1_000;

/// Make redemption codes
///
/// They are written a hundred at a time. If that breaks off, the refusal `redemption_codes_partly_made`
/// names the batch, and the list tells what there is of it.
#[utoipa::path(
    post, path = "/api/redemption-codes", tag = "redemption codes", request_body = CreateBody,
    responses((status = 201, description = "The codes", body = CodesJson)),
)]
pub(crate) async fn create_redemption_codes(
    State(app): State<App>,
    actor: Admin,
    Body(body): Body<CreateBody>,
) -> Answer<(StatusCode, Json<CodesJson>)> {
    check(&body)?;
    let count = body.count;
    let key = &app.secrets().await?.master_key;
    let like = Like {
        batch: BatchId::from_parts(app.at_ms(), random::bits()),
        created_by: actor.0.id,
        note: body::note(body.note.clone())?,
        body: &body,
        key,
    };
    let codes: Vec<_> = (0..count).map(|number| like.code(number)).collect();
    let made = app.store.redemption_codes().create(&codes).await;
    made.map_err(|partly| refusal(partly, count, like.batch))?;
    let json = CodesJson {
        data: codes.iter().map(|code| CodeJson::new(code, key)).collect(),
        batch: like.batch.to_string(),
    };
    Ok((StatusCode::CREATED, Json(json)))
}

fn check(body: &CreateBody) -> Result<(), Failure> {
    if !(1..=MOST).contains(&body.count) {
        let text = format!("1 to {MOST} is expected.");
        return Err(Failure::bad_field("count", text));
    }
    let amount = body.amount_usd.0;
    if amount <= NanoUsd::ZERO || amount > credit::MOST {
        let text = format!("More than 0 and at most {} is expected.", credit::MOST);
        return Err(Failure::bad_field("amount_usd", text));
    }
    Ok(())
}

/// What the codes of one request have in common.
struct Like<'a> {
    batch: BatchId,
    created_by: UserId,
    note: String,
    body: &'a CreateBody,
    key: &'a MasterKey,
}

impl Like<'_> {
    /// A new code.
    fn code(&self, number: u16) -> RedemptionCode {
        let text = CodeText::of_bits(random::bits());
        let id = text.id();
        RedemptionCode {
            id,
            hash: text.hash(),
            sealed: seal::seal(self.key, id, text.secret()),
            amount: self.body.amount_usd.0,
            expires_at: self.body.expires_at,
            enabled: true,
            note: self.note.clone(),
            place: Place {
                batch: self.batch,
                number,
            },
            created_by: self.created_by,
            redemption: None,
        }
    }
}

fn refusal(partly: Partly, count: u16, batch: BatchId) -> Failure {
    if partly.made == 0 {
        // Even of these the answer may have been lost: the list tells.
        return partly.source.into();
    }
    let text = format!(
        "The database stopped answering. At least {} of {count} codes were made: \
         GET /api/redemption-codes?batch={batch} lists them.",
        partly.made
    );
    let failure = Failure::new(Kind::Unavailable, "redemption_codes_partly_made", text);
    failure.because(partly)
}
