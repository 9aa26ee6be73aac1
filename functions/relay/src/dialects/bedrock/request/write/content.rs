//! The conversation: two sides that take turns, and what the model is told beside it.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::cache::Points;
use super::media::{self, Documents};
use super::names::{self, Names};
use super::tools::TEXT;
use crate::dialects::bedrock::model::{House, Model};
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::{Cache, Medium, ToolResult, ToolUse, Turn};
use crate::dialects::neutral::{Block, Field, Kind, Notes, Origin, Request, Role};

/// What stands where nothing would be refused.
const NOTHING: &str = ".";

/// Writes a conversation.
pub(super) struct Scribe<'a> {
    pub(super) model: Model<'a>,
    pub(super) names: &'a mut Names,
    pub(super) points: &'a mut Points,
    pub(super) notes: &'a mut Notes,
    pub(super) documents: Documents,
    /// The tools that take any text: here, that text is a member of an object.
    pub(super) text_tools: Vec<&'a str>,
}

/// A block, and the cache point after it.
struct Piece {
    block: Json,
    point: Option<Json>,
    kind: PieceKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PieceKind {
    Text,
    Result,
    Document,
    Other,
}

/// A message: neighbours of one side are one.
struct Message {
    assistant: bool,
    pieces: Vec<Piece>,
}

impl Scribe<'_> {
    /// `system`. What a system says before the conversation belongs to it, however it was said.
    pub(super) fn system(&mut self, request: &Request) -> Vec<Json> {
        let leading = request.turns.iter().take_while(|turn| is_system(turn));
        let leading: Vec<&Turn> = leading.collect();
        let spoken = leading.iter().flat_map(|turn| &turn.content.blocks);
        let mut system = Vec::new();
        for block in request.instructions.blocks.iter().chain(spoken) {
            self.note_extras(block, "system[]");
            match &block.kind {
                Kind::Text(text) if sayable(text) => {
                    system.push(text_block(text));
                    system.extend(self.points.block(block.cache, self.notes));
                }
                Kind::Text(_) => {}
                Kind::Foreign(Dialect::Bedrock, raw) => system.push(Json::Raw(raw.clone())),
                _ => self.notes.drop(Field::Content("system")),
            }
        }
        for turn in leading {
            self.note_turn(turn);
        }
        system
    }

    /// `messages`.
    pub(super) fn messages(&mut self, request: &Request) -> Result<Vec<Json>, Failure> {
        let mut messages: Vec<Message> = Vec::new();
        for turn in request.turns.iter().skip_while(|turn| is_system(turn)) {
            self.note_turn(turn);
            let pieces = self.pieces(request, turn)?;
            let assistant = turn.role == Role::Assistant;
            match messages.last_mut() {
                _ if pieces.is_empty() => {}
                Some(last) if last.assistant == assistant => last.pieces.extend(pieces),
                _ => messages.push(Message { assistant, pieces }),
            }
        }
        if messages.first().is_none_or(|first| first.assistant) {
            let pieces = vec![Piece::of(text_block(NOTHING), PieceKind::Text)];
            let (assistant, first) = (false, 0);
            messages.insert(first, Message { assistant, pieces });
        }
        if let Some(cache) = request.cache
            && let Some(last) = messages.last_mut().and_then(|last| last.pieces.last_mut())
            && last.point.is_none()
        {
            last.point = self.points.block(Some(cache), self.notes);
        }
        Ok(messages.into_iter().map(Message::write).collect())
    }

    fn pieces(&mut self, request: &Request, turn: &Turn) -> Result<Vec<Piece>, Failure> {
        let mut pieces = Vec::new();
        for block in &turn.content.blocks {
            self.note_extras(block, "messages[].content[]");
            if is_system(turn) {
                self.late_instruction(block, &mut pieces);
                continue;
            }
            let begun = begun(request, turn, block);
            let block = begun.as_ref().unwrap_or(block);
            let Some((written, kind)) = self.block(block, turn.role == Role::Assistant)? else {
                continue;
            };
            let hint = block.cache.or_else(|| inner_hint(block));
            let point = match &block.kind {
                Kind::Reasoning(_) | Kind::Redacted => None,
                _ => self.points.block(hint, self.notes),
            };
            let block = written;
            pieces.push(Piece { block, point, kind });
        }
        Ok(pieces)
    }

    /// What a system says later stays where it is: in front, it would mean something else, and spoil
    /// what is cached.
    fn late_instruction(&mut self, block: &Block, pieces: &mut Vec<Piece>) {
        if let Kind::Text(text) = &block.kind
            && sayable(text)
        {
            self.notes
                .emulate(Field::Other("messages[].role".to_owned()));
            let text = text_block(&format!("<system>\n{text}\n</system>"));
            let mut piece = Piece::of(text, PieceKind::Text);
            piece.point = self.points.block(block.cache, self.notes);
            pieces.push(piece);
        }
    }

    fn block(
        &mut self,
        block: &Block,
        assistant: bool,
    ) -> Result<Option<(Json, PieceKind)>, Failure> {
        let written = match &block.kind {
            Kind::Text(text) | Kind::Refusal(text) => {
                sayable(text).then(|| (text_block(text), PieceKind::Text))
            }
            Kind::ToolUse(call) => {
                let call = Object::new()
                    .with("toolUseId", names::id(&call.id))
                    .with("name", self.names.tool(&call.name))
                    .with("input", self.input(call));
                let call = Object::new().with("toolUse", call);
                Some((call.into(), PieceKind::Other))
            }
            Kind::ToolResult(result) => Some((self.result(result)?, PieceKind::Result)),
            Kind::Reasoning(_) | Kind::Redacted => {
                let thought = self.thought(block).filter(|_| assistant);
                if thought.is_none() {
                    self.notes.drop(Field::ReasoningHistory);
                }
                thought.map(|thought| (thought, PieceKind::Other))
            }
            Kind::Foreign(Dialect::Bedrock, raw) => {
                Some((Json::Raw(raw.clone()), PieceKind::Other))
            }
            Kind::Foreign(..) => {
                self.notes.drop(Field::Content("block"));
                None
            }
            Kind::Image(_) | Kind::Document(_) | Kind::Audio(_) | Kind::Video(_) => {
                let medium = self.medium(block)?;
                let document = matches!(block.kind, Kind::Document(_));
                let kind = if document {
                    PieceKind::Document
                } else {
                    PieceKind::Other
                };
                medium.map(|medium| (medium, kind))
            }
        };
        Ok(written)
    }

    fn input(&self, call: &ToolUse) -> Json {
        if self.text_tools.contains(&call.name.as_str()) {
            Object::new().with(TEXT, &call.arguments).into()
        } else {
            call.object().into()
        }
    }

    fn medium(&mut self, block: &Block) -> Result<Option<Json>, Failure> {
        let claude = matches!(self.model.house(), House::Claude(_));
        let (written, word) = match &block.kind {
            Kind::Image(medium) => {
                self.notes
                    .drop_if(medium.detail.as_ref(), Field::ImageDetail);
                (media::image(medium)?, "image")
            }
            Kind::Document(medium) => {
                let document = self.documents.write(medium, &block.extras)?;
                (document, "document")
            }
            Kind::Audio(medium) if !claude => (media::audio(medium)?, "audio"),
            Kind::Video(medium) if !claude => (media::video(medium)?, "video"),
            Kind::Audio(Medium { .. }) => (None, "audio"),
            _ => (None, "video"),
        };
        if written.is_none() {
            self.notes.drop(Field::Content(word));
        }
        Ok(written)
    }

    /// A thought goes back to the house that had it, with its state; to no other.
    fn thought(&self, block: &Block) -> Option<Json> {
        let origin = self.model.origin();
        let state = block.opaque.as_ref()?.of(origin)?;
        let thought = match &block.kind {
            Kind::Reasoning(text) => {
                let told = Object::new()
                    .with("text", text)
                    .with("signature", state.to_owned());
                Object::new().with("reasoningText", told)
            }
            _ if origin == Origin::Bedrock => {
                Object::new().with("redactedContent", state.to_owned())
            }
            _ => Object::new().with("redactedContent", STANDARD.encode(state)),
        };
        Some(Object::new().with("reasoningContent", thought).into())
    }

    fn result(&mut self, result: &ToolResult) -> Result<Json, Failure> {
        let mut contents = Vec::new();
        let failed = result.failed == Some(true);
        if failed && !self.model.knows_failed_results() {
            contents.push(text_block("The tool failed."));
        }
        for block in &result.content.blocks {
            self.note_extras(block, "messages[].content[].content[]");
            match &block.kind {
                Kind::Text(text) if sayable(text) => contents.push(text_block(text)),
                Kind::Text(_) => {}
                Kind::Image(_) | Kind::Document(_) | Kind::Video(_) => {
                    contents.extend(self.medium(block)?);
                }
                Kind::Foreign(Dialect::Bedrock, raw) => contents.push(Json::Raw(raw.clone())),
                _ => self.notes.drop(Field::Content("tool result")),
            }
        }
        if contents.is_empty() {
            contents.push(text_block(NOTHING));
        }
        let status = result.failed.filter(|_| self.model.knows_failed_results());
        let status = status.map(|failed| if failed { "error" } else { "success" });
        let result = Object::new()
            .with("toolUseId", names::id(&result.id))
            .with("content", contents)
            .maybe("status", status);
        Ok(Object::new().with("toolResult", result).into())
    }

    fn note_turn(&mut self, turn: &Turn) {
        for extra in turn.extras.foreign(Dialect::Bedrock) {
            let path = format!("messages[].{}", extra.name);
            self.notes.drop(Field::Other(path));
        }
    }

    fn note_extras(&mut self, block: &Block, path: &str) {
        let document = matches!(block.kind, Kind::Document(_));
        for extra in block.extras.foreign(Dialect::Bedrock) {
            if !(document && media::SHARED.contains(&extra.name.as_str())) {
                let path = format!("{path}.{}", extra.name);
                self.notes.drop(Field::Other(path));
            }
        }
    }
}

impl Piece {
    const fn of(block: Json, kind: PieceKind) -> Self {
        Self {
            block,
            point: None,
            kind,
        }
    }
}

impl Message {
    fn write(mut self) -> Json {
        // Results stand first in the turn after their calls, and a document does not stand alone.
        self.pieces
            .sort_by_key(|piece| piece.kind != PieceKind::Result);
        let has = |kind| self.pieces.iter().any(|piece: &Piece| piece.kind == kind);
        if has(PieceKind::Document) && !has(PieceKind::Text) {
            let text = Piece::of(text_block(NOTHING), PieceKind::Text);
            self.pieces.push(text);
        }
        let mut content = Vec::with_capacity(self.pieces.len());
        for piece in self.pieces {
            content.push(piece.block);
            content.extend(piece.point);
        }
        let role = if self.assistant { "assistant" } else { "user" };
        Object::new()
            .with("role", role)
            .with("content", content)
            .into()
    }
}

/// The beginning of an answer that the model shall go on with: Claude refuses blanks at its end.
fn begun(request: &Request, turn: &Turn, block: &Block) -> Option<Block> {
    let (last, end) = (request.turns.last()?, turn.content.blocks.last()?);
    let is_end = std::ptr::eq(last, turn) && std::ptr::eq(end, block);
    match &block.kind {
        Kind::Text(text) if is_end && turn.role == Role::Assistant => Some(Block {
            cache: block.cache,
            ..Block::text(text.trim_end())
        }),
        _ => None,
    }
}

fn is_system(turn: &Turn) -> bool {
    matches!(turn.role, Role::System | Role::Developer)
}

/// The hint inside a result of a tool, where Converse has no place for points.
fn inner_hint(block: &Block) -> Option<Cache> {
    let Kind::ToolResult(result) = &block.kind else {
        return None;
    };
    result
        .content
        .blocks
        .iter()
        .rev()
        .find_map(|inner| inner.cache)
}

/// Whether a text is more than blanks, which Bedrock refuses.
fn sayable(text: &str) -> bool {
    !text.trim().is_empty()
}

fn text_block(text: &str) -> Json {
    Object::new().with("text", text.to_owned()).into()
}
