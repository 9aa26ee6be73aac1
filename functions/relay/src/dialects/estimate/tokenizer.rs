//! How many tokens a text is, by the vocabulary of OpenAI's `o200k_base`.
//!
//! Every model family has a vocabulary of its own, and most are secret: this one stands for all. Of
//! the crates that carry it (`tiktoken-rs`, `tiktoken`, `bpe-openai`) each adds more than two
//! megabytes to the relay. Here are its tokens alone, without their ranks, and the longest one that
//! fits is taken, which differs from the true merges by some two in a hundred at most in any script.
//! Nothing is unpacked before a text is counted for the first time.

use std::sync::LazyLock;

use super::words::Words;

/// The tokens, in their order as bytes, each without what it begins with like the one before:
/// the lengths of those beginnings, the lengths of the rests, and the rests; then packed as zlib does.
/// Made by `examples/vocabulary.rs`.
/// <https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken> (MIT)
static PACKED: &[u8] = include_bytes!("o200k_base.bin");
/// How many they are.
const TOKENS: usize = 199_998;
/// What they unpack to, in bytes: more would be something else.
const UNPACKED: usize = 1024 * 1024;
/// The longest one, in bytes.
const LONGEST: usize = 128;

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::unpack(PACKED));

/// Tokens in their order as bytes, and where each begins.
#[derive(Debug, Default)]
struct Vocabulary {
    bytes: Vec<u8>,
    starts: Vec<u32>,
}

impl Vocabulary {
    /// What cannot be unpacked is a vocabulary of single bytes: each of a text is then a token.
    fn unpack(packed: &[u8]) -> Self {
        let limit = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, UNPACKED);
        limit.map(|plain| Self::read(&plain)).unwrap_or_default()
    }

    fn read(plain: &[u8]) -> Self {
        let (shared, rest) = plain.split_at(TOKENS.min(plain.len()));
        let (own, mut rests) = rest.split_at(TOKENS.min(rest.len()));
        let mut all = Self {
            bytes: Vec::with_capacity(1_400_000),
            starts: Vec::with_capacity(TOKENS + 1),
        };
        let mut last = 0;
        for (shared, own) in shared.iter().zip(own) {
            let start = all.bytes.len();
            let (rest, others) = rests.split_at(usize::from(*own).min(rests.len()));
            all.bytes
                .extend_from_within(last..start.min(last + usize::from(*shared)));
            all.bytes.extend_from_slice(rest);
            all.starts.push(u32::try_from(start).unwrap_or(u32::MAX));
            (last, rests) = (start, others);
        }
        all
    }

    /// How many there are.
    fn len(&self) -> usize {
        self.starts.len()
    }

    fn get(&self, index: usize) -> &[u8] {
        let start = |index: usize| self.starts.get(index).map(|start| *start as usize);
        let end = start(index + 1).unwrap_or(self.bytes.len());
        let token = start(index).and_then(|start| self.bytes.get(start..end));
        token.unwrap_or_default()
    }

    /// The length of the longest token with which a text begins: one byte at least.
    fn longest(&self, text: &[u8]) -> usize {
        let mut text = text.get(..LONGEST).unwrap_or(text);
        let mut below = self.len();
        // The last token that is not behind the text begins like it, or shows how much of it can be.
        while text.len() > 1 {
            below = self.position(below, text);
            let token = self.get(below.saturating_sub(1));
            let alike = token.iter().zip(text).take_while(|(a, b)| a == b).count();
            text = text.get(..alike).unwrap_or_default();
            if alike == token.len() {
                break;
            }
        }
        text.len().max(1)
    }

    /// How many of the first `below` tokens are not behind a text.
    fn position(&self, below: usize, text: &[u8]) -> usize {
        let (mut from, mut to) = (0, below);
        while from < to {
            let middle = usize::midpoint(from, to);
            if self.get(middle) <= text {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }
}

/// How many tokens a text is. What is no UTF-8 counts as if it were replaced.
#[must_use]
pub(super) fn count(text: &[u8]) -> u64 {
    if text.is_empty() {
        return 0;
    }
    let vocabulary = &*VOCABULARY;
    let text = String::from_utf8_lossy(text);
    let mut tokens = 0;
    for word in Words::of(&text) {
        let mut rest = word.as_bytes();
        while !rest.is_empty() {
            rest = rest.get(vocabulary.longest(rest)..).unwrap_or_default();
            tokens += 1;
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_is_whole_and_in_order() {
        let vocabulary = &*VOCABULARY;
        assert_eq!(vocabulary.len(), TOKENS);
        let tokens = || (0..TOKENS).map(|index| vocabulary.get(index));
        assert!(tokens().zip(tokens().skip(1)).all(|(one, next)| one < next));
        assert_eq!(tokens().map(<[u8]>::len).max(), Some(LONGEST));
        for byte in 0..=u8::MAX {
            assert_eq!(vocabulary.longest(&[byte]), 1);
        }
        assert_eq!(vocabulary.longest(b" world!"), b" world".len());
    }

    /// The counts are those of OpenAI's own `tiktoken`.
    #[test]
    fn texts_count_as_with_the_true_merges_or_a_few_in_a_hundred_beside() {
        for (text, exact) in [
            (
                "The quick brown fox jumps over the lazy dog. It wasn't what they'd expected, but we'll see.",
                20,
            ),
            (
                "人工智能正在改变世界。大型语言模型可以理解和生成自然语言，并在许多任务中表现出色。",
                25,
            ),
            (
                "fn main() {\n    let numbers: Vec<u32> = (1..=10).filter(|n| n % 2 == 0).collect();\n    println!(\"{numbers:?}\");\n}\n",
                40,
            ),
            (
                r#"{"id":"call_8f3a","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\",\"days\":3}"}}"#,
                33,
            ),
            (
                "Быстрая коричневая лиса перепрыгивает через ленивую собаку, и никто этого не заметил.",
                27,
            ),
            (
                "Die Bundesregierung hat gestern beschlossen, die Wasserstoffinfrastruktur in ganz Deutschland auszubauen.",
                17,
            ),
            (
                "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
                32,
            ),
            ("आज मौसम बहुत अच्छा है और हम बाहर घूमने जा रहे हैं।", 14),
            ("3.14159265358979323846264338327950288419716939937510", 19),
            ("😀👍🏽 emoji — and “quotes” …", 11),
        ] {
            let counted = count(text.as_bytes());
            assert!(
                counted.abs_diff(exact) * 15 <= exact,
                "{counted} for {exact}: {text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_unpacked_counts_bytes() {
        let none = Vocabulary::unpack(b"no zlib");
        assert_eq!((none.len(), none.longest(b"abc")), (0, 1));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_more_tokens_than_bytes(text in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let lossy = String::from_utf8_lossy(&text).len() as u64;
            proptest::prop_assert!(count(&text) <= lossy);
        }
    }
}
