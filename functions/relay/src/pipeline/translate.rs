//! One stop → Letter: in which dialect, by which lane, with which headers.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use shared::domain::channel::Channel;
use shared::domain::dialect::Lane;
use shared::domain::provider::card::Tongue;
use shared::failure::{Failure, Kind};
use shared::seal;

use super::Call;
use super::admit::Admitted;
use super::fetch::fetch_media;
use super::interpret::Interpreter;
use crate::app::App;
use crate::dialects::neutral::Notes;
use crate::dialects::{self, Destination, ProviderSide, Written};
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

pub(super) async fn translate(
    app: &App,
    call: &Call,
    admitted: &Admitted,
    channel: &Channel,
) -> Result<Translated, Failure> {
    let wanted = &admitted.wanted;
    let card = channel
        .card()
        .ok_or_else(|| misconfigured("The channel's provider is unknown."))?;
    let model = channel.upstream_model(&wanted.model);
    let tongue: &Tongue = channel
        .tongue(call.dialect, model)
        .ok_or_else(|| misconfigured("The channel speaks no dialect for this model."))?;
    let credential = open(app, channel).await?;
    let mut interpreter = Interpreter::new(call, tongue.dialect, model, card);
    if channel.rename_model {
        interpreter.shown_model = Some(wanted.model.clone());
    }
    let to = Destination {
        model,
        stream: wanted.stream,
        card,
    };
    let provider = dialects::provider(tongue.dialect);
    let Written {
        body,
        notes,
        renames,
    } = match interpreter.lane {
        Lane::Express => Written {
            body: dialects::caller(call.dialect).express(wanted, model)?,
            notes: Notes::default(),
            renames: interpreter.renames,
        },
        Lane::Conversion => write(app, call, admitted, &to, provider).await?,
    };
    interpreter.renames = renames;
    let dropped = dropped(call, &notes)?;

    let base_url = channel
        .base_url()
        .ok_or_else(|| misconfigured("The channel has no address."))?;
    let url = address::endpoint(base_url, &provider.path(&to));
    if address::names_link_local(&url) {
        return Err(misconfigured("The channel's address is link-local."));
    }
    let mut headers = headers(call, provider, interpreter.lane);
    auth::put_on(&mut headers, card.auth, &credential)
        .map_err(|_| misconfigured("The channel's credential cannot be sent."))?;
    let letter = Letter {
        url,
        headers,
        body,
        timeouts: channel.timeouts,
    };
    Ok(Translated {
        letter,
        credential,
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
    provider.write_request(&request, to)
}

/// The members that the provider does not get; a caller who is strict about them is refused.
fn dropped(call: &Call, notes: &Notes) -> Result<Vec<String>, Failure> {
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

fn misconfigured(text: &str) -> Failure {
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
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, text/event-stream"),
    );
    headers
}
