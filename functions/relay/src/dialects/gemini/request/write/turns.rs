//! `systemInstruction` and `contents`: turns merged by their role, answers of functions by themselves.

use serde_json::value::RawValue;
use shared::domain::dialect::Dialect;
use shared::failure::Failure;

use super::super::{IN_SYSTEM, ROLE};
use super::{Writing, plain};
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::Content;
use crate::dialects::neutral::{Kind, Request, Role, Turn};

/// The text of a turn that must be there and says nothing.
const NOTHING: &str = ".";

/// What is written so far.
#[derive(Debug, Default)]
struct Contents {
    written: Vec<Json>,
    /// The user's turn that is not complete yet. Answers of functions come in a content of their own,
    /// before anything else that the user says.
    answers: Vec<Json>,
    user: Vec<Json>,
    /// The model's turn that is not complete yet.
    model: Vec<Json>,
    /// Whether the model spoke first.
    model_first: bool,
}

/// The parts of a turn.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) answers: Vec<Json>,
    pub(super) others: Vec<Json>,
    /// Whether a call stands among them: only the first of several at once bears a signature.
    pub(super) called: bool,
}

impl Contents {
    fn end_user(&mut self) {
        for parts in [&mut self.answers, &mut self.user] {
            if !parts.is_empty() {
                self.written.push(content("user", std::mem::take(parts)));
            }
        }
    }

    fn end_model(&mut self) {
        if !self.model.is_empty() {
            let parts = std::mem::take(&mut self.model);
            self.model_first |= self.written.is_empty();
            self.written.push(content("model", parts));
        }
    }

    fn end(&mut self) {
        self.end_user();
        self.end_model();
    }

    fn is_empty(&self) -> bool {
        self.written.is_empty()
            && self.answers.is_empty()
            && self.user.is_empty()
            && self.model.is_empty()
    }
}

impl Writing<'_> {
    /// `systemInstruction`, if there is any, and `contents`.
    pub(super) fn conversation(
        &mut self,
        request: &Request,
    ) -> Result<(Option<Object>, Vec<Json>), Failure> {
        let mut system = self.system(&request.instructions)?;
        let mut contents = Contents::default();
        for turn in &request.turns {
            self.lose(&turn.extras, "messages[].");
            if let Some(role) = turn.extras.get(Dialect::Gemini, ROLE) {
                contents.end();
                let own = self.own(turn, role)?;
                contents.written.push(own);
                continue;
            }
            match turn.role {
                Role::System | Role::Developer if contents.is_empty() => {
                    system.extend(self.system(&turn.content)?);
                }
                Role::System | Role::Developer => {
                    contents.end_model();
                    contents.user.extend(marked(&turn.content));
                }
                Role::User | Role::Tool => self.user(turn, &mut contents)?,
                Role::Assistant => self.assistant(turn, &mut contents)?,
            }
        }
        contents.end();
        let told = self.told_format(request);
        let mut written = contents.written;
        if contents.model_first {
            written.insert(0, content("user", vec![text(NOTHING)]));
        } else if written.is_empty() {
            // Instructions alone are answered, too.
            let mut said = std::mem::take(&mut system);
            if said.is_empty() {
                said.push(text(NOTHING));
            }
            written.push(content("user", said));
        }
        system.extend(told.as_deref().map(text));
        Ok((Self::instructions(request, system), written))
    }

    fn instructions(request: &Request, parts: Vec<Json>) -> Option<Object> {
        let mut object = Object::new();
        if !parts.is_empty() {
            object.put("parts", Json::Array(parts));
        }
        for extra in request.extras.of(Dialect::Gemini) {
            if let Some(name) = plain(extra).strip_prefix(IN_SYSTEM) {
                object.put(name.to_owned(), &extra.value);
            }
        }
        (!object.is_empty()).then_some(object)
    }

    fn system(&mut self, content: &Content) -> Result<Vec<Json>, Failure> {
        let mut parts = Parts::default();
        for block in &content.blocks {
            self.part(block, &mut parts)?;
        }
        parts.answers.append(&mut parts.others);
        Ok(parts.answers)
    }

    /// A turn that a caller of this dialect wrote, as it came.
    fn own(&mut self, turn: &Turn, role: &RawValue) -> Result<Json, Failure> {
        let mut object = Object::new();
        if role.get() != "null" {
            object.put("role", role.to_owned());
        }
        let mut parts = Vec::new();
        let mut called = false;
        for block in &turn.content.blocks {
            if let Some(part) = self.own_part(block, &mut called)? {
                parts.push(part);
            }
        }
        object.put("parts", Json::Array(parts));
        for extra in turn.extras.of(Dialect::Gemini) {
            if extra.name != ROLE {
                object.put(plain(extra).to_owned(), &extra.value);
            }
        }
        Ok(object.into())
    }

    fn user(&mut self, turn: &Turn, contents: &mut Contents) -> Result<(), Failure> {
        let mut parts = Parts::default();
        for block in &turn.content.blocks {
            self.part(block, &mut parts)?;
        }
        if !parts.answers.is_empty() || !parts.others.is_empty() {
            contents.end_model();
        }
        contents.answers.append(&mut parts.answers);
        contents.user.append(&mut parts.others);
        Ok(())
    }

    fn assistant(&mut self, turn: &Turn, contents: &mut Contents) -> Result<(), Failure> {
        let mut parts = Parts {
            called: contents.model.iter().any(is_call),
            ..Parts::default()
        };
        for block in &turn.content.blocks {
            self.part(block, &mut parts)?;
        }
        if !parts.others.is_empty() {
            contents.end_user();
        }
        contents.model.append(&mut parts.others);
        Ok(())
    }
}

fn is_call(part: &Json) -> bool {
    matches!(part, Json::Object(object) if object.has("functionCall"))
}

fn content(role: &'static str, parts: Vec<Json>) -> Json {
    let object = Object::new().with("role", Json::word(role));
    object.with("parts", Json::Array(parts)).into()
}

fn text(text: &str) -> Json {
    Object::new().with("text", text.to_owned()).into()
}

/// What the operator says in the middle of a conversation: said by the user, and marked.
fn marked(content: &Content) -> Option<Json> {
    let texts: Vec<&str> = content
        .blocks
        .iter()
        .filter_map(|block| match &block.kind {
            Kind::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let said = texts.join("\n");
    (!said.trim().is_empty()).then(|| text(&format!("<system>\n{said}\n</system>")))
}
