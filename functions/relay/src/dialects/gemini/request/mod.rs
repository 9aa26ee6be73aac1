//! Requests: read from callers, written to providers.

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::{count_request, wants_signatures, write};

/// What an extra of a turn is called that holds the role as a caller of this dialect wrote it: such a
/// turn is written as it came.
const ROLE: &str = "=role";
/// The extra of a function's answer that is a text: under which name it stood, where that is not the
/// one that is documented.
const SAID_AS: &str = "=response.name";
/// What an extra of a tool is called that begins an element of `tools`.
const ENTRY: &str = "=entry";
/// What an extra of a request is called that holds the whole `toolConfig`.
const TOOL_CONFIG: &str = "=toolConfig";
/// What an extra of a request is called where there is a `generationConfig`, however empty.
const CONFIG: &str = "=generationConfig";
/// What an extra's name begins with that is a member of `generationConfig`.
const IN_CONFIG: &str = "generationConfig.";
/// What an extra's name begins with that is a member of `systemInstruction`.
const IN_SYSTEM: &str = "systemInstruction.";
/// What an extra's name begins with that is a member of `toolConfig`.
const IN_TOOL_CONFIG: &str = "toolConfig.";

use crate::dialects::neutral::Field;

/// What this dialect calls a member.
pub(super) fn word(field: &Field) -> String {
    let config = |name: &str| format!("{IN_CONFIG}{name}");
    match field {
        Field::Temperature => config("temperature"),
        Field::TopP => config("topP"),
        Field::TopK => config("topK"),
        Field::Seed => config("seed"),
        Field::PresencePenalty => config("presencePenalty"),
        Field::FrequencyPenalty => config("frequencyPenalty"),
        Field::Logprobs => config("responseLogprobs"),
        Field::Stop => config("stopSequences"),
        Field::Answers => config("candidateCount"),
        Field::Format => config("responseMimeType"),
        Field::Reasoning => config("thinkingConfig"),
        Field::ToolChoice => format!("{IN_TOOL_CONFIG}functionCallingConfig"),
        Field::Tool(name) => format!("tools.{name}"),
        Field::ReasoningHistory => "contents.parts.thought".to_owned(),
        Field::Content(kind) => format!("contents.parts.{kind}"),
        Field::Other(name) => name.clone(),
        // What callers of this dialect have no word for.
        Field::LogitBias => "logitBias".to_owned(),
        Field::ParallelTools => "parallelTools".to_owned(),
        Field::StrictTools => "strictTools".to_owned(),
        Field::Cache => "cachedContent".to_owned(),
        Field::User => "user".to_owned(),
        Field::ImageDetail => "mediaResolution".to_owned(),
    }
}
