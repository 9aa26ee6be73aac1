//! The journey of a call: a chain of values, each step made from what the last one returned.
//!
//! Once money is held, the journey goes on whatever the caller does: the future of [`carry`] is owned
//! by the process, not by the connection, and a body that nobody reads any more is read to its end.

mod admit;
mod authenticate;
mod body;
mod count;
mod embed;
mod fetch;
mod hold;
mod interpret;
mod late;
mod listen;
mod refusal;
mod retry_after;
mod route;
mod send;
mod setback;
mod settle;
mod speech;
mod stream;
mod translate;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use ipnet::IpNet;
use shared::domain::dialect::Dialect;
use shared::domain::group::Group;
use shared::domain::id::RequestId;
use shared::domain::pattern;
use shared::failure::Failure;

pub(crate) use refusal::{refuse, refuse_call};

use crate::app::App;
use crate::dialects::members;
use crate::dialects::{self, InUrl, Wanted, embedding};
use authenticate::Caller;
use refusal::Refused;
use send::Delivery;

/// A request as it arrives.
#[derive(Debug)]
pub(crate) struct Call {
    /// The id that it is known by from now on.
    pub(crate) id: RequestId,
    /// The dialect of its endpoint.
    pub(crate) dialect: Dialect,
    /// What its address says of it.
    pub(crate) url: InUrl,
    /// When it arrived, in milliseconds since 1970.
    pub(crate) began_ms: i64,
    /// Where it came from.
    pub(crate) source_ip: Option<IpAddr>,
    /// The key in its query.
    pub(crate) query_key: Option<String>,
    /// Its headers.
    pub(crate) headers: HeaderMap,
}

impl Call {
    /// Whether it comes from one of the networks; of none, it may come from anywhere.
    fn comes_from(&self, networks: &[IpNet]) -> bool {
        let inside = |ip| networks.iter().any(|network| network.contains(&ip));
        networks.is_empty() || self.source_ip.is_some_and(inside)
    }
}

/// Carries a call to a provider and back. It always answers, in the caller's dialect.
pub(crate) async fn converse(app: App, call: Call, body: Body) -> Response {
    let (id, dialect) = (call.id, call.dialect);
    // Owned by the process: a caller who hangs up must not leave a hold behind.
    let journey = app.calls.spawn(carry(app.clone(), call, body));
    match journey.await {
        Ok(answer) => answer,
        Err(fault) => {
            refuse(dialects::caller(dialect), id, &Failure::internal(fault)).map(Body::from)
        }
    }
}

async fn carry(app: App, call: Call, body: Body) -> Response {
    let call = Arc::new(call);
    match prepare(&app, &call, body).await {
        Ok(delivery) => stream::answer(app, delivery).await,
        Err(refused) => refuse_call(&call, refused),
    }
}

/// Everything that can be refused before a provider is asked.
async fn prepare(app: &App, call: &Arc<Call>, body: Body) -> Result<Delivery, Refused> {
    let now_ms = app.clock.now_ms();
    let (caller, snapshot) = tokio::join!(
        authenticate::authenticate(app, call),
        app.snapshots.current(&app.store, now_ms),
    );
    let (caller, snapshot) = (caller?, snapshot?);
    let wanted = wanted(call, body::read(body, &call.headers).await?)?;
    let itinerary = route::route(&snapshot, &caller, call, &wanted.model, &app.dice)?;
    let admitted = admit::admit(app, call, caller, (wanted, &itinerary), &snapshot).await?;
    Ok(Delivery::new(Arc::clone(call), admitted, itinerary))
}

/// What is wanted, in the words of the caller's dialect.
fn wanted(call: &Call, body: Bytes) -> Result<Wanted, Failure> {
    let body = match &call.url.model {
        // Azure's clients name the model in the address.
        Some(model) if !matches!(call.dialect, Dialect::Gemini | Dialect::GeminiEmbeddings) => {
            members::with_model(&body, model)?
        }
        _ => body,
    };
    match embedding::caller(call.dialect) {
        Some(embedding) => embedding.read(body, &call.url),
        None => dialects::caller(call.dialect).read(body, &call.url),
    }
}

/// Counts the tokens of a request. Nothing is held or booked: counting is free.
pub(crate) async fn count(app: App, call: Call, body: Body) -> Response {
    let call = Arc::new(call);
    let counted = async {
        let delivery = prepare(&app, &call, body).await?;
        let counted = count::count(&app, &call, &delivery.admitted, &delivery.itinerary.0).await;
        counted.map_err(Refused::from)
    };
    counted
        .await
        .unwrap_or_else(|refused| refuse_call(&call, refused))
}

/// Turns texts into vectors. It always answers, in the caller's dialect.
pub(crate) async fn embed(app: App, call: Call, body: Body) -> Response {
    let (id, dialect) = (call.id, call.dialect);
    let call = Arc::new(call);
    // Owned by the process: a caller who hangs up must not leave a hold behind.
    let journey = app.calls.spawn({
        let app = app.clone();
        async move {
            match prepare(&app, &call, body).await {
                Ok(delivery) => embed::embed(&app, delivery).await,
                Err(refused) => refuse_call(&call, refused),
            }
        }
    });
    match journey.await {
        Ok(answer) => answer,
        Err(fault) => {
            refuse(dialects::caller(dialect), id, &Failure::internal(fault)).map(Body::from)
        }
    }
}

/// The models that a caller may name.
pub(crate) async fn models(app: &App, call: &Call) -> Result<BTreeSet<String>, Failure> {
    let caller = authenticate::authenticate(app, call).await?;
    let snapshot = app
        .snapshots
        .current(&app.store, app.clock.now_ms())
        .await?;
    let mut names = BTreeSet::new();
    for channel in snapshot.channels_of(&caller.user.group) {
        names.extend(channel.model_mapping.keys().cloned());
        names.extend(
            channel
                .models
                .iter()
                .filter(|name| !name.contains('*'))
                .cloned(),
        );
        let priced = snapshot
            .configuration
            .prices
            .rows()
            .iter()
            .map(|price| &price.model);
        names.extend(
            priced
                .filter(|name| !name.contains('*') && channel.carries(name))
                .cloned(),
        );
    }
    let group = snapshot.group(&caller.user.group);
    names.retain(|name| may_name(&caller, group, name));
    Ok(names)
}

/// Whether a caller's key and group let it name the model.
fn may_name(caller: &Caller, group: Option<&Group>, model: &str) -> bool {
    let fits = |models: &[String]| models.is_empty() || pattern::fits_any(models, model);
    caller.key.as_ref().is_none_or(|key| fits(&key.models))
        && group.is_none_or(|group| fits(&group.models))
}
