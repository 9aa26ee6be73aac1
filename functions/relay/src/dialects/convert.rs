//! The conversion lane: what a provider says, event by event, in the caller's dialect.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use shared::domain::id::RequestId;
use shared::failure::Failure;

use super::UpstreamError;
use super::estimate::Delivered;
use super::neutral::reply::Reason;
use super::neutral::request::ToolUse;
use super::neutral::{Event, Finish, Kind, Opening, Reply};
use super::watch::{Seen, Verdict, Watch};

/// Understands a provider's stream.
pub trait Reader: Debug + Send {
    /// Looks at one complete event (or frame), and tells what it means, in the order of
    /// [`super::neutral::event`].
    ///
    /// # Errors
    /// When the provider says no.
    fn event(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), UpstreamError>;

    /// The connection has ended. Tells what is left to tell; without a reason to finish there is
    /// none, and then no [`Event::End`]: the answer was cut.
    fn end(&mut self, out: &mut Vec<Event>);
}

/// Speaks to a caller.
pub trait Writer: Debug + Send {
    /// Says what an event means.
    fn write(&mut self, event: Event, out: &mut BytesMut);

    /// All that one event of the provider meant is written: what was held back for more of it may
    /// go.
    fn pause(&mut self, _: &mut BytesMut) {}

    /// Says no in the middle of an answer; `None` where what is said before makes no difference.
    fn fail(&mut self, _: &Failure, _: RequestId) -> Option<Bytes> {
        None
    }
}

/// What was changed in a request, and must be changed back in the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames {
    /// The provider's names of tools → the caller's.
    pub tools: BTreeMap<String, String>,
    /// The tool whose arguments are the answer's text: it stands in for a form of the answer.
    pub format_tool: Option<String>,
}

impl Renames {
    /// The caller's name of a tool.
    fn restore(&self, name: &mut String) {
        if let Some(original) = self.tools.get(name) {
            name.clone_from(original);
        }
    }

    fn is_format(&self, name: &str) -> bool {
        self.format_tool.as_deref() == Some(name)
    }

    /// A whole answer, changed back.
    pub fn apply(&self, reply: &mut Reply) {
        // Converted answers carry the caller's name of the model.
        reply.model = None;
        for block in &mut reply.blocks {
            let Kind::ToolUse(ToolUse {
                name, arguments, ..
            }) = &mut block.kind
            else {
                continue;
            };
            if self.is_format(name) {
                block.kind = Kind::Text(std::mem::take(arguments));
            } else {
                self.restore(name);
            }
        }
        reply.finish = self.finish(std::mem::take(&mut reply.finish), reply.calls());
    }

    fn finish(&self, finish: Finish, calls: bool) -> Finish {
        if self.format_tool.is_some() && finish.reason == Reason::ToolUse && !calls {
            return Finish {
                reason: Reason::Stop,
                ..finish
            };
        }
        finish.with_calls(calls)
    }
}

/// A provider's stream on its way into a caller's dialect.
#[derive(Debug)]
pub struct Converter {
    reader: Box<dyn Reader>,
    writer: Box<dyn Writer>,
    renames: Renames,
    calls: bool,
    finished: bool,
    /// Whether the provider said no, and what was used until then.
    refused: bool,
    seen: Seen,
}

impl Converter {
    /// From a provider's dialect into a caller's.
    #[must_use]
    pub fn new(reader: Box<dyn Reader>, writer: Box<dyn Writer>, renames: Renames) -> Self {
        Self {
            reader,
            writer,
            renames,
            calls: false,
            finished: false,
            refused: false,
            seen: Seen::default(),
        }
    }

    /// What one event of the provider's means for the usage told so far. What is held back is said at
    /// the end, and belongs to it.
    fn weigh(&mut self, events: &[Event]) {
        let any = |is: fn(&Event) -> bool| events.iter().any(is);
        if any(|event| matches!(event, Event::Usage(_))) {
            self.seen.current = true;
        } else if any(|event| matches!(event, Event::Delta(_) | Event::Whole(_)))
            && !any(|event| matches!(event, Event::Finish(_)))
        {
            self.seen.current = false;
        }
    }

    fn write(&mut self, events: Vec<Event>, out: &mut BytesMut) {
        for mut event in events {
            self.restore(&mut event);
            self.see(&event);
            self.writer.write(event, out);
        }
        self.writer.pause(out);
    }

    fn restore(&mut self, event: &mut Event) {
        match event {
            // Converted answers carry the caller's name of the model.
            Event::Start { model, .. } => *model = None,
            Event::Open(opening) => {
                if let Opening::ToolUse { name, .. } = opening {
                    if self.renames.is_format(name) {
                        *opening = Opening::Text;
                        return;
                    }
                    self.renames.restore(name);
                    self.calls = true;
                }
            }
            Event::Finish(finish) => {
                *finish = self.renames.finish(std::mem::take(finish), self.calls);
            }
            _ => {}
        }
    }

    fn see(&mut self, event: &Event) {
        self.seen.began = true;
        match event {
            Event::Usage(tokens) => self.seen.so_far = Some(*tokens),
            Event::Finish(_) => {
                self.finished = true;
                self.seen.complete = true;
            }
            Event::End => self.seen.over = true,
            event => add_delivered(&mut self.seen.delivered, event),
        }
        let is_all = self.refused || (self.finished && self.seen.current);
        self.seen.tokens = self.seen.so_far.filter(|_| is_all);
    }
}

/// Adds the text that an event delivers: what fills a block, and the name of a call.
pub fn add_delivered(delivered: &mut Delivered, event: &Event) {
    match event {
        Event::Delta(text) => delivered.add(text.as_bytes()),
        Event::Open(Opening::ToolUse { name, .. }) => delivered.add(name.as_bytes()),
        Event::Whole(block) => {
            if let Some((opening, text)) = Opening::of(block) {
                add_delivered(delivered, &Event::Open(opening));
                delivered.add(text.as_bytes());
            }
        }
        _ => {}
    }
}

impl Watch for Converter {
    fn event(&mut self, event: &[u8]) -> Verdict {
        if self.seen.over {
            return Verdict::Drop;
        }
        let (mut events, mut out) = (Vec::new(), BytesMut::new());
        let understood = self.reader.event(event, &mut events);
        self.weigh(&events);
        let tells = |event: &Event| matches!(event, Event::Usage(_));
        self.refused |= understood.is_err() && events.iter().any(tells);
        self.write(events, &mut out);
        match understood {
            Err(error) if !self.finished => Verdict::Fail(error),
            _ if out.is_empty() => Verdict::Drop,
            _ => Verdict::Replace(out.freeze()),
        }
    }

    fn end(&mut self) -> Option<Bytes> {
        if self.seen.over {
            return None;
        }
        let (mut events, mut out) = (Vec::new(), BytesMut::new());
        self.reader.end(&mut events);
        self.write(events, &mut out);
        (!out.is_empty()).then(|| out.freeze())
    }

    fn fail(&mut self, failure: &Failure, id: RequestId) -> Option<Bytes> {
        self.writer.fail(failure, id)
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}
