//! Usage where a provider gives none, and the most that a request can have.

mod delivered;
mod document;
mod image;
mod medium;
mod scan;
mod strings;
mod tokenizer;
mod words;

use memchr::memmem;
use shared::domain::usage::Usage;

pub use delivered::Delivered;
pub use strings::{has_member, strings_of};

use super::watch::Seen;
use image::Rule;
use scan::{Piece, scan};

/// What a message takes beside its text, in tokens: who speaks, and where it begins and ends.
/// <https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb>
const TURN: u64 = 4;

/// The most tokens that a request can have: one for each byte that is no medium's, for no tokenizer
/// makes more of a text; and each medium by the rules of those who may count it.
///
/// `models` are the names under which providers know the model; of other names nothing is known, and
/// the dearest rule counts. What a provider's own tools add is not in it.
#[must_use]
pub fn most_input(body: &[u8], models: &[&str]) -> u64 {
    let (mut text, mut media) = (body.len() as u64, 0_u64);
    if !scan::may_have_media(body) {
        return text;
    }
    let rules = rules(models);
    scan(body, &mut |piece| {
        if let Piece::Medium(medium) = piece {
            text = text.saturating_sub(medium.bytes());
            media = media.saturating_add(medium.most(&rules));
        }
    });
    text.saturating_add(media)
}

/// A likely number of tokens of a request.
#[must_use]
pub fn likely_input(body: &[u8], models: &[&str]) -> u64 {
    let rules = rules(models);
    let (mut text, mut others) = (Delivered::default(), 0_u64);
    scan(body, &mut |piece| match piece {
        Piece::Text(inside) => text.add_escaped(inside),
        Piece::Turn => others = others.saturating_add(TURN),
        Piece::Medium(medium) => others = others.saturating_add(medium.likely(&rules)),
    });
    text.tokens().saturating_add(others)
}

/// The rules that any of the models may count by.
fn rules(models: &[&str]) -> Vec<Rule> {
    let mut all = Vec::new();
    for rule in models.iter().flat_map(|model| image::rules(model)) {
        if !all.contains(rule) {
            all.push(*rule);
        }
    }
    if all.is_empty() {
        all.extend_from_slice(image::rules(""));
    }
    all
}

/// Whether a request may name another service than the usual one.
///
/// In any dialect's word, wherever it stands. <https://platform.openai.com/docs/guides/priority-processing>
/// <https://platform.claude.com/docs/en/build-with-claude/fast-mode>
#[must_use]
pub fn names_a_service(request: &[u8]) -> bool {
    const WORDS: [&[u8]; 3] = [br#""service_tier""#, br#""serviceTier""#, br#""speed""#];
    WORDS
        .iter()
        .any(|word| memmem::find(request, word).is_some())
}

/// A likely usage of a call: what the provider has told so far, or else the request's text; and what
/// was delivered, unless the provider has counted all of that.
///
/// Whoever has not begun to answer has used nothing. An error's text is nobody's output.
#[must_use]
pub fn usage(request: &[u8], models: &[&str], seen: &Seen) -> Usage {
    if !seen.began {
        return Usage::default();
    }
    let output = seen.delivered.tokens();
    match seen.tokens.or(seen.so_far) {
        // Some servers tell the input with the end, or never.
        Some(told) if told.total_input() == 0 => Usage {
            input: likely_input(request, models),
            output: told.output.max(output),
            ..told
        },
        Some(told) if seen.current => told,
        Some(told) => Usage {
            output: told.output.max(output),
            ..told
        },
        None => Usage {
            input: likely_input(request, models),
            output,
            ..Usage::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_told_is_kept_and_what_was_not_is_estimated() {
        let request = br#"{"messages":[{"role":"user","content":"Hello, who is there?"}]}"#;
        let told = |input, output| {
            Some(Usage {
                input,
                output,
                web_searches: 2,
                ..Usage::default()
            })
        };
        let mut delivered = Delivered::default();
        delivered.add("one two three ".repeat(20).as_bytes());
        let said = delivered.tokens();
        assert!((60..80).contains(&said), "{said}");
        let seen = |so_far, current| Seen {
            so_far,
            current,
            began: true,
            delivered: delivered.clone(),
            ..Seen::default()
        };
        let of = |seen: Seen| {
            let used = usage(request, &["m"], &seen);
            (used.input, used.output, used.web_searches)
        };
        let likely = likely_input(request, &["m"]);
        assert_eq!(of(seen(None, false)), (likely, said, 0));
        assert_eq!(of(seen(told(7, 30), false)), (7, said, 2));
        assert_eq!(of(seen(told(7, 130), false)), (7, 130, 2));
        assert_eq!(of(seen(told(7, 30), true)), (7, 30, 2));
        assert_eq!(of(seen(told(0, 30), true)), (likely, said, 2));
    }

    /// The head of a PNG of that size, and as many bytes more.
    fn png(width: u32, height: u32, more: usize) -> String {
        let head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        STANDARD.encode([&head[..], &size, &vec![7; more]].concat())
    }

    fn chat_with(url: &str) -> String {
        format!(
            r#"{{"messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"{url}"}}}}]}}]}}"#
        )
    }

    fn most(body: &str, model: &str) -> u64 {
        most_input(body.as_bytes(), &[model])
    }

    #[test]
    fn text_counts_a_token_for_each_byte() {
        for body in [
            r#"{"messages":[{"role":"user","content":"hi"}]}"#,
            r#"{"messages":[{"content":"{\"type\":\"image\",\"data\":\"AAAA\"}"}]}"#,
            "not json",
            "",
        ] {
            assert_eq!(most(body, "m"), body.len() as u64);
        }
    }

    #[test]
    fn a_picture_counts_by_its_size_and_not_by_its_bytes() {
        let around = chat_with("data:image/png;base64,").len() as u64;
        for more in [100, 1_000_000] {
            let body = chat_with(&format!(
                "data:image/png;base64,{}",
                png(1_092, 1_092, more)
            ));
            assert_eq!(most(&body, "claude-sonnet-4-5"), around + 1_590);
            assert_eq!(most(&body, "gpt-4.1-nano"), around + 3_014);
            assert_eq!(most(&body, "gemini-2.5-pro"), around + 2_240);
            assert!(most(&body, "gpt-4o-mini") > 25_000);
        }
        let body = chat_with("https://example.com/a.png");
        assert_eq!(most(&body, "claude-x"), body.len() as u64 + 4_784);
    }

    #[test]
    fn of_several_models_the_dearest_counts() {
        let body = chat_with("https://example.com/a.png");
        let dear = most(&body, "gpt-4o-mini");
        assert_eq!(
            most_input(body.as_bytes(), &["claude-x", "gpt-4o-mini"]),
            dear
        );
        assert_eq!(most_input(body.as_bytes(), &[]), most(&body, "unknown"));
    }

    #[test]
    fn escaped_and_wrapped_bytes_are_read_too() {
        let plain = png(1_092, 1_092, 3_000);
        let around = chat_with("data:image/png;base64,").len() as u64;
        let wrapped: String = plain
            .as_bytes()
            .chunks(76)
            .map(|line| format!("{}\\r\\n", std::str::from_utf8(line).unwrap()))
            .collect();
        for data in [plain.replace('/', "\\/"), plain.replace('+', "-"), wrapped] {
            let body = chat_with(&format!("data:image/png;base64,{data}"));
            assert_eq!(most(&body, "claude-x"), around + 1_590);
        }
    }

    #[test]
    fn documents_count_by_pages_and_plain_text_by_bytes() {
        let document = |mime: &str, bytes: &[u8]| {
            let data = STANDARD.encode(bytes);
            format!(
                r#"{{"messages":[{{"content":[{{"type":"document","source":{{"type":"base64","media_type":"{mime}","data":"{data}"}}}}]}}]}}"#
            )
        };
        let pdf = [
            b"%PDF-1.4 /Type/Page /Type /Page".to_vec(),
            vec![b' '; 50_000],
        ]
        .concat();
        let around = document("application/pdf", b"").len() as u64;
        let page = 3_000 + 4_784;
        assert_eq!(
            most(&document("application/pdf", &pdf), "m"),
            around + 2 * page
        );
        let text = document("text/plain", &vec![b'a'; 30_000]);
        assert_eq!(most(&text, "m"), text.len() as u64);
        let unseen = document("application/pdf", &vec![b'a'; 30_000]);
        assert_eq!(most(&unseen, "m"), around + 40 * page);
    }

    #[test]
    fn a_lie_about_a_type_costs_what_the_truth_would() {
        let part = |mime: &str, data: &str| {
            format!(
                r#"{{"contents":[{{"parts":[{{"inlineData":{{"mimeType":"{mime}","data":"{data}"}}}}]}}]}}"#
            )
        };
        let picture = png(1_092, 1_092, 600_000);
        let lie = part("text/plain", &picture);
        assert_eq!(most(&lie, "m"), lie.len() as u64);
        let small = part("text/plain", &png(4_000, 4_000, 10));
        assert!(most(&small, "m") > 12_000, "it may be a picture after all");
        let garbage = part("image/png", &"%".repeat(100_000));
        assert_eq!(
            most(&garbage, "claude-x"),
            part("image/png", "").len() as u64 + 4_784
        );
        let twice = format!(
            r#"{{"messages":[{{"content":[{{"source":{{"type":"base64","data":"{picture}","data":"{picture}"}}}}]}}]}}"#
        );
        assert!(most(&twice, "m") > twice.len() as u64);
    }

    #[test]
    fn sounds_count_by_seconds_and_a_wav_file_tells_them() {
        let audio = |data: &[u8], format: &str| {
            let data = STANDARD.encode(data);
            format!(
                r#"{{"messages":[{{"content":[{{"type":"input_audio","input_audio":{{"data":"{data}","format":"{format}"}}}}]}}]}}"#
            )
        };
        let head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0";
        let rates = [24_000_u32.to_le_bytes(), 48_000_u32.to_le_bytes()].concat();
        let wav = [&head[..], &rates, &vec![0; 480_000 - 32]].concat();
        let tokens = most(&audio(&wav, "wav"), "m") - audio(b"", "wav").len() as u64;
        assert!((320..400).contains(&tokens), "{tokens} for ten seconds");
        let mp3 = [b"ID3".to_vec(), vec![0; 160_000]].concat();
        let tokens = most(&audio(&mp3, "mp3"), "m");
        assert!(
            (5_000..10_000).contains(&tokens),
            "{tokens} for ten seconds at least"
        );
    }

    #[test]
    fn a_likely_input_is_its_texts_and_its_turns() {
        let body = r#"{"model":"gpt-4o","messages":[{"role":"system","content":"You are terse."},
            {"role":"user","content":[{"type":"text","text":"Hello, world!"}]}],"temperature":0.5}"#;
        assert_eq!(likely_input(body.as_bytes(), &["gpt-4o"]), 4 + 4 + 2 * TURN);
        let image = chat_with(&format!(
            "data:image/png;base64,{}",
            png(1_024, 1_024, 90_000)
        ));
        assert_eq!(likely_input(image.as_bytes(), &["gpt-4o"]), 765 + TURN);
    }

    #[test]
    fn whoever_has_not_begun_to_answer_has_used_nothing() {
        let request = br#"{"messages":[{"role":"user","content":"Hello, world!"}]}"#;
        let mut seen = Seen::default();
        assert_eq!(usage(request, &["m"], &seen), Usage::default());
        seen.began = true;
        let begun = usage(request, &["m"], &seen);
        assert_eq!((begun.input, begun.output), (4 + TURN, 0));
        seen.delivered.add(b"Hello, world!");
        assert_eq!(usage(request, &["m"], &seen).output, 4);
    }

    #[test]
    fn of_what_was_told_and_what_was_delivered_the_larger_counts() {
        let told = |output| Usage {
            input: 3,
            cache_read: 9,
            output,
            ..Usage::default()
        };
        let mut seen = Seen {
            began: true,
            so_far: Some(told(1)),
            ..Seen::default()
        };
        seen.delivered.add(b"Hello, world!");
        assert_eq!(usage(b"{}", &["m"], &seen), told(4));
        seen.so_far = Some(told(7));
        assert_eq!(usage(b"{}", &["m"], &seen), told(7));
    }

    fn json() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            r#"{"messages":["#,
            r#"{"contents":["#,
            r#"{"content":["#,
            r#"{"parts":["#,
            r#"{"type":"image","source":{"#,
            r#""type":"base64","#,
            r#""type":"text","#,
            r#"{"inlineData":{"#,
            r#""mimeType":"image/png","#,
            r#""mimeType":"application/pdf","#,
            r#""data":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLv","#,
            r#""data":"JVBERi0xLjQgL1R5cGUvUGFnZSA=","#,
            r#""data":"UklGRgAAAABXQVZFZm10IA==","#,
            r#""url":"https://x","#,
            r#""image_url":{"#,
            r#""text":"hello there","#,
            "},",
            "],",
            "\"",
            "{}",
            "\\",
        ]);
        prop::collection::vec(pieces, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn the_most_is_never_less_than_what_is_likely(json in json()) {
            for model in ["m", "claude", "gpt", "gemini", "qwen", "nova", "gpt-4o-mini"] {
                let (most, likely) = (most(&json, model), likely_input(json.as_bytes(), &[model]));
                prop_assert!(most >= likely, "{} < {}", most, likely);
            }
        }

        #[test]
        fn more_text_is_never_fewer_tokens(text in "[a-z \\n]{0,200}", more in "[a-z]{0,50}") {
            let body = |text: &str| {
                let text = serde_json::Value::from(text);
                format!(r#"{{"messages":[{{"role":"user","content":{text}}}]}}"#)
            };
            prop_assert!(most(&body(&(text.clone() + &more)), "m") >= most(&body(&text), "m"));
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = most_input(&body, &["m"]);
            let _ = likely_input(&body, &["m"]);
        }
    }
}
