//! Running a maintenance job at once.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};
use shared::failure::Failure;

use crate::answer::Answer;
use crate::app::App;
use crate::body::MaybeBody;
use crate::path::Named;
use crate::session::Admin;

/// Run a maintenance job and answer its report
///
/// The body, if there is one, is an object of the job's arguments. Most jobs take none. `re_rate` takes
/// `from` and `to`, whole days in UTC (`2026-11-30`, which is in it, or the time of a midnight, before
/// which it ends); and if wanted `model` (a name or a pattern), `user_id`, `price_version` (the present
/// prices unless given) and `dry_run` (true unless given).
#[utoipa::path(
    post, path = "/api/jobs/{name}", tag = "jobs", params(("name" = String, Path)),
    request_body(content = Option<Object>),
    responses((status = 200, description = "The job's report", body = Object)),
)]
pub(crate) async fn run_job(
    State(app): State<App>,
    _: Admin,
    Named(name): Named<String>,
    MaybeBody(arguments): MaybeBody<Map<String, Value>>,
) -> Answer<Json<Value>> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.len() > 64 || !name.chars().all(plain) {
        return Err(Failure::missing("job", &name).into());
    }
    if arguments.contains_key("job") {
        let text = "The path names the job.";
        return Err(Failure::bad_field("job", text).into());
    }
    Ok(Json(app.jobs.run(&name, Value::Object(arguments)).await?))
}
