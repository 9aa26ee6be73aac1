//! A streamed answer of Gemini's dialect → events. A plain answer is a stream of one piece.
//! <https://ai.google.dev/api/generate-content#generatecontentresponse>

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;

use super::super::usage::{self, Searches};
use super::super::{citations, failure, names, wire};
use super::arguments::Arguments;
use crate::dialects::convert;
use crate::dialects::json::{self, Fields, Halves};
use crate::dialects::neutral::reply::{Citation, Finish};
use crate::dialects::neutral::request::{Medium, Source};
use crate::dialects::neutral::{Block, Event, Kind, Opaque, Opening, Origin, Reason};
use crate::dialects::{UpstreamError, sse};

/// Reads one answer.
#[derive(Debug, Default)]
pub(in crate::dialects::gemini) struct Reader {
    started: bool,
    id: String,
    open: Option<Open>,
    /// A call whose arguments still come.
    call: Option<Call>,
    calls: usize,
    /// What was told already of where texts come from.
    cited: Vec<Cited>,
    /// Some servers give a reason with every piece: the last one counts, at the end.
    finish: Option<Finish>,
    /// Why the prompt was not answered.
    blocked: Option<String>,
    searches: Searches,
}

/// Where a text comes from: an address, and the part of the text.
type Cited = (Option<String>, Option<(u64, u64)>);

/// The open block: a text or a thought.
#[derive(Debug)]
struct Open {
    thought: bool,
    text: String,
    halves: Halves,
    /// Whether it has its state: the next state is that of another block.
    signed: bool,
}

#[derive(Debug)]
struct Call {
    id: Option<String>,
    name: String,
    arguments: Arguments,
    state: Option<Opaque>,
}

impl convert::Reader for Reader {
    fn event(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), UpstreamError> {
        match sse::data(event) {
            Some(data) => self.piece(&data, out),
            None => Ok(()),
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        let reason = |word: String| Finish::new(Reason::Refusal, word);
        let finish = self
            .finish
            .take()
            .or_else(|| self.blocked.take().map(reason));
        let Some(finish) = finish.filter(|_| self.started) else {
            return;
        };
        self.close(out);
        out.push(Event::Finish(finish.with_calls(self.calls > 0)));
        out.push(Event::End);
        self.started = false;
    }
}

impl Reader {
    /// One piece, or an array of them. What is no JSON says nothing.
    pub(in crate::dialects::gemini) fn piece(
        &mut self,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), UpstreamError> {
        let text = std::str::from_utf8(data).unwrap_or_default();
        let Ok(value) = serde_json::from_str::<&RawValue>(text) else {
            return Ok(());
        };
        for one in std::iter::once(value).chain(json::array(value)) {
            if let Some(fields) = Fields::of(one) {
                self.response(fields, one, out)?;
            }
        }
        Ok(())
    }

    /// Whether there was a reason to finish, or to say nothing.
    pub(in crate::dialects::gemini) fn is_finished(&self) -> bool {
        self.finish.is_some() || self.blocked.is_some()
    }

    /// Takes the answer for finished.
    pub(in crate::dialects::gemini) fn finish(&mut self, reason: Reason) {
        self.finish = Some(Finish {
            reason,
            ..Finish::default()
        });
    }

    fn response(
        &mut self,
        mut fields: Fields<'_>,
        whole: &RawValue,
        out: &mut Vec<Event>,
    ) -> Result<(), UpstreamError> {
        if fields.take("error").is_some()
            && let Some(error) = failure::read(200, whole.get().as_bytes())
        {
            return Err(error);
        }
        let (id, model) = (fields.text("responseId"), fields.text("modelVersion"));
        self.searches.see(model.as_deref(), None);
        if !self.started {
            self.started = true;
            self.id = id.clone().unwrap_or_default();
            out.push(Event::Start { id, model });
        }
        let reason = fields.object("promptFeedback").and_then(|mut feedback| {
            let reason = feedback.text("blockReason");
            reason.filter(|word| !word.is_empty() && !word.ends_with("_UNSPECIFIED"))
        });
        self.blocked = reason.or_else(|| self.blocked.take());
        let candidates = fields.array("candidates").into_iter();
        let first = candidates.filter_map(Fields::of).find_map(|mut one| {
            let index = one.count("index").unwrap_or(0);
            (index == 0).then_some(one)
        });
        if let Some(candidate) = first {
            self.candidate(candidate, out);
        }
        let usage = fields.take("usageMetadata").and_then(usage::read);
        out.extend(usage.map(|usage| Event::Usage(self.searches.add(usage))));
        Ok(())
    }

    fn candidate(&mut self, mut candidate: Fields<'_>, out: &mut Vec<Event>) {
        let grounding = candidate.clone().take("groundingMetadata");
        self.searches.see(None, grounding);
        let content = candidate.object("content");
        for part in content
            .map(|mut content| content.array("parts"))
            .unwrap_or_default()
        {
            if let Some(fields) = Fields::of(part) {
                self.part(fields, part, out);
            }
        }
        self.cite(&mut candidate, out);
        let word = candidate.text("finishReason").unwrap_or_default();
        self.finish = wire::read_finish(&word).or_else(|| self.finish.take());
    }

    fn part(&mut self, mut part: Fields<'_>, whole: &RawValue, out: &mut Vec<Event>) {
        let signature = part.text("thoughtSignature");
        let state = signature.filter(|one| !one.is_empty());
        let state = state.map(|data| Opaque::new(Origin::Gemini, data));
        let thought = wire::is_true(part.take("thought"));
        if let Some(call) = part.object("functionCall") {
            self.call(call, state, out);
        } else if let Some(text) = part.take("text") {
            self.end_call(out);
            self.text(thought, text, state, out);
        } else if let Some(block) = medium(&mut part) {
            self.whole(block.with_opaque(state), out);
        } else if thought || (state.is_some() && part.is_empty()) {
            self.end_call(out);
            self.state(thought, state, out);
        } else if !part.is_empty() {
            let foreign = Kind::Foreign(Dialect::Gemini, whole.to_owned());
            self.whole(Block::new(foreign), out);
        }
    }

    fn text(
        &mut self,
        thought: bool,
        text: &RawValue,
        state: Option<Opaque>,
        out: &mut Vec<Event>,
    ) {
        let empty = text.get() == "\"\"";
        let goes_on = |open: &Open| open.thought == thought && !(open.signed && state.is_some());
        if !empty && !self.open.as_ref().is_some_and(goes_on) {
            self.close_text(out);
            let opening = if thought {
                Opening::Reasoning
            } else {
                Opening::Text
            };
            out.push(Event::Open(opening));
            self.open = Some(Open {
                thought,
                text: String::new(),
                halves: Halves::default(),
                signed: false,
            });
        }
        if let Some(open) = self.open.as_mut().filter(|_| !empty)
            && let Some(more) = open.halves.text(text).filter(|more| !more.is_empty())
        {
            open.text.push_str(&more);
            out.push(Event::Delta(more));
        }
        self.state(thought, state, out);
    }

    /// State goes to the open block, or to an empty one where none is open that can have it.
    fn state(&mut self, thought: bool, state: Option<Opaque>, out: &mut Vec<Event>) {
        let Some(state) = state else { return };
        match &mut self.open {
            Some(open) if open.thought == thought && !open.signed => {
                open.signed = true;
                out.push(Event::Opaque(state));
            }
            _ => {
                let kind = if thought {
                    Kind::Reasoning(String::new())
                } else {
                    Kind::Text(String::new())
                };
                self.whole(Block::new(kind).with_opaque(Some(state)), out);
            }
        }
    }

    fn whole(&mut self, block: Block, out: &mut Vec<Event>) {
        self.close(out);
        out.push(Event::Whole(Box::new(block)));
    }

    /// A call: whole, or the beginning of one, or more of it, or (with nothing in it) its end.
    fn call(&mut self, mut call: Fields<'_>, state: Option<Opaque>, out: &mut Vec<Event>) {
        let goes_on = wire::is_true(call.take("willContinue"));
        let id = call.text("id").filter(|id| !id.is_empty());
        let name = call.text("name").filter(|name| !name.is_empty());
        let args = call.take("args");
        let pieces = call.array("partialArgs");
        if let Some(name) = name {
            self.close(out);
            self.call = Some(Call {
                id,
                name,
                arguments: Arguments::default(),
                state,
            });
        } else if let Some(open) = &mut self.call {
            open.id = open.id.take().or(id);
            open.state = open.state.take().or(state);
        }
        let Some(open) = &mut self.call else { return };
        if let Some(args) = args {
            open.arguments = Arguments::whole(args);
        }
        for piece in pieces {
            open.arguments.add(piece);
        }
        if !goes_on {
            self.end_call(out);
        }
    }

    fn end_call(&mut self, out: &mut Vec<Event>) {
        let Some(call) = self.call.take() else { return };
        let arguments = call.arguments.finish();
        let seed = if self.id.is_empty() {
            format!("{}{arguments}", call.name)
        } else {
            self.id.clone()
        };
        let id = call.id.unwrap_or_else(|| names::mint(self.calls, &seed));
        self.calls += 1;
        out.push(Event::Open(Opening::ToolUse {
            id,
            name: call.name,
        }));
        // Without arguments there are none, which is an object, too.
        let arguments = if arguments.is_empty() {
            "{}".to_owned()
        } else {
            arguments
        };
        out.push(Event::Delta(arguments));
        out.extend(call.state.map(Event::Opaque));
        out.push(Event::Close);
    }

    /// Tells where the open text comes from, each source once.
    fn cite(&mut self, candidate: &mut Fields<'_>, out: &mut Vec<Event>) {
        let Some(open) = self.open.as_ref().filter(|open| !open.thought) else {
            return;
        };
        for citation in citations::read(candidate, &open.text) {
            let Citation { url, span, .. } = &citation;
            let known = (url.clone(), *span);
            if !self.cited.contains(&known) {
                self.cited.push(known);
                out.push(Event::Citation(citation));
            }
        }
    }

    fn close_text(&mut self, out: &mut Vec<Event>) {
        if self.open.take().is_some() {
            out.push(Event::Close);
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        self.close_text(out);
        self.end_call(out);
    }
}

/// A medium that the model made.
fn medium(part: &mut Fields<'_>) -> Option<Block> {
    let (mut fields, place) = match part.object("inlineData") {
        Some(inline) => (inline, "data"),
        None => (part.object("fileData")?, "fileUri"),
    };
    let at = fields.text(place)?;
    let source = if place == "data" {
        Source::Base64(at)
    } else {
        Source::Url(at)
    };
    let medium = Medium {
        mime: fields.text("mimeType"),
        source,
        name: fields.text("displayName"),
        detail: None,
    };
    Some(Block::new(wire::kind(medium)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::convert::Reader as _;
    use crate::dialects::neutral::order::Place;
    use crate::dialects::neutral::{Reply, request};

    fn events(pieces: &[&str]) -> Vec<Event> {
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        for piece in pieces {
            let event = format!("data: {piece}\r\n\r\n");
            reader.event(event.as_bytes(), &mut out).unwrap();
        }
        reader.end(&mut out);
        let mut place = Place::default();
        for event in &out {
            place = place.after(event).unwrap();
        }
        out
    }

    fn candidate(parts: &str) -> String {
        format!(r#"{{"candidates":[{{"content":{{"parts":[{parts}]}}}}],"responseId":"r"}}"#)
    }

    fn reply(parts: &[&str]) -> Reply {
        let mut pieces: Vec<String> = parts.iter().map(|part| candidate(part)).collect();
        pieces.push(r#"{"candidates":[{"finishReason":"STOP"}]}"#.to_owned());
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        Reply::fold(events(&pieces))
    }

    fn calls(reply: &Reply) -> Vec<request::ToolUse> {
        let blocks = reply.blocks.iter();
        blocks
            .filter_map(|block| match &block.kind {
                Kind::ToolUse(call) => Some(call.clone()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_stream_folds_to_what_one_piece_says() {
        let parts = [
            r#"{"text":"a","thought":true}"#,
            r#"{"text":"b","thought":true}"#,
            r#"{"text":"x","thoughtSignature":"s1"}"#,
            r#"{"text":"y"}"#,
            r#"{"functionCall":{"name":"f","args":{"a":1.0}},"thoughtSignature":"s2"}"#,
            r#"{"functionCall":{"name":"f"}}"#,
            r#"{"inlineData":{"mimeType":"image/png","data":"aa"}}"#,
            r#"{"executableCode":{"code":"1"}}"#,
            r#"{"text":"","thoughtSignature":"s3"}"#,
        ];
        let streamed = reply(&parts);
        let whole = reply(&[&parts.join(",")]);
        assert_eq!(format!("{streamed:?}"), format!("{whole:?}"));
        assert_eq!(streamed.finish.reason, Reason::ToolUse);
        assert_eq!(streamed.blocks.len(), 7);
        let signed: Vec<_> = streamed
            .blocks
            .iter()
            .map(|one| one.opaque.is_some())
            .collect();
        assert_eq!(signed, [false, true, true, false, false, false, true]);
        let calls = calls(&streamed);
        assert_eq!(
            (&*calls[0].arguments, &*calls[1].arguments),
            (r#"{"a":1.0}"#, "{}")
        );
        assert_ne!(calls[0].id, calls[1].id);
    }

    #[test]
    fn arguments_in_pieces_are_folded_whether_or_not_the_call_is_closed() {
        let pieces = [
            r#"{"functionCall":{"name":"f","willContinue":true},"thoughtSignature":"s"}"#,
            r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"x","willContinue":true}],"willContinue":true}}"#,
            r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"y"}],"willContinue":true}}"#,
        ];
        let closed = r#"{"functionCall":{}}"#;
        let next = r#"{"functionCall":{"name":"g","args":{}}}"#;
        for end in [vec![closed, next], vec![next], vec![closed, closed, next]] {
            let said = reply(&[&pieces[..], &end].concat());
            let calls = calls(&said);
            assert_eq!(calls.len(), 2);
            assert_eq!(calls[0].arguments, r#"{"a":"xy"}"#);
            assert_eq!(calls[1].name, "g");
            assert!(said.blocks[0].opaque.is_some());
        }
        assert_eq!(calls(&reply(&pieces)).len(), 1);
    }

    #[test]
    fn a_reason_in_every_piece_ends_nothing_early() {
        let piece =
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#;
        let said = Reply::fold(events(&[piece, piece]));
        assert!(matches!(&said.blocks[0].kind, Kind::Text(text) if text == "aa"));
    }

    #[test]
    fn a_cut_stream_has_no_end() {
        let cut = events(&[&candidate(r#"{"text":"a"}"#)]);
        assert!(
            !cut.iter()
                .any(|event| matches!(event, Event::Finish(_) | Event::End))
        );
        assert!(events(&[]).is_empty());
    }

    #[test]
    fn a_blocked_prompt_is_refused() {
        let said = Reply::fold(events(&[
            r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":4}}"#,
        ]));
        assert_eq!(said.finish.reason, Reason::Refusal);
        assert_eq!(said.tokens.unwrap().input, 4);
    }

    #[test]
    fn an_error_in_place_of_a_piece_is_an_error() {
        let (mut reader, mut out) = (Reader::default(), Vec::new());
        for error in [
            r#"data: {"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}"#,
            r#"data: [{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]"#,
        ] {
            let error = reader.event(error.as_bytes(), &mut out).unwrap_err();
            assert_eq!(error.status, 429);
        }
    }

    #[test]
    fn citations_stand_in_the_text_that_they_support() {
        let grounded = r#"{"candidates":[{"content":{"parts":[{"text":""}]},"groundingMetadata":{
            "groundingChunks":[{"web":{"uri":"https://a","title":"A"}}],"groundingSupports":[
            {"segment":{"endIndex":3,"text":"né"},"groundingChunkIndices":[0]}]},
            "finishReason":"STOP"}]}"#;
        let grounded = grounded.replace('\n', "");
        let said = Reply::fold(events(&[
            &candidate(r#"{"text":"né."}"#),
            &grounded,
            &grounded,
        ]));
        assert_eq!(said.citations.len(), 1);
        assert_eq!(said.citations[0].0, 0);
        assert_eq!(said.citations[0].1.span, Some((0, 2)));
    }

    #[test]
    fn half_a_character_waits_for_the_other_half() {
        let said = reply(&[r#"{"text":"a\ud83d"}"#, r#"{"text":"\ude00"}"#]);
        assert!(matches!(&said.blocks[0].kind, Kind::Text(text) if text == "a😀"));
    }
}
