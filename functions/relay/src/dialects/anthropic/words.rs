//! What Anthropic's dialect calls the members of a request.

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
        Field::Stop => "stop_sequences",
        Field::Answers => "n",
        Field::ParallelTools => "tool_choice.disable_parallel_tool_use",
        Field::ToolChoice => "tool_choice",
        Field::Tool(name) => return format!("tools[{name}]"),
        Field::StrictTools => "tools[].strict",
        Field::Format => "output_config.format",
        Field::Reasoning => "thinking",
        Field::ReasoningHistory => "messages[].content[].thinking",
        Field::Cache => "cache_control",
        Field::User => "metadata.user_id",
        Field::ImageDetail => "messages[].content[].detail",
        Field::Content(kind) => return format!("messages[].content[].{kind}"),
        Field::Other(name) => name,
    };
    word.to_owned()
}
