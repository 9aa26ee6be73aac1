//! The conversation in the order that a provider takes: system first, then user and assistant in turn.

use std::borrow::Cow;

use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::Pen;
use crate::dialects::claude::Claude;
use crate::dialects::json::Fields;
use crate::dialects::neutral::request::Extra;
use crate::dialects::neutral::{Block, Field, Kind, Origin, Request, Role};

/// What is sent of a conversation.
pub(super) struct Conversation<'a> {
    /// What the model is told before.
    pub(super) system: Vec<&'a Block>,
    /// Whether that was a mere text.
    pub(super) plain: bool,
    /// The rest.
    pub(super) turns: Vec<Said<'a>>,
}

/// What one side says.
pub(super) struct Said<'a> {
    pub(super) side: Side,
    pub(super) blocks: Vec<Cow<'a, Block>>,
    /// Whether it was a mere text.
    pub(super) plain: bool,
    pub(super) extras: Vec<&'a Extra>,
}

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    User,
    Assistant,
    System,
}

impl Side {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }
}

impl Conversation<'_> {
    /// How many hints to cache it holds.
    pub(super) fn hints(&self) -> usize {
        let turns = self.turns.iter().flat_map(|said| said.blocks.iter());
        let blocks = self.system.iter().copied().chain(turns.map(AsRef::as_ref));
        blocks.map(hints).sum()
    }

    /// Whether the model was interrupted by a call, and its thought is not known any more: then it
    /// cannot go on thinking within a budget.
    pub(super) fn lacks_thought(&self) -> bool {
        let mut before = self.turns.iter().rev();
        let last = before.find(|said| said.side == Side::Assistant);
        last.is_some_and(|said| {
            let calls = |block: &Cow<'_, Block>| matches!(block.kind, Kind::ToolUse(_));
            let first = said.blocks.first().map(|block| &block.kind);
            said.blocks.iter().any(calls)
                && !matches!(first, Some(Kind::Reasoning(_) | Kind::Redacted))
        })
    }
}

fn hints(block: &Block) -> usize {
    let inner = match &block.kind {
        Kind::Reasoning(_) | Kind::Redacted => return 0,
        Kind::ToolResult(result) => result.content.blocks.iter().map(hints).sum(),
        _ => 0,
    };
    usize::from(block.cache.is_some()) + inner
}

/// Puts a conversation in order.
pub(super) fn arrange<'a>(
    request: &'a Request,
    pen: &mut Pen<'_>,
) -> Result<Conversation<'a>, Failure> {
    let mut system = Vec::new();
    keep_system(&request.instructions.blocks, &mut system, pen);
    let mut plain = request.instructions.plain;
    let mut turns: Vec<Said<'a>> = Vec::new();
    for turn in &request.turns {
        let side = match turn.role {
            Role::User | Role::Tool => Side::User,
            Role::Assistant => Side::Assistant,
            Role::System | Role::Developer => Side::System,
        };
        if side == Side::System && turns.is_empty() {
            plain = plain && system.is_empty();
            keep_system(&turn.content.blocks, &mut system, pen);
            continue;
        }
        let mut blocks = Vec::with_capacity(turn.content.blocks.len());
        for block in &turn.content.blocks {
            if keeps(block, side, pen)? {
                blocks.push(Cow::Borrowed(block));
            }
        }
        for extra in turn.extras.foreign(Dialect::Anthropic) {
            let name = format!("messages[].{}", extra.name);
            pen.notes.drop(Field::Other(name));
        }
        let said = Said {
            side,
            blocks,
            plain: turn.content.plain,
            extras: turn.extras.of(Dialect::Anthropic).collect(),
        };
        join(&mut turns, said);
    }
    let mut turns = place_system(turns, pen);
    if turns.is_empty() && !system.is_empty() {
        // There must be a message: the only words that there are.
        let blocks = system.drain(..).map(Cow::Borrowed).collect();
        turns.push(said(Side::User, blocks));
        pen.notes.emulate(Field::Content("system"));
    }
    if turns
        .first()
        .is_some_and(|first| first.side == Side::Assistant)
    {
        turns.insert(0, said(Side::User, vec![Cow::Owned(Block::text("."))]));
    }
    for said in &mut turns {
        // Results come first, or their calls count as unanswered.
        said.blocks
            .sort_by_key(|block| !matches!(block.kind, Kind::ToolResult(_)));
    }
    trim_last(&mut turns);
    Ok(Conversation {
        system,
        plain,
        turns,
    })
}

fn said(side: Side, blocks: Vec<Cow<'_, Block>>) -> Said<'_> {
    Said {
        side,
        blocks,
        plain: false,
        extras: Vec::new(),
    }
}

/// Adds what is said, to the turn before it if that is the same side's.
fn join<'a>(turns: &mut Vec<Said<'a>>, said: Said<'a>) {
    if said.blocks.is_empty() {
        return;
    }
    match turns.last_mut() {
        Some(last) if last.side == said.side => {
            last.blocks.extend(said.blocks);
            last.extras.extend(said.extras);
            last.plain = false;
        }
        _ => turns.push(said),
    }
}

/// Leaves the operator's later words where the model understands them there, and gives them to the
/// user, marked, where it does not.
fn place_system<'a>(turns: Vec<Said<'a>>, pen: &mut Pen<'_>) -> Vec<Said<'a>> {
    let understood = pen.claude.is_some_and(Claude::takes_late_system);
    let mut placed: Vec<Said<'a>> = Vec::with_capacity(turns.len());
    let mut turns = turns.into_iter().peekable();
    while let Some(mut one) = turns.next() {
        if one.side == Side::System {
            // After the user, or after a tool of the provider's own; and before an answer.
            let after = placed.last().is_some_and(|last| match last.side {
                Side::User => true,
                Side::Assistant => last.blocks.last().is_some_and(|block| {
                    matches!(block.kind, Kind::Foreign(Dialect::Anthropic, _))
                }),
                Side::System => false,
            });
            let before = turns.peek().is_none_or(|next| next.side == Side::Assistant);
            if !(understood && after && before) {
                pen.notes.emulate(Field::Content("system"));
                one = said(Side::User, one.blocks.into_iter().map(marked).collect());
            }
        }
        join(&mut placed, one);
    }
    placed
}

fn marked(block: Cow<'_, Block>) -> Cow<'_, Block> {
    match &block.kind {
        Kind::Text(text) => Cow::Owned(Block {
            kind: Kind::Text(format!("<system>\n{text}\n</system>")),
            ..block.as_ref().clone()
        }),
        _ => block,
    }
}

/// The end of an answer that the model shall go on with must not be a space.
fn trim_last(turns: &mut [Said<'_>]) {
    if let Some(last) = turns.last_mut()
        && last.side == Side::Assistant
        && let Some(block) = last.blocks.last_mut()
        && let Kind::Text(text) = &block.kind
        && text.trim_end().len() < text.len()
    {
        let text = text.trim_end().to_owned();
        block.to_mut().kind = Kind::Text(text);
    }
}

fn keep_system<'a>(blocks: &'a [Block], system: &mut Vec<&'a Block>, pen: &mut Pen<'_>) {
    for block in blocks {
        match &block.kind {
            Kind::Text(text) if text.trim().is_empty() => {}
            Kind::Text(_) | Kind::Foreign(Dialect::Anthropic, _) => system.push(block),
            other => pen.notes.drop(Field::Content(word(other))),
        }
    }
}

/// Whether a block is sent. Blocks without content are refused, and so are thoughts of others.
fn keeps(block: &Block, side: Side, pen: &mut Pen<'_>) -> Result<bool, Failure> {
    match (&block.kind, side) {
        (Kind::Text(text) | Kind::Refusal(text), _) => Ok(!text.trim().is_empty()),
        (Kind::Reasoning(text), Side::Assistant) => {
            let own = signed(block);
            if !own && !text.is_empty() {
                pen.notes.drop(Field::ReasoningHistory);
            }
            Ok(own)
        }
        (Kind::Redacted, Side::Assistant) => Ok(signed(block)),
        (Kind::ToolUse(_), Side::Assistant)
        | (Kind::Image(_) | Kind::Document(_) | Kind::ToolResult(_), Side::User)
        | (Kind::Foreign(Dialect::Anthropic, _), _) => Ok(true),
        (Kind::Audio(_) | Kind::Video(_), Side::User) => {
            let text = format!("This model's provider takes no {}.", word(&block.kind));
            Err(Failure::bad_field("messages", text))
        }
        (Kind::Foreign(_, raw), _) => {
            let kind = Fields::of(raw).and_then(|mut fields| fields.text("type"));
            let name = format!("messages[].content[].{}", kind.unwrap_or_default());
            pen.notes.drop(Field::Other(name));
            Ok(false)
        }
        (other, _) => {
            pen.notes.drop(Field::Content(word(other)));
            Ok(false)
        }
    }
}

/// Whether a thought is one of Claude's own.
fn signed(block: &Block) -> bool {
    let own = block
        .opaque
        .as_ref()
        .and_then(|opaque| opaque.of(Origin::Anthropic));
    own.is_some_and(|signature| !signature.is_empty())
}

pub(super) const fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) => "text",
        Kind::Image(_) => "image",
        Kind::Document(_) => "document",
        Kind::Audio(_) => "audio",
        Kind::Video(_) => "video",
        Kind::ToolUse(_) => "tool_use",
        Kind::ToolResult(_) => "tool_result",
        Kind::Reasoning(_) => "thinking",
        Kind::Redacted => "redacted_thinking",
        Kind::Refusal(_) => "refusal",
        Kind::Foreign(..) => "block",
    }
}
