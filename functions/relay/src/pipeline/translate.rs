//! One stop → Letter: in which dialect, by which lane, with which headers.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use shared::domain::channel::Channel;
use shared::domain::dialect::Lane;
use shared::domain::provider::Provider;
use shared::domain::provider::card::{Envelope, Tongue};
use shared::failure::{Failure, Kind};
use shared::seal;

use super::Call;
use super::admit::Admitted;
use super::fetch::fetch_media;
use super::interpret::Interpreter;
use crate::app::App;
use crate::dialects::convert::Renames;
use crate::dialects::neutral::Notes;
use crate::dialects::{self, Destination, ProviderSide, Wanted, Written, envelope};
use crate::upstream::{Letter, address, auth};

/// A letter, the credential that it carries, and who understands the answer.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) letter: Letter,
    pub(super) credential: SecretString,
    pub(super) interpreter: Interpreter,
    /// The caller's members that the provider does not get, in the caller's words.
    pub(super) dropped: Vec<String>,
}

/// The way to one channel: its provider, the model's name there, the dialect, the credential.
#[derive(Debug)]
pub(super) struct Road<'a> {
    pub(super) channel: &'a Channel,
    pub(super) card: &'static Provider,
    pub(super) tongue: &'static Tongue,
    /// The provider's name of the model.
    pub(super) model: String,
    pub(super) credential: SecretString,
}

/// Finds the way to a channel.
pub(super) async fn road<'a>(
    app: &App,
    call: &Call,
    wanted: &Wanted,
    channel: &'a Channel,
) -> Result<Road<'a>, Failure> {
    let card = channel
        .card()
        .ok_or_else(|| misconfigured("The channel's provider is unknown."))?;
    let model = channel.upstream_model(&wanted.model);
    let tongue = channel
        .tongue(call.dialect, model)
        .ok_or_else(|| misconfigured("The channel speaks no dialect for this model."))?;
    Ok(Road {
        channel,
        card,
        tongue,
        model: model.to_owned(),
        credential: open(app, channel).await?,
    })
}

impl Road<'_> {
    /// A letter that goes this way, to a dialect's path.
    pub(super) async fn letter(
        &self,
        _: &App,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Letter, Failure> {
        let member = |name: &str| auth::member(&self.credential, name);
        let path = match self.tongue.envelope {
            Envelope::AzureDeployment => {
                envelope::azure::path(path, &self.model, member("api_version").as_deref())
            }
            _ => path.to_owned(),
        };
        let url = address::of(self.channel, self.tongue, &path, member)
            .map_err(|error| misconfigured(&error.to_string()))?;
        if address::names_link_local(&url) {
            return Err(misconfigured("The channel's address is link-local."));
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        auth::put_on(&mut headers, self.card.auth, &self.credential)
            .map_err(|_| misconfigured("The channel's credential cannot be sent."))?;
        Ok(Letter {
            url,
            headers,
            body,
            timeouts: self.channel.timeouts,
        })
    }
}

pub(super) async fn translate(
    app: &App,
    call: &Call,
    admitted: &Admitted,
    channel: &Channel,
) -> Result<Translated, Failure> {
    let wanted = &admitted.wanted;
    let road = road(app, call, wanted, channel).await?;
    let dialect = road.tongue.dialect;
    let mut interpreter = Interpreter::new(call, dialect, &road.model, road.card);
    if channel.rename_model {
        interpreter.shown_model = Some(wanted.model.clone());
    }
    let to = Destination {
        model: &road.model,
        stream: wanted.stream,
        card: road.card,
    };
    let provider = dialects::provider(dialect);
    let written = match interpreter.lane {
        Lane::Express => Written {
            body: dialects::caller(call.dialect).express(wanted, &road.model)?,
            notes: Notes::default(),
            renames: Renames::default(),
        },
        Lane::Conversion => write(app, call, admitted, &to, provider).await?,
    };
    interpreter.renames = written.renames;
    let dropped = dropped(call, &written.notes)?;
    let path = if call.url.counting {
        provider.count_path(&to).ok_or_else(cannot_count)?
    } else {
        provider.path(&to)
    };
    let headers = headers(call, provider, interpreter.lane);
    let letter = road.letter(app, &path, headers, written.body).await?;
    Ok(Translated {
        letter,
        credential: road.credential,
        interpreter,
        dropped,
    })
}

/// The request in the provider's dialect, by way of the neutral form.
async fn write(
    app: &App,
    call: &Call,
    admitted: &Admitted,
    to: &Destination<'_>,
    provider: &dyn ProviderSide,
) -> Result<Written, Failure> {
    let mut request = dialects::caller(call.dialect).read_request(&admitted.wanted)?;
    fetch_media(app, &mut request, |url| provider.wants_bytes(url)).await?;
    let mut written = provider.write_request(&request, to)?;
    if call.url.counting {
        written.body = provider.write_count_request(&written.body, to)?;
    }
    Ok(written)
}

fn cannot_count() -> Failure {
    let text = "The provider of this model does not count tokens.";
    Failure::new(Kind::BadRequest, "cannot_count", text)
}

/// The members that the provider does not get; a caller who is strict about them is refused.
pub(super) fn dropped(call: &Call, notes: &Notes) -> Result<Vec<String>, Failure> {
    let caller = dialects::caller(call.dialect);
    let mut words: Vec<String> = notes
        .dropped
        .iter()
        .map(|field| caller.word(field))
        .collect();
    words.sort();
    words.dedup();
    let strict = call.headers.get("x-tollhouse-strict");
    let strict = strict.is_some_and(|value| value == "1" || value == "true");
    if strict && !words.is_empty() {
        let text = format!(
            "The provider of this model has nothing like: {}.",
            words.join(", ")
        );
        return Err(Failure::new(Kind::BadRequest, "unsupported_fields", text));
    }
    Ok(words)
}

pub(super) fn misconfigured(text: &str) -> Failure {
    Failure::new(Kind::BadGateway, "channel_misconfigured", text)
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

/// What a provider may see of the headers of a caller of its own dialect, and what it needs.
fn headers(call: &Call, provider: &dyn ProviderSide, lane: Lane) -> HeaderMap {
    let mut headers = provider.default_headers();
    let forwarded = match lane {
        Lane::Express => provider.forwarded_headers(),
        Lane::Conversion => &[],
    };
    for name in forwarded {
        let mut values = call.headers.get_all(name).iter();
        if let Some(first) = values.next() {
            headers.insert(name, first.clone());
            values.for_each(|value| {
                headers.append(name, value.clone());
            });
        }
    }
    headers
}
