//! Ids and names within a provider's limits, and the same ones for the same text.

use std::borrow::Cow;

/// The longest name of a tool. <https://platform.claude.com/docs/en/agents-and-tools/tool-use>
const LONGEST_NAME: usize = 128;
/// The longest id that is sent as it is; longer ones hold more than an id.
const LONGEST_ID: usize = 256;

/// A tool's name: letters, digits, `_` and `-`.
pub(super) fn name(name: &str) -> Cow<'_, str> {
    limited(name, LONGEST_NAME)
}

/// The id of a call: letters, digits, `_` and `-`.
pub(super) fn id(id: &str) -> Cow<'_, str> {
    limited(id, LONGEST_ID)
}

/// The text, or one that is like it, within the limits, and another for each other text.
fn limited(text: &str, longest: usize) -> Cow<'_, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !text.is_empty() && text.len() <= longest && text.bytes().all(fits) {
        return Cow::Borrowed(text);
    }
    let suffix = format!("_{:08x}", hash(text));
    let kept = text.bytes().take(longest - suffix.len());
    let mut like: String = kept
        .map(|byte| if fits(byte) { char::from(byte) } else { '_' })
        .collect();
    like.push_str(&suffix);
    Cow::Owned(like)
}

/// FNV-1a, folded to 32 bits: the same on every machine and in every release.
fn hash(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) ^ (hash & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_only_where_they_must() {
        assert_eq!(name("get_weather-2"), "get_weather-2");
        let (dotted, slashed) = (name("fs.read"), name("fs/read"));
        assert!(
            dotted.starts_with("fs_read_") && dotted.len() == 16,
            "{dotted}"
        );
        assert_ne!(dotted, slashed);
        assert_eq!(name("fs.read"), dotted);
        assert_eq!(name(&"x".repeat(300)).len(), LONGEST_NAME);
        assert!(!id("").is_empty());
        assert!(id("wetter-für").is_ascii());
    }
}
