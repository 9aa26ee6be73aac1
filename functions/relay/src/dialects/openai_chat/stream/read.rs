//! A stream of chunks, read into the neutral form; a plain answer is a stream of one chunk.

use serde_json::value::RawValue;
use shared::domain::provider::card::Quirk;
use shared::domain::usage::Service;

use super::blocks::Blocks;
use super::delta::{self, Spoken};
use crate::dialects::convert;
use crate::dialects::json::{Fields, array, text};
use crate::dialects::neutral::reply::Citation;
use crate::dialects::neutral::{Event, Finish};
use crate::dialects::openai::failure;
use crate::dialects::openai::usage::{Counts, Reasoning, service};
use crate::dialects::openai::{first_choice, members};
use crate::dialects::openai_chat::wire;
use crate::dialects::{Destination, UpstreamError, sse};

/// Understands chunks.
///
/// The reason to finish is told at the end of the stream: servers tell it twice, or say no after it.
#[derive(Debug)]
pub(in crate::dialects::openai_chat) struct Reader {
    reasoning: Reasoning,
    started: bool,
    /// Whether any delta has come.
    heard: bool,
    blocks: Blocks,
    spoken: Spoken,
    /// What the whole answer cites, told beside the choices; the last list counts.
    sources: Vec<Citation>,
    /// At which service the answer says it is; not every chunk does.
    service: Option<Service>,
    finish: Option<Finish>,
    ended: bool,
}

impl Reader {
    pub(in crate::dialects::openai_chat) fn new(to: &Destination<'_>) -> Self {
        let reasoning = if to.card.has(Quirk::ReasoningApart) {
            Reasoning::Apart
        } else {
            Reasoning::Within
        };
        Self {
            reasoning,
            started: false,
            heard: false,
            blocks: Blocks::default(),
            spoken: Spoken::default(),
            sources: Vec::new(),
            service: None,
            finish: None,
            ended: false,
        }
    }

    /// A chunk, or a whole answer.
    pub(in crate::dialects::openai_chat) fn chunk(
        &mut self,
        json: &str,
        out: &mut Vec<Event>,
    ) -> Result<(), UpstreamError> {
        let Some(mut chunk) = members(json) else {
            return failure::read(200, json.as_bytes()).map_or(Ok(()), Err);
        };
        let usage = Counts::find(&mut chunk);
        let told = chunk.text("service_tier").and_then(|word| service(&word));
        let told = told.or(usage.and_then(|usage| usage.service));
        self.service = told.or(self.service);
        if let Some(error) = chunk.take("error")
            && let Some(error) = failure::refusal(200, error)
        {
            // What was used until then is told beside it.
            self.used(usage.filter(|_| self.started), out);
            return Err(error);
        }
        self.sources(&mut chunk);
        let start = Start {
            id: chunk.text("id").filter(|id| !id.is_empty()),
            model: chunk.text("model").filter(|model| !model.is_empty()),
            created: chunk.take("created").map(ToOwned::to_owned),
        };
        let choice = first_choice(&mut chunk);
        if choice.is_some() || usage.is_some() {
            self.start(start, out);
        } else if let Some(error) = failure::read(200, json.as_bytes()) {
            // Not even empty choices: a body that says no.
            return Err(error);
        }
        let mut usage = usage;
        if let Some(mut choice) = choice {
            usage = usage.or_else(|| choice.take("usage").and_then(Counts::read));
            self.choice(choice, out)?;
        }
        self.used(usage, out);
        Ok(())
    }

    fn used(&mut self, usage: Option<Counts>, out: &mut Vec<Event>) {
        if let Some(mut usage) = usage {
            usage.service = usage.service.or(self.service);
            out.push(Event::Usage(usage.tokens(self.reasoning)));
        }
    }

    fn start(&mut self, start: Start, out: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        let Start { id, model, created } = start;
        let created = created.map(|created| created.get().to_owned());
        let names = [id.as_deref(), model.as_deref(), created.as_deref()];
        self.blocks.answer = names.map(Option::unwrap_or_default).join("\n");
        out.push(Event::Start { id, model });
    }

    fn choice(
        &mut self,
        mut choice: Fields<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), UpstreamError> {
        if let Some(error) = choice.take("error")
            && let Some(error) = failure::refusal(200, error)
        {
            return Err(error);
        }
        let delta = choice.object("delta");
        // Some servers repeat the whole message at the end of the stream.
        let whole = choice.object("message").filter(|_| !self.heard);
        if let Some(delta) = delta.or(whole) {
            self.heard = true;
            delta::read(delta, &mut self.blocks, &mut self.spoken, out);
        }
        let Some(word) = choice.text("finish_reason").filter(|word| !word.is_empty()) else {
            return Ok(());
        };
        if let Some(error) = failure::broken(&word) {
            return Err(error);
        }
        self.finish = Some(wire::read_finish(&word));
        Ok(())
    }

    /// Perplexity's and xAI's sources, which each chunk repeats.
    fn sources(&mut self, chunk: &mut Fields<'_>) {
        let found = array_of(chunk.take("search_results"), |source| {
            let mut source = Fields::of(source)?;
            Some(Citation {
                url: Some(source.text("url")?),
                title: source.text("title"),
                ..Citation::default()
            })
        });
        let cited = array_of(chunk.take("citations"), |source| {
            Some(Citation {
                url: Some(text(source)?),
                ..Citation::default()
            })
        });
        let told = if found.is_empty() { cited } else { found };
        if !told.is_empty() {
            self.sources = told;
        }
    }

    /// The end of the answer, if it has come to one.
    fn close(&mut self, otherwise: Option<Finish>, out: &mut Vec<Event>) {
        if self.ended || !self.started {
            return;
        }
        let Some(finish) = self.finish.take().or(otherwise) else {
            return;
        };
        self.ended = true;
        if self.blocks.has_text {
            for source in std::mem::take(&mut self.sources) {
                self.blocks.cite(source, out);
            }
        }
        if let Some(block) = self.spoken.finish() {
            self.blocks.whole(block, out);
        }
        self.blocks.close(out);
        out.push(Event::Finish(finish));
        out.push(Event::End);
    }

    /// The end of a plain answer: it is whole, whether it says why it ended or not.
    pub(in crate::dialects::openai_chat) fn close_plain(&mut self, out: &mut Vec<Event>) {
        self.close(Some(Finish::default()), out);
    }
}

impl convert::Reader for Reader {
    fn event(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), UpstreamError> {
        let Some(data) = sse::data(event) else {
            return Ok(());
        };
        let data = data.trim_ascii();
        if self.ended || data.is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            // Snowflake gives no reason to finish.
            self.close(Some(Finish::default()), out);
            return Ok(());
        }
        let json = String::from_utf8_lossy(data);
        if sse::name(event) == Some(b"error") {
            return Err(failure::read(200, data).unwrap_or_else(|| UpstreamError {
                code: "error".to_owned(),
                status: 502,
                message: json.into_owned(),
                retry_after_s: None,
            }));
        }
        self.chunk(&json, out)
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.close(None, out);
    }
}

/// How an answer begins.
struct Start {
    id: Option<String>,
    model: Option<String>,
    created: Option<Box<RawValue>>,
}

fn array_of(
    value: Option<&RawValue>,
    read: impl FnMut(&RawValue) -> Option<Citation>,
) -> Vec<Citation> {
    let elements = value.map(array).unwrap_or_default();
    elements.into_iter().filter_map(read).collect()
}
