//! What a picture counts, from its width and height: the rules of those who publish theirs.

use std::cmp::{max, min};

/// A picture's width and height, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// How wide it is.
    pub(super) width: u64,
    /// How high it is.
    pub(super) height: u64,
}

/// The first bytes of a picture are enough to find its size, unless much stands before it.
const BEGINNINGS: [usize; 2] = [32 * 1024, 512 * 1024];
/// A size that no format really has: from here on, it is as good as none.
const LONGEST_SIDE: u64 = 1 << 20;

/// Finds a picture's size; `decode` gives up to so many of its first bytes. `None` when it cannot be
/// found.
pub(super) fn measure(decode: impl Fn(usize) -> Vec<u8>) -> Option<Size> {
    for beginning in BEGINNINGS {
        let bytes = decode(beginning);
        if let Ok(size) = imagesize::blob_size(&bytes) {
            let (width, height) = (size.width as u64, size.height as u64);
            let is_real = min(width, height) > 0 && max(width, height) < LONGEST_SIDE;
            return is_real.then_some(Size { width, height });
        }
        if bytes.len() < beginning {
            break;
        }
    }
    None
}

impl Size {
    /// Scaled down until no side is longer; never below one pixel.
    fn within(self, longest: u64) -> Self {
        self.scaled(longest, max(self.width, self.height))
    }

    /// Scaled down until the shorter side is no longer than this.
    fn with_short_side(self, longest: u64) -> Self {
        self.scaled(longest, min(self.width, self.height))
    }

    fn scaled(self, wanted: u64, is: u64) -> Self {
        if is <= wanted {
            return self;
        }
        let side = |side: u64| max(1, side.saturating_mul(wanted).div_ceil(is));
        Self {
            width: side(self.width),
            height: side(self.height),
        }
    }

    /// How many squares cover it.
    fn squares(self, side: u64) -> u64 {
        let side = max(1, side);
        let (across, down) = (self.width.div_ceil(side), self.height.div_ceil(side));
        across.saturating_mul(down)
    }

    fn area(self) -> u64 {
        self.width.saturating_mul(self.height)
    }
}

/// Whose models count a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// OpenAI's, by tiles or by patches.
    /// <https://platform.openai.com/docs/guides/images-vision#calculating-costs>
    Openai,
    /// `gpt-4o-mini`, which counts a tile 33 times as much as `gpt-4o` does; same page.
    Gpt4oMini,
    /// Anthropic's. <https://docs.anthropic.com/en/docs/build-with-claude/vision#calculate-image-costs>
    Anthropic,
    /// Google's: tiles up to Gemini 2.5, <https://ai.google.dev/gemini-api/docs/tokens>; then by the
    /// resolution asked for, <https://ai.google.dev/gemini-api/docs/media-resolution>.
    Gemini,
    /// Amazon's. <https://docs.aws.amazon.com/nova/latest/userguide/modalities-image.html>
    Nova,
    /// Alibaba's, and others' with squares of 28 pixels, like Zhipu's.
    /// <https://help.aliyun.com/zh/model-studio/vision>
    Qwen,
}

/// The rules for models of which nothing is known. Nova's and `gpt-4o-mini`'s are not among them: by
/// their names they are known.
const USUAL: &[Rule] = &[Rule::Openai, Rule::Anthropic, Rule::Gemini, Rule::Qwen];

/// What each part of a model's name says of its rule.
const NAMES: &[(&str, Rule)] = &[
    ("4o-mini", Rule::Gpt4oMini),
    ("claude", Rule::Anthropic),
    ("gemini", Rule::Gemini),
    ("nova", Rule::Nova),
    ("qwen", Rule::Qwen),
    ("qvq", Rule::Qwen),
    ("glm", Rule::Qwen),
    ("gpt", Rule::Openai),
    ("codex", Rule::Openai),
];

/// The rules by which a picture may count for a model of that name.
pub(super) fn rules(model: &str) -> &'static [Rule] {
    let model = model.to_ascii_lowercase();
    let known = NAMES.iter().find(|(name, _)| model.contains(name));
    known.map_or(USUAL, |(_, rule)| std::slice::from_ref(rule))
}

impl Rule {
    /// The most that a picture counts by this rule, in tokens; without a size, the most that any
    /// picture does. What callers say of `detail` is left out of it: not all models heed it.
    pub(super) fn most(self, size: Option<Size>) -> u64 {
        match self {
            Self::Openai => openai(size),
            Self::Gpt4oMini => 2_833 + 5_667 * size.map_or(MOST_TILES, tiles),
            Self::Anthropic => size.map_or(CLAUDE, claude),
            Self::Gemini => max(size.map_or(MOST_CROPS, crops) * 258, GEMINI_3),
            Self::Nova => nova(size.unwrap_or(Size {
                width: 2_048,
                height: 2_048,
            })),
            Self::Qwen => 2 + size.map_or(QWEN, |size| size.squares(28).clamp(256, QWEN)),
        }
    }

    /// What a picture is likely to count, in tokens: by the figures of the models in use today.
    pub(super) fn likely(self, size: Option<Size>) -> u64 {
        let Some(size) = size else {
            return 1_100;
        };
        match self {
            Self::Openai => 85 + 170 * tiles(size),
            Self::Gpt4oMini => self.most(Some(size)),
            Self::Anthropic => size.within(1_568).area().div_ceil(750).clamp(1, 1_600),
            Self::Gemini => min(crops(size) * 258, 1_120),
            Self::Nova => min(nova(size), 2_600),
            Self::Qwen => size.squares(28).clamp(4, 2_560),
        }
    }
}

/// No picture of 768 by 2,048 has more tiles of 512.
const MOST_TILES: u64 = 8;
/// The most that a Claude of high resolution counts for a picture.
const CLAUDE: u64 = 4_784;
/// The most tiles of a picture that is scaled into 3,072 by 3,072.
const MOST_CROPS: u64 = 24;
/// What Gemini 3 counts for a picture at the highest resolution that can be asked for.
const GEMINI_3: u64 = 2_240;
/// The most squares that Qwen's models take at high resolution.
const QWEN: u64 = 16_384;

/// Tiles of 512 pixels, after the picture was scaled into 2,048 by 2,048 and to a short side of 768.
fn tiles(size: Size) -> u64 {
    size.within(2_048).with_short_side(768).squares(512)
}

/// The dearest of OpenAI's rules: `85 + 170` a tile; up to 1,536 patches of 32 pixels, times 2.46 for
/// the smallest model; or up to 10,000, times 1.2, for the newest ones.
fn openai(size: Option<Size>) -> u64 {
    let tiled = 85 + 170 * size.map_or(MOST_TILES, tiles);
    let patches = size.map_or(u64::MAX, |size| size.squares(32));
    let small = (min(patches, 1_536) * 246).div_ceil(100);
    let new = (min(patches, 10_000) * 12).div_ceil(10);
    max(tiled, max(small, new))
}

/// A token for each 750 pixels, or each square of 28, after the picture was scaled into 2,576 pixels.
fn claude(size: Size) -> u64 {
    let scaled = size.within(2_576);
    min(CLAUDE, max(scaled.area().div_ceil(750), scaled.squares(28)))
}

/// Small pictures are one tile; for others a tile is as wide as two thirds of the short side.
fn crops(size: Size) -> u64 {
    let size = size.within(3_072);
    let short = min(size.width, size.height);
    if max(size.width, size.height) <= 384 {
        return 1;
    }
    min(MOST_CROPS, size.squares((short * 2 / 3).clamp(256, 768)))
}

/// A token for each 500 pixels at least covers the examples of Amazon's page; small pictures are
/// scaled up until a side has some 900 pixels.
fn nova(size: Size) -> u64 {
    let long = max(size.width, size.height);
    let size = if long < 900 {
        let side = |side: u64| max(1, (side * 900).div_ceil(max(1, long)));
        Size {
            width: side(size.width),
            height: side(size.height),
        }
    } else {
        size.within(8_000)
    };
    size.area().div_ceil(500)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Rule; 6] = [
        Rule::Openai,
        Rule::Gpt4oMini,
        Rule::Anthropic,
        Rule::Gemini,
        Rule::Nova,
        Rule::Qwen,
    ];

    fn size(width: u64, height: u64) -> Option<Size> {
        Some(Size { width, height })
    }

    #[test]
    fn each_vendors_own_examples_are_covered() {
        for (rule, width, height, counted) in [
            // platform.openai.com/docs/guides/images-vision
            (Rule::Openai, 1_024, 1_024, 765),
            (Rule::Openai, 2_048, 4_096, 1_105),
            (Rule::Openai, 1_800, 2_400, 1_452),
            (Rule::Gpt4oMini, 1_024, 1_024, 25_501),
            // docs.anthropic.com/en/docs/build-with-claude/vision
            (Rule::Anthropic, 200, 200, 54),
            (Rule::Anthropic, 1_000, 1_000, 1_334),
            (Rule::Anthropic, 1_092, 1_092, 1_590),
            // ai.google.dev/gemini-api/docs/tokens
            (Rule::Gemini, 384, 384, 258),
            (Rule::Gemini, 960, 540, 1_548),
            (Rule::Gemini, 300, 300, 1_120),
            // docs.aws.amazon.com/nova/latest/userguide/modalities-image.html
            (Rule::Nova, 900, 450, 800),
            (Rule::Nova, 900, 900, 1_300),
            (Rule::Nova, 1_400, 900, 1_800),
            (Rule::Nova, 1_800, 900, 2_400),
            (Rule::Nova, 1_300, 1_300, 2_600),
            (Rule::Qwen, 3_584, 3_584, 16_384),
        ] {
            let most = rule.most(size(width, height));
            assert!(most >= counted, "{rule:?} {width}x{height}: {most}");
        }
        assert_eq!(
            tiles(Size {
                width: 1_024,
                height: 1_024
            }),
            4
        );
        assert_eq!(
            tiles(Size {
                width: 2_048,
                height: 4_096
            }),
            6
        );
        assert_eq!(
            crops(Size {
                width: 960,
                height: 540
            }),
            6
        );
    }

    #[test]
    fn a_bound_is_what_the_dearest_model_of_the_vendor_counts() {
        assert_eq!(Rule::Anthropic.most(size(1_092, 1_092)), 1_590);
        assert_eq!(Rule::Openai.most(size(1_024, 1_024)), 2_520);
        assert_eq!(Rule::Openai.most(size(4_000, 3_000)), 12_000);
    }

    #[test]
    fn a_models_name_tells_its_rule() {
        assert_eq!(rules("openai/gpt-4o-mini-2024-07-18"), [Rule::Gpt4oMini]);
        assert_eq!(
            rules("us.anthropic.Claude-sonnet-4-5-v1:0"),
            [Rule::Anthropic]
        );
        assert_eq!(rules("gemini-3-pro"), [Rule::Gemini]);
        assert_eq!(rules("fast"), USUAL);
    }

    proptest! {
        #[test]
        fn a_bound_is_above_what_is_likely_and_below_that_of_the_unknown(
            width in 1u64..20_000, height in 1u64..20_000,
        ) {
            for rule in ALL {
                let most = rule.most(size(width, height));
                prop_assert!(most >= rule.likely(size(width, height)), "{:?}", rule);
                if rule != Rule::Nova {
                    prop_assert!(most <= rule.most(None), "{:?} {}", rule, most);
                }
            }
        }

        #[test]
        fn no_bytes_make_measuring_panic(
            head in prop::sample::select(vec![
                &b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff\xe1", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8X",
                b"RIFF\0\0\0\0WEBPVP8L", b"RIFF\0\0\0\0WEBPVP8 ", b"\0\0\0\x18ftypheic", b"",
            ]),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [head, &rest].concat();
            measure(|most| bytes[..bytes.len().min(most)].to_vec());
        }
    }
}
