//! Testing a channel: the relay makes one short call that is pinned to it.

use axum::Json;
use axum::extract::State;
use secrecy::SecretString;
use serde::Deserialize;
use shared::domain::channel::Channel;
use shared::domain::dialect::Dialect;
use shared::domain::id::ChannelId;
use shared::failure::Failure;
use shared::token::{self, ProbeClaims};
use utoipa::ToSchema;

use super::json::TestJson;
use super::show;
use crate::answer::Answer;
use crate::app::App;
use crate::body::MaybeBody;
use crate::path::Named;
use crate::probe::Probe;
use crate::session::Admin;

/// For how long the relay takes the token, in seconds.
const TOKEN_LIFETIME_S: i64 = 60;

/// What to test with.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelTestRequest)]
pub(crate) struct TestBody {
    /// The model to ask for; the first of the channel's that is not a pattern unless given.
    model: Option<String>,
}

/// Test a channel with one short call
#[utoipa::path(
    post, path = "/api/channels/{id}/test", tag = "channels", params(("id" = String, Path)),
    request_body(content = Option<TestBody>),
    responses((status = 200, description = "How it went", body = TestJson)),
)]
pub(crate) async fn test_channel(
    State(app): State<App>,
    actor: Admin,
    Named(id): Named<ChannelId>,
    MaybeBody(body): MaybeBody<TestBody>,
) -> Answer<Json<TestJson>> {
    let configuration = app.store.configuration().load().await?;
    let channel = show::require(&configuration, id)?;
    let model = body.model.filter(|model| !model.is_empty());
    let model = model.or_else(|| plain_model(&channel)).ok_or_else(|| {
        let text = "The channel lists patterns only: name a model to test with.";
        Failure::bad_field("model", text)
    })?;
    let claims = ProbeClaims {
        user_id: actor.0.id,
        channel_id: id,
        expires_at_s: app.now().as_second() + TOKEN_LIFETIME_S,
    };
    let token = token::sign(&app.secrets().await?.master_key, &claims);
    let probe = Probe {
        channel_id: id,
        dialect: dialect_for(&channel, &model),
        model: model.clone(),
        token: SecretString::from(format!("probe.{token}")),
    };
    let result = app.prober.probe(probe).await?;
    Ok(Json(TestJson {
        ok: result.ok,
        http_status: result.http_status,
        ms: result.ms,
        model,
        message: result.message,
    }))
}

fn plain_model(channel: &Channel) -> Option<String> {
    let names = channel.models.iter().chain(channel.model_mapping.keys());
    names.into_iter().find(|name| !name.contains('*')).cloned()
}

/// One that the model speaks there, if it can be: then nothing is converted.
fn dialect_for(channel: &Channel, model: &str) -> Dialect {
    let model = channel.upstream_model(model);
    let mut spoken = channel.tongues(model).map(|tongue| tongue.dialect);
    spoken
        .find(|dialect| matches!(dialect, Dialect::OpenaiChat | Dialect::Anthropic))
        .unwrap_or(Dialect::OpenaiChat)
}
