//! One stop → Letter: which lane, which bytes, which headers.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use shared::domain::channel::Channel;
use shared::domain::dialect::Lane;
use shared::failure::{Failure, Kind};
use shared::seal;

use super::Call;
use super::admit::Admitted;
use crate::app::App;
use crate::dialects::{self, Destination};
use crate::upstream::{Letter, address, auth};

/// A letter, how it travels, and the credential that it carries.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) letter: Letter,
    pub(super) lane: Lane,
    pub(super) credential: SecretString,
}

pub(super) async fn translate(
    app: &App,
    call: &Call,
    admitted: &Admitted,
    channel: &Channel,
) -> Result<Translated, Failure> {
    let dialect = dialects::caller(call.dialect);
    let misconfigured = |text: &str| Failure::new(Kind::BadGateway, "channel_misconfigured", text);
    let card = channel
        .card()
        .ok_or_else(|| misconfigured("The channel's provider is unknown."))?;
    let base_url = channel
        .base_url()
        .ok_or_else(|| misconfigured("The channel has no address."))?;
    let upstream_model = channel.upstream_model(&admitted.wanted.model);
    let provider = dialects::provider(call.dialect);
    let to = Destination {
        model: upstream_model,
        stream: admitted.wanted.stream,
        card,
    };
    let url = address::endpoint(base_url, &provider.path(&to));
    if address::names_link_local(&url) {
        return Err(misconfigured("The channel's address is link-local."));
    }
    let credential = open(app, channel).await?;
    let mut headers = forwarded(call, provider);
    auth::put_on(&mut headers, card.auth, &credential)
        .map_err(|_| misconfigured("The channel's credential cannot be sent."))?;
    let body = dialect.express(&admitted.wanted, upstream_model)?;
    let letter = Letter {
        url,
        headers,
        body,
        timeouts: channel.timeouts,
    };
    Ok(Translated {
        letter,
        lane: Lane::Express,
        credential,
    })
}

/// The channel's credential; an empty one where it has none.
async fn open(app: &App, channel: &Channel) -> Result<SecretString, Failure> {
    let Some(sealed) = &channel.credential else {
        return Ok(SecretString::default());
    };
    seal::open(&app.secrets().await?.master_key, channel.id, sealed).map_err(|error| {
        let text = "The channel's credential cannot be read: enter it again.";
        Failure::new(Kind::BadGateway, "channel_misconfigured", text).because(error)
    })
}

/// What a provider may see of the caller's headers, and what it needs beside them.
fn forwarded(call: &Call, dialect: &dyn dialects::ProviderSide) -> HeaderMap {
    let mut headers = dialect.default_headers();
    for name in dialect.forwarded_headers() {
        let mut values = call.headers.get_all(name).iter();
        if let Some(first) = values.next() {
            headers.insert(name, first.clone());
            values.for_each(|value| {
                headers.append(name, value.clone());
            });
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, text/event-stream"),
    );
    headers
}
