//! Understands a provider's stream of Responses.
//! <https://platform.openai.com/docs/api-reference/responses-streaming>
//!
//! The answer begins with its first item: an error before that is a refusal like any other.

mod ending;
mod output;
mod telling;

use super::super::reply::read as plain;
use super::super::{failure, wire};
use crate::dialects::UpstreamError;
use crate::dialects::convert::Reader;
use crate::dialects::json::Fields;
use crate::dialects::neutral::{Event, Reply};
use crate::dialects::sse;
use output::{Output, Part, Place, Shape, Telling};

#[derive(Debug, Default)]
pub(in crate::dialects) struct Listener {
    /// What the answer has called itself.
    id: Option<String>,
    model: Option<String>,
    begun: bool,
    output: Output,
    ended: bool,
}

impl Reader for Listener {
    fn event(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), UpstreamError> {
        let Some(data) = sse::data(event).filter(|_| !self.ended) else {
            return Ok(());
        };
        let data = String::from_utf8_lossy(&data);
        let mended;
        let mut fields = match Fields::parse(&data) {
            Some(fields) => fields,
            None => {
                mended = wire::mended(&data).unwrap_or_default();
                Fields::parse(&mended).unwrap_or_default()
            }
        };
        let named = || Some(std::str::from_utf8(sse::name(event)?).ok()?.to_owned());
        let kind = fields.clone().text("type").or_else(named);
        let Some(kind) = kind
            .as_deref()
            .and_then(|kind| kind.strip_prefix("response."))
        else {
            return failure::read_fields(200, fields).map_or(Ok(()), Err);
        };
        match kind {
            "created" | "queued" | "in_progress" => self.name(&mut fields),
            "completed" | "incomplete" => return self.finish(kind, fields, out),
            "failed" | "cancelled" | "error" => {
                let error = failure::read_fields(200, fields);
                return Err(error.unwrap_or_else(|| failure::unnamed(200)));
            }
            _ => self.item(kind, &mut fields, out),
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<Event>) {}
}

impl Listener {
    fn name(&mut self, fields: &mut Fields<'_>) {
        if let Some(mut response) = fields.object("response") {
            self.id = response.text("id").or_else(|| self.id.take());
            self.model = response.text("model").or_else(|| self.model.take());
        }
    }

    fn begin(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.begun, true) {
            let (id, model) = (self.id.take(), self.model.take());
            out.push(Event::Start { id, model });
        }
    }

    /// An event about an item of the output. The beginnings of parts say nothing yet, and what the
    /// provider's own tools are doing is told when they are done.
    fn item(&mut self, kind: &str, fields: &mut Fields<'_>, out: &mut Vec<Event>) {
        let place = Place {
            index: fields.count("output_index"),
            id: fields.text("item_id"),
        };
        let content = fields.count("content_index");
        let number = content.or_else(|| fields.count("summary_index"));
        let number = number.unwrap_or(0);
        if let Some((shape, telling)) = told(kind) {
            self.begin(out);
            let at = self.output.find(place, shape);
            self.text(at, (telling, number), fields, out);
            return;
        }
        let member = match kind {
            "output_item.added" | "output_item.done" => "item",
            "content_part.done" => "part",
            "output_text.annotation.added" => "annotation",
            _ => return,
        };
        let Some(raw) = fields.take(member) else {
            return;
        };
        self.begin(out);
        match kind {
            "output_item.added" => self.output.add(place, raw, out),
            "output_item.done" => self.output.finish(place, raw, out),
            "content_part.done" => self.output.finish_part(place, number, raw, out),
            _ => self.output.cite(&place, number, raw, out),
        }
    }

    /// A piece of a text, or all of it.
    fn text(&mut self, at: usize, part: Part, fields: &mut Fields<'_>, out: &mut Vec<Event>) {
        if let Some(delta) = fields.take("delta") {
            return self.output.tell(at, part, delta, out);
        }
        let mut names = ["text", "refusal", "arguments", "input"].into_iter();
        if let Some(whole) = names.find_map(|name| fields.take(name)) {
            self.output.tell_whole(at, part, whole, out);
        }
    }

    fn finish(
        &mut self,
        kind: &str,
        fields: Fields<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), UpstreamError> {
        self.name(&mut fields.clone());
        let mut response = fields.clone().object("response").unwrap_or_default();
        let Some(finish) = plain::finish(&mut response, kind) else {
            let error = failure::read_fields(200, fields);
            return Err(error.unwrap_or_else(|| failure::unnamed(200)));
        };
        self.begin(out);
        self.output.close(out);
        if self.output.is_silent() {
            let mut reply = Reply::default();
            for item in response.array("output") {
                plain::item(item, &mut reply);
            }
            self.output.say(reply, out);
        }
        out.extend(wire::read_usage(&mut response).map(Event::Usage));
        out.push(Event::Finish(self.output.holds().ended(finish)));
        out.push(Event::End);
        self.ended = true;
        Ok(())
    }
}

/// What an event tells a text of; the shorter names are older ones.
fn told(kind: &str) -> Option<(Shape, Telling)> {
    let what = kind
        .strip_suffix(".delta")
        .or_else(|| kind.strip_suffix(".done"))?;
    Some(match what {
        "output_text" => (Shape::Message, Telling::Text),
        "refusal" => (Shape::Message, Telling::Refusal),
        "reasoning_text" | "reasoning" => (Shape::Thought, Telling::Thought),
        "reasoning_summary_text" | "reasoning_summary" => (Shape::Thought, Telling::Summary),
        "function_call_arguments" => (Shape::Function, Telling::Input),
        "custom_tool_call_input" => (Shape::Custom, Telling::Input),
        _ => return None,
    })
}
