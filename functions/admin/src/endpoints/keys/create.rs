//! Making a key. Its text is shown this once.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::domain::hold::WalletId;
use shared::domain::id::UserId;
use shared::domain::key::{Key, WhenShort};
use shared::domain::key_text::{KeyText, SECRET_CHARS};
use shared::domain::limit::Limits;
use shared::failure::{Failure, Kind};
use shared::random;

use super::body::KeyBody;
use super::json::{self, NewKeyJson};
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::session::Member;

/// Create a key
///
/// The answer is the only one that carries the key itself.
#[utoipa::path(
    post, path = "/api/keys", tag = "keys", request_body = KeyBody,
    responses((status = 201, description = "The key", body = NewKeyJson)),
)]
pub(crate) async fn create_key(
    State(app): State<App>,
    member: Member,
    Body(body): Body<KeyBody>,
) -> Answer<(StatusCode, Json<NewKeyJson>)> {
    let user_id = whose(&app, &member, body.user_id).await?;
    if body.name.is_none() {
        return Err(Failure::bad_field("name", "A key needs a name.").into());
    }
    let text = KeyText::of_secret(&random::text(SECRET_CHARS));
    let mut key = blank(&app, &text, user_id);
    body.apply(&mut key, app.now())?;
    // The wallet goes first: a key never stands without the wallet of its budget.
    if let Some(budget) = &key.budget {
        app.store
            .wallets()
            .set_budget(WalletId::Key(key.id), budget, app.now())
            .await?;
    }
    app.store.keys().create(&key).await?;
    let new = NewKeyJson {
        key: text.expose().to_owned(),
        about: json::of(&app, &key).await?,
    };
    Ok((StatusCode::CREATED, Json(new)))
}

async fn whose(app: &App, member: &Member, wanted: Option<UserId>) -> Result<UserId, Failure> {
    let own = member.0.id;
    let wanted = wanted.unwrap_or(own);
    if wanted == own {
        return Ok(own);
    }
    if !member.is_admin() {
        let text = "Only administrators make keys for others.";
        return Err(Failure::new(Kind::Forbidden, "not_an_administrator", text));
    }
    let user = app.store.users().find(wanted).await?;
    user.map(|user| user.id)
        .ok_or_else(|| Failure::bad_field("user_id", format!("There is no user {wanted}.")))
}

fn blank(app: &App, text: &KeyText, user_id: UserId) -> Key {
    Key {
        id: text.id(),
        hash: text.hash(),
        prefix: text.shown(),
        user_id,
        name: String::new(),
        enabled: true,
        expires_at: None,
        models: Vec::new(),
        cidrs: Vec::new(),
        budget: None,
        when_short: WhenShort::default(),
        limits: Limits::default(),
        created_at: app.now(),
    }
}
