//! A request for a provider that speaks OpenAI's chat dialect, as its card says.
//!
//! What is written on purpose otherwise than a caller of the same dialect has said it: instructions
//! in the role that the model knows, the limit of tokens and the measure of thought in the members
//! that the provider knows, `stop` as a list, `functions` as tools, a caller's thoughts only to
//! providers that want them back, and usage at the end of each stream.

mod content;
mod messages;
mod names;
mod reasoning;
mod tools;
mod turns;

use shared::domain::dialect::Dialect;
use shared::domain::provider::card::Quirk;
use shared::failure::Failure;

use crate::dialects::convert::Renames;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::{Extras, Format, Sampling, Schema, ToolInput};
use crate::dialects::neutral::{Field, Notes, Request};
use crate::dialects::openai_chat::wire;
use crate::dialects::{Destination, Written};
use messages::Messages;
use names::Names;

/// The most texts that end an answer, at OpenAI.
const MOST_STOPS: usize = 4;
/// The longest name of a caller's own user, in bytes.
const LONGEST_USER: usize = 64;

/// A request, as far as it is written.
struct Letter<'a> {
    to: &'a Destination<'a>,
    body: Object,
    notes: Notes,
    names: Names,
}

/// The request.
///
/// # Errors
/// When the provider cannot serve it honestly.
pub(in crate::dialects::openai_chat) fn write(
    request: &Request,
    to: &Destination<'_>,
) -> Result<Written, Failure> {
    if request.sampling.answers.is_some_and(|answers| answers > 1) {
        let text = "Several answers at once cannot be converted between dialects.";
        return Err(Failure::bad_field("n", text));
    }
    let mut letter = Letter {
        to,
        body: Object::new(),
        notes: Notes::default(),
        names: Names::default(),
    };
    letter.body.put("model", to.model.to_owned());
    letter.messages(request);
    letter.tools(request);
    letter.sampling(&request.sampling)?;
    letter.limit(request.max_output);
    letter.reasoning(request.reasoning.as_ref());
    letter.format(request.format.as_ref());
    letter.user(request.user.as_deref());
    if let Some(cache) = request.cache {
        if to.card.has(Quirk::CacheControl) {
            letter.body.put("cache_control", wire::write_cache(cache));
        } else {
            letter.notes.drop(Field::Cache);
        }
    }
    letter.extras(&request.extras);
    letter.stream(&request.extras);
    Ok(Written {
        body: letter.body.to_bytes(),
        notes: letter.notes,
        renames: Renames {
            tools: letter.names.0,
            format_tool: None,
        },
    })
}

impl Letter<'_> {
    fn has(&self, quirk: Quirk) -> bool {
        self.to.card.has(quirk)
    }

    /// Puts a member, unless the provider refuses it.
    fn put(&mut self, name: &'static str, value: impl Into<Json>, field: Field) {
        if self.to.card.refuses(name) {
            self.notes.drop(field);
        } else {
            self.body.put(name, value);
        }
    }

    fn put_maybe(&mut self, name: &'static str, value: Option<impl Into<Json>>, field: Field) {
        if let Some(value) = value {
            self.put(name, value, field);
        }
    }

    fn messages(&mut self, request: &Request) {
        let custom = request
            .tools
            .iter()
            .filter_map(|tool| matches!(tool.input, ToolInput::Text).then_some(tool.name.as_str()));
        let form = self.form(request.format.as_ref());
        let messages = Messages::new(self.to, &mut self.notes, &mut self.names, custom.collect());
        let messages = messages.write(request, form);
        self.body.put("messages", messages);
    }

    /// The form of the answer in words, for a provider that knows JSON, but no schemas.
    fn form(&self, format: Option<&Format>) -> Option<String> {
        let Some(Format::Schema(schema)) = format else {
            return None;
        };
        let text = "Answer with nothing but a JSON object that fits this JSON schema:";
        let told = self.to.card.refuses("json_schema");
        told.then(|| format!("{text}\n{}", schema.schema.get()))
    }

    /// OpenAI's reasoning models refuse whatever steers chance.
    fn sampling(&mut self, sampling: &Sampling) -> Result<(), Failure> {
        let reasons = self.has(Quirk::Openai) && wire::reasons(self.to.model);
        let steering = [
            ("temperature", &sampling.temperature, Field::Temperature),
            ("top_p", &sampling.top_p, Field::TopP),
            (
                "presence_penalty",
                &sampling.presence_penalty,
                Field::PresencePenalty,
            ),
            (
                "frequency_penalty",
                &sampling.frequency_penalty,
                Field::FrequencyPenalty,
            ),
            ("logit_bias", &sampling.logit_bias, Field::LogitBias),
        ];
        for (name, value, field) in steering {
            match value {
                Some(_) if reasons => self.notes.drop(field),
                Some(value) => self.put(name, value, field),
                None => {}
            }
        }
        if self.has(Quirk::Openai) {
            self.notes.drop_if(sampling.top_k.as_ref(), Field::TopK);
        } else {
            self.put_maybe("top_k", sampling.top_k.as_ref(), Field::TopK);
        }
        self.put_maybe("seed", sampling.seed.as_ref(), Field::Seed);
        if let Some(alternatives) = sampling.logprobs {
            if reasons || self.to.card.refuses("logprobs") {
                self.notes.drop(Field::Logprobs);
            } else {
                self.body.put("logprobs", true);
                let alternatives = (alternatives > 0).then_some(alternatives);
                self.put_maybe("top_logprobs", alternatives, Field::Logprobs);
            }
        }
        if self.has(Quirk::Openai) && sampling.stop.len() > MOST_STOPS {
            let text = format!("The provider takes {MOST_STOPS} texts that end an answer.");
            return Err(Failure::bad_field("stop", text));
        }
        if !sampling.stop.is_empty() {
            let stop: Vec<Json> = sampling.stop.iter().map(Json::from).collect();
            self.put("stop", stop, Field::Stop);
        }
        self.put_maybe("n", sampling.answers, Field::Answers);
        Ok(())
    }

    /// A longer name of a user is refused: it stands for itself by its hash.
    fn user(&mut self, user: Option<&str>) {
        let Some(user) = user else {
            return;
        };
        if user.len() <= LONGEST_USER {
            self.put("user", user.to_owned(), Field::User);
        } else {
            self.notes.emulate(Field::User);
            self.put("user", wire::hash(user, LONGEST_USER), Field::User);
        }
    }

    fn limit(&mut self, limit: Option<u64>) {
        // The older name is the one that every server knows: an unknown limit would be none.
        let name = if self.has(Quirk::Openai) {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        if let Some(limit) = limit {
            self.body.put(name, limit);
        }
    }

    fn format(&mut self, format: Option<&Format>) {
        let Some(format) = format else {
            return;
        };
        let object = match format {
            Format::Text => Object::of_type("text"),
            Format::Json => Object::of_type("json_object"),
            Format::Schema(_) if self.to.card.refuses("json_schema") => {
                self.notes.emulate(Field::Format);
                Object::of_type("json_object")
            }
            Format::Schema(schema) => {
                let schema = schema_of(schema);
                Object::of_type("json_schema").with("json_schema", schema)
            }
        };
        self.put("response_format", object, Field::Format);
    }

    /// What only this dialect understands. A path in a name leads into a member that was written.
    fn extras(&mut self, extras: &Extras) {
        for extra in extras.foreign(Dialect::OpenaiChat) {
            self.notes.drop(Field::Other(extra.name.clone()));
        }
        for extra in extras.of(Dialect::OpenaiChat) {
            if extra.name.starts_with("stream_options.") {
                continue;
            }
            let path: Vec<&str> = extra.name.split('.').collect();
            let refused = path
                .first()
                .is_some_and(|first| self.to.card.refuses(first));
            if refused || !self.body.put_at(&path, &extra.value) {
                self.notes.drop(Field::Other(extra.name.clone()));
            }
        }
    }

    fn stream(&mut self, extras: &Extras) {
        if !self.to.stream {
            return;
        }
        self.body.put("stream", true);
        if self.to.card.refuses("stream_options") {
            return;
        }
        let mut options = Object::new().with("include_usage", true);
        for extra in extras.of(Dialect::OpenaiChat) {
            if let Some(name) = extra.name.strip_prefix("stream_options.") {
                options.put(name.to_owned(), &extra.value);
            }
        }
        self.body.put("stream_options", options);
    }
}

fn schema_of(schema: &Schema) -> Object {
    let name = schema.name.as_deref().unwrap_or("answer");
    // A name that is changed is never heard again.
    let name = Names::default().write(name);
    Object::new()
        .with("name", name)
        .maybe("description", schema.description.clone())
        .with("schema", &schema.schema)
        .maybe("strict", schema.strict)
}
