//! OpenAI itself: chat, Responses, and legacy completions, each for the models that speak it.

use super::card::{API_KEY, Auth, Provider, Quirk, Tongue};
use crate::domain::dialect::Dialect;

/// Models from before there were chats.
const ONLY_COMPLETIONS: &[&str] = &["gpt-3.5-turbo-instruct*", "davinci-002", "babbage-002"];
/// Models that only Responses or only completions has. <https://platform.openai.com/docs/models>
const NO_CHAT: &[&str] = &[
    "o1-pro*",
    "o3-pro*",
    "gpt-5-pro*",
    "gpt-5.*-pro*",
    "gpt-5*-codex*",
    "codex-mini*",
    "computer-use-preview*",
    "*-deep-research*",
    "gpt-3.5-turbo-instruct*",
    "davinci-002",
    "babbage-002",
];
/// Models that only completions or only chat has: those with audio, and those that always search.
const NO_RESPONSES: &[&str] = &[
    "gpt-3.5-turbo-instruct*",
    "davinci-002",
    "babbage-002",
    "gpt-audio*",
    "gpt-4o*-audio*",
    "gpt-4o*-search-preview*",
    "gpt-5-search-api*",
];

/// OpenAI's dialects, each for the models that speak it.
pub(super) const CHAT: Tongue = Tongue::of(Dialect::OpenaiChat).except_models(NO_CHAT);
/// See [`CHAT`].
pub(super) const RESPONSES: Tongue =
    Tongue::of(Dialect::OpenaiResponses).except_models(NO_RESPONSES);
/// See [`CHAT`].
pub(super) const COMPLETIONS: Tongue =
    Tongue::of(Dialect::OpenaiCompletions).for_models(ONLY_COMPLETIONS);

/// OpenAI's embeddings.
pub(super) const EMBEDDINGS: Tongue = Tongue::of(Dialect::OpenaiEmbeddings);

pub(super) const OPENAI: Provider = Provider {
    name: "openai",
    label: "OpenAI",
    base_url: Some("https://api.openai.com/v1"),
    speaks: &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS],
    auth: Auth::Bearer,
    credential: API_KEY,
    names: &[],
    quirks: &[Quirk::Openai],
    docs: "https://platform.openai.com/docs/api-reference",
};
