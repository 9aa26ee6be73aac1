//! The providers: one card a file, one line here.

mod anthropic;
pub mod card;
mod demo;
mod openai;
mod openai_compatible;

pub use card::Provider;

/// Every provider that a channel can name.
pub const PROVIDERS: &[&Provider] = &[
    &openai::OPENAI,
    &anthropic::ANTHROPIC,
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
    use super::*;

    #[test]
    fn every_card_is_complete() {
        for card in PROVIDERS {
            assert!(!card.speaks.is_empty(), "{} speaks nothing", card.name);
            assert!(
                card.docs.starts_with("https://"),
                "{} names no page",
                card.name
            );
            assert_eq!(
                find(card.name),
                Some(*card),
                "two cards are called {}",
                card.name
            );
            if let Some(url) = card.base_url {
                assert!(url.starts_with("https://"), "{} is not https", card.name);
                assert!(!url.ends_with('/'), "{} ends in a slash", card.name);
            }
        }
    }
}
