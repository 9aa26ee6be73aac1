//! Where the input is cached: a point after a block, four at most.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>

use crate::dialects::bedrock::model::Model;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::{Cache, Content, Lifetime};
use crate::dialects::neutral::{Field, Kind, Notes, Request};

/// The most points that a request may have.
const MOST: usize = 4;

/// The points that a request still gets.
#[derive(Debug)]
pub(super) struct Points {
    /// How many of the caller's are left out, from the first on: the last reach farthest.
    surplus: usize,
    in_tools: bool,
    in_messages: bool,
    hours: bool,
}

impl Points {
    pub(super) fn of(request: &Request, model: Model<'_>) -> Self {
        let (in_messages, in_tools) = model.caches();
        let tools = request.tools.iter().filter(|tool| tool.cache.is_some());
        let contents = request.turns.iter().map(|turn| &turn.content);
        let contents = std::iter::once(&request.instructions).chain(contents);
        let mut wanted = contents.map(hints).sum::<usize>();
        wanted += usize::from(request.cache.is_some());
        if in_tools {
            wanted += tools.count();
        }
        Self {
            surplus: wanted.saturating_sub(MOST),
            in_tools,
            in_messages,
            hours: model.claude().is_some(),
        }
    }

    /// The point after a tool.
    pub(super) fn tool(&mut self, hint: Option<Cache>, notes: &mut Notes) -> Option<Json> {
        self.point(self.in_tools, hint, notes)
    }

    /// The point after a block.
    pub(super) fn block(&mut self, hint: Option<Cache>, notes: &mut Notes) -> Option<Json> {
        self.point(self.in_messages, hint, notes)
    }

    fn point(&mut self, possible: bool, hint: Option<Cache>, notes: &mut Notes) -> Option<Json> {
        let hint = hint?;
        if !possible || self.surplus > 0 {
            self.surplus = self.surplus.saturating_sub(usize::from(possible));
            notes.drop(Field::Cache);
            return None;
        }
        let hour = hint.lifetime == Some(Lifetime::Hour);
        if hour && !self.hours {
            notes.drop(Field::Cache);
        }
        let point = Object::of_type("default").maybe("ttl", (hour && self.hours).then_some("1h"));
        Some(Object::new().with("cachePoint", point).into())
    }
}

/// How many hints are in some blocks, those in results of tools among them.
fn hints(content: &Content) -> usize {
    let blocks = content.blocks.iter().map(|block| {
        let inside = match &block.kind {
            Kind::ToolResult(result) => hints(&result.content),
            _ => 0,
        };
        inside + usize::from(block.cache.is_some())
    });
    blocks.sum()
}
