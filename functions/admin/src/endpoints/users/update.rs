//! Changing a user: by an administrator, or one's own name and password.

use axum::Json;
use axum::extract::State;
use shared::domain::id::UserId;
use shared::domain::user::User;
use shared::failure::{Failure, Kind};

use super::json::UpdateBody;
use super::{rank, show};
use crate::answer::Answer;
use crate::app::App;
use crate::body::Body;
use crate::json::user::UserJson;
use crate::path::Named;
use crate::session::Member;
use crate::{password, standing};

/// Change a user
///
/// Another password, or disabling, ends all sessions of the user.
#[utoipa::path(
    method(patch, put), path = "/api/users/{id}", tag = "users", params(("id" = String, Path)),
    request_body = UpdateBody,
    responses((status = 200, description = "The user", body = UserJson)),
)]
pub(crate) async fn update_user(
    State(app): State<App>,
    actor: Member,
    Named(id): Named<UserId>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<UserJson>> {
    let mut user = show::load(&app, &actor, id).await?;
    authorise(&actor.0, &user, &body)?;
    prove(&actor.0, &user, &body).await?;
    apply(&app, &mut user, body).await?;
    app.store.users().update(&user).await?;
    Ok(Json(standing::of(&app, &user).await?))
}

fn authorise(actor: &User, user: &User, body: &UpdateBody) -> Result<(), Failure> {
    let own = actor.id == user.id;
    if !rank::outranks(actor, user.role) {
        if !own {
            return rank::require(actor, user.role);
        }
        return own_members_only(body);
    }
    if let Some(role) = body.role {
        rank::require(actor, role)?;
        if own && role != user.role {
            return Err(locked_out("role", "Nobody changes their own role."));
        }
    }
    if own && body.enabled == Some(false) {
        return Err(locked_out("enabled", "Nobody disables themselves."));
    }
    Ok(())
}

fn own_members_only(body: &UpdateBody) -> Result<(), Failure> {
    let reserved = [
        ("role", body.role.is_some()),
        ("group", body.group.is_some()),
        ("enabled", body.enabled.is_some()),
        ("unlimited", body.unlimited.is_some()),
        ("must_change_password", body.must_change_password.is_some()),
    ];
    let Some((name, _)) = reserved.into_iter().find(|(_, given)| *given) else {
        return Ok(());
    };
    let text = format!("Only somebody above you changes your {name}.");
    let mut failure = Failure::new(Kind::Forbidden, "forbidden_member", text);
    failure.field = Some(name.into());
    Err(failure)
}

fn locked_out(field: &'static str, text: &str) -> Failure {
    let mut failure = Failure::new(Kind::Conflict, "would_lock_out", text);
    failure.field = Some(field.into());
    failure
}

/// Whoever changes their own password without being above themselves proves that they know it; whoever
/// gives the current one anyway is held to it.
async fn prove(actor: &User, user: &User, body: &UpdateBody) -> Result<(), Failure> {
    let must = body.password.is_some() && !rank::outranks(actor, user.role);
    let Some(current) = &body.current_password else {
        if must {
            let text = "Give the current password too.";
            return Err(Failure::bad_field("current_password", text));
        }
        return Ok(());
    };
    if password::fits(current.as_str().into(), user.password_hash.clone()).await? {
        return Ok(());
    }
    let text = "That is not the current password.";
    Err(Failure::bad_field("current_password", text))
}

async fn apply(app: &App, user: &mut User, body: UpdateBody) -> Result<(), Failure> {
    if let Some(name) = body.display_name {
        user.display_name = display_name(&name)?;
    }
    if let Some(group) = body.group {
        require_group(app, &group).await?;
        user.group = group;
    }
    user.role = body.role.unwrap_or(user.role);
    user.unlimited = body.unlimited.unwrap_or(user.unlimited);
    let ends_sessions = body.password.is_some() || (user.enabled && body.enabled == Some(false));
    user.enabled = body.enabled.unwrap_or(user.enabled);
    if let Some(password) = body.password {
        password::check(&password)?;
        user.password_hash = Some(password::hash(password.into()).await?);
        user.must_change_password = false;
    }
    user.must_change_password = body
        .must_change_password
        .unwrap_or(user.must_change_password);
    if ends_sessions {
        user.session_epoch = user.session_epoch.wrapping_add(1);
    }
    Ok(())
}

/// A name that people read.
pub(super) fn display_name(text: &str) -> Result<String, Failure> {
    let name = text.trim();
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    let text = "A name has 1 to 100 characters.";
    Err(Failure::bad_field("display_name", text))
}

/// Refuses a group that is not there.
pub(super) async fn require_group(app: &App, name: &str) -> Result<(), Failure> {
    let groups = app.store.configuration().load().await?.groups;
    if groups.iter().any(|group| group.name == name) {
        return Ok(());
    }
    Err(Failure::bad_field(
        "group",
        format!("There is no group {name}."),
    ))
}
