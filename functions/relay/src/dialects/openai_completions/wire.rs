//! Words of OpenAI's completions: reasons to finish, the head of an answer, names of members.

use crate::dialects::Asked;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::{Field, Reason};

/// What each chunk of an answer says of it.
pub(super) fn head(asked: &Asked<'_>) -> Object {
    Object::new()
        .with("id", format!("cmpl-{}", asked.id))
        .with("object", "text_completion")
        .with("created", asked.at_s)
        .with("model", &asked.wanted.model)
}

/// The one choice of an answer, or of a piece of it.
pub(super) fn choice(text: String, reason: Option<&'static str>) -> Object {
    Object::new()
        .with("text", text)
        .with("index", 0)
        .with("logprobs", Json::Null)
        .with("finish_reason", reason.map_or(Json::Null, Json::word))
}

pub(super) const fn finish_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Length | Reason::ContextFull => "length",
        Reason::Refusal => "content_filter",
        Reason::Stop
        | Reason::StopSequence
        | Reason::ToolUse
        | Reason::Paused
        | Reason::MalformedCall
        | Reason::Other => "stop",
    }
}

/// What the dialect calls a member. Most of what a conversation has, it does not have.
pub(super) fn word(field: &Field) -> String {
    let word = match field {
        Field::Temperature => "temperature",
        Field::TopP => "top_p",
        Field::TopK => "top_k",
        Field::Seed => "seed",
        Field::PresencePenalty => "presence_penalty",
        Field::FrequencyPenalty => "frequency_penalty",
        Field::LogitBias => "logit_bias",
        Field::Logprobs => "logprobs",
        Field::Stop => "stop",
        Field::Answers => "n",
        Field::User => "user",
        Field::Cache => "cache_control",
        Field::Reasoning | Field::ReasoningHistory => "reasoning",
        Field::ParallelTools | Field::ToolChoice | Field::StrictTools => "tools",
        Field::Format => "response_format",
        Field::ImageDetail => "detail",
        Field::Content(name) => name,
        Field::Tool(name) | Field::Other(name) => return name.clone(),
    };
    word.to_owned()
}
