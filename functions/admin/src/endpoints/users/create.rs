//! Making a user.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shared::domain::credit::{Cause, Credit};
use shared::domain::group::DEFAULT_GROUP;
use shared::domain::id::{CreditId, UserId};
use shared::domain::money::NanoUsd;
use shared::domain::user::{Role, User};
use shared::failure::{Failure, Kind};
use shared::random;
use shared::store::StoreError;

use super::json::CreateBody;
use super::{rank, update};
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::json::user::UserJson;
use crate::session::Admin;
use crate::{password, standing, username};

/// Create a user
///
/// The wallet is empty; a member's holds the setting `signup_gift_usd`.
#[utoipa::path(
    post, path = "/api/users", tag = "users", request_body = CreateBody,
    responses((status = 201, description = "The user", body = UserJson)),
)]
pub(crate) async fn create_user(
    State(app): State<App>,
    actor: Admin,
    Body(body): Body<CreateBody>,
) -> Answer<(StatusCode, Json<UserJson>)> {
    let user = read(&app, &actor.0, body).await?;
    let created = match gift(&app, &actor.0, &user).await? {
        Some(gift) => app.store.users().create_with(&user, &gift).await,
        None => app.store.users().create(&user).await,
    };
    match created {
        Ok(()) => Ok((StatusCode::CREATED, Json(standing::of(&app, &user).await?))),
        Err(StoreError::Conflict) => Err(taken(&user.username).into()),
        Err(error) => Err(error.into()),
    }
}

async fn read(app: &App, actor: &User, body: CreateBody) -> Result<User, Failure> {
    let username = username::require(&body.username)?;
    let role = body.role.unwrap_or(Role::Member);
    rank::require(actor, role)?;
    let group = body.group.unwrap_or_else(|| DEFAULT_GROUP.to_owned());
    update::require_group(app, &group).await?;
    let display_name = match body.display_name {
        Some(name) => update::display_name(&name)?,
        None => username.clone(),
    };
    let password_hash = match body.password {
        Some(password) => {
            password::check(&password)?;
            Some(password::hash(password.into()).await?)
        }
        None => None,
    };
    Ok(User {
        id: UserId::from_parts(app.at_ms(), random::bits()),
        username,
        display_name,
        role,
        group,
        enabled: body.enabled.unwrap_or(true),
        unlimited: body.unlimited.unwrap_or(false),
        password_hash,
        must_change_password: body.must_change_password.unwrap_or(false),
        session_epoch: 0,
        revision: 0,
        created_at: app.now(),
    })
}

/// What a new member finds in the wallet, if anything.
async fn gift(app: &App, actor: &User, user: &User) -> Result<Option<Credit>, Failure> {
    let amount = app.store.configuration().settings().await?.signup_gift;
    let is_given = user.role == Role::Member && amount > NanoUsd::ZERO;
    Ok(is_given.then(|| Credit {
        id: CreditId::from_parts(user.id.at_ms(), random::bits()),
        user_id: user.id,
        cause: Cause::Gift,
        amount,
        note: "For signing up.".to_owned(),
        by: Some(actor.id),
        reference: None,
    }))
}

fn taken(name: &str) -> Failure {
    let text = format!("There is a user {name} already.");
    let mut failure = Failure::new(Kind::Conflict, "username_taken", text);
    failure.field = Some("username".into());
    failure
}
