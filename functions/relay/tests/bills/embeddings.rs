//! Golden bills of embeddings: only input, told in as many ways as there are vendors.

use relay::dialects::embedding::{self, Reply};
use shared::domain::dialect::Dialect;
use shared::domain::money::Ratio;
use shared::domain::price::{Price, Rates};

use super::arithmetic;
use crate::stage::nothing;

/// Vendor, dialect, answer, USD per million tokens, and the sum by hand.
const CASES: [(&str, Dialect, &str, &str, &str); 9] = [
    (
        "OpenAI",
        Dialect::OpenaiEmbeddings,
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":8200,"total_tokens":8200}}"#,
        "0.02",
        "8_200 x 0.02 = 0.000164 USD",
    ),
    (
        "Azure, in base64",
        Dialect::OpenaiEmbeddings,
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="}],"model":"text-embedding-3-large","usage":{"prompt_tokens":731,"total_tokens":731}}"#,
        "0.13",
        "731 x 0.13 = 0.00009503 USD",
    ),
    (
        "Voyage tells the total alone",
        Dialect::OpenaiEmbeddings,
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1]}],"model":"voyage-3.5","usage":{"total_tokens":56}}"#,
        "0.06",
        "56 x 0.06 = 0.00000336 USD",
    ),
    (
        "Mistral tells a completion of nothing",
        Dialect::OpenaiEmbeddings,
        r#"{"id":"e","object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1]}],"model":"mistral-embed","usage":{"prompt_audio_seconds":null,"prompt_tokens":94,"total_tokens":94,"completion_tokens":0,"prompt_tokens_details":null}}"#,
        "0.1",
        "94 x 0.1 = 0.0000094 USD",
    ),
    (
        "Qwen writes its counts as texts",
        Dialect::OpenaiEmbeddings,
        r#"{"data":[{"embedding":[0.1],"index":0,"object":"embedding"}],"model":"text-embedding-v4","object":"list","usage":{"prompt_tokens":"23","total_tokens":"23"},"id":"q"}"#,
        "0.07",
        "23 x 0.07 = 0.00000161 USD",
    ),
    (
        "Gemini",
        Dialect::GeminiEmbeddings,
        r#"{"embedding":{"values":[0.1]},"usageMetadata":{"promptTokenCount":412}}"#,
        "0.15",
        "412 x 0.15 = 0.0000618 USD",
    ),
    (
        "Cohere bills its units",
        Dialect::CohereEmbeddings,
        r#"{"id":"c","embeddings":{"float":[[0.1]]},"texts":["x"],"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":4.0}},"response_type":"embeddings_by_type"}"#,
        "0.12",
        "4 x 0.12 = 0.00000048 USD",
    ),
    (
        "Titan",
        Dialect::TitanEmbeddings,
        r#"{"embedding":[0.1],"embeddingsByType":{"float":[0.1]},"inputTextTokenCount":5001}"#,
        "0.02",
        "5_001 x 0.02 = 0.00010002 USD",
    ),
    (
        "one token is rounded up to the nano-USD",
        Dialect::OpenaiEmbeddings,
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1]}],"model":"small","usage":{"prompt_tokens":1,"total_tokens":1}}"#,
        "0.0125",
        "1 x 0.0125 = 0.000000013 USD",
    ),
];

#[test]
fn embeddings_cost_their_input() {
    let mut wrong = Vec::new();
    for (name, dialect, body, rate, work) in CASES {
        wrong.extend(arithmetic::check(work).err());
        let reply = embedding::provider(dialect).unwrap();
        let usage = reply.read_reply(body.as_bytes()).unwrap().seen().believed();
        let price = Price {
            rates: Rates {
                input: Some(rate.parse().unwrap()),
                output: Some("99".parse().unwrap()),
                ..Rates::default()
            },
            ..Price::default()
        };
        let bill = usage.map(|usage| price.bill(&usage, Ratio::ONE).total.to_string());
        let by_hand = arithmetic::amount(work);
        if bill.as_ref() != Some(&by_hand) {
            wrong.push(format!("{name}: {bill:?}, by hand {by_hand}"));
        }
    }
    nothing(&wrong);
}

#[test]
fn what_cannot_be_is_not_believed_of_vectors_either() {
    let provider = embedding::provider(Dialect::OpenaiEmbeddings).unwrap();
    for count in ["-1", "0", "18446744073709551615", "1e30", "[]", "null"] {
        let body = format!(
            r#"{{"data":[{{"index":0,"embedding":[0.1]}}],"usage":{{"prompt_tokens":{count}}}}}"#
        );
        let reply = provider.read_reply(body.as_bytes()).unwrap();
        assert_eq!(reply.seen().believed(), None, "{count}");
    }
    let many = |tokens| Reply {
        vectors: Vec::new(),
        tokens,
    };
    let all = Reply::join(vec![many(Some(u64::MAX)), many(Some(7))]);
    assert_eq!(all.tokens, Some(u64::MAX));
    assert_eq!(Reply::join(vec![many(Some(7)), many(None)]).tokens, None);
}
