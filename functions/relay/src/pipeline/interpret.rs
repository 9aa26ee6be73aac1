//! What a provider answers to a letter, in the caller's dialect: as it comes, or through the neutral form.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use shared::domain::dialect::{Dialect, Lane};
use shared::domain::provider::Provider;
use shared::domain::provider::card::{Envelope, Tongue};

use super::Call;
use super::admit::Admitted;
use crate::dialects::convert::{Converter, Reader, Renames, add_delivered};
use crate::dialects::envelope::bedrock::{Unwrapped, UnwrappedReader};
use crate::dialects::estimate::Delivered;
use crate::dialects::neutral::{Event, Reply};
use crate::dialects::rename::{self, Renaming};
use crate::dialects::watch::{Seen, Watch};
use crate::dialects::{self, Asked, CallerSide, Destination, ProviderSide, UpstreamError};
use crate::upstream::framing::{Splitter, event_stream};

/// Understands the answers to one letter.
#[derive(Debug)]
pub(super) struct Interpreter {
    pub(super) lane: Lane,
    /// The provider's name of the model.
    pub(super) model: String,
    /// What must be changed back in answers of the conversion lane.
    pub(super) renames: Renames,
    /// The name of the model that answers of the express lane shall carry.
    pub(super) shown_model: Option<String>,
    caller: &'static dyn CallerSide,
    provider: &'static dyn ProviderSide,
    dialect: Dialect,
    envelope: Envelope,
    card: &'static Provider,
}

impl Interpreter {
    /// Between a caller, and a model of a provider that speaks so.
    pub(super) fn new(
        call: &Call,
        tongue: &'static Tongue,
        model: &str,
        card: &'static Provider,
    ) -> Self {
        let lane = if call.dialect == tongue.dialect {
            Lane::Express
        } else {
            Lane::Conversion
        };
        Self {
            lane,
            model: model.to_owned(),
            renames: Renames::default(),
            shown_model: None,
            caller: dialects::caller(call.dialect),
            provider: dialects::provider(tongue.dialect),
            dialect: tongue.dialect,
            envelope: tongue.envelope,
            card,
        }
    }

    /// Whether errors are said in the caller's own dialect, so that they may pass as they are. Hosts of
    /// another house's models have words of their own.
    pub(super) fn is_verbatim(&self) -> bool {
        let own = match self.envelope {
            Envelope::None | Envelope::AzureDeployment => true,
            Envelope::Vertex => self.dialect == Dialect::Gemini,
            Envelope::BedrockInvoke => false,
        };
        own && self.lane == Lane::Express
    }

    /// What finds the events of a streamed answer.
    pub(super) fn splitter(&self) -> Splitter {
        if self.envelope == Envelope::BedrockInvoke || self.dialect == Dialect::Bedrock {
            Splitter::EventStream(event_stream::Splitter::default())
        } else {
            Splitter::default()
        }
    }

    /// A reader for one streamed answer.
    fn reader(&self) -> Box<dyn Reader> {
        let reader = self.provider.reader(&self.destination(true));
        match self.envelope {
            Envelope::BedrockInvoke => Box::new(UnwrappedReader::new(reader)),
            _ => reader,
        }
    }

    /// A listener for one streamed answer.
    pub(super) fn watch(&self, call: &Call, admitted: &Admitted) -> Box<dyn Watch> {
        if self.lane == Lane::Conversion {
            let writer = self.caller.writer(&asked(call, admitted));
            let converter = Converter::new(self.reader(), writer, self.renames.clone());
            return Box::new(converter);
        }
        let mut watch = self.caller.watch(&admitted.wanted);
        if self.envelope == Envelope::BedrockInvoke {
            watch = Box::new(Unwrapped::new(watch));
        }
        match &self.shown_model {
            Some(name) => Box::new(Renaming::new(watch, name.clone())),
            None => watch,
        }
    }

    /// A plain answer for the caller; `None` when it is none.
    pub(super) fn plain(
        &self,
        body: &Bytes,
        call: &Call,
        admitted: &Admitted,
    ) -> Option<(Bytes, Seen)> {
        if self.lane == Lane::Express
            && let Some(seen) = self.caller.read_reply(body)
        {
            let renamed = self.shown_model.as_deref();
            let renamed = renamed.and_then(|name| rename::model(body, name));
            return Some((renamed.unwrap_or_else(|| body.clone()), seen));
        }
        let mut reply = self
            .provider
            .reply(body, &self.destination(false))
            .or_else(|| self.folded(body))?;
        self.renames.apply(&mut reply);
        let answer = self.caller.write_reply(&reply, &asked(call, admitted));
        Some((answer, seen(reply)))
    }

    /// The answer of a server that streams though nobody asked it to.
    fn folded(&self, body: &Bytes) -> Option<Reply> {
        let (mut splitter, mut reader) = (self.splitter(), self.reader());
        let mut said = Vec::new();
        for event in splitter.push(body.clone()).ok()?.iter() {
            reader.event(&event, &mut said).ok()?;
        }
        if let Some(event) = splitter.finish().ok()? {
            reader.event(&event, &mut said).ok()?;
        }
        reader.end(&mut said);
        let whole = matches!(said.last(), Some(Event::End));
        whole.then(|| Reply::fold(said))
    }

    /// The stream that a caller wants, of a server that answers all at once; `None` when it is no
    /// answer.
    pub(super) fn streamed(
        &self,
        body: &[u8],
        call: &Call,
        admitted: &Admitted,
    ) -> Option<(Bytes, Seen)> {
        let mut reply = self.provider.reply(body, &self.destination(false))?;
        self.renames.apply(&mut reply);
        let seen = seen(reply.clone());
        let mut writer = self.caller.writer(&asked(call, admitted));
        let mut stream = BytesMut::new();
        for event in reply.unfold() {
            writer.write(event, &mut stream);
        }
        Some((stream.freeze(), seen))
    }

    /// The error in a body that should have been an answer, if it is one.
    pub(super) fn error(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<UpstreamError> {
        let host = match self.envelope {
            Envelope::BedrockInvoke => dialects::provider(Dialect::Bedrock),
            _ => self.provider,
        };
        host.read_error(status, headers, body)
    }

    /// How many tokens the provider has counted.
    pub(super) fn count(&self, body: &[u8]) -> Option<u64> {
        self.provider.read_count(body)
    }

    fn destination(&self, stream: bool) -> Destination<'_> {
        Destination {
            model: &self.model,
            stream,
            card: self.card,
        }
    }
}

/// What the caller's dialect needs to know to write an answer.
fn asked<'a>(call: &Call, admitted: &'a Admitted) -> Asked<'a> {
    Asked {
        wanted: &admitted.wanted,
        id: call.id,
        at_s: u64::try_from(call.began_ms / 1_000).unwrap_or(0),
    }
}

/// What a converted answer used, and how much text it carries.
fn seen(reply: Reply) -> Seen {
    let tokens = reply.tokens;
    let mut delivered = Delivered::default();
    for event in reply.unfold() {
        add_delivered(&mut delivered, &event);
    }
    Seen {
        tokens,
        so_far: None,
        current: false,
        delivered,
        began: true,
        complete: true,
        over: true,
    }
}
