//! One stop → Letter: in which dialect, by which lane, with which headers.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use shared::domain::channel::Channel;
use shared::domain::dialect::{Dialect, Lane};
use shared::domain::provider::card::{Auth, Envelope, SERVICE_ACCOUNT, Tongue};
use shared::domain::provider::{Provider, bedrock};
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
    let credential = open(app, channel).await?;
    let model = channel.upstream_model(&wanted.model);
    let model = match auth::member(&credential, "region") {
        // Bedrock's names differ from region to region.
        Some(region) if card.auth == Auth::Aws => bedrock::model_id(model, &region).into_owned(),
        _ => model.to_owned(),
    };
    let tongue = tongue(channel, call, &model)
        .ok_or_else(|| misconfigured("The channel speaks no dialect for this model."))?;
    Ok(Road {
        channel,
        card,
        tongue,
        model,
        credential,
    })
}

/// The dialect to speak. Tokens are not counted in envelopes: where a dialect travels in one, another
/// one counts.
fn tongue(channel: &Channel, call: &Call, model: &str) -> Option<&'static Tongue> {
    let tongue = channel.tongue(call.dialect, model)?;
    if !call.url.counting || tongue.envelope != Envelope::BedrockInvoke {
        return Some(tongue);
    }
    let mut others = channel.tongues(model);
    others.find(|other| other.envelope == Envelope::None && !other.dialect.embeds())
}

/// What goes to a provider, before it is a letter.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Where to, below the provider's host.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Road<'_> {
    /// A letter that goes this way.
    pub(super) async fn letter(&self, app: &App, parcel: Parcel) -> Result<Letter, Failure> {
        let Parcel {
            path,
            mut headers,
            body,
        } = parcel;
        let member = |name: &str| auth::member(&self.credential, name);
        let elsewhere = app.upstream.base_url(self.card);
        let url = match elsewhere.filter(|_| self.channel.base_url.is_none()) {
            Some(base) => address::endpoint(base, &path),
            None => address::of(self.channel, self.tongue, &path, member)
                .map_err(|error| misconfigured(&error.to_string()))?,
        };
        if address::names_link_local(&url) {
            return Err(misconfigured("The channel's address is link-local."));
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static(accepted(self.card)));
        let mut letter = Letter {
            url,
            headers,
            body,
            timeouts: self.channel.timeouts,
        };
        let (auth, now) = (self.card.auth, app.clock.now());
        app.upstream
            .sign(&mut letter, auth, &self.credential, now)
            .await
            .map_err(|error| {
                let text = format!("The channel's credential cannot be used. {error}");
                misconfigured(&text).because(error)
            })?;
        Ok(letter)
    }

    /// The same parcel in the envelope in which the dialect travels here.
    pub(super) fn enclose(
        &self,
        mut parcel: Parcel,
        to: &Destination<'_>,
        notes: &mut Notes,
    ) -> Result<Parcel, Failure> {
        let member = |name: &str| auth::member(&self.credential, name);
        match self.tongue.envelope {
            Envelope::None => {}
            Envelope::AzureDeployment => {
                let version = member("api_version");
                parcel.path = envelope::azure::path(&parcel.path, to.model, version.as_deref());
            }
            Envelope::BedrockInvoke => {
                let Parcel { headers, body, .. } = &parcel;
                parcel.body = envelope::bedrock::wrap(body, to.model, headers, notes)?;
                parcel.path = envelope::bedrock::path(to.model, to.stream);
                parcel.headers = HeaderMap::new();
            }
            Envelope::Vertex => {
                let file = member(SERVICE_ACCOUNT).unwrap_or_default();
                let project = member("project").or_else(|| auth::google::project(&file));
                let missing = || misconfigured("The channel's credential names no project.");
                let project = project.ok_or_else(missing)?;
                let location = member("location").unwrap_or_default();
                let place = envelope::vertex::Place {
                    project: &project,
                    location: &location,
                };
                if self.tongue.dialect == Dialect::Gemini {
                    parcel.path = envelope::vertex::gemini_path(place, to.model, to.stream);
                } else {
                    let Parcel { headers, body, .. } = &mut parcel;
                    parcel.body = envelope::vertex::wrap(body, to.model, headers, notes)?;
                    parcel.path = envelope::vertex::claude_path(place, to.model, to.stream);
                }
            }
        }
        Ok(parcel)
    }
}

/// What an answer may be. `InvokeModel` takes the header for the model's own, and refuses lists.
fn accepted(card: &Provider) -> &'static str {
    match card.auth {
        Auth::Aws => "*/*",
        _ => "application/json, text/event-stream",
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
    let mut interpreter = Interpreter::new(call, road.tongue, &road.model, road.card);
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
        // What others have said to the caller before is nothing for this provider.
        Lane::Express if dialects::caller(call.dialect).is_borrowed(&wanted.body, &to) => {
            write(app, call, admitted, &to, provider).await?
        }
        Lane::Express => {
            let body = dialects::caller(call.dialect).express(wanted, &road.model)?;
            let mut notes = Notes::default();
            Written {
                body: provider.adapt(body, &to, &mut notes),
                notes,
                renames: Renames::default(),
            }
        }
        Lane::Conversion => write(app, call, admitted, &to, provider).await?,
    };
    interpreter.renames = written.renames;
    let path = if call.url.counting && road.tongue.envelope != Envelope::None {
        return Err(cannot_count());
    } else if call.url.counting {
        provider.count_path(&to).ok_or_else(cannot_count)?
    } else {
        provider.path(&to)
    };
    let parcel = Parcel {
        path,
        headers: headers(call, provider, interpreter.lane),
        body: written.body,
    };
    let mut notes = written.notes;
    let parcel = road.enclose(parcel, &to, &mut notes)?;
    let dropped = dropped(call, &notes)?;
    let letter = road.letter(app, parcel).await?;
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
