//! The wire languages, by name only.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A wire language that callers or providers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `POST /v1/chat/completions`. <https://platform.openai.com/docs/api-reference/chat>
    OpenaiChat,
    /// `POST /v1/responses`. <https://platform.openai.com/docs/api-reference/responses>
    OpenaiResponses,
    /// `POST /v1/messages`. <https://docs.anthropic.com/en/api/messages>
    Anthropic,
    /// `POST /v1beta/models/{model}:generateContent`. <https://ai.google.dev/api/generate-content>
    Gemini,
    /// `POST /v1/completions`, from before there were chats; callers speak it, and some servers.
    /// <https://platform.openai.com/docs/api-reference/completions>
    OpenaiCompletions,
    /// Converse. <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
    Bedrock,
    /// `POST /v2/chat`. <https://docs.cohere.com/reference/chat>
    Cohere,
    /// `POST /v1/embeddings`. <https://platform.openai.com/docs/api-reference/embeddings>
    OpenaiEmbeddings,
    /// `POST /v1beta/models/{model}:embedContent`. <https://ai.google.dev/api/embeddings>
    GeminiEmbeddings,
    /// `POST /v2/embed`. <https://docs.cohere.com/reference/embed>
    CohereEmbeddings,
    /// Titan's embeddings on Bedrock.
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html>
    TitanEmbeddings,
    /// Nova's embeddings on Bedrock.
    /// <https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html>
    NovaEmbeddings,
}

impl Dialect {
    /// The dialect's name in the table, the API and the logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
            Self::OpenaiResponses => "openai_responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::OpenaiCompletions => "openai_completions",
            Self::Bedrock => "bedrock",
            Self::Cohere => "cohere",
            Self::OpenaiEmbeddings => "openai_embeddings",
            Self::GeminiEmbeddings => "gemini_embeddings",
            Self::CohereEmbeddings => "cohere_embeddings",
            Self::TitanEmbeddings => "titan_embeddings",
            Self::NovaEmbeddings => "nova_embeddings",
        }
    }

    /// Whether it asks for vectors, and not for an answer in words.
    #[must_use]
    pub const fn embeds(self) -> bool {
        matches!(
            self,
            Self::OpenaiEmbeddings
                | Self::GeminiEmbeddings
                | Self::CohereEmbeddings
                | Self::TitanEmbeddings
                | Self::NovaEmbeddings
        )
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a call travels: its bytes untouched, or through the neutral form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// The provider speaks the caller's dialect: the original bytes go through.
    Express,
    /// Caller's dialect → neutral → provider's dialect, and back.
    Conversion,
}
