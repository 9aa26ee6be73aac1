//! Calls that come in pieces: which piece belongs to which call, however a server marks them.
//!
//! OpenAI counts calls by an index. Others give none, or the same to all; give an id once, each time,
//! an empty one, or none; repeat the name, or tell it late.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::dialects::json::{self, Fields, Halves};
use crate::dialects::neutral::Opaque;
use crate::dialects::openai_chat::wire;

/// A piece of a call.
#[derive(Debug, Default)]
pub(super) struct Piece {
    index: Option<u64>,
    id: Option<String>,
    name: Option<String>,
    arguments: Option<Box<RawValue>>,
    pub(super) state: Option<Opaque>,
}

impl Piece {
    /// Reads an element of `tool_calls`: of a function, or of a custom tool, which takes any text.
    pub(super) fn read(element: &RawValue) -> Option<Self> {
        let mut fields = Fields::of(element)?;
        let state = fields.take("extra_content").and_then(wire::read_signature);
        let index = fields.count("index");
        let id = fields.text("id");
        let function = fields
            .object("function")
            .or_else(|| fields.object("custom"));
        let piece = Self::of_function(function.unwrap_or_default());
        Some(Self {
            index,
            id: id.filter(|id| !id.is_empty()),
            state,
            ..piece
        })
    }

    /// Reads a function's name and arguments; all that `function_call` has, from before there were tools.
    pub(super) fn of_function(mut function: Fields<'_>) -> Self {
        let arguments = function
            .take("arguments")
            .or_else(|| function.take("input"));
        Self {
            name: function.text("name").filter(|name| !name.is_empty()),
            arguments: arguments.map(ToOwned::to_owned),
            ..Self::default()
        }
    }

    fn is_empty(&self) -> bool {
        self.id.is_none() && self.name.is_none() && !self.has_arguments()
    }

    fn has_arguments(&self) -> bool {
        let text = self.arguments.as_deref().map(RawValue::get);
        text.is_some_and(|text| text != "\"\"")
    }
}

/// A call, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Call {
    index: Option<u64>,
    /// The server's id.
    id: Option<String>,
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) halves: Halves,
    /// State that waits for it to be opened.
    pub(super) state: Option<Opaque>,
    pub(super) opened: bool,
    pub(super) closed: bool,
}

impl Call {
    /// Whether its arguments are all there.
    pub(super) fn is_whole(&self) -> bool {
        let arguments = self.arguments.trim();
        arguments.starts_with('{') && serde_json::from_str::<IgnoredAny>(arguments).is_ok()
    }

    /// Whether a piece that names a tool goes on with this call, and does not begin another.
    fn goes_on_with(&self, piece: &Piece) -> bool {
        let Some(name) = &piece.name else {
            return true;
        };
        let another = self.is_whole() && piece.has_arguments();
        match (&piece.id, &self.id) {
            (Some(new), Some(known)) => new == known && !another,
            _ => self.name.is_empty() || (self.name == *name && !another),
        }
    }
}

/// The calls of an answer.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) all: Vec<Call>,
}

impl Calls {
    /// Puts a piece, the `position`th of `many` in its chunk, to its call. Tells which one that is and
    /// the new text of its arguments; `None` when there is nothing in the piece.
    pub(super) fn put(&mut self, piece: Piece, chunk: &InChunk) -> Option<(usize, String)> {
        if piece.is_empty() && piece.state.is_none() {
            return None;
        }
        let at = match self.find(&piece, chunk) {
            Some(at) => at,
            None if piece.is_empty() => return None,
            None => {
                self.all.push(Call {
                    index: piece.index,
                    ..Call::default()
                });
                self.all.len() - 1
            }
        };
        let taken = |id: &String| self.all.iter().any(|call| call.id.as_ref() == Some(id));
        let id = piece.id.filter(|id| !taken(id));
        let call = self.all.get_mut(at)?;
        if call.id.is_none() {
            call.id = id;
        }
        if call.name.is_empty()
            && let Some(name) = piece.name
        {
            call.name = name;
        }
        let mut more = String::new();
        if let Some(arguments) = piece.arguments.as_deref().filter(|raw| raw.get() != "null") {
            // Some servers give an object instead of its text.
            more = call
                .halves
                .text(arguments)
                .unwrap_or_else(|| arguments.get().to_owned());
        }
        call.arguments.push_str(&more);
        Some((at, more))
    }

    fn find(&self, piece: &Piece, chunk: &InChunk) -> Option<usize> {
        let last = |fits: &dyn Fn(&Call) -> bool| self.all.iter().rposition(fits);
        let at = if piece.index.is_some() {
            last(&|call| call.index == piece.index)?
        } else if piece.id.is_some() {
            last(&|call| call.id == piece.id)?
        } else if piece.name.is_none() && chunk.many > 1 {
            chunk.position.min(self.all.len().checked_sub(1)?)
        } else {
            // What has neither index nor id begins a call of its own beside another in its chunk.
            let at = self.all.len().checked_sub(1)?;
            if at >= chunk.calls_before && piece.name.is_some() {
                return None;
            }
            at
        };
        self.all.get(at)?.goes_on_with(piece).then_some(at)
    }

    /// The id of a call: the server's, or one made of the answer's id and the call's place in it.
    pub(super) fn id(&self, at: usize, answer: &str) -> String {
        let call = self.all.get(at);
        call.and_then(|call| call.id.clone()).unwrap_or_else(|| {
            let name = call.map(|call| call.name.as_str()).unwrap_or_default();
            let hash = wire::hash(&format!("{answer}\n{at}\n{name}"), 24);
            format!("call_{hash}")
        })
    }
}

/// Where a piece stands in its chunk.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InChunk {
    pub(super) position: usize,
    pub(super) many: usize,
    /// How many calls there were before the chunk.
    pub(super) calls_before: usize,
}

/// The pieces in an array of them.
pub(super) fn pieces(array: &RawValue) -> Vec<Piece> {
    json::array(array)
        .into_iter()
        .filter_map(Piece::read)
        .collect()
}
