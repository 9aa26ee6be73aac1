//! OpenAI's chat dialect. <https://platform.openai.com/docs/api-reference/chat>

mod answer;
mod express;
mod media;
mod reply;
mod request;
mod stream;
mod thought;
mod wire;
mod words;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use shared::domain::dialect::Dialect as Name;
use shared::domain::id::RequestId;
use shared::domain::limit::Room;
use shared::domain::provider::card::Quirk;
use shared::failure::Failure;

use super::convert::{Reader, Writer};
use super::json::Object;
use super::neutral::{Field, Notes, Reply, Request};
use super::openai::{failure, limit, room, splice};
use super::watch::{Seen, Watch};
use super::{
    Asked, CallerSide, Destination, InUrl, ProviderSide, UpstreamError, Wanted, Written, borrowed,
};

/// The dialect.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiChat;

/// Not the organisation and the project: those belong to the credential, which is not the caller's.
static FORWARDED: [HeaderName; 1] = [HeaderName::from_static("openai-beta")];

impl CallerSide for OpenaiChat {
    fn name(&self) -> Name {
        Name::OpenaiChat
    }

    fn read(&self, body: Bytes, _: &InUrl) -> Result<Wanted, Failure> {
        express::request::read(body)
    }

    fn express(&self, wanted: &Wanted, upstream_model: &str) -> Result<Bytes, Failure> {
        splice::express(wanted, upstream_model)
    }

    /// OpenAI itself knows no thoughts in chats.
    fn is_borrowed(&self, body: &[u8], to: &Destination<'_>) -> bool {
        const FOREIGN: [&[u8]; 3] = [
            br#""reasoning_content""#,
            br#""reasoning_details""#,
            br#""extra_content""#,
        ];
        let foreign = |member: &&[u8]| borrowed::has_member(body, member);
        let openai = to.card.has(Quirk::Openai);
        borrowed::has_envelope(body) || (openai && FOREIGN.iter().any(foreign))
    }

    fn limit_output(&self, body: &Bytes, limit: u64) -> Result<Bytes, Failure> {
        limit::limit_output(body, &["max_completion_tokens", "max_tokens"], limit)
    }

    fn watch(&self, wanted: &Wanted) -> Box<dyn Watch> {
        Box::new(express::stream::watcher(wanted))
    }

    fn read_reply(&self, body: &[u8]) -> Option<Seen> {
        express::reply::read(body)
    }

    fn read_request(&self, wanted: &Wanted) -> Result<Request, Failure> {
        request::read::read(&wanted.body)
    }

    fn write_reply(&self, reply: &Reply, asked: &Asked<'_>) -> Bytes {
        reply::write::write(reply, asked)
    }

    fn writer(&self, asked: &Asked<'_>) -> Box<dyn Writer> {
        Box::new(stream::write::Writer::new(asked))
    }

    fn word(&self, field: &Field) -> String {
        words::word(field)
    }

    fn write_error(&self, failure: &Failure, _: RequestId) -> Bytes {
        failure::write(failure)
    }

    fn write_error_event(&self, failure: &Failure, _: RequestId) -> Bytes {
        super::sse::write(None, &failure::write(failure))
    }

    fn room_headers(&self, room: &Room) -> HeaderMap {
        room::headers(room)
    }

    fn filler(&self) -> &'static [u8] {
        b": keep-alive\n\n"
    }

    /// The dialect has no form of its own for it: this is its successor's.
    fn write_count(&self, tokens: u64) -> Bytes {
        Object::new().with("input_tokens", tokens).to_bytes()
    }
}

impl ProviderSide for OpenaiChat {
    fn path(&self, _: &Destination<'_>) -> String {
        "v1/chat/completions".to_owned()
    }

    fn forwarded_headers(&self) -> &'static [HeaderName] {
        &FORWARDED
    }

    /// Images are fetched by providers; files and sounds have no address here.
    fn wants_bytes(&self, url: &str) -> bool {
        const FETCHED: [&str; 5] = [".pdf", ".wav", ".mp3", ".txt", ".docx"];
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let path = path.to_ascii_lowercase();
        FETCHED.iter().any(|ending| path.ends_with(ending))
    }

    fn write_request(&self, request: &Request, to: &Destination<'_>) -> Result<Written, Failure> {
        request::write::write(request, to)
    }

    fn adapt(&self, body: Bytes, to: &Destination<'_>, notes: &mut Notes) -> Bytes {
        express::quirks::adapt(body, to, notes)
    }

    fn reply(&self, body: &[u8], to: &Destination<'_>) -> Option<Reply> {
        reply::read::read(body, to)
    }

    fn reader(&self, to: &Destination<'_>) -> Box<dyn Reader> {
        Box::new(stream::read::Reader::new(to))
    }

    fn read_error(&self, status: u16, _: &HeaderMap, body: &[u8]) -> Option<UpstreamError> {
        failure::read(status, body)
    }
}
