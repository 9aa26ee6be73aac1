//! What OpenAI's chat dialect calls the members of a request.

use crate::dialects::neutral::Field;

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
        Field::ParallelTools => "parallel_tool_calls",
        Field::ToolChoice => "tool_choice",
        Field::Tool(name) => return format!("tools[{name}]"),
        Field::StrictTools => "tools[].function.strict",
        Field::Format => "response_format",
        Field::Reasoning => "reasoning_effort",
        Field::ReasoningHistory => "messages[].reasoning_content",
        Field::Cache => "cache_control",
        Field::User => "user",
        Field::ImageDetail => "image_url.detail",
        Field::Content(kind) => kind,
        Field::Other(name) => return name.clone(),
    };
    word.to_owned()
}
