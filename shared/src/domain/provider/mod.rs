//! The providers: one card a file, one line here.

mod ai360;
mod anthropic;
mod azure;
mod azure_v1;
mod baichuan;
mod baidu;
pub mod bedrock;
mod byteplus;
pub mod card;
mod cerebras;
mod cloudflare;
mod cohere;
mod databricks;
mod deepinfra;
mod deepseek;
mod demo;
mod fireworks;
mod gemini;
mod github;
mod groq;
mod huggingface;
mod hunyuan;
mod hyperbolic;
mod jina;
mod lingyi;
mod minimax;
mod minimax_global;
mod mistral;
mod modelscope;
mod moonshot;
mod moonshot_global;
mod nebius;
mod novita;
mod nvidia;
mod ollama;
mod openai;
mod openai_compatible;
mod openrouter;
mod perplexity;
mod qwen;
mod qwen_global;
mod sambanova;
mod siliconflow;
mod siliconflow_global;
mod snowflake;
mod spark;
mod stepfun;
mod together;
mod vercel;
mod vertex;
mod volcengine;
mod voyage;
mod xai;
mod zai;
mod zhipu;

pub use card::Provider;

/// Every provider that a channel can name.
pub const PROVIDERS: &[&Provider] = &[
    &openai::OPENAI,
    &anthropic::ANTHROPIC,
    &gemini::GEMINI,
    &vertex::VERTEX,
    &bedrock::BEDROCK,
    &azure::AZURE,
    &azure_v1::AZURE_V1,
    &ai360::AI360,
    &baichuan::BAICHUAN,
    &baidu::BAIDU,
    &byteplus::BYTEPLUS,
    &cerebras::CEREBRAS,
    &cloudflare::CLOUDFLARE,
    &cohere::COHERE,
    &databricks::DATABRICKS,
    &deepinfra::DEEPINFRA,
    &deepseek::DEEPSEEK,
    &fireworks::FIREWORKS,
    &github::GITHUB,
    &groq::GROQ,
    &huggingface::HUGGINGFACE,
    &hunyuan::HUNYUAN,
    &hyperbolic::HYPERBOLIC,
    &lingyi::LINGYI,
    &minimax::MINIMAX,
    &minimax_global::MINIMAX_GLOBAL,
    &mistral::MISTRAL,
    &modelscope::MODELSCOPE,
    &moonshot::MOONSHOT,
    &moonshot_global::MOONSHOT_GLOBAL,
    &nebius::NEBIUS,
    &novita::NOVITA,
    &nvidia::NVIDIA,
    &ollama::OLLAMA,
    &openrouter::OPENROUTER,
    &perplexity::PERPLEXITY,
    &qwen::QWEN,
    &qwen_global::QWEN_GLOBAL,
    &sambanova::SAMBANOVA,
    &siliconflow::SILICONFLOW,
    &siliconflow_global::SILICONFLOW_GLOBAL,
    &snowflake::SNOWFLAKE,
    &spark::SPARK,
    &stepfun::STEPFUN,
    &together::TOGETHER,
    &vercel::VERCEL,
    &volcengine::VOLCENGINE,
    &voyage::VOYAGE,
    &jina::JINA,
    &xai::XAI,
    &zai::ZAI,
    &zhipu::ZHIPU,
    &openai_compatible::OPENAI_COMPATIBLE,
    &demo::DEMO,
];

/// The provider of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Provider> {
    PROVIDERS
        .iter()
        .copied()
        .find(|provider| provider.name == name)
}

#[cfg(test)]
mod tests {
    use super::card::{Auth, Envelope, Quirk};
    use super::*;
    use crate::domain::dialect::Dialect;

    #[test]
    fn every_card_is_complete() {
        for card in PROVIDERS {
            assert!(!card.speaks.is_empty(), "{} speaks nothing", card.name);
            assert!(
                card.docs.starts_with("https://"),
                "{} names no page",
                card.name
            );
            assert!(!card.label.is_empty(), "{} has no label", card.name);
            let mut letters = card.name.chars();
            assert!(
                letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{} is no name",
                card.name
            );
            assert_eq!(
                find(card.name),
                Some(*card),
                "two cards are called {}",
                card.name
            );
            let labels = PROVIDERS.iter().filter(|other| other.label == card.label);
            assert_eq!(labels.count(), 1, "two cards are labelled {}", card.label);
        }
    }

    /// A server of one's own is the one that needs no encryption: it is on the same machine.
    #[test]
    fn every_address_is_a_clean_https_url() {
        for card in PROVIDERS {
            let tongues = card.speaks.iter().filter_map(|tongue| tongue.base_url);
            for url in card.base_url.into_iter().chain(tongues) {
                let rest = url
                    .strip_prefix("https://")
                    .or(url.strip_prefix("http://localhost"));
                let rest = rest.unwrap_or_else(|| panic!("{}: {url}", card.name));
                assert!(!rest.ends_with('/') && !rest.contains("//"), "{url}");
                let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/{}".contains(c);
                assert!(rest.chars().all(allowed), "{url}");
                assert!(!url.contains("/chat/completions"), "{url} is an endpoint");
            }
        }
    }

    #[test]
    fn what_an_address_needs_is_required_of_the_credential() {
        for card in PROVIDERS {
            for part in card.base_url.unwrap_or_default().split('{').skip(1) {
                let (member, _) = part.split_once('}').expect("a closing brace");
                let mut fields = card.credential.iter();
                let field = fields.find(|field| field.name == member);
                assert!(
                    field.is_some_and(|field| field.required),
                    "{}: {member}",
                    card.name
                );
            }
        }
    }

    #[test]
    fn what_a_card_says_of_itself_agrees() {
        for card in PROVIDERS {
            let mut names: Vec<_> = card.credential.iter().map(|field| field.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), card.credential.len(), "{}", card.name);
            if matches!(card.auth, Auth::Bearer | Auth::Header(_)) {
                let first = card.credential.first().map(|field| field.name);
                assert_eq!(first, Some("api_key"), "{}", card.name);
            }
            let switches = [
                Quirk::ThinkingSwitch,
                Quirk::EnableThinking,
                Quirk::ReasoningDetails,
                Quirk::Openai,
            ];
            let switches = switches.into_iter().filter(|quirk| card.has(*quirk));
            assert!(switches.count() <= 1, "{} thinks in two ways", card.name);
            assert!(
                !(card.has(Quirk::Openai) && card.has(Quirk::MaxTokens)),
                "{}",
                card.name
            );
            assert!(
                !card.has(Quirk::NoVersion)
                    || card.dialects() == [Dialect::OpenaiChat, Dialect::OpenaiEmbeddings],
                "{}: a version is left out of OpenAI's paths only",
                card.name
            );
            if card.path().is_some() {
                assert_eq!(card.base_url, None, "{} says its address twice", card.name);
            }
            let vertex = card
                .speaks
                .iter()
                .any(|tongue| tongue.envelope == Envelope::Vertex);
            assert_eq!(vertex, card.auth == Auth::Google, "{}", card.name);
        }
    }

    #[test]
    fn a_model_is_offered_only_in_dialects_that_it_speaks() {
        let openai = |model: &str| {
            let tongues = find("openai").unwrap().speaks.iter();
            let fit = tongues.filter(|tongue| tongue.fits(model) && !tongue.dialect.embeds());
            fit.map(|tongue| tongue.dialect).collect::<Vec<_>>()
        };
        let (chat, responses) = (Dialect::OpenaiChat, Dialect::OpenaiResponses);
        assert_eq!(openai("gpt-4o"), [chat, responses]);
        assert_eq!(openai("gpt-5.1"), [chat, responses]);
        for model in [
            "o1-pro",
            "o3-pro-2025-06-10",
            "gpt-5-pro",
            "gpt-5.2-pro-2025-12-11",
            "gpt-5-codex",
            "gpt-5.1-codex-max",
            "codex-mini-latest",
            "computer-use-preview",
            "o4-mini-deep-research",
        ] {
            assert_eq!(openai(model), [responses], "{model}");
        }
        for model in ["gpt-3.5-turbo-instruct-0914", "davinci-002", "babbage-002"] {
            assert_eq!(openai(model), [Dialect::OpenaiCompletions], "{model}");
        }
        assert_eq!(openai("gpt-4o-mini-search-preview"), [chat]);
        assert_eq!(openai("gpt-3.5-turbo"), [chat, responses]);
    }
}
