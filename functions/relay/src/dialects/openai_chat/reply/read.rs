//! A plain answer, read into the neutral form: it is a stream of one chunk.

use crate::dialects::Destination;
use crate::dialects::neutral::Reply;
use crate::dialects::openai::members;
use crate::dialects::openai_chat::stream::read::Reader;

/// A plain answer; `None` when it is none, or says no.
pub(in crate::dialects::openai_chat) fn read(body: &[u8], to: &Destination<'_>) -> Option<Reply> {
    let json = String::from_utf8_lossy(body);
    let choices = members(&json)?.take("choices")?;
    if crate::dialects::json::array(choices).is_empty() {
        return None;
    }
    let (mut reader, mut events) = (Reader::new(to), Vec::new());
    reader.chunk(&json, &mut events).ok()?;
    reader.close_plain(&mut events);
    Some(Reply::fold(events))
}
