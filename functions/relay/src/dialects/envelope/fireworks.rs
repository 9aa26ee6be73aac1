//! What Fireworks says of a plain answer beside its body: how much of the prompt a cache served.
//! <https://docs.fireworks.ai/guides/prompt-caching>

use http::HeaderMap;
use shared::domain::usage::Usage;

/// The header that says it.
const CACHED: &str = "fireworks-cached-prompt-tokens";

/// The usage with it, where the body does not say as much itself.
#[must_use]
pub fn with_cached(usage: Usage, headers: &HeaderMap) -> Usage {
    let told = headers.get(CACHED).and_then(|value| value.to_str().ok());
    let cached: u64 = told.and_then(|text| text.parse().ok()).unwrap_or(0);
    if usage.total_cache_read() > 0 {
        return usage;
    }
    let cached = cached.min(usage.input);
    Usage {
        input: usage.input - cached,
        cache_read: cached,
        ..usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(text: &str, usage: Usage) -> (u64, u64) {
        let mut headers = HeaderMap::new();
        headers.insert(CACHED, text.parse().unwrap());
        let usage = with_cached(usage, &headers);
        (usage.input, usage.cache_read)
    }

    #[test]
    fn what_a_header_says_is_taken_once_and_never_beyond_the_prompt() {
        let usage = Usage {
            input: 100,
            ..Usage::default()
        };
        assert_eq!(cached("70", usage), (30, 70));
        assert_eq!(cached("700", usage), (0, 100));
        assert_eq!(cached("-7", usage), (100, 0));
        let told = Usage {
            input: 100,
            cache_read: 50,
            ..Usage::default()
        };
        assert_eq!(cached("50", told), (100, 50));
        assert_eq!(with_cached(usage, &HeaderMap::new()), usage);
    }
}
